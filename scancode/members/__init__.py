"""People who joined."""
