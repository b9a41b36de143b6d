"""Life by case, pallet, shipment and lot, now and at a set time, through a real worker; done once, or cancelled."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.codes import service as codes
from scancode.codes.models import LifeOrder
from scancode.codes.rules import Activate, Life, Recall, Void, VoidReason
from scancode.jobs import service as jobs
from scancode.packing import service as packing
from scancode.stories import life_orders
from scancode.stories.life_orders import OrderState, Target
from scancode.wiring import Wired
from scancode.worker import loop
from tests import factories
from tests.conftest import NOW
from tests.packing.floor import BY, Floor, make_floor


@pytest.fixture
def floor(wired: Wired) -> Floor:
    """Items 0-9 in case 0, 10-19 in case 1, both on pallet 0."""
    with wired.db.transaction() as session:
        floor = make_floor(session, wired)
        for number in (0, 1):
            fill(session, floor, floor.case(number), *(floor.item(10 * number + place) for place in range(10)))
        fill(session, floor, floor.pallet(0), floor.case(0), floor.case(1))
    return floor


def fill(session: Session, floor: Floor, parent: Any, *children: Any) -> None:
    packing.open_container(session, parent=parent, capacity=None, brand_id=floor.brand_id, **BY)
    packing.pack(session, parent=parent, children=children, brand_id=floor.brand_id, **BY)


def order(session: Session, floor: Floor, target: Target, what: Any, **over: Any) -> LifeOrder:
    wish = {"brand_id": floor.brand_id, "target": target, "title": "test", "what": what, **BY}
    return life_orders.order(session, **(wish | over))


def state(session: Session, batch: int, serial: int) -> Life:
    return codes.life_of(session, batch_number=batch, serial=serial).state


def work(wired: Wired, at: Any) -> None:
    loop.run(wired, stop_event=threading.Event(), once=True, kinds=["life"], clock=lambda: at)


def test_a_pallet_means_everything_on_it_and_itself(wired: Wired, floor: Floor) -> None:
    with wired.db.transaction() as session:
        row = order(session, floor, Target.unit(floor.pallet(0)), Activate())
        assert (row.state, row.count) == (OrderState.DONE, 20 + 2 + 1)
        assert state(session, floor.items, 19) is Life.ACTIVE
        assert state(session, floor.items, 20) is Life.INACTIVE
        assert state(session, floor.cases, 1) is Life.ACTIVE
        assert state(session, floor.pallets, 0) is Life.ACTIVE


def test_a_shipment_means_what_it_carried(wired: Wired, floor: Floor) -> None:
    with wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=floor.brand_id)
        shipment = channels.ship(
            session, brand_id=floor.brand_id, number="CK-1", channel_id=channel.id, store_id=None,
            batch_number=floor.items, ranges=[(3, 5), (9, 9)], **BY,
        )  # fmt: skip
        assert order(session, floor, Target.shipment(shipment.id), Activate()).count == 4


def test_a_lot_is_recalled_over_all_its_batches(wired: Wired, floor: Floor) -> None:
    with wired.db.transaction() as session:
        made = [
            factories.make_batch(session, brand_id=floor.brand_id, product_id=floor.product_id, lot="L1", count=5)
            for _ in range(2)
        ]
        row = order(session, floor, Target.lot("L1"), Recall("请勿饮用", "Do not drink"))
        assert row.count == 10
        life = codes.life_of(session, batch_number=made[1].number, serial=4)
        assert (life.state, life.message("en")) == (Life.RECALLED, "Do not drink")
        with pytest.raises(life_orders.TargetEmpty):
            order(session, floor, Target.lot("L2"), Activate())
        with pytest.raises(life_orders.TargetEmpty):
            order(session, floor, Target.lot(""), Activate())


def test_a_set_time_is_kept_by_the_worker_and_means_what_is_in_the_case_then(wired: Wired, floor: Floor) -> None:
    at = NOW + timedelta(hours=2)
    with wired.db.transaction() as session:
        made = order(session, floor, Target.unit(floor.case(0)), Activate(), run_at=at).id
    work(wired, at - timedelta(seconds=1))
    with wired.db.transaction() as session:
        assert state(session, floor.items, 0) is Life.INACTIVE
        packing.unpack(session, children=[floor.item(0)], brand_id=floor.brand_id, **BY)
    work(wired, at)
    with wired.db.reading() as session:
        row = life_orders.get_order(session, order_id=made)
        assert (row.state, row.count, row.ended_at) == (OrderState.DONE, 9 + 1, at)
        assert state(session, floor.items, 0) is Life.INACTIVE
        assert state(session, floor.items, 1) is Life.ACTIVE


def test_it_is_done_once_however_often_the_job_runs(wired: Wired, floor: Floor) -> None:
    at = NOW + timedelta(hours=1)
    with wired.db.transaction() as session:
        made = order(session, floor, Target.unit(floor.case(0)), Activate(), run_at=at).id
    work(wired, at)
    with wired.db.transaction() as session:
        codes.change(session, batch_number=floor.items, ranges=[(1, 1)], what=Void(VoidReason.LOST), **BY)
        jobs.requeue(session, key=life_orders.job_key(made), run_at=at, now=at)
    work(wired, at)
    with wired.db.reading() as session:
        assert state(session, floor.items, 1) is Life.VOID
        assert len(codes.history(session, batch_number=floor.items)) == 2


def test_a_cancelled_change_does_not_happen(wired: Wired, floor: Floor) -> None:
    at = NOW + timedelta(hours=1)
    with wired.db.transaction() as session:
        made = order(session, floor, Target.unit(floor.case(0)), Activate(), run_at=at).id
        life_orders.cancel(session, order_id=made, **BY)
        with pytest.raises(life_orders.OrderMoved):
            life_orders.cancel(session, order_id=made, **BY)
    work(wired, at)
    with wired.db.reading() as session:
        assert life_orders.get_order(session, order_id=made).state == OrderState.CANCELLED
        assert state(session, floor.items, 1) is Life.INACTIVE


def test_what_cannot_be_done_then_is_kept_for_a_person(wired: Wired, floor: Floor) -> None:
    at = NOW + timedelta(hours=1)
    with wired.db.transaction() as session:
        made = order(session, floor, Target.ranges(floor.items, [(0, 9)]), Activate(), run_at=at).id
        codes.change(session, batch_number=floor.items, ranges=[(0, 9)], what=Activate(), **BY)
    work(wired, at)
    with wired.db.reading() as session:
        row = life_orders.get_order(session, order_id=made)
        assert row.state == OrderState.FAILED
        assert "Nothing was changed" in row.problem
        (first, *_) = life_orders.list_orders(session, brand_id=floor.brand_id)
        assert first.id == made


def test_a_time_that_is_over_and_another_brands_case_are_refused(wired: Wired, floor: Floor) -> None:
    with wired.db.transaction() as session:
        with pytest.raises(life_orders.TimePast):
            order(session, floor, Target.unit(floor.case(0)), Activate(), run_at=NOW)
        other = make_floor(session, wired)
        with pytest.raises(life_orders.NotFound):
            order(session, floor, Target.unit(other.case(0)), Activate())
