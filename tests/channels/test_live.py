"""A live code, its team and the turns that visitors take, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.channels.models import Channel, Guide, Store
from scancode.channels.rules import TouchpointFacts
from scancode.channels.service import TeamLine
from scancode.db import Database
from scancode.errors import Invalid, NotFound
from tests import factories
from tests.threads import at_once

WHO = {"actor": "staff:dave"}


def make_team(session: Session, now: datetime, names: str = "AB") -> tuple[Channel, Store, list[Guide]]:
    brand_id = factories.make_brand(session).id
    channel = factories.make_channel(session, brand_id=brand_id)
    store = factories.make_store(session, channel_id=channel.id)
    guides = [channels.create_guide(session, store_id=store.id, name=name, now=now, **WHO) for name in names]
    return channel, store, guides


def make_live(session: Session, channel: Channel, team: list[TeamLine], now: datetime, **over: str) -> TouchpointFacts:
    texts = {"name": "柜台", "scene": "counter", "placement": "", "rotation": "turns"} | over
    point = channels.create_live(session, channel_id=channel.id, store_id=None, team=team, now=now, **texts, **WHO)
    facts = channels.load_touchpoint(session, token=point.token)
    assert facts is not None
    return facts


def test_visitors_take_turns_and_come_back_to_whom_they_met(session: Session, now: datetime) -> None:
    channel, _, guides = make_team(session, now)
    point = make_live(session, channel, [TeamLine(guide.id) for guide in guides], now)

    def meet(before: UUID | None = None) -> UUID | None:
        met = channels.meet_guide(session, point=point, local=now, before=before, now=now)
        return met.guide_id if met else None

    first, second = meet(), meet()
    assert {first, second} == {guide.id for guide in guides}
    assert meet(before=second) == second
    counts = {one.guide.id: one.today for one in channels.team_of(session, touchpoint_id=point.id, day="2026-11-22")}
    assert counts == {first: 1, second: 1}


def test_a_limit_holds_when_many_come_at_once(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        channel, _, guides = make_team(session, now, "A")
        point = make_live(session, channel, [TeamLine(guides[0].id, day_max=3)], now)

    def meet(_: int) -> object:
        with db.transaction() as session:
            return channels.meet_guide(session, point=point, local=now, before=None, now=now)

    met = at_once(6, meet)
    assert [one for one in met if isinstance(one, Exception)] == []
    assert len([one for one in met if one is not None]) == 3


def test_duty_hours_and_stores_reach_the_code(session: Session, now: datetime) -> None:
    channel, store, (alan, beth) = make_team(session, now)
    point = make_live(session, channel, [TeamLine(alan.id), TeamLine(beth.id)], now)
    channels.change_guide(
        session, guide_id=alan.id, name="A", staff_no="", shifts="1-5 09:00-18:00", is_on_duty=False, is_active=True,
        now=now, **WHO,
    )  # fmt: skip
    facts = channels.load_touchpoint(session, token=point.token)
    assert facts is not None
    there = {one.guide_id: one for one in facts.team}
    assert (there[alan.id].is_on_duty, len(there[alan.id].shifts)) == (False, 1)
    assert facts.attendant(beth.id) is not None
    channels.change_store(
        session, store_id=store.id, name=store.name, province="", city="", address="", is_active=False, now=now, **WHO
    )
    again = channels.load_touchpoint(session, token=point.token)
    assert again is not None
    assert again.attendant(beth.id) is None


def test_a_team_is_of_one_channel_and_within_limits(session: Session, now: datetime) -> None:
    channel, _, (alan, _) = make_team(session, now)
    _, _, (foreign, _) = make_team(session, now)
    with pytest.raises(NotFound):
        make_live(session, channel, [TeamLine(alan.id), TeamLine(foreign.id)], now)
    for team in ([], [TeamLine(alan.id), TeamLine(alan.id)], [TeamLine(alan.id, weight=0)]):
        with pytest.raises(Invalid):
            make_live(session, channel, team, now)
    with pytest.raises(Invalid):
        make_live(session, channel, [TeamLine(alan.id)], now, rotation="dice")


def test_a_changed_team_keeps_its_code(session: Session, now: datetime) -> None:
    channel, _, (alan, beth) = make_team(session, now)
    point = make_live(session, channel, [TeamLine(alan.id)], now)
    channels.change_live(
        session, touchpoint_id=point.id, name="门口", scene="door", placement="", rotation="weight", is_active=True,
        team=[TeamLine(beth.id, weight=5)], now=now, **WHO,
    )  # fmt: skip
    facts = channels.load_touchpoint(session, token=point.token)
    assert facts is not None
    assert (facts.name, facts.rotation, [(one.guide_id, one.weight) for one in facts.team]) == (
        "门口",
        "weight",
        [(beth.id, 5)],
    )
    assert replace(facts, team=()).attendant(beth.id) is None


def test_a_batch_and_a_region_name_a_channel(session: Session, now: datetime) -> None:
    brand_id = factories.make_brand(session).id
    batch = factories.make_batch(
        session, brand_id=brand_id, product_id=factories.make_product(session, brand_id=brand_id).id
    )
    one, other = (factories.make_channel(session, brand_id=brand_id) for _ in range(2))
    given = {"batch_number": batch.number, "brand_id": brand_id, "now": now, **WHO}
    for channel_id in (one.id, other.id, None):
        channels.set_batch_channel(session, channel_id=channel_id, **given)  # type: ignore[arg-type]
        assert channels.load_batch_channel(session, batch_number=batch.number) == channel_id
    foreign = factories.make_channel(session, brand_id=factories.make_brand(session).id)
    with pytest.raises(NotFound):
        channels.set_batch_channel(session, channel_id=foreign.id, **given)  # type: ignore[arg-type]
    factories.make_store(session, channel_id=one.id, province="广东省", city="深圳市")
    factories.make_store(session, channel_id=other.id, province="广东省", city="广州市")
    factories.make_store(session, channel_id=other.id, province="", city="上海市")
    assert channels.load_sole_channels(session, brand_id=brand_id) == {
        440300: one.id,
        440100: other.id,
        310000: other.id,
    }
    sold = [(330000, one.id), (440100, one.id)]
    found = channels.load_sole_channels(session, brand_id=brand_id, territories=sold)
    assert (found[330000], found.get(440100)) == (one.id, None)
