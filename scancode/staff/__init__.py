"""The console's people and the record of what they did."""
