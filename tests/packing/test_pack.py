"""Packing by hand: what goes in, what is refused as it happens, taking out and moving, closing."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.codes import service as codes
from scancode.codes.rules import Void, VoidReason
from scancode.db import Database
from scancode.packing import rules
from scancode.packing import service as packing
from scancode.packing.models import PackedCode, PackedRange, PackingEvent
from scancode.packing.rules import Unit
from scancode.staff.models import AuditRow
from scancode.wiring import Wired
from tests import factories
from tests.packing.floor import BY, Floor, make_floor


@pytest.fixture
def floor(session: Session, wired: Wired) -> Floor:
    return make_floor(session, wired)


def pack(session: Session, floor: Floor, parent: Unit, *children: Unit, **over: Any) -> packing.Filled:
    packing.open_container(session, parent=parent, capacity=None, brand_id=floor.brand_id, **BY)
    return packing.pack(session, parent=parent, children=children, brand_id=floor.brand_id, **(BY | over))


def test_a_case_holds_what_was_packed_and_a_pallet_all_of_it(session: Session, floor: Floor) -> None:
    for serial in range(3):
        pack(session, floor, floor.case(0), floor.item(serial))
    pack(session, floor, floor.case(1), floor.item(10), floor.item(20))
    pack(session, floor, floor.pallet(0), floor.case(0), floor.case(1))
    inside = packing.contents(session, parent=floor.pallet(0))
    assert (inside.items, inside.cases, inside.direct_count) == (5, 2, 2)
    assert packing.parents(session, unit=floor.item(2)) == [floor.case(0), floor.pallet(0)]
    assert packing.serials(session, selection=inside.all) == {
        floor.items: ((0, 2), (10, 10), (20, 20)),
        floor.cases: ((0, 1),),
    }
    assert len(session.scalars(select(PackedCode)).all()) == 7
    assert session.scalars(select(PackedRange)).all() == []


def test_the_same_item_twice_is_refused_and_told_from_one_that_is_elsewhere(session: Session, floor: Floor) -> None:
    pack(session, floor, floor.case(0), floor.item(1))
    with pytest.raises(rules.AlreadyInside):
        pack(session, floor, floor.case(0), floor.item(1))
    with pytest.raises(rules.AlreadyInside):
        pack(session, floor, floor.case(1), floor.item(5), floor.item(5))
    with pytest.raises(rules.AlreadyPacked) as refused:
        pack(session, floor, floor.case(1), floor.item(1))
    assert refused.value.facts == {"level": "case", "batch": floor.cases, "serial": 0}


def test_moving_takes_it_out_of_where_it_was(session: Session, floor: Floor) -> None:
    pack(session, floor, floor.case(0), floor.item(1), floor.item(2))
    later = factories.NOW + timedelta(minutes=1)
    pack(session, floor, floor.case(1), floor.item(1), move=True, now=later)
    assert packing.parent_of(session, unit=floor.item(1)) == floor.case(1)
    assert packing.find_container(session, unit=floor.case(0)).count == 1
    steps = packing.history(session, unit=floor.item(1))
    assert [step.action.value for step in steps][:2] == ["pack", "unpack"]
    assert len(steps) == 3


def test_another_brands_item_is_refused(session: Session, floor: Floor) -> None:
    with pytest.raises(rules.UnitOutside):
        pack(session, floor, floor.case(0), Unit(floor.foreign, rules.Level.ITEM, 1))
    with pytest.raises(rules.UnitOutside):
        packing.pack(
            session,
            parent=floor.case(0),
            children=[Unit(floor.foreign, rules.Level.ITEM, 1)],
            brand_id=None,  # even an operator mixes no brands
            **BY,
        )


def test_a_serial_beyond_the_batch_is_refused(session: Session, floor: Floor) -> None:
    pack(session, floor, floor.case(0), floor.item(999))
    with pytest.raises(rules.UnitOutside):
        pack(session, floor, floor.case(0), floor.item(1000))


def test_a_case_outlives_the_item_of_the_same_serial(session: Session, floor: Floor) -> None:
    mixed = factories.make_batch(
        session, kinds="inner,case", count=10, brand_id=floor.brand_id, product_id=floor.product_id
    ).number
    codes.change(session, batch_number=mixed, ranges=[(4, 4)], what=Void(VoidReason.DAMAGED), **BY)
    case, item = Unit(mixed, rules.Level.CASE, 4), Unit(mixed, rules.Level.ITEM, 4)
    pack(session, floor, case, floor.item(0))
    with pytest.raises(rules.DeadUnit):
        pack(session, floor, case, item)


def test_a_void_item_is_refused(session: Session, floor: Floor) -> None:
    codes.change(session, batch_number=floor.items, ranges=[(4, 4)], what=Void(VoidReason.DAMAGED), **BY)
    with pytest.raises(rules.DeadUnit):
        pack(session, floor, floor.case(0), floor.item(4))


def test_another_product_is_refused_in_a_case_but_not_on_a_pallet(session: Session, floor: Floor) -> None:
    product = factories.make_product(session, brand_id=floor.brand_id)
    other = factories.make_batch(session, brand_id=floor.brand_id, product_id=product.id)
    stranger = Unit(other.number, rules.Level.ITEM, 0)
    pack(session, floor, floor.case(0), floor.item(0))
    with pytest.raises(rules.OtherProduct):
        pack(session, floor, floor.case(0), stranger)
    pack(session, floor, floor.pallet(0), floor.item(1), stranger)


def test_it_takes_as_many_as_belong_into_it_and_no_more(session: Session, floor: Floor) -> None:
    by = {"brand_id": floor.brand_id, **BY}
    packing.open_container(session, parent=floor.case(0), capacity=2, **by)
    packing.pack(session, parent=floor.case(0), children=[floor.item(0)], **by)
    with pytest.raises(rules.WrongCount) as refused:
        packing.close(session, parent=floor.case(0), **by)
    assert refused.value.facts == {"count": 1, "capacity": 2}
    packing.pack(session, parent=floor.case(0), children=[floor.item(1)], **by)
    with pytest.raises(rules.ContainerFull):
        packing.pack(session, parent=floor.case(0), children=[floor.item(2)], **by)
    assert packing.close(session, parent=floor.case(0), **by).is_closed
    with pytest.raises(rules.ContainerClosed):
        packing.pack(session, parent=floor.case(0), children=[floor.item(3)], **by)
    packing.unpack(session, children=[floor.item(0)], **by)  # one is missing: it is not done any more
    assert not packing.find_container(session, unit=floor.case(0)).is_closed


def test_a_case_of_another_count_is_closed_when_somebody_says_so(session: Session, floor: Floor) -> None:
    by = {"brand_id": floor.brand_id, **BY}
    packing.open_container(session, parent=floor.case(0), capacity=5, **by)
    packing.pack(session, parent=floor.case(0), children=[floor.item(0)], **by)
    assert packing.close(session, parent=floor.case(0), may_differ=True, **by).count == 1
    with pytest.raises(rules.NotPacked):
        packing.close(session, parent=floor.case(1), **by)


def test_unpacking_and_emptying(session: Session, floor: Floor) -> None:
    by = {"brand_id": floor.brand_id, **BY}
    pack(session, floor, floor.case(0), *(floor.item(serial) for serial in range(5)))
    packing.unpack(session, children=[floor.item(2)], **by)
    assert packing.find_container(session, unit=floor.case(0)).count == 4
    with pytest.raises(rules.NotPacked):
        packing.unpack(session, children=[floor.item(2), floor.item(3)], **by)
    assert packing.empty(session, parent=floor.case(0), **by) == 4
    with pytest.raises(rules.NotPacked):
        packing.empty(session, parent=floor.case(0), **by)


def test_every_act_leaves_an_audit_row_and_an_event(session: Session, floor: Floor) -> None:
    pack(session, floor, floor.case(0), floor.item(1))
    packing.unpack(session, children=[floor.item(1)], brand_id=floor.brand_id, **BY)
    actions = session.scalars(select(AuditRow.action).order_by(AuditRow.seq)).all()
    assert actions == ["packing.open", "packing.pack", "packing.unpack"]
    assert [row.action for row in session.scalars(select(PackingEvent))] == ["pack", "unpack"]


def test_two_people_who_pack_one_item_at_once_pack_it_once(db: Database, wired: Wired) -> None:
    with db.transaction() as session:
        floor = make_floor(session, wired)
        for serial in (0, 1):
            packing.open_container(session, parent=floor.case(serial), capacity=None, brand_id=floor.brand_id, **BY)
    start, outcomes = threading.Barrier(2), []

    def run(serial: int) -> None:
        start.wait()
        try:
            db.retrying(
                lambda session: packing.pack(
                    session, parent=floor.case(serial), children=[floor.item(0)], brand_id=floor.brand_id, **BY
                )
            )
            outcomes.append("packed")
        except rules.AlreadyPacked:
            outcomes.append("refused")

    threads = [threading.Thread(target=run, args=(serial,)) for serial in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["packed", "refused"]
