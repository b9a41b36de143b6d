"""Tests of handing packs over."""
