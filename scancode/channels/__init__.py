"""Where items go and who serves."""
