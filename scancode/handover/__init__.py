"""Handing packs over: who prints, what was sealed for them, by which links it is fetched, and what is late."""
