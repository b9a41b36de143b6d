"""Only what a browser has shown counts for others: in verdicts, and in what looks like a copy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from scancode.codes.rules import Life
from scancode.db import Database, new_id
from scancode.scans.confirming import Confirmation
from scancode.scans.models import Scan, Suspicion
from scancode.scans.rules import HISTORY_MAX, CopyTerms, Verdict
from scancode.scans.writer import Recorded, Sighting, Writer, write

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
FEW = CopyTerms(visitors=5)


@pytest.fixture
def sighting(sighting: Sighting) -> Sighting:
    """What a preview or a new browser brings: nobody has shown its page yet."""
    return replace(sighting, copy_terms=FEW, is_confirmed=False)


@pytest.fixture
def writer(db: Database) -> Writer:
    return Writer(db, stall_s=20)


def another(sighting: Sighting, minutes: int = 0, *, serial: int = 0, visitor: UUID | None = None) -> Sighting:
    at = NOW + timedelta(minutes=minutes)
    return replace(
        sighting,
        code_id=sighting.code_id + serial,
        scan_id=new_id(at),
        scanned_at=at,
        visitor_id=visitor or uuid4(),
    )


def of(sighting: Sighting) -> Confirmation:
    return Confirmation(sighting.visitor_id, sighting.as_marked(), sighting.is_test, sighting.copy_terms)


def show(writer: Writer, sighting: Sighting) -> Recorded:
    """Somebody scans and their browser shows the page."""
    recorded = writer.record(sighting)
    writer.write(of(sighting))
    return recorded


def confirmed(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(Scan).where(Scan.is_confirmed.is_(True))) or 0


def is_marked(db: Database, sighting: Sighting) -> bool:
    with db.reading() as session:
        return session.get(Suspicion, sighting.code_id) is not None


def test_what_nobody_has_shown_is_kept_and_makes_no_repeat(db: Database, writer: Writer, sighting: Sighting) -> None:
    writer.record(sighting)
    buyer = show(writer, another(sighting, 1))
    assert (buyer.verdict, buyer.history.scans) == (Verdict.FIRST, 0)
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Scan)) == 2
    assert confirmed(db) == 1


def test_what_a_browser_has_shown_makes_a_repeat(writer: Writer, sighting: Sighting) -> None:
    show(writer, sighting)
    recorded = writer.record(another(sighting, 5))
    assert (recorded.verdict, recorded.history.first_at) == (Verdict.REPEAT, NOW)


def test_a_confirmation_later_than_the_next_scan_counts_from_then_on(writer: Writer, sighting: Sighting) -> None:
    writer.record(sighting)
    assert writer.record(another(sighting, 1)).verdict is Verdict.FIRST
    writer.write(of(sighting))
    assert writer.record(another(sighting, 2)).verdict is Verdict.REPEAT


def test_ones_own_scan_is_ones_own_whoever_has_shown_it(writer: Writer, sighting: Sighting) -> None:
    writer.record(sighting)
    show(writer, another(sighting, 1))
    again = replace(another(sighting, 2, visitor=sighting.visitor_id), is_confirmed=True)
    assert writer.record(again).verdict is Verdict.FIRST


def test_previews_mark_nothing_and_the_person_who_shows_it_does(
    db: Database, writer: Writer, sighting: Sighting
) -> None:
    for minute in range(9):
        writer.record(another(sighting, minute))
    people = [another(sighting, 10 + minute) for minute in range(4)]
    assert Verdict.SUSPECT not in [show(writer, one).verdict for one in people]
    fifth = another(sighting, 20)
    assert writer.record(fifth).verdict is Verdict.SUSPECT  # as the page says, should a person see it
    assert not is_marked(db, sighting)
    assert writer.record(replace(people[0], scan_id=new_id(NOW), is_confirmed=True)).verdict is Verdict.FIRST
    writer.write(of(fifth))
    assert is_marked(db, sighting)
    assert writer.record(another(sighting, 30)).verdict is Verdict.SUSPECT


def test_who_throws_cookies_away_marks_nothing_by_confirming_all_at_once(
    db: Database, writer: Writer, sighting: Sighting
) -> None:
    mallory = [replace(another(sighting, minute), address_digest="m" * 64) for minute in range(12)]
    for one in mallory:
        writer.record(one)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(writer.write, map(of, mallory)))
    assert not is_marked(db, sighting)
    with db.reading() as session:
        crowd = session.scalar(select(func.count()).select_from(Scan).where(Scan.risk == "crowd"))
    assert (crowd, confirmed(db)) == (9, 12)


def test_a_group_confirms_before_it_judges(db: Database, sighting: Sighting) -> None:
    with db.transaction() as session:
        write(session, [sighting])
    with db.transaction() as session:
        (answer,) = write(session, [another(sighting, 1)], [of(sighting)])
    assert answer.verdict is Verdict.REPEAT


def test_a_confirmation_is_of_its_own_visitor_and_code(db: Database, writer: Writer, sighting: Sighting) -> None:
    other = another(sighting, 1, serial=1)
    writer.record(sighting)
    writer.record(other)
    stranger = replace(of(sighting), visitor_id=uuid4())
    crossed = replace(of(sighting), visitor_id=other.visitor_id)
    for one in (stranger, crossed):
        writer.write(one)
    assert confirmed(db) == 0
    for _ in range(2):
        writer.write(of(other))
    assert confirmed(db) == 1


def test_a_dead_codes_scan_is_confirmed_too(db: Database, writer: Writer, sighting: Sighting) -> None:
    dead = replace(sighting, life=Life.VOID)
    assert show(writer, dead).verdict is Verdict.VOID
    assert confirmed(db) == 1
    assert writer.record(another(sighting, 1)).verdict is Verdict.FIRST


def test_very_many_previews_hide_no_person(db: Database, writer: Writer, sighting: Sighting) -> None:
    with db.transaction() as session:
        write(session, [another(sighting, minute) for minute in range(HISTORY_MAX + 60)])
    late = another(sighting, 500)
    assert show(writer, late).verdict is Verdict.FIRST
    found = writer.record(another(sighting, 501))
    assert (found.verdict, found.history.visitors, found.history.is_cut) == (Verdict.REPEAT, 1, False)
