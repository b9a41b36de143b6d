from __future__ import annotations

import pytest
from flask import Flask

from scancode.wiring import Wired
from tests.stories.scene import MONEY
from tests.web.h5.phone import Shop, open_shop


@pytest.fixture
def shop(app: Flask, wired: Wired) -> Shop:
    """Every code holds 50 points."""
    return open_shop(app, wired)


@pytest.fixture
def money_shop(app: Flask, wired: Wired) -> Shop:
    """Every code holds a red packet of 1.88 yuan."""
    return open_shop(app, wired, MONEY)
