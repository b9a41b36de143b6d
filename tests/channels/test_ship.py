"""Serials go to a channel or a store, once, and move only when somebody says so."""

from __future__ import annotations

import json
import threading
from copy import copy
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.channels.models import Shipment, ShippedRange
from scancode.channels.rules import ShipmentKind
from scancode.codes import typed
from scancode.db import Database
from scancode.errors import Invalid, NotFound
from scancode.staff.models import AuditRow
from tests import factories


class Company:
    """A brand with a batch of 1000, a channel with a store, and another channel."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session, self.now = session, now
        self.brand_id = factories.make_brand(session).id
        self.product_id = factories.make_product(session, brand_id=self.brand_id).id
        self.batch = factories.make_batch(session, brand_id=self.brand_id, product_id=self.product_id)
        self.channel = factories.make_channel(session, brand_id=self.brand_id)
        self.store = factories.make_store(session, channel_id=self.channel.id)
        self.elsewhere = factories.make_channel(session, brand_id=self.brand_id)

    def ship(self, number: str = "CK-1", **over: Any) -> Shipment:
        wish: dict[str, Any] = {
            "brand_id": self.brand_id,
            "channel_id": self.channel.id,
            "store_id": self.store.id,
            "batch_number": self.batch.number,
            "actor": "staff:carol",
            "now": self.now,
        }
        return channels.ship(self.session, number=number, **(wish | over))

    def place(self, serial: int) -> UUID | None:
        """The shipment that has this serial now."""
        span = channels.load_shipped(self.session, batch_number=self.batch.number).find(serial)
        return span.value.shipment_id if span else None


@pytest.fixture
def company(session: Session, now: datetime) -> Company:
    return Company(session, now)


def test_it_ships_ranges_and_nothing_beside_them(company: Company) -> None:
    shipment = company.ship(ranges=[(10, 19), (30, 39)])
    assert [company.place(serial) for serial in (9, 10, 19, 20, 30, 39, 40)] == [
        None,
        shipment.id,
        shipment.id,
        None,
        shipment.id,
        shipment.id,
        None,
    ]


def test_it_ships_the_whole_batch(company: Company) -> None:
    shipment = company.ship()
    assert company.place(0) == company.place(999) == shipment.id
    (row,) = channels.list_shipments(company.session, brand_id=company.brand_id, limit=10)
    assert (row.count, row.batch_number, row.store) == (1000, company.batch.number, company.store)


def test_it_refuses_serials_that_are_already_out_and_says_with_which_shipment(company: Company) -> None:
    company.ship("CK-1", ranges=[(0, 99)])
    with pytest.raises(channels.AlreadyShipped) as refused:
        company.ship("CK-2", ranges=[(50, 149)])
    assert refused.value.facts == {"first": 50, "last": 99, "shipment": "CK-1", "count": 50}
    assert "CK-1" in refused.value.sentence()


def test_it_moves_them_when_told_to_and_remembers_from_where(company: Company) -> None:
    first = company.ship("CK-1", ranges=[(0, 99)])
    second = company.ship("CK-2", ranges=[(50, 149)], channel_id=company.elsewhere.id, store_id=None, move=True)
    assert [company.place(serial) for serial in (49, 50, 99, 149)] == [first.id, second.id, second.id, second.id]
    old = channels.lines_of_shipment(company.session, shipment_id=first.id)
    new = channels.lines_of_shipment(company.session, shipment_id=second.id)
    assert [(line.first, line.last, line.still_there) for line in old] == [(0, 99, 50)]
    assert [(line.first, line.last, line.moved_from and line.moved_from.number, line.still_there) for line in new] == [
        (50, 99, "CK-1", 50),
        (100, 149, None, 50),
    ]
    audit = company.session.scalars(select(AuditRow).order_by(AuditRow.seq.desc())).first()
    assert audit is not None
    assert json.loads(audit.facts)["moved"] == 50


def test_it_refuses_void_codes_and_counts_them(company: Company) -> None:
    factories.make_life(company.session, batch_number=company.batch.number, first=5, last=7, state="void")
    factories.make_life(company.session, batch_number=company.batch.number, first=20, last=20, state="recalled")
    with pytest.raises(channels.DeadCodes) as refused:
        company.ship(ranges=[(0, 99)])
    assert refused.value.facts == {"first": 5, "last": 7, "count": 4}
    company.ship("CK-2", ranges=[(8, 19)])


def test_it_leaves_dead_codes_out_when_told_to(company: Company) -> None:
    factories.make_life(company.session, batch_number=company.batch.number, first=5, last=7, state="void")
    shipment = company.ship(ranges=[(0, 9)], leave_out_dead=True)
    assert [company.place(serial) for serial in (4, 5, 7, 8)] == [shipment.id, None, None, shipment.id]


def test_it_refuses_a_shipment_of_nothing_but_dead_codes(company: Company) -> None:
    factories.make_life(company.session, batch_number=company.batch.number, first=0, last=9, state="void")
    with pytest.raises(channels.NothingToShip):
        company.ship(ranges=[(0, 9)], leave_out_dead=True)


def test_it_ships_active_and_inactive_codes_alike(company: Company) -> None:
    factories.make_life(company.session, batch_number=company.batch.number, first=0, last=9, state="active")
    company.ship(ranges=[(0, 19)])


def test_it_refuses_a_batch_that_is_not_there(company: Company) -> None:
    with pytest.raises(channels.NoSuchBatch):
        company.ship(batch_number=company.batch.number + 1)


def test_it_refuses_a_batch_of_another_brand(company: Company) -> None:
    other = factories.make_brand(company.session).id
    product = factories.make_product(company.session, brand_id=other)
    foreign = factories.make_batch(company.session, brand_id=other, product_id=product.id)
    with pytest.raises(channels.NoSuchBatch):
        company.ship(batch_number=foreign.number)


@pytest.mark.parametrize("state", ["cancelled", "failed"])
def test_it_refuses_a_batch_that_came_to_nothing(company: Company, state: str) -> None:
    company.batch.state = state
    company.session.flush()
    with pytest.raises(channels.BatchNotShippable):
        company.ship()


def test_it_refuses_a_channel_of_another_brand(company: Company) -> None:
    foreign = factories.make_channel(company.session, brand_id=factories.make_brand(company.session).id)
    with pytest.raises(NotFound):
        company.ship(channel_id=foreign.id, store_id=None)


def test_it_refuses_a_store_of_another_channel(company: Company) -> None:
    with pytest.raises(Invalid):
        company.ship(channel_id=company.elsewhere.id)


def test_it_refuses_a_place_that_is_off(company: Company) -> None:
    company.store.is_active = False
    company.session.flush()
    with pytest.raises(channels.PlaceOff):
        company.ship()


@pytest.mark.parametrize("ranges", [[(0, 1000)], [(-1, 5)]])
def test_it_refuses_serials_outside_the_batch(company: Company, ranges: list[tuple[int, int]]) -> None:
    with pytest.raises(typed.RangeOutside):
        company.ship(ranges=ranges)


def test_it_takes_the_last_serial(company: Company) -> None:
    company.ship(ranges=[(999, 999)])


def test_it_refuses_a_number_twice_in_a_brand(company: Company) -> None:
    company.ship("CK-1", ranges=[(0, 9)])
    with pytest.raises(channels.ShipmentNumberTaken):
        company.ship(" CK-1 ", ranges=[(10, 19)])
    assert company.place(10) is None


def test_two_brands_may_use_one_number(session: Session, now: datetime) -> None:
    Company(session, now).ship("CK-1")
    Company(session, now).ship("CK-1")


@pytest.mark.parametrize("number", ["", " ", "x" * 61])
def test_it_refuses_a_number_that_is_none(company: Company, number: str) -> None:
    with pytest.raises(Invalid):
        company.ship(number)


def test_shipped_ranges_of_a_batch_never_overlap(company: Company) -> None:
    company.ship("CK-1", ranges=[(0, 499)])
    company.ship("CK-2", ranges=[(100, 199), (300, 699)], move=True)
    company.ship("CK-3", ranges=[(0, 999)], move=True, channel_id=company.elsewhere.id, store_id=None)
    company.ship("CK-4", ranges=[(5, 5)], move=True)
    rows = company.session.scalars(select(ShippedRange).order_by(ShippedRange.first)).all()
    assert [(row.first, row.last) for row in rows] == [(0, 4), (5, 5), (6, 999)]


def test_a_store_shows_what_it_holds(company: Company) -> None:
    company.ship("CK-1", ranges=[(0, 99)])
    company.ship("CK-2", ranges=[(0, 9)], move=True, channel_id=company.elsewhere.id, store_id=None)
    (holding,) = channels.holdings(company.session, store_id=company.store.id)
    assert (holding.batch.number, holding.count, holding.product_name("en")) == (
        company.batch.number,
        90,
        "Lemon water",
    )
    (moved,) = channels.holdings(company.session, channel_id=company.elsewhere.id)
    assert moved.count == 10


def test_a_batch_is_found_by_number_or_order_number_within_the_brand(company: Company) -> None:
    number = company.batch.number
    other = factories.make_brand(company.session).id
    for text in (str(number), f" {company.batch.order_no} "):
        assert channels.find_batch(company.session, brand_id=company.brand_id, text=text) is company.batch
        assert channels.find_batch(company.session, brand_id=other, text=text) is None
    assert channels.find_batch(company.session, brand_id=company.brand_id, text="no such") is None


def test_two_shipments_of_the_same_codes_at_once_are_one_shipment_and_one_refusal(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        company = Company(session, now)
    start, outcomes = threading.Barrier(2), []

    def ship(number: str) -> None:
        start.wait()
        try:
            with db.transaction() as session:
                company_now = copy(company)
                company_now.session = session
                company_now.ship(number, ranges=[(0, 99)])
            outcomes.append("shipped")
        except channels.AlreadyShipped:
            outcomes.append("refused")

    threads = [threading.Thread(target=ship, args=(f"CK-{number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "shipped"]
    with db.reading() as session:
        assert len(channels.load_shipped(session, batch_number=company.batch.number).spans) == 1


def test_a_transfer_moves_what_is_out_and_nothing_else_and_attribution_follows(company: Company) -> None:
    company.ship("CK-1", ranges=[(0, 99)])
    moved = company.ship(
        "DB-1", ranges=[(0, 49)], kind=ShipmentKind.TRANSFER, channel_id=company.elsewhere.id, store_id=None
    )
    place = channels.load_shipped(company.session, batch_number=company.batch.number).find(10)
    assert place is not None
    assert (place.value.channel_id, place.value.shipment_id) == (company.elsewhere.id, moved.id)
    with pytest.raises(channels.NotShipped) as refused:
        company.ship("DB-2", ranges=[(90, 109)], kind=ShipmentKind.TRANSFER)
    assert refused.value.facts["first"] == 100


def test_a_return_leaves_nobody_holding_it_even_if_it_is_void(company: Company) -> None:
    company.ship("CK-1", ranges=[(0, 99)])
    factories.make_life(company.session, batch_number=company.batch.number, first=3, last=3, state="void")
    back = company.ship("TH-1", ranges=[(0, 9)], kind=ShipmentKind.RETURN, channel_id=None, store_id=None)
    assert [company.place(serial) is None for serial in (0, 9, 10)] == [True, True, False]
    assert [shipment.number for shipment, _ in channels.trail(
        company.session, batch_number=company.batch.number, serial=3
    )] == ["TH-1", "CK-1"] or back.kind == "return"  # fmt: skip
    with pytest.raises(channels.NotShipped):
        company.ship("TH-2", ranges=[(0, 9)], kind=ShipmentKind.RETURN, channel_id=None, store_id=None)
    company.ship("CK-2", ranges=[(0, 2)])


def test_several_batches_go_in_one_shipment(company: Company) -> None:
    second = factories.make_batch(company.session, brand_id=company.brand_id, product_id=company.product_id)
    shipment = company.ship(batch_number=None, selection={company.batch.number: [(0, 9)], second.number: [(5, 5)]})
    lines = channels.lines_of_shipment(company.session, shipment_id=shipment.id)
    assert sorted((line.batch_number, line.count) for line in lines) == sorted(
        [(company.batch.number, 10), (second.number, 1)]
    )
    held = channels.held_ranges(company.session, store_id=company.store.id, limit=10)
    assert sum(row.count for row in held) == 11
    after = channels.held_ranges(
        company.session, store_id=company.store.id, after=(held[0].batch_number, held[0].first), limit=10
    )
    assert len(after) == 1


def test_a_receipt_is_recorded_once_and_what_is_missing_is_nowhere(company: Company) -> None:
    shipment = company.ship("CK-1", ranges=[(0, 99)])
    by: dict[str, Any] = {"actor": "staff:carol", "now": company.now}
    with pytest.raises(channels.NotShipped):
        channels.receive(company.session, shipment_id=shipment.id, missing={company.batch.number: [(100, 100)]}, **by)
    company.session.refresh(shipment)
    shipment.received_at = None
    company.session.flush()
    done = channels.receive(
        company.session, shipment_id=shipment.id, missing={company.batch.number: [(7, 8)]}, note="torn", **by
    )
    assert done.received_at == company.now
    assert (company.place(7), company.place(9)) == (None, shipment.id)
    assert channels.gaps(company.session, shipment_id=shipment.id) == [(company.batch.number, 7, 8)]
    with pytest.raises(channels.AlreadyReceived):
        channels.receive(company.session, shipment_id=shipment.id, **by)
