"""Ordering: numbers, idempotence by order number, refusals, cancelling and trying again."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from batches.codes import Kind
from batches.layouts import Layout
from batches.ticket import Ticket
from scancode.catalog.models import Brand, Product, Revision
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.orders import BadOrder, CountOutside, KindMissing, OrderNumberMissing
from scancode.codes.rules import BatchState
from scancode.db import Database
from scancode.errors import NotFound
from scancode.jobs import service as jobs
from scancode.staff.models import AuditRow
from tests.factories import make_brand, make_product


@pytest.fixture
def product(session: Session) -> Product:
    return make_product(session, brand_id=make_brand(session).id)


def place(session: Session, product: Product, now: datetime, **over: Any) -> Batch:
    wanted: dict[str, Any] = {
        "brand_id": product.brand_id,
        "product_id": product.id,
        "order_no": "PO-1",
        "count": 1000,
        "kinds": (Kind.INNER,),
        "base_url": "https://q.example",
        "kid": "t1",
        "actor": "staff:carol",
        "now": now,
    }
    return codes.order(session, **(wanted | over))


def test_it_orders_a_batch_and_asks_the_press(session: Session, product: Product, now: datetime) -> None:
    batch = place(session, product, now, kinds=(Kind.INNER, Kind.OUTER), formats=("pdf", "csv"), lot="L7")
    assert (batch.state, batch.kinds, batch.formats) == (BatchState.ORDERED, "outer,inner", "csv,pdf")
    assert 0 <= batch.number < 1 << 25
    job = jobs.find(session, key=f"mint:{batch.number}")
    assert job is not None
    assert job.kind == "mint"
    assert codes.load_numbers(session) == {batch.number}
    assert codes.load_kids(session) == {"t1"}


def test_it_leaves_an_audit_row_and_a_new_revision(session: Session, product: Product, now: datetime) -> None:
    before = session.scalar(select(Revision.number)) or 0
    batch = place(session, product, now)
    assert (session.scalar(select(Revision.number)) or 0) > before
    row = session.scalars(select(AuditRow)).one()
    assert (row.action, row.subject, row.actor) == ("batch.order", f"batch:{batch.number}", "staff:carol")


def test_it_returns_the_same_batch_for_the_same_order(session: Session, product: Product, now: datetime) -> None:
    batch = place(session, product, now)
    again = place(session, product, now + timedelta(days=1), note="sent twice", order_no=" PO-1 ")
    assert again.number == batch.number
    assert session.scalar(select(func.count()).select_from(Batch)) == 1


@pytest.mark.parametrize("over", [{"count": 1001}, {"is_test": True}, {"lot": "X"}, {"kinds": (Kind.OUTER,)}])
def test_it_refuses_another_order_under_the_same_number(
    session: Session, product: Product, now: datetime, over: dict[str, Any]
) -> None:
    place(session, product, now)
    with pytest.raises(codes.OrderNumberTaken):
        place(session, product, now, **over)


def test_two_brands_may_use_the_same_order_number(session: Session, product: Product, now: datetime) -> None:
    one = place(session, product, now)
    other = place(session, make_product(session, brand_id=make_brand(session).id), now)
    assert one.number != other.number
    found = codes.find_order(session, brand_id=other.brand_id, order_no="PO-1")
    assert found is not None
    assert found.number == other.number


def test_an_order_above_a_batchs_size_becomes_several(session: Session, product: Product, now: datetime) -> None:
    over = {"count": 100_000_000, "approval_above": 10**9}
    first = place(session, product, now, **over)
    batches = codes.list_order(session, brand_id=product.brand_id, order_no="PO-1")
    assert [(batch.part, batch.parts, batch.count) for batch in batches] == [
        (1, 3, 1 << 25),
        (2, 3, 1 << 25),
        (3, 3, 100_000_000 - (2 << 25)),
    ]
    assert first.number == batches[0].number
    assert len({batch.salt for batch in batches}) == 3
    for batch in batches:
        assert jobs.find(session, key=f"mint:{batch.number}") is not None
    again = place(session, product, now + timedelta(days=1), **over)
    assert again.number == first.number
    assert session.scalar(select(func.count()).select_from(Batch)) == 3
    with pytest.raises(codes.OrderNumberTaken):
        place(session, product, now, count=1 << 25)
    spec = codes.spec_of(batches[1], product)
    assert (spec.part, spec.parts, spec.count) == (2, 3, 1 << 25)


def test_how_files_are_written_is_part_of_the_order(session: Session, product: Product, now: datetime) -> None:
    ticket = Ticket(encoding="gbk", rows_per_file=500, spoilage=20, layout=Layout(columns=4, dpi=300))
    batch = place(session, product, now, ticket=ticket, digital_link=True)
    draft = codes.draft_of(batch)
    assert draft.ticket == ticket
    assert codes.spec_of(batch, product).url_prefix == f"HTTPS://Q.EXAMPLE/01/{product.gtin}/21/"
    assert place(session, product, now, ticket=ticket, digital_link=True).number == batch.number
    for over in ({"ticket": ticket}, {"digital_link": True}, {"ticket": Ticket(), "digital_link": True}):
        with pytest.raises(codes.OrderNumberTaken):
            place(session, product, now, **over)


def test_it_refuses_a_ticket_that_cannot_be_carried_out(session: Session, product: Product, now: datetime) -> None:
    with pytest.raises(BadOrder):
        place(session, product, now, ticket=Ticket(spoilage=1000))
    with pytest.raises(BadOrder):
        place(session, product, now, count=1_000_000, ticket=Ticket(rows_per_file=100))
    product.name_zh = "抹茶🍵"
    place(session, product, now, ticket=Ticket(encoding="gbk"))
    with pytest.raises(BadOrder):  # not only when it is made
        place(session, product, now, order_no="PO-2", ticket=Ticket(encoding="gbk", with_product=True))


def test_cases_take_ssccs_that_no_other_batch_takes(session: Session, now: datetime) -> None:
    brand = make_brand(session, company_prefix="690123456789")
    product = make_product(session, brand_id=brand.id)
    kinds = (Kind.CASE, Kind.PALLET)
    one = place(session, product, now, count=10, kinds=kinds)
    two = place(session, product, now, count=10, kinds=(Kind.CASE,), order_no="PO-2")
    items = place(session, product, now, count=10, order_no="PO-3")
    assert [(batch.sscc_prefix, batch.sscc_first) for batch in (one, two, items)] == [
        ("690123456789", 0),
        ("690123456789", 20),
        ("", 0),
    ]
    sister = make_product(session, brand_id=make_brand(session, company_prefix="690123456789").id)
    hers = place(session, sister, now, count=10, kinds=(Kind.CASE,))  # the company's prefix names one case once
    assert hers.sscc_first == 30
    mine = place(session, product, now, count=10, kinds=(Kind.CASE,), order_no="PO-5")
    assert mine.sscc_first == 40
    specs = [codes.spec_of(batch, product) for batch in (one, two)]
    found = [spec.sscc_for(kind, serial) for spec in specs for kind in spec.kinds for serial in range(10)]
    assert len(set(found)) == 30
    with pytest.raises(BadOrder) as caught:
        place(session, product, now, count=100_000, kinds=(Kind.CASE,), order_no="PO-4")
    assert "99999" in str(caught.value.facts["en"]) or "names 100000 units" in str(caught.value.facts["en"])


@pytest.mark.parametrize(
    ("over", "refusal"),
    [
        ({"count": 0}, CountOutside),
        ({"count": (32 << 25) + 1}, CountOutside),
        ({"kinds": ()}, KindMissing),
        ({"order_no": "  "}, OrderNumberMissing),
        ({"order_no": "x" * 61}, OrderNumberMissing),
        ({"formats": ("docx",)}, BadOrder),
        ({"formats": ()}, BadOrder),
        ({"base_url": "https://中文.cn"}, BadOrder),
        ({"lot": "批号"}, BadOrder),
        ({"formats": ("pdf",), "count": 200_001}, BadOrder),
    ],
)
def test_it_refuses_what_cannot_be_printed(
    session: Session, product: Product, now: datetime, over: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        place(session, product, now, **over)


def test_it_takes_the_largest_batch(session: Session, product: Product, now: datetime) -> None:
    assert place(session, product, now, count=1 << 25, approval_above=1 << 25).count == 1 << 25


def test_it_refuses_another_brands_product(session: Session, product: Product, now: datetime) -> None:
    brand: Brand = make_brand(session)
    with pytest.raises(NotFound):
        place(session, product, now, brand_id=brand.id)


def test_it_refuses_an_archived_product(session: Session, product: Product, now: datetime) -> None:
    product.is_archived = True
    session.flush()
    with pytest.raises(codes.ProductArchived):
        place(session, product, now)


def test_two_at_once_with_one_order_number_make_one_batch(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        product = make_product(session, brand_id=make_brand(session).id)
    numbers: list[int] = []
    barrier = threading.Barrier(2)

    def run() -> None:
        barrier.wait()
        numbers.append(db.retrying(lambda session: place(session, product, now).number))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 2
    assert len(set(numbers)) == 1
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Batch)) == 1
        assert session.scalar(select(func.count()).select_from(AuditRow)) == 1


class TestCancel:
    def test_it_takes_the_waiting_job_out(self, session: Session, product: Product, now: datetime) -> None:
        batch = place(session, product, now)
        codes.cancel(session, number=batch.number, actor="staff:carol", now=now)
        assert codes.get_batch(session, number=batch.number).state == BatchState.CANCELLED
        job = jobs.find(session, key=codes.mint_key(batch.number))
        assert job is not None
        assert job.state == jobs.JobState.CANCELLED
        assert not codes.mark_minting(session, number=batch.number)

    def test_it_stops_a_press_at_work(self, session: Session, product: Product, now: datetime) -> None:
        batch = place(session, product, now)
        assert codes.mark_minting(session, number=batch.number)
        assert codes.is_wanted(session, number=batch.number)
        codes.cancel(session, number=batch.number, actor="staff:carol", now=now)
        assert not codes.is_wanted(session, number=batch.number)
        assert not codes.mark_ready(session, number=batch.number, manifest="{}", files=(), now=now)

    def test_it_refuses_a_batch_that_is_ready(self, session: Session, product: Product, now: datetime) -> None:
        batch = place(session, product, now)
        codes.mark_minting(session, number=batch.number)
        assert codes.mark_ready(session, number=batch.number, manifest="{}", files=(), now=now)
        with pytest.raises(codes.BatchStateRefusal):
            codes.cancel(session, number=batch.number, actor="staff:carol", now=now)


class TestRetry:
    def test_it_queues_a_failed_order_again(self, session: Session, product: Product, now: datetime) -> None:
        batch = place(session, product, now)
        codes.mark_minting(session, number=batch.number)
        assert codes.mark_failed(session, number=batch.number)
        codes.retry(session, number=batch.number, actor="staff:carol", now=now)
        assert codes.get_batch(session, number=batch.number).state == BatchState.ORDERED

    def test_it_refuses_an_order_that_has_not_failed(self, session: Session, product: Product, now: datetime) -> None:
        batch = place(session, product, now)
        with pytest.raises(codes.BatchStateRefusal):
            codes.retry(session, number=batch.number, actor="staff:carol", now=now)


class TestGetBatch:
    def test_it_hides_another_brands_batch(self, session: Session, product: Product, now: datetime) -> None:
        batch = place(session, product, now)
        assert codes.get_batch(session, number=batch.number, brand_id=product.brand_id).number == batch.number
        with pytest.raises(NotFound):
            codes.get_batch(session, number=batch.number, brand_id=UUID(int=1))


class TestListBatches:
    def test_it_finds_by_order_product_and_number(self, session: Session, product: Product, now: datetime) -> None:
        batch = place(session, product, now, lot="LOT9")
        for query in ("po-1", "柠檬", "lot9", str(batch.number), product.gtin, ""):
            found = codes.list_batches(session, brand_id=product.brand_id, query=query)
            assert [row.batch.number for row in found] == [batch.number], query
            assert codes.count_batches(session, brand_id=product.brand_id, query=query) == 1
        for query in ("po-2", "100%", "_"):
            assert codes.list_batches(session, brand_id=None, query=query) == []
        assert codes.list_batches(session, brand_id=None, state=BatchState.READY) == []
        assert codes.list_batches(session, brand_id=UUID(int=1)) == []
