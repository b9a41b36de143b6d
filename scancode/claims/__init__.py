"""The once-per-code act."""
