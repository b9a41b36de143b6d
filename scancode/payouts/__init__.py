"""Money on its way."""
