"""Points, append-only."""
