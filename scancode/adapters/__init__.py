"""What stands at the ports."""
