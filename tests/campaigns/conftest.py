"""A brand, a batch and a sealer for the tests of campaigns."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from scancode.catalog.models import Brand
from scancode.codes.models import Batch
from scancode.sealing import Sealer
from scancode.wiring import Wired
from tests.factories import make_batch, make_brand, make_product


@pytest.fixture
def sealer(wired: Wired) -> Sealer:
    return wired.draw_sealer


@pytest.fixture
def brand(session: Session) -> Brand:
    return make_brand(session)


@pytest.fixture
def batch(session: Session, brand: Brand) -> Batch:
    return make_batch(session, brand_id=brand.id, product_id=make_product(session, brand_id=brand.id).id)
