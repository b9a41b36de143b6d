"""What stands at ports in tests that are not about the outside world."""
