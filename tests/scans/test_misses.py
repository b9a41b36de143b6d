"""Forgeries are counted without costing a query."""

from __future__ import annotations

from sqlalchemy import select

from scancode.db import Database
from scancode.scans.misses import Misses
from scancode.scans.models import ScanMiss


def test_it_adds_to_what_is_there(db: Database) -> None:
    misses = Misses(db)
    for _ in range(3):
        misses.add("2026-11-22", "forged")
    misses.add("2026-11-22", "unknown")
    misses.flush()
    misses.flush()
    misses.add("2026-11-22", "forged")
    misses.flush()
    with db.reading() as session:
        rows = {(row.day, row.verdict): row.count for row in session.scalars(select(ScanMiss))}
    assert rows == {("2026-11-22", "forged"): 4, ("2026-11-22", "unknown"): 1}
