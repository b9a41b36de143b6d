"""What happened to codes, in the words of EPCIS 2.0: for trading partners. Reads other features, keeps nothing."""
