"""When a phone meets a package."""
