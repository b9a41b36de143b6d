from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from scancode.wiring import Wired
from tests.stories.scene import MONEY, Scene, set_up


@pytest.fixture
def scene(wired: Wired, session: Session) -> Scene:
    """Every code holds 50 points."""
    return set_up(wired, session)


@pytest.fixture
def money(wired: Wired, session: Session) -> Scene:
    """Every code holds a red packet of 1.88 yuan."""
    return set_up(wired, session, MONEY)
