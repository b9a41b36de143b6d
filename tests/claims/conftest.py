"""A shop in the test's own transaction, and one that is committed, for races and workers."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from scancode.wiring import Wired
from tests.claims.shop import Shop, open_shop


@pytest.fixture
def shop(session: Session, wired: Wired) -> Shop:
    return open_shop(session, wired)


@pytest.fixture
def open_day(wired: Wired) -> Shop:
    """The same, committed."""
    with wired.db.transaction() as session:
        return open_shop(session, wired)
