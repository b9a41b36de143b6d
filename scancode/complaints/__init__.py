"""Somebody says that an item looks wrong: what they wrote and photographed, and what was answered."""
