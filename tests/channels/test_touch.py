"""A browser opened a placed code; a member came from somewhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.channels.models import Acquisition, Touch
from scancode.channels.rules import UNKNOWN, Attribution
from scancode.members.models import Member
from tests import factories

ALICE, BOB = UUID(int=1), UUID(int=2)


def test_it_keeps_every_touch_and_counts_people(session: Session, now: datetime) -> None:
    brand_id = factories.make_brand(session).id
    channel = factories.make_channel(session, brand_id=brand_id)
    point = factories.make_touchpoint(session, brand_id=brand_id, channel_id=channel.id)
    for visitor, minutes in ((ALICE, 0), (ALICE, 1), (BOB, 2)):
        channels.touch(session, touchpoint_id=point.id, visitor_id=visitor, now=now + timedelta(minutes=minutes))
    session.flush()
    assert len(session.scalars(select(Touch)).all()) == 3
    counts = channels.touch_counts(session, touchpoint_ids=[point.id, UUID(int=9)])
    assert {key: (count.visitors, count.touches) for key, count in counts.items()} == {point.id: (2, 3)}


def join(session: Session, brand_id: UUID, now: datetime, attribution: Attribution, member_id: UUID) -> bool:
    return channels.acquire(
        session,
        member_id=member_id,
        brand_id=brand_id,
        attribution=attribution,
        product_id=None,
        batch_number=None,
        code_id=None,
        day="2026-11-22",
        now=now,
    )


def test_it_writes_once_where_a_member_came_from(session: Session, now: datetime) -> None:
    brand_id = factories.make_brand(session).id
    channel = factories.make_channel(session, brand_id=brand_id)
    session.add(Member(id=ALICE, brand_id=brand_id, language="zh", joined_at=now))
    session.flush()
    assert join(session, brand_id, now, Attribution("shipment", channel.id), ALICE)
    assert not join(session, brand_id, now, UNKNOWN, ALICE)
    assert session.scalars(select(Acquisition.channel_id)).all() == [channel.id]
