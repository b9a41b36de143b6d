"""Questions about scans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.channels.rules import UNKNOWN, Attribution, Source
from scancode.codes.rules import Life
from scancode.db import new_id
from scancode.scans import service as scans
from scancode.scans.models import Scan
from scancode.scans.writer import Sighting, write
from tests import factories

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def scan(session: Session, *, visitor: UUID, at: datetime, attribution: Attribution = UNKNOWN, code: int = 0) -> int:
    batch = factories_batch(session)
    write(
        session,
        [
            Sighting(
                code_id=(batch.number << 27) + code,
                scan_id=new_id(at),
                scanned_at=at,
                day="2026-11-22",
                visitor_id=visitor,
                brand_id=batch.brand_id,
                product_id=batch.product_id,
                batch_number=batch.number,
                life=Life.ACTIVE,
                attribution=attribution,
                client="browser",
                address_digest="ab" * 32,
                is_test=False,
            )
        ],
    )
    return (batch.number << 27) + code


def factories_batch(session: Session):  # type: ignore[no-untyped-def]
    from scancode.codes.models import Batch

    found = session.scalars(select(Batch)).first()
    if found:
        return found
    brand = factories.make_brand(session)
    product = factories.make_product(session, brand_id=brand.id)
    return factories.make_batch(session, brand_id=brand.id, product_id=product.id)


def test_it_finds_where_this_visitor_came_from(session: Session) -> None:
    alice, bob = uuid4(), uuid4()
    batch = factories_batch(session)
    channel = factories.make_channel(session, brand_id=batch.brand_id)
    store = factories.make_store(session, channel_id=channel.id)
    there = Attribution(
        source=Source.SHIPMENT, channel_id=channel.id, store_id=store.id, guide_id=None, touchpoint_id=None
    )
    code_id = scan(session, visitor=alice, at=NOW, attribution=there)
    scan(session, visitor=bob, at=NOW + timedelta(minutes=1))
    assert scans.attribution_of(session, code_id=code_id, visitor_id=alice) == there
    assert scans.attribution_of(session, code_id=code_id, visitor_id=uuid4()) == UNKNOWN
    assert scans.attribution_of(session, code_id=1, visitor_id=alice) is None


def test_it_lists_a_visitors_scans_newest_first(session: Session) -> None:
    alice = uuid4()
    for n in range(3):
        scan(session, visitor=alice, at=NOW + timedelta(minutes=n), code=n)
    found = scans.latest_of_visitor(session, visitor_id=alice, limit=2)
    assert [item.scanned_at for item in found] == [NOW + timedelta(minutes=2), NOW + timedelta(minutes=1)]


@pytest.mark.parametrize(("age", "kept"), [(timedelta(days=7), True), (timedelta(days=7, seconds=1), False)])
def test_addresses_are_forgotten_after_seven_days(session: Session, age: timedelta, kept: bool) -> None:
    scan(session, visitor=uuid4(), at=NOW - age)
    assert scans.forget_addresses(session, now=NOW, days=7) == (0 if kept else 1)
    session.expire_all()
    assert (session.scalars(select(Scan.address_digest)).one() is not None) is kept
