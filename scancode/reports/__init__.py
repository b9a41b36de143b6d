"""What each source brought."""
