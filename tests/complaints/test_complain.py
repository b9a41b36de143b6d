"""Complaints: how many, what staff may do with one, and what is left of it after a while."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from scancode.catalog.pictures import Encoded
from scancode.complaints import service as complaints
from scancode.complaints.rules import (
    OF_VISITOR_MAX,
    OF_VISITOR_PERIOD,
    ComplaintKind,
    ComplaintMoved,
    Draft,
    NothingToAnswer,
    TooManyComplaints,
)
from scancode.complaints.service import About
from scancode.db import Database
from scancode.wiring import Wired
from tests import factories
from tests.factories import NOW
from tests.threads import at_once

ALICE = UUID(int=7)
PHOTO = Encoded(b"pixels", "image/webp", 40, 40, "00")


@pytest.fixture
def brand_id(session: Session) -> UUID:
    return factories.make_brand(session).id


def complain(session: Session, wired: Wired, brand_id: UUID | None, *, minutes: int = 0, visitor: UUID = ALICE) -> UUID:
    return complaints.complain(
        session,
        about=About("forged", brand_id, typed="0123456789ABCDEFGHJK"),
        draft=Draft(ComplaintKind.FAKE, "faded ink", "13800000001", is_agreed=True),
        photo=PHOTO,
        visitor_id=visitor,
        language="zh",
        consent_version="2026-11",
        sealer=wired.sealer,
        now=NOW + timedelta(minutes=minutes),
    )


def work(session: Session, made: UUID, verb: str, text: str = "thank you", *, second: int = 0) -> None:
    at = NOW + timedelta(seconds=second)
    complaints.work_on(session, complaint_id=made, verb=verb, text=text, actor="staff:x", now=at)


def test_posts_at_once_do_not_go_over_the_limit(db: Database, wired: Wired) -> None:
    def post(_: int) -> UUID:
        return db.retrying(lambda session: complain(session, wired, None))

    made = at_once(12, post)
    assert sum(isinstance(one, UUID) for one in made) == OF_VISITOR_MAX
    assert sum(isinstance(one, TooManyComplaints) for one in made) == 12 - OF_VISITOR_MAX


def test_a_browser_may_send_a_few_a_day(session: Session, wired: Wired, brand_id: UUID) -> None:
    for minutes in range(OF_VISITOR_MAX):
        complain(session, wired, brand_id, minutes=minutes)
    with pytest.raises(TooManyComplaints):
        complain(session, wired, brand_id, minutes=9)
    complain(session, wired, brand_id, minutes=9, visitor=uuid4())
    complain(session, wired, brand_id, minutes=int(OF_VISITOR_PERIOD.total_seconds() // 60))
    assert complaints.count_open(session, brand_id=brand_id) == OF_VISITOR_MAX + 2
    assert complaints.count_open(session, brand_id=uuid4()) == 0


def test_it_goes_through_its_states_and_keeps_what_was_written(session: Session, wired: Wired, brand_id: UUID) -> None:
    made = complain(session, wired, brand_id)
    with pytest.raises(NothingToAnswer):
        work(session, made, "answer", " ")
    work(session, made, "note", "looks like batch 7")
    work(session, made, "answer", second=1)
    work(session, made, "close", "", second=2)
    with pytest.raises(ComplaintMoved):
        work(session, made, "answer", "too late")
    work(session, made, "reopen", "", second=3)
    row = complaints.get_complaint(session, complaint_id=made)
    assert (row.state, row.answer) == ("open", "thank you")
    assert [note.step for note, _ in complaints.notes_of(session, complaint_id=made)] == [
        "note", "answer", "close", "reopen",
    ]  # fmt: skip
    number = complaints.reveal_contact(session, complaint_id=made, sealer=wired.sealer, actor="staff:x", now=NOW)
    assert number == "+8613800000001"
    assert number not in (row.contact or "")


def test_after_its_time_only_that_it_was_there_is_left(session: Session, wired: Wired, brand_id: UUID) -> None:
    made, waiting = complain(session, wired, brand_id), complain(session, wired, brand_id, minutes=1)
    work(session, made, "answer")
    assert complaints.sweep(session, before=NOW, now=NOW) == 0
    assert complaints.sweep(session, before=NOW + timedelta(seconds=1), now=NOW) == 1
    row = complaints.get_complaint(session, complaint_id=made)
    assert (row.text, row.answer, row.typed, row.contact, row.contact_hint) == ("", "", "", None, "")
    assert complaints.find_photo(session, complaint_id=made) is None
    with pytest.raises(ComplaintMoved):
        work(session, made, "note")
    assert complaints.erase_of_visitors(session, visitor_ids=[ALICE], brand_id=uuid4(), now=NOW) == 0
    assert complaints.erase_of_visitors(session, visitor_ids=[ALICE], brand_id=brand_id, now=NOW) == 1
    assert complaints.get_complaint(session, complaint_id=waiting).text == ""


def test_a_list_goes_on_where_a_page_ended(session: Session, wired: Wired, brand_id: UUID) -> None:
    made = [complain(session, wired, brand_id, minutes=minutes // 2) for minutes in range(4)]
    seen: list[UUID] = []
    before = None
    while page := complaints.list_complaints(session, brand_id=brand_id, before=before, limit=1):
        seen += [row.id for row in page]
        before = (page[-1].made_at, page[-1].id)
    assert sorted(seen) == sorted(made)
    assert seen[:2] == sorted(made[2:], reverse=True)
