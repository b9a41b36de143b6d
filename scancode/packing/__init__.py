"""Aggregation: which items lie in which case, which cases on which pallet, and how they came there."""
