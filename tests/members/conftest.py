"""A brand and a sealer for the tests of membership."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.sealing import Sealer
from scancode.wiring import Wired
from tests.factories import make_brand


@pytest.fixture
def sealer(wired: Wired) -> Sealer:
    return wired.sealer


@pytest.fixture
def brand_id(session: Session) -> UUID:
    return make_brand(session).id
