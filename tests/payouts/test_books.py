"""The balance is watched, what waited for money goes out, and the books are compared once a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scancode.errors import PayoutError
from scancode.jobs import service as jobs
from scancode.payouts import service as payouts
from scancode.payouts.rules import PayoutState
from scancode.ports import Balance
from scancode.worker import books
from tests.payouts.conftest import Till

EARLY, LATE = datetime(2026, 11, 22, 2, 29, tzinfo=UTC), datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
"""Before and at half past ten in Beijing."""


def run(till: Till, at: datetime) -> None:
    with till.wired.db.transaction() as session:
        jobs.enqueue(session, kind="books", key="books", payload={}, run_at=at, now=at)
        jobs.requeue(session, key="books", run_at=at, now=at)
        leased = jobs.lease(session, now=at, lease_s=60, kinds=["books"])
    assert leased is not None
    books.run(till.wired, leased, lambda: at)


def test_what_waited_for_money_goes_out_when_there_is_some(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    send = till.world.send

    def empty(order: str) -> object:
        raise PayoutError("NOT_ENOUGH", "temporary", status=403)

    monkeypatch.setattr(till.world, "send", empty)
    till.work()
    assert (till.find().state, till.find().fail_reason, till.find().is_short) == (
        PayoutState.UNKNOWN,
        "NOT_ENOUGH",
        True,
    )
    till.world.balance_fen = 99
    run(till, till.now)
    assert not till.work()  # not enough for this one: it is not even tried
    with till.wired.db.reading() as session:
        assert payouts.short_of_money(session, brand_id=till.shop.brand.id).amount_fen == 100
    monkeypatch.setattr(till.world, "send", send)
    till.world.balance_fen = 100
    run(till, till.now)
    assert till.work()
    assert (till.find().state, till.find().fail_reason) == (PayoutState.AWAITING_USER, None)


def test_a_merchant_that_may_not_ask_reads_yesterdays_file(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> Balance:
        raise PayoutError("NO_AUTH", "permanent", status=403)

    monkeypatch.setattr(till.world, "balance", refused)
    run(till, till.now)
    with till.wired.db.reading() as session:
        known = payouts.find_balance(session)
    assert known is not None
    assert (known.available_fen, known.error) == (None, "NO_AUTH")


def test_the_books_are_compared_once_a_day_when_the_file_is_there(till: Till) -> None:
    run(till, EARLY)
    with till.wired.db.reading() as session:
        assert jobs.list_jobs(session, kind="reconcile") == []
    run(till, LATE)
    run(till, LATE + timedelta(minutes=10))
    with till.wired.db.reading() as session:
        assert [job.key for job in jobs.list_jobs(session, kind="reconcile")] == ["reconcile:daily:2026-11-22"]
