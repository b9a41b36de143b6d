"""A copied code is marked by the scan that shows it, and stays marked until a person clears it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from scancode.channels.rules import UNKNOWN
from scancode.codes.models import Batch
from scancode.codes.rules import Life
from scancode.db import new_id
from scancode.errors import NotFound
from scancode.scans import service as scans
from scancode.scans.models import Suspicion
from scancode.scans.rules import HISTORY_MAX, CopyTerms, Sign, Standing, Verdict
from scancode.scans.service import CommentNeeded, SuspicionMoved
from scancode.scans.writer import Sighting, write
from tests import factories

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
TERMS = CopyTerms(visitors=3)
SHANGHAI, URUMQI = 310000, 650100
Scan = Callable[..., Verdict]


@pytest.fixture
def batch(session: Session) -> Batch:
    brand = factories.make_brand(session)
    product = factories.make_product(session, brand_id=brand.id)
    return factories.make_batch(session, brand_id=brand.id, product_id=product.id)


@pytest.fixture
def code_id(batch: Batch) -> int:
    return batch.number << 27


@pytest.fixture
def scan(session: Session, batch: Batch, code_id: int) -> Scan:
    """Scans the code: somebody new, a minute later each time."""
    minutes = iter(range(10_000))

    def once(
        visitor: UUID | None = None, *, is_test: bool = False, life: Life = Life.ACTIVE, region: int | None = None
    ) -> Verdict:
        at = NOW + timedelta(minutes=next(minutes))
        sighting = Sighting(
            code_id=code_id,
            scan_id=new_id(at),
            scanned_at=at,
            day="2026-11-22",
            visitor_id=visitor or uuid4(),
            brand_id=batch.brand_id,
            product_id=batch.product_id,
            batch_number=batch.number,
            life=life,
            attribution=replace(UNKNOWN, region=region),
            client="browser",
            address_digest=None,
            is_test=is_test,
            copy_terms=TERMS,
        )
        return write(session, [sighting])[0].verdict

    return once


def settle(session: Session, code_id: int, verb: str, at: datetime, comment: str = "a sample") -> Standing:
    return scans.settle_suspicion(session, code_id=code_id, verb=verb, comment=comment, actor="staff:x", now=at).state


def test_the_scan_that_shows_it_is_told_so(session: Session, scan: Scan, code_id: int, batch: Batch) -> None:
    assert [scan(), scan(), scan(), scan()] == ["first", "repeat", "suspect", "suspect"]
    found = scans.find_suspicion(session, code_id=code_id)
    assert found is not None
    assert (found.state, found.signs, found.visitors) == (Standing.OPEN, (Sign.VISITORS,), 3)
    assert scans.count_suspects(session, brand_id=batch.brand_id) == 1
    assert scans.count_suspects(session, brand_id=uuid4()) == 0
    assert scan(life=Life.VOID) is Verdict.VOID


def test_places_are_what_the_scans_say(session: Session, scan: Scan, code_id: int) -> None:
    alice, bob = uuid4(), uuid4()
    scan(alice, region=SHANGHAI)
    scan(bob, region=URUMQI)
    scan(alice, region=SHANGHAI)
    assert scan(region=URUMQI) is Verdict.SUSPECT
    found = scans.find_suspicion(session, code_id=code_id)
    assert found is not None
    assert found.signs == (Sign.VISITORS, Sign.SPEED)
    assert found.cities == 2


def test_a_test_code_is_never_marked(session: Session, scan: Scan, code_id: int) -> None:
    assert {scan(is_test=True) for _ in range(5)} == {"first", "repeat"}
    assert scans.find_suspicion(session, code_id=code_id) is None


def test_scanning_an_item_over_and_over_hides_nothing(session: Session, scan: Scan) -> None:
    forger = uuid4()
    for _ in range(HISTORY_MAX):
        scan(forger)
    assert [scan(), scan()] == ["repeat", "suspect"]


def test_after_clearing_only_later_scans_count(session: Session, scan: Scan, code_id: int) -> None:
    for _ in range(3):
        scan()
    assert settle(session, code_id, "clear", NOW + timedelta(minutes=2)) is Standing.CLEARED
    assert [scan(), scan(), scan()] == ["repeat", "repeat", "suspect"]
    assert scans.list_suspects(session, brand_id=None, limit=5)[0].visitors == 3
    assert settle(session, code_id, "trust", NOW + timedelta(minutes=9)) is Standing.TRUSTED
    assert {scan() for _ in range(5)} == {"repeat"}
    assert [step.state for step, _ in scans.steps_of(session, code_id=code_id)] == ["trusted", "cleared"]


def test_a_decision_needs_a_comment_and_is_made_once(session: Session, scan: Scan, code_id: int) -> None:
    with pytest.raises(NotFound):
        settle(session, code_id, "clear", NOW)
    for _ in range(3):
        scan()
    with pytest.raises(CommentNeeded):
        settle(session, code_id, "confirm", NOW, "  ")
    settle(session, code_id, "confirm", NOW)
    with pytest.raises(SuspicionMoved):
        settle(session, code_id, "confirm", NOW)
    assert scan() is Verdict.SUSPECT


def test_a_brand_has_its_own_values(session: Session, batch: Batch) -> None:
    values = {"suspect_visitors": 7, "suspect_cities": None}
    scans.set_terms(session, brand_id=batch.brand_id, values=values, actor="staff:x", now=NOW)
    assert scans.load_copy_terms(session, brand_id=batch.brand_id, otherwise=TERMS) == CopyTerms(visitors=7)
    assert scans.load_copy_terms(session, brand_id=uuid4(), otherwise=TERMS) == TERMS


def test_a_list_goes_on_where_a_page_ended(session: Session, batch: Batch) -> None:
    for serial in range(3):
        where = {"brand_id": batch.brand_id, "product_id": batch.product_id, "batch_number": batch.number}
        session.add(
            Suspicion(
                code_id=serial, state="open", signs="", visitors=3, cities=0,
                found_at=NOW + timedelta(seconds=serial // 2), **where,
            )
        )  # fmt: skip
    session.flush()
    seen: list[int] = []
    before = None
    while page := scans.list_suspects(session, brand_id=batch.brand_id, before=before, limit=1):
        seen += [row.code_id for row in page]
        before = (page[-1].found_at, page[-1].code_id)
    assert seen == [2, 1, 0]
