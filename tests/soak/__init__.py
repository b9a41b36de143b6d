"""``make soak``: everything at once for ten minutes, with real processes that are killed. Never part of the suite."""
