"""Offers and draws."""
