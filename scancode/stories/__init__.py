"""Use cases that span the whole story: joining, signing in."""
