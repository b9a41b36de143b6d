"""Large orders: what makes one wait, who may answer, what happens then; and replacements for void codes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from batches.codes import MAX_BATCH_COUNT, Kind
from scancode.catalog.models import Product
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.rules import BatchState
from scancode.db import Database
from scancode.errors import Invalid
from scancode.jobs import service as jobs
from scancode.staff.models import AuditRow, Staff
from tests.factories import make_batch, make_brand, make_life, make_product, make_staff
from tests.threads import at_once


@pytest.fixture
def product(session: Session) -> Product:
    return make_product(session, brand_id=make_brand(session).id)


@pytest.fixture
def carol(session: Session) -> Staff:
    return make_staff(session, name="Carol")


@pytest.fixture
def bob(session: Session) -> Staff:
    return make_staff(session, name="Bob")


def place(session: Session, product: Product, now: datetime, **over: Any) -> Batch:
    wanted: dict[str, Any] = {
        "brand_id": product.brand_id, "product_id": product.id, "order_no": "PO-1", "count": 1001,
        "kinds": (Kind.INNER,), "base_url": "https://q.example", "kid": "t1", "actor": "staff:carol",
        "approval_above": 1000, "now": now,
    }  # fmt: skip
    return codes.order(session, **(wanted | over))


def minting(session: Session, batch: Batch) -> jobs.JobFacts | None:
    return jobs.find(session, key=codes.mint_key(batch.number))


def test_an_order_above_the_limit_waits_and_one_at_it_does_not(
    session: Session, product: Product, carol: Staff, bob: Staff, now: datetime
) -> None:
    large = place(session, product, now, staff_id=carol.id)
    assert large.state == BatchState.WAITING
    assert minting(session, large) is None
    exact = place(session, product, now, staff_id=bob.id, order_no="PO-2", count=1000)
    assert exact.state == BatchState.ORDERED
    assert minting(session, exact) is not None
    assert codes.count_waiting(session, brand_id=product.brand_id) == 1
    (waiting,) = codes.list_waiting(session, brand_id=product.brand_id)
    assert (waiting.row.batch.number, waiting.orderer) == (large.number, "Carol")


def test_cutting_a_large_order_into_small_ones_does_not_help(
    session: Session, product: Product, carol: Staff, bob: Staff, now: datetime
) -> None:
    def state(order_no: str, who: Staff, when: datetime) -> str:
        return place(session, product, when, order_no=order_no, count=600, staff_id=who.id).state

    assert state("PO-1", carol, now) == BatchState.ORDERED
    assert state("PO-2", carol, now + timedelta(hours=23)) == BatchState.WAITING
    assert state("PO-3", bob, now + timedelta(hours=23)) == BatchState.ORDERED
    assert state("PO-4", carol, now + timedelta(hours=48)) == BatchState.ORDERED


def test_a_brand_may_have_a_limit_of_its_own(session: Session, product: Product, carol: Staff, now: datetime) -> None:
    terms: dict[str, Any] = {"pack_days": None, "download_days": 2, "activate_days": None, "actor": "x", "now": now}
    codes.set_terms(session, brand_id=product.brand_id, order_limit=5000, **terms)
    assert place(session, product, now).state == BatchState.ORDERED
    codes.set_terms(session, brand_id=product.brand_id, order_limit=0, **terms)
    assert place(session, product, now, order_no="PO-2", count=1, staff_id=carol.id).state == BatchState.WAITING
    with pytest.raises(Invalid):
        codes.set_terms(session, brand_id=product.brand_id, order_limit=-1, **terms)


def test_a_second_person_approves_and_the_press_begins(
    session: Session, product: Product, carol: Staff, bob: Staff, now: datetime
) -> None:
    batch = place(session, product, now, staff_id=carol.id)
    codes.approve(session, number=batch.number, staff_id=bob.id, actor="staff:bob", now=now)
    assert codes.get_batch(session, number=batch.number).state == BatchState.ORDERED
    assert minting(session, batch) is not None
    told = codes.find_approval(session, number=batch.number)
    assert told is not None
    assert (told.is_approved, told.decided_by, told.limit) == (True, "Bob", 1000)
    assert session.scalar(select(AuditRow.actor).where(AuditRow.action == "batch.approve")) == "staff:bob"
    with pytest.raises(codes.NotWaiting):
        codes.reject(session, number=batch.number, staff_id=bob.id, reason="late", actor="staff:bob", now=now)


@pytest.mark.parametrize("says", ["yes", "no"])
def test_one_answer_holds_for_all_batches_of_an_order(
    session: Session, product: Product, carol: Staff, bob: Staff, now: datetime, says: str
) -> None:
    place(session, product, now, staff_id=carol.id, count=2 * MAX_BATCH_COUNT + 1)
    other = place(session, product, now, staff_id=carol.id, order_no="PO-2")
    first, second, third = codes.list_order(session, brand_id=product.brand_id, order_no="PO-1")
    (large, small) = codes.list_waiting(session, brand_id=product.brand_id)
    assert (large.row.batch.number, large.batches, large.count) == (first.number, 3, 2 * MAX_BATCH_COUNT + 1)
    assert (small.row.batch.number, codes.count_waiting(session, brand_id=product.brand_id)) == (other.number, 2)
    codes.cancel(session, number=third.number, actor="staff:carol", now=now)
    by: dict[str, Any] = {"number": second.number, "staff_id": bob.id, "actor": "staff:bob", "now": now}
    decided = codes.approve(session, **by) if says == "yes" else codes.reject(session, reason="no", **by)
    assert decided == sorted([first.number, second.number])
    states = [codes.get_batch(session, number=each.number).state for each in (first, second, third, other)]
    answer = BatchState.ORDERED if says == "yes" else BatchState.REJECTED
    assert states == [answer, answer, BatchState.CANCELLED, BatchState.WAITING]
    assert (minting(session, first) is None) == (says == "no")


def test_who_ordered_says_neither_yes_nor_no(session: Session, product: Product, carol: Staff, now: datetime) -> None:
    batch = place(session, product, now, staff_id=carol.id)
    with pytest.raises(codes.SamePerson):
        codes.approve(session, number=batch.number, staff_id=carol.id, actor="staff:carol", now=now)
    with pytest.raises(codes.SamePerson):
        codes.reject(session, number=batch.number, staff_id=carol.id, reason="no", actor="staff:carol", now=now)
    assert codes.get_batch(session, number=batch.number).state == BatchState.WAITING


def test_nobody_orders_much_without_a_name(session: Session, product: Product, bob: Staff, now: datetime) -> None:
    """Else one person could order at a terminal, and approve in the console."""
    with pytest.raises(codes.OrdererUnknown):
        place(session, product, now)
    waiting = make_batch(session, brand_id=product.brand_id, product_id=product.id, state="waiting")
    with pytest.raises(codes.OrdererUnknown):
        codes.approve(session, number=waiting.number, staff_id=bob.id, actor="staff:bob", now=now)
    codes.reject(session, number=waiting.number, staff_id=bob.id, reason="whose?", actor="staff:bob", now=now)


def test_a_rejection_says_why_and_nothing_is_ever_made(
    session: Session, product: Product, carol: Staff, bob: Staff, now: datetime
) -> None:
    batch = place(session, product, now, staff_id=carol.id)
    with pytest.raises(codes.ReasonMissing):
        codes.reject(session, number=batch.number, staff_id=bob.id, reason="  ", actor="staff:bob", now=now)
    codes.reject(session, number=batch.number, staff_id=bob.id, reason="数量不对", actor="staff:bob", now=now)
    told = codes.find_approval(session, number=batch.number)
    assert told is not None
    assert (told.is_approved, told.reason) == (False, "数量不对")
    assert codes.get_batch(session, number=batch.number).state == BatchState.REJECTED
    assert minting(session, batch) is None
    assert not codes.mark_minting(session, number=batch.number)
    assert "数量" not in (session.scalar(select(AuditRow.facts).where(AuditRow.action == "batch.reject")) or "")
    with pytest.raises(codes.BatchStateRefusal):
        codes.retry(session, number=batch.number, actor="staff:carol", now=now)


def test_a_waiting_order_is_cancelled_by_who_ordered(
    session: Session, product: Product, carol: Staff, now: datetime
) -> None:
    batch = place(session, product, now, staff_id=carol.id)
    codes.cancel(session, number=batch.number, actor="staff:carol", now=now)
    assert codes.get_batch(session, number=batch.number).state == BatchState.CANCELLED


def test_yes_and_no_at_once_are_one_answer(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        product = make_product(session, brand_id=make_brand(session).id)
        batch = place(session, product, now, staff_id=make_staff(session, name="Carol").id)
        people = [make_staff(session, name=name) for name in ("Bob", "Dora")]

    def answer(turn: int) -> str:
        with db.transaction() as session:
            more: dict[str, Any] = {"number": batch.number, "staff_id": people[turn].id, "actor": "x", "now": now}
            codes.approve(session, **more) if turn else codes.reject(session, reason="no", **more)
        return "won"

    results = at_once(2, answer)
    assert sum(result == "won" for result in results) == 1
    assert any(isinstance(result, codes.NotWaiting) for result in results)


def test_a_finished_pack_is_never_made_again(session: Session, product: Product, now: datetime) -> None:
    batch = make_batch(session, brand_id=product.brand_id, product_id=product.id)
    with pytest.raises(codes.NeverTwice):
        codes.retry(session, number=batch.number, actor="staff:carol", now=now)


def test_a_replacement_holds_as_many_codes_as_are_void(
    session: Session, product: Product, carol: Staff, now: datetime
) -> None:
    spoiled = make_batch(session, brand_id=product.brand_id, product_id=product.id)

    def replace(order_no: str, count: int) -> Batch:
        wish = {"order_no": order_no, "count": count, "replaces": spoiled.number}
        return place(session, product, now, staff_id=carol.id, **wish)

    with pytest.raises(codes.NothingToReplace):
        replace("R-1", 1)
    make_life(session, batch_number=spoiled.number, first=0, last=99, state="void")
    with pytest.raises(codes.NothingToReplace):
        replace("R-1", 101)
    assert replace("R-1", 60).replaces == spoiled.number
    with pytest.raises(codes.NothingToReplace):
        replace("R-2", 41)
    assert replace("R-2", 40).replaces == spoiled.number
    assert replace("R-1", 60).order_no == "R-1"  # the same order again
    other = make_product(session, brand_id=product.brand_id)
    with pytest.raises(codes.NothingToReplace):
        place(session, other, now, order_no="R-3", count=1, replaces=spoiled.number)
