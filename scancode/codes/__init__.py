"""Batches of codes and their life."""
