"""What tests of scans start from."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from scancode.channels.rules import UNKNOWN
from scancode.codes.rules import Life
from scancode.db import Database, new_id
from scancode.scans.writer import Sighting
from tests import factories

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.fixture
def sighting(db: Database) -> Sighting:
    """One scan of a code that nobody has scanned before."""
    with db.transaction() as session:
        brand = factories.make_brand(session)
        product = factories.make_product(session, brand_id=brand.id)
        batch = factories.make_batch(session, brand_id=brand.id, product_id=product.id)
    return Sighting(
        code_id=batch.number << 27,
        scan_id=new_id(NOW),
        scanned_at=NOW,
        day="2026-11-22",
        visitor_id=uuid4(),
        brand_id=brand.id,
        product_id=product.id,
        batch_number=batch.number,
        life=Life.ACTIVE,
        attribution=UNKNOWN,
        client="browser",
        address_digest=None,
        is_test=False,
    )
