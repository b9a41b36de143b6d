"""The funnel against an example worked out by hand, on both databases.

Mountain Spring ships 100 items to channel A (60 of them to store S) and 50 to channel B on 22 November; 80 + 20 of them
are live. Alice scans two items of S (one of them twice), Bob one of B, Charlie one that was never shipped; Alice came
by the guide's code. A test batch and another brand have much more of everything and are never counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns.models import Campaign
from scancode.channels import service as channels
from scancode.channels.models import Acquisition, Guide, Shipment, ShippedRange
from scancode.claims.models import Claim
from scancode.db import new_id
from scancode.errors import NotFound
from scancode.members.models import Member
from scancode.payouts.models import Payout
from scancode.reports import rules
from scancode.reports import service as reports
from scancode.reports.rules import Funnel, FunnelRow
from scancode.reports.words import to_csv
from scancode.scans.models import Scan
from tests import factories

DAY = "2026-11-22"
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ALICE, BOB, CHARLIE, MALLORY = (UUID(int=number) for number in (1, 2, 3, 4))


@dataclass
class World:
    """Everything of one brand that the example speaks of."""

    session: Session
    brand_id: UUID
    product_id: UUID
    batch: int
    channel_a: UUID
    channel_b: UUID
    store: UUID
    guide: UUID
    guide_code: UUID
    shelf: UUID
    campaign: UUID

    def scan(self, serial: int, visitor: UUID, *, batch: int | None = None, day: str = DAY, **place: Any) -> None:
        number = batch or self.batch
        self.session.add(
            Scan(
                code_id=number << 27 | 1 << 25 | serial,
                id=new_id(NOON),
                scanned_at=NOON,
                day=day,
                verdict="first",
                visitor_id=visitor,
                brand_id=self.brand_id,
                product_id=self.product_id,
                batch_number=number,
                client="wechat",
                **({"source": "unknown", "is_test": False} | place),
            )
        )

    def claim(self, serial: int, fen: int, state: str, *, batch: int | None = None, **place: Any) -> None:
        """A claimed red packet whose payout is in ``state``."""
        number = batch or self.batch
        code_id = number << 27 | 1 << 25 | serial
        self.session.add(
            Claim(
                code_id=code_id,
                brand_id=self.brand_id,
                product_id=self.product_id,
                batch_number=number,
                campaign_id=self.campaign,
                prize_kind="red_packet",
                amount=fen,
                claimed_at=NOON,
                **({"state": "claimed", "source": "unknown", "is_test": False, "day": DAY} | place),
            )
        )
        self.pay(code_id, 1, fen, state)

    def pay(self, code_id: int, attempt: int, fen: int, state: str) -> None:
        self.session.add(
            Payout(
                code_id=code_id,
                attempt=attempt,
                out_bill_no=f"SC{code_id}{attempt}",
                cause=f"claim:{code_id}",
                brand_id=self.brand_id,
                campaign_id=self.campaign,
                amount_fen=fen,
                state=state,
                created_at=NOON,
                changed_at=NOON,
            )
        )

    def join(self, member: UUID, *, batch: int | None, day: str = DAY, **place: Any) -> None:
        self.session.add(Member(id=member, brand_id=self.brand_id, language="zh", joined_at=NOON))
        self.session.flush()
        self.session.add(
            Acquisition(
                member_id=member,
                brand_id=self.brand_id,
                batch_number=batch,
                product_id=self.product_id if batch else None,
                day=day,
                acquired_at=NOON,
                **({"source": "unknown"} | place),
            )
        )

    def ship(
        self, first: int, last: int, channel: UUID, store: UUID | None, *, batch: int | None = None, at: datetime = NOON
    ) -> None:
        shipment = Shipment(
            id=new_id(NOON),
            brand_id=self.brand_id,
            number=f"CK-{new_id(NOON).hex[-10:]}",
            channel_id=channel,
            store_id=store,
            shipped_at=at,
        )
        self.session.add(shipment)
        self.session.flush()
        self.session.add(
            ShippedRange(
                batch_number=batch or self.batch,
                first=first,
                last=last,
                shipment_id=shipment.id,
                channel_id=channel,
                store_id=store,
            )
        )
        self.session.flush()

    def funnel(self, by: Any, first_day: str = DAY, last_day: str = DAY, model: Any = "last") -> Funnel:
        self.session.flush()
        return reports.funnel(
            self.session, brand_id=self.brand_id, by=by, first_day=first_day, last_day=last_day, model=model
        )


def make_world(session: Session) -> World:
    brand_id = factories.make_brand(session, timezone="Asia/Shanghai").id
    product_id = factories.make_product(session, brand_id=brand_id).id
    batch = factories.make_batch(session, brand_id=brand_id, product_id=product_id)
    a = factories.make_channel(session, brand_id=brand_id, name="A")
    b = factories.make_channel(session, brand_id=brand_id, name="B")
    store = factories.make_store(session, channel_id=a.id, name="S")
    guide = Guide(id=new_id(NOON), store_id=store.id, name="G", staff_no="", is_active=True, created_at=NOON)
    session.add(guide)
    session.flush()
    guide_code = factories.make_touchpoint(
        session, brand_id=brand_id, channel_id=a.id, store_id=store.id, guide_id=guide.id, kind="guide", scene=""
    )
    shelf = factories.make_touchpoint(session, brand_id=brand_id, channel_id=b.id, scene="shelf")
    campaign = Campaign(
        id=new_id(NOON),
        brand_id=brand_id,
        name_zh="活动",
        name_en="Campaign",
        starts_at=NOON,
        ends_at=NOON,
        budget_fen=10_000,
        budget_points=0,
        state="published",
        created_at=NOON,
    )
    session.add(campaign)
    session.flush()
    return World(
        session,
        brand_id,
        product_id,
        batch.number,
        a.id,
        b.id,
        store.id,
        guide.id,
        guide_code.id,
        shelf.id,
        campaign.id,
    )


@pytest.fixture
def world(session: Session) -> World:
    world = make_world(session)
    world.ship(0, 59, world.channel_a, world.store)
    world.ship(60, 99, world.channel_a, None)
    world.ship(100, 149, world.channel_b, None)
    factories.make_life(session, batch_number=world.batch, first=20, last=119)
    by_guide = {
        "source": "touch",
        "channel_id": world.channel_a,
        "store_id": world.store,
        "guide_id": world.guide,
        "touchpoint_id": world.guide_code,
        "first_touchpoint_id": world.shelf,
        "item_channel_id": world.channel_a,
        "item_store_id": world.store,
        "region": 440300,
    }
    by_shelf = {
        "source": "touch",
        "channel_id": world.channel_b,
        "touchpoint_id": world.shelf,
        "first_touchpoint_id": world.guide_code,
        "first_guide_id": world.guide,
        "region": 440300,
    }
    world.scan(20, ALICE, **by_guide)
    world.scan(20, ALICE, **by_guide)
    world.scan(21, ALICE, **by_guide)
    world.scan(110, BOB, **by_shelf)
    world.scan(500, CHARLIE)
    world.claim(20, 188, "paid", **by_guide)
    world.claim(21, 200, "awaiting_user", **by_guide)
    world.claim(110, 88, "failed", **by_shelf)
    world.join(ALICE, batch=world.batch, **by_guide)
    world.join(CHARLIE, batch=None)
    disturb(session, world)
    session.flush()
    return world


def disturb(session: Session, world: World) -> None:
    """What must not show: a test batch of the brand, and another brand."""
    trial = factories.make_batch(session, brand_id=world.brand_id, product_id=world.product_id, is_test=True).number
    factories.make_life(session, batch_number=trial, first=0, last=999)
    world.ship(0, 999, world.channel_a, world.store, batch=trial)
    place = {"channel_id": world.channel_a, "store_id": world.store, "source": "shipment"}
    world.scan(1, MALLORY, batch=trial, is_test=True, **place)
    world.claim(1, 5000, "paid", batch=trial, is_test=True, **place)
    world.join(MALLORY, batch=trial, **place)
    world.scan(600, MALLORY, is_confirmed=False)
    other = make_world(session)
    other.ship(0, 999, other.channel_a, other.store)
    factories.make_life(session, batch_number=other.batch, first=0, last=999)
    other.scan(7, ALICE, source="shipment", channel_id=other.channel_a)
    other.claim(7, 7000, "paid", source="shipment", channel_id=other.channel_a)
    other.join(UUID(int=77), batch=other.batch, source="shipment", channel_id=other.channel_a)


def numbers(row: FunnelRow) -> tuple[int | None, ...]:
    """Shipped, activated, scanned, scans, visitors, claims, members, paid, promised."""
    return (
        row.shipped,
        row.activated,
        row.scanned,
        row.scans,
        row.visitors,
        row.claims,
        row.members,
        row.paid_fen,
        row.promised_fen,
    )


TOTAL = (150, 100, 4, 5, 3, 3, 2, 188, 388)


def by_key(funnel: Funnel) -> dict[str, tuple[int | None, ...]]:
    return {row.key: numbers(row) for row in funnel.rows}


def test_by_channel(world: World) -> None:
    found = world.funnel("channel")
    assert by_key(found) == {
        str(world.channel_a): (100, 80, 2, 3, 1, 2, 1, 188, 388),
        str(world.channel_b): (50, 20, 1, 1, 1, 1, 0, 0, 0),
        "": (0, 0, 1, 1, 1, 0, 1, 0, 0),
    }
    assert numbers(found.total) == TOTAL
    assert [row.name("zh") for row in found.rows] == ["A", "B", ""]
    assert (found.rows[0].cost_per_member_fen, found.rows[1].cost_per_member_fen) == (188, None)
    assert found.total.cost_per_member_fen == 94


def test_by_store_what_has_no_store_is_unknown(world: World) -> None:
    found = world.funnel("store")
    assert by_key(found) == {
        str(world.store): (60, 40, 2, 3, 1, 2, 1, 188, 388),
        "": (90, 60, 2, 2, 2, 1, 1, 0, 0),
    }
    assert found.rows[0].note == "A"


def test_by_guide(world: World) -> None:
    found = world.funnel("guide")
    assert by_key(found) == {
        str(world.guide): (None, None, 2, 3, 1, 2, 1, 188, 388),
        "": (None, None, 2, 2, 2, 1, 1, 0, 0),
    }
    assert numbers(found.total) == TOTAL


def test_by_scene_a_guides_own_code_is_no_scene(world: World) -> None:
    assert by_key(world.funnel("scene")) == {
        "shelf": (None, None, 1, 1, 1, 1, 0, 0, 0),
        "": (None, None, 3, 4, 2, 2, 2, 188, 388),
    }


def test_by_placed_code_with_those_who_opened_it_and_the_ones_that_nobody_opened(
    session: Session, world: World
) -> None:
    idle = factories.make_touchpoint(session, brand_id=world.brand_id, channel_id=world.channel_b, scene="poster")
    other = make_world(session)
    for point, visitor, at in (
        (world.shelf, BOB, NOON),
        (world.shelf, BOB, NOON),
        (world.shelf, CHARLIE, NOON),
        (world.guide_code, BOB, NOON),
        (world.guide_code, ALICE, NOON - timedelta(days=1)),
        (other.shelf, MALLORY, NOON),
    ):
        channels.touch(session, touchpoint_id=point, visitor_id=visitor, now=at)
    found = world.funnel("touchpoint")
    assert by_key(found) == {
        str(world.guide_code): (None, None, 2, 3, 1, 2, 1, 188, 388),
        str(world.shelf): (None, None, 1, 1, 1, 1, 0, 0, 0),
        str(idle.id): (None, None, 0, 0, 0, 0, 0, 0, 0),
        "": (None, None, 1, 1, 1, 0, 1, 0, 0),
    }
    opened = {row.key: (row.opened, row.join_rate) for row in found.rows}
    assert opened == {
        str(world.guide_code): (1, 1.0),
        str(world.shelf): (2, 0.0),
        str(idle.id): (0, None),
        "": (None, 1.0),
    }
    assert (found.total.opened, found.rows[0].note) == (2, "A")
    first = by_key(world.funnel("touchpoint", model="first"))
    assert first[str(world.shelf)] == (None, None, 2, 3, 1, 2, 1, 188, 388)
    table = to_csv(found, locale="en", translate=str).decode("utf-8-sig").splitlines()
    assert table[0].split(",")[:4] == ["Placed code", "Channel", "Opened by", "Items shipped"]


def test_by_region(world: World) -> None:
    found = world.funnel("region")
    assert by_key(found) == {
        "440300": (None, None, 3, 4, 2, 3, 1, 188, 388),
        "": (None, None, 1, 1, 1, 0, 1, 0, 0),
    }
    assert (found.rows[0].name("zh"), found.rows[0].name("en")) == ("广东 深圳", "Shenzhen, Guangdong")


def test_by_the_first_touch_the_credit_goes_to_it_and_to_its_guide(world: World) -> None:
    assert by_key(world.funnel("channel", model="first")) == {
        str(world.channel_b): (50, 20, 2, 3, 1, 2, 1, 188, 388),
        str(world.channel_a): (100, 80, 1, 1, 1, 1, 0, 0, 0),
        "": (0, 0, 1, 1, 1, 0, 1, 0, 0),
    }
    assert by_key(world.funnel("guide", model="first"))[str(world.guide)] == (None, None, 1, 1, 1, 1, 0, 0, 0)
    assert by_key(world.funnel("store", model="first"))[str(world.store)][2:] == (1, 1, 1, 1, 0, 0, 0)
    assert by_key(world.funnel("scene", model="first"))["shelf"] == (None, None, 2, 3, 1, 2, 1, 188, 388)


def test_by_the_item_touches_count_for_nothing(world: World) -> None:
    found = world.funnel("channel", model="item")
    assert by_key(found) == {
        str(world.channel_a): (100, 80, 2, 3, 1, 2, 1, 188, 388),
        str(world.channel_b): (50, 20, 0, 0, 0, 0, 0, 0, 0),
        "": (0, 0, 2, 2, 2, 1, 1, 0, 0),
    }
    assert numbers(found.total) == TOTAL
    for by in ("guide", "scene"):  # by placed code those in use stand beside it
        assert by_key(world.funnel(by, model="item")) == {"": (None, None, *TOTAL[2:])}


def test_it_refuses_a_model_that_is_none(world: World) -> None:
    with pytest.raises(rules.BadModel):
        world.funnel("channel", model="linear")


def test_by_product(world: World) -> None:
    assert by_key(world.funnel("product")) == {
        str(world.product_id): (150, 100, 4, 5, 3, 3, 1, 188, 388),
        "": (0, 0, 0, 0, 0, 0, 1, 0, 0),
    }


def test_by_batch(world: World) -> None:
    found = world.funnel("batch")
    assert by_key(found)[str(world.batch)] == (150, 100, 4, 5, 3, 3, 1, 188, 388)
    assert found.rows[0].note == "山泉柠檬水"
    assert len(found.rows) == 2


def test_by_day_every_day_has_a_row(world: World) -> None:
    found = world.funnel("day", "2026-11-21", "2026-11-23")
    nothing = (0,) * 9
    assert [(row.key, numbers(row)) for row in found.rows] == [
        ("2026-11-21", nothing),
        (DAY, TOTAL),
        ("2026-11-23", nothing),
    ]


@pytest.mark.parametrize("by", rules.DIMENSIONS)
def test_rows_add_up_to_the_total_where_nothing_is_counted_twice(world: World, by: Any) -> None:
    found = world.funnel(by)
    for name in ("shipped", "activated", "scans", "claims", "members", "paid_fen", "promised_fen"):
        if getattr(found.rows[0], name) is not None:
            assert sum(getattr(row, name) for row in found.rows) == getattr(found.total, name), name


def test_a_visitor_of_two_channels_counts_once_in_the_total(world: World) -> None:
    world.scan(111, ALICE, source="shipment", channel_id=world.channel_b)
    found = world.funnel("channel")
    assert sum(row.visitors for row in found.rows) == 4
    assert found.total.visitors == 3


def test_a_code_scanned_again_on_another_day_counts_once_in_the_period(world: World) -> None:
    world.scan(20, BOB, day="2026-11-23")
    found = world.funnel("day", DAY, "2026-11-23")
    assert [row.scanned for row in found.rows] == [4, 1]
    assert found.total.scanned == 4


def test_a_shipment_belongs_to_the_brands_day(world: World) -> None:
    late, early = datetime(2026, 11, 22, 15, 59, tzinfo=UTC), datetime(2026, 11, 22, 16, 1, tzinfo=UTC)
    world.ship(200, 209, world.channel_b, None, at=late)
    world.ship(210, 211, world.channel_b, None, at=early)
    factories.make_life(world.session, batch_number=world.batch, first=200, last=204, changed_at=late)
    factories.make_life(world.session, batch_number=world.batch, first=210, last=210, changed_at=early)
    today, tomorrow = world.funnel("day", DAY, "2026-11-23").rows
    assert (today.shipped, tomorrow.shipped) == (160, 2)
    assert (today.activated, tomorrow.activated) == (105, 1)
    assert world.funnel("channel").total.shipped == 160
    assert world.funnel("channel", "2026-11-23", "2026-11-23").total.activated == 1


def test_void_codes_are_no_longer_live(world: World) -> None:
    factories.make_life(world.session, batch_number=world.batch, first=300, last=309, state="void")
    assert world.funnel("channel").total.activated == 100


def test_live_items_that_were_never_shipped_are_under_unknown(world: World) -> None:
    factories.make_life(world.session, batch_number=world.batch, first=145, last=154)
    rows = by_key(world.funnel("channel"))
    assert (rows[str(world.channel_b)][1], rows[""][1]) == (25, 5)


def test_a_reservation_is_no_claim_yet_but_its_money_is_promised(world: World) -> None:
    code_id = world.batch << 27 | 1 << 25 | 50
    world.session.add(
        Claim(
            code_id=code_id,
            state="reserved",
            brand_id=world.brand_id,
            product_id=world.product_id,
            batch_number=world.batch,
            prize_kind="red_packet",
            amount=300,
            source="unknown",
            day=DAY,
            claimed_at=NOON,
            is_test=False,
        )
    )
    world.pay(code_id, 1, 300, "created")
    total = world.funnel("channel").total
    assert (total.claims, total.paid_fen, total.promised_fen) == (3, 188, 688)


def test_a_second_attempt_to_pay_is_counted_once(world: World) -> None:
    world.pay(world.batch << 27 | 1 << 25 | 110, 2, 88, "paid")
    total = world.funnel("channel").total
    assert (total.paid_fen, total.promised_fen) == (276, 476)


def test_a_channel_in_use_shows_even_when_it_brought_nothing(world: World) -> None:
    idle = factories.make_channel(world.session, brand_id=world.brand_id, name="C")
    gone = factories.make_channel(world.session, brand_id=world.brand_id, name="D", is_active=False)
    keys = by_key(world.funnel("channel"))
    assert str(idle.id) in keys
    assert str(gone.id) not in keys


def test_rows_beyond_the_limit_are_left_off_and_counted(world: World) -> None:
    found = reports.funnel(
        world.session, brand_id=world.brand_id, by="day", first_day="2026-11-01", last_day="2026-11-30", rows_max=10
    )
    assert (len(found.rows), found.left_off) == (10, 20)


def test_it_refuses_a_brand_that_is_not_there_and_a_report_that_is_none(world: World) -> None:
    with pytest.raises(NotFound):
        reports.funnel(world.session, brand_id=UUID(int=5), by="channel", first_day=DAY, last_day=DAY)
    with pytest.raises(rules.BadDimension):
        world.funnel("weather")


def test_an_empty_brand_has_an_empty_funnel(session: Session) -> None:
    brand_id = factories.make_brand(session).id
    found = reports.funnel(session, brand_id=brand_id, by="channel", first_day=DAY, last_day=DAY)
    assert (found.rows, found.total.is_empty) == ((), True)


def test_the_week_of_the_dashboard(world: World) -> None:
    world.scan(22, BOB, day="2026-11-16")
    world.scan(23, BOB, day="2026-11-15")
    world.session.flush()
    week = reports.overview(world.session, brand_id=world.brand_id, today=DAY)
    assert [figures.day for figures in week] == [f"2026-11-{day}" for day in range(16, 23)]
    assert (week[0].scans, week[0].visitors) == (1, 1)
    last = week[-1]
    assert (last.scans, last.visitors, last.claims, last.members, last.paid_fen) == (5, 3, 3, 2, 188)


def test_the_operators_week_is_of_all_brands(world: World) -> None:
    assert reports.overview(world.session, brand_id=None, today=DAY)[-1].scans == 6
