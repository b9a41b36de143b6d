"""Changing the life of ranges in the database: each verb, its history, its audit row, and two people at once."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.catalog.models import Revision
from scancode.codes import service as codes
from scancode.codes.keys import Keyring
from scancode.codes.models import Batch, LifeEvent, LifeRange
from scancode.codes.rules import Activate, Deactivate, Life, NothingToChange, Recall, Restore, Void, VoidReason
from scancode.codes.typed import RangeOutside, RangeReversed
from scancode.db import Database
from scancode.errors import NotFound
from scancode.staff.models import AuditRow
from tests.factories import make_batch, make_brand, make_life, make_product

BY: dict[str, Any] = {"actor": "staff:carol"}


def new_batch(session: Session, **over: Any) -> Batch:
    brand = make_brand(session)
    return make_batch(session, brand_id=brand.id, product_id=make_product(session, brand_id=brand.id).id, **over)


@pytest.fixture
def number(session: Session) -> int:
    return new_batch(session).number


def state(session: Session, number: int, serial: int) -> Life:
    return codes.life_of(session, batch_number=number, serial=serial).state


class TestActivate:
    def test_it_makes_a_range_live_and_nothing_else(self, session: Session, number: int, now: datetime) -> None:
        done = codes.change(session, batch_number=number, ranges=[(10, 19)], what=Activate(), now=now, **BY)
        assert done.count == 10
        assert [state(session, number, serial) for serial in (9, 10, 19, 20)] == [
            Life.INACTIVE,
            Life.ACTIVE,
            Life.ACTIVE,
            Life.INACTIVE,
        ]

    def test_it_takes_the_whole_batch(self, session: Session, number: int, now: datetime) -> None:
        assert (
            codes.change(session, batch_number=number, ranges=[(0, 999)], what=Activate(), now=now, **BY).count == 1000
        )

    @pytest.mark.parametrize("at", ["ordered", "minting", "failed", "cancelled"])
    def test_it_refuses_a_batch_that_is_not_ready(self, session: Session, now: datetime, at: str) -> None:
        batch = new_batch(session, state=at)
        with pytest.raises(codes.BatchNotReady):
            codes.change(session, batch_number=batch.number, ranges=[(0, 9)], what=Activate(), now=now, **BY)

    @pytest.mark.parametrize(
        ("first", "last", "refusal"),
        [(0, 1000, RangeOutside), (-1, 5, RangeOutside), (9, 8, RangeReversed)],
    )
    def test_it_refuses_serials_that_are_not_there(
        self, session: Session, number: int, now: datetime, first: int, last: int, refusal: type[Exception]
    ) -> None:
        with pytest.raises(refusal):
            codes.change(session, batch_number=number, ranges=[(first, last)], what=Activate(), now=now, **BY)

    def test_it_refuses_an_unknown_batch(self, session: Session, now: datetime) -> None:
        with pytest.raises(NotFound):
            codes.change(session, batch_number=1, ranges=[(0, 0)], what=Activate(), now=now, **BY)

    def test_it_is_told_to_every_process_and_kept(self, session: Session, number: int, now: datetime) -> None:
        before = session.scalar(select(Revision.number)) or 0
        codes.change(session, batch_number=number, ranges=[(0, 9)], what=Activate(), now=now, **BY)
        assert (session.scalar(select(Revision.number)) or 0) > before
        row = session.scalars(select(AuditRow)).one()
        assert (row.action, row.subject) == ("codes.activate", f"batch:{number}")
        assert '"count": 10' in row.facts or '"count":10' in row.facts

    def test_two_at_once_over_overlapping_ranges_both_succeed(self, db: Database, now: datetime) -> None:
        with db.transaction() as session:
            number = new_batch(session).number
        barrier = threading.Barrier(2)
        counts: list[int] = []

        def run(first: int, last: int) -> None:
            barrier.wait()
            counts.append(
                db.retrying(
                    lambda session: (
                        codes.change(
                            session, batch_number=number, ranges=[(first, last)], what=Activate(), now=now, **BY
                        ).count
                    )
                )
            )

        threads = [threading.Thread(target=run, args=args) for args in ((0, 599), (400, 999))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(counts) == 1000
        with db.reading() as session:
            row = session.scalars(select(LifeRange)).one()
            assert (row.first, row.last) == (0, 999)
            assert session.scalar(select(Batch.life_changes)) == 2


class TestDeactivate:
    def test_it_takes_live_codes_back(self, session: Session, number: int, now: datetime) -> None:
        make_life(session, batch_number=number, first=0, last=9)
        assert codes.change(session, batch_number=number, ranges=[(5, 20)], what=Deactivate(), now=now, **BY).count == 5
        assert state(session, number, 4) is Life.ACTIVE
        assert state(session, number, 5) is Life.INACTIVE


class TestVoid:
    def test_it_kills_with_a_reason(self, session: Session, number: int, now: datetime) -> None:
        make_life(session, batch_number=number, first=0, last=999)
        codes.change(session, batch_number=number, ranges=[(5, 5)], what=Void(VoidReason.STOLEN), now=now, **BY)
        life = codes.life_of(session, batch_number=number, serial=5)
        assert (life.state, life.reason) == (Life.VOID, "stolen")
        assert session.scalar(select(func.count()).select_from(LifeRange)) == 3

    def test_it_stays_when_the_batch_is_activated(self, session: Session, number: int, now: datetime) -> None:
        codes.change(session, batch_number=number, ranges=[(5, 6)], what=Void(VoidReason.MISPRINT), now=now, **BY)
        done = codes.change(session, batch_number=number, ranges=[(0, 999)], what=Activate(), now=now, **BY)
        assert (done.count, done.left) == (998, {Life.VOID: 2})
        assert state(session, number, 5) is Life.VOID
        with pytest.raises(NothingToChange):
            codes.change(session, batch_number=number, ranges=[(5, 6)], what=Activate(), now=now, **BY)


class TestRecall:
    def test_it_puts_its_message_on_every_code(
        self, session: Session, number: int, now: datetime, settings: Any
    ) -> None:
        codes.change(session, batch_number=number, ranges=[(0, 999)], what=Recall("停用", "Stop"), now=now, **BY)
        keyring = Keyring(settings.code_keys.get_secret_value())
        facts = codes.load_batch(session, number=number, keyring=keyring)
        assert facts is not None
        assert facts.life_of(500).message("zh") == "停用"
        assert facts.life_of(500).message("en") == "Stop"


class TestRestore:
    def test_it_returns_each_code_to_what_it_was(self, session: Session, number: int, now: datetime) -> None:
        make_life(session, batch_number=number, first=0, last=4)
        codes.change(session, batch_number=number, ranges=[(0, 9)], what=Void(VoidReason.LOST), now=now, **BY)
        done = codes.change(session, batch_number=number, ranges=[(0, 9)], what=Restore("found again"), now=now, **BY)
        assert done.count == 10
        assert [state(session, number, serial) for serial in (4, 5)] == [Life.ACTIVE, Life.INACTIVE]


class TestHistory:
    def test_it_tells_what_was_done_to_one_code(self, session: Session, number: int, now: datetime) -> None:
        codes.change(session, batch_number=number, ranges=[(0, 9)], what=Activate(), now=now, **BY)
        later = now + timedelta(hours=1)
        codes.change(
            session, batch_number=number, ranges=[(3, 3)], what=Void(VoidReason.DAMAGED, note="torn"), now=later, **BY
        )
        told = codes.history(session, batch_number=number, serial=3)
        assert [(event.state, event.reason, event.note) for event in told] == [
            (Life.VOID, "damaged", "torn"),
            (Life.ACTIVE, "", ""),
        ]
        assert len(codes.history(session, batch_number=number, serial=4)) == 1

    def test_one_act_over_many_pieces_is_one_line(self, session: Session, number: int, now: datetime) -> None:
        codes.change(session, batch_number=number, ranges=[(3, 3)], what=Void(VoidReason.DAMAGED), now=now, **BY)
        codes.change(session, batch_number=number, ranges=[(0, 9)], what=Activate(), now=now + timedelta(hours=1), **BY)
        newest = codes.history(session, batch_number=number)[0]
        assert (newest.first, newest.last, newest.count) == (0, 9, 9)
        assert session.scalar(select(func.count()).select_from(LifeEvent)) == 3


class TestPreview:
    def test_it_counts_and_changes_nothing(self, session: Session, number: int, now: datetime) -> None:
        from scancode.codes.rules import Activate

        told = codes.preview(session, batch_number=number, ranges=[(0, 9), (20, 29)], what=Activate(), now=now)
        assert told.count == 20
        assert state(session, number, 0) is Life.INACTIVE
