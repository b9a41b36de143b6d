"""GS1 Digital Link: what an address names, and where it leads."""
