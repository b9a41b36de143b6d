"""Moving points: two entries, once per cause, never below zero, however many try at once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.db import Database, new_id
from scancode.ledger import service as ledger
from scancode.ledger.models import Account, Entry
from tests.threads import at_once

BRAND = UUID("0198c000-0000-7000-8000-000000000001")
OTHER = UUID("0198c000-0000-7000-8000-000000000002")
ALICE = UUID("0198c000-0000-7000-8000-00000000000a")
BOB = UUID("0198c000-0000-7000-8000-00000000000b")


def give(session: Session, account_id: UUID, cause: str, points: int, now: datetime) -> bool:
    return ledger.post(
        session,
        account_id=account_id,
        counter_account_id=ledger.issuer_id(BRAND),
        brand_id=BRAND,
        cause=cause,
        points=points,
        now=now,
    )


def spend(session: Session, account_id: UUID, cause: str, points: int, now: datetime) -> bool:
    return ledger.post(
        session,
        account_id=account_id,
        counter_account_id=ledger.sink_id(BRAND),
        brand_id=BRAND,
        cause=cause,
        points=-points,
        now=now,
    )


def test_it_writes_both_sides(session: Session, now: datetime) -> None:
    assert give(session, ALICE, "claim:1", 30, now)
    assert ledger.balance(session, account_id=ALICE) == 30
    assert ledger.total(session, account_id=ALICE) == 30
    assert ledger.total(session, account_id=ledger.issuer_id(BRAND)) == -30


def test_a_system_account_stores_no_balance(session: Session, now: datetime) -> None:
    give(session, ALICE, "claim:1", 30, now)
    spend(session, ALICE, "spend:1", 10, now)
    assert session.scalars(select(Account.id)).all() == [ALICE]
    assert ledger.total(session, account_id=ledger.sink_id(BRAND)) == 10


def test_it_posts_a_cause_once(session: Session, now: datetime) -> None:
    assert give(session, ALICE, "claim:1", 30, now)
    assert not give(session, ALICE, "claim:1", 30, now)
    assert ledger.balance(session, account_id=ALICE) == 30


def test_the_same_cause_with_another_amount_is_a_mistake(session: Session, now: datetime) -> None:
    give(session, ALICE, "claim:1", 30, now)
    with pytest.raises(ledger.CauseReused):
        give(session, ALICE, "claim:1", 31, now)


def test_it_spends_to_the_last_point_and_refuses_one_more(session: Session, now: datetime) -> None:
    give(session, ALICE, "claim:1", 30, now)
    assert spend(session, ALICE, "spend:1", 30, now)
    with pytest.raises(ledger.Overdrawn) as refused:
        spend(session, ALICE, "spend:2", 1, now)
    assert refused.value.facts == {"needed": 1, "balance": 0}


def test_a_refused_transfer_leaves_nothing_even_when_the_caller_carries_on(db: Database, now: datetime) -> None:
    with db.transaction() as session, pytest.raises(ledger.Overdrawn):
        spend(session, ALICE, "spend:1", 5, now)
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Entry)) == 0
        assert session.scalar(select(func.count()).select_from(Account)) == 0


def test_it_refuses_an_account_of_another_brand(session: Session, now: datetime) -> None:
    give(session, ALICE, "claim:1", 30, now)
    with pytest.raises(ValueError, match="another brand"):
        ledger.post(
            session,
            account_id=ALICE,
            counter_account_id=ledger.issuer_id(OTHER),
            brand_id=OTHER,
            cause="claim:2",
            points=1,
            now=now,
        )


def test_nothing_to_move_is_a_mistake(session: Session, now: datetime) -> None:
    with pytest.raises(ValueError, match="between two accounts"):
        give(session, ALICE, "claim:1", 0, now)


def test_it_lists_the_newest_first_and_pages(session: Session, now: datetime) -> None:
    for number in range(5):
        give(session, ALICE, f"claim:{number}", number + 1, now.replace(second=number))
    first = ledger.entries(session, account_id=ALICE, limit=3)
    rest = ledger.entries(session, account_id=ALICE, limit=3, before=first[-1].id)
    assert [entry.points for entry in first + rest] == [5, 4, 3, 2, 1]


MOVES = st.lists(
    st.tuples(st.sampled_from(["give", "spend", "pass"]), st.integers(0, 8), st.integers(1, 50)), max_size=25
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_a_balance_is_always_the_sum_of_its_entries(
    db: Database, now: datetime, moves: list[tuple[str, int, int]]
) -> None:
    alice, bob = new_id(now), new_id(now)
    expected, seen = {alice: 0, bob: 0}, set()
    with db.transaction() as session:
        for kind, number, points in moves:
            cause = f"{alice}:{kind}:{number}"
            counter = {"give": ledger.issuer_id(BRAND), "spend": ledger.sink_id(BRAND), "pass": bob}[kind]
            change = points if kind == "give" else -points
            try:
                made = ledger.post(
                    session,
                    account_id=alice,
                    counter_account_id=counter,
                    brand_id=BRAND,
                    cause=cause,
                    points=change,
                    now=now,
                )
            except ledger.Overdrawn:
                assert expected[alice] + change < 0
                continue
            except ledger.CauseReused:
                assert cause in seen
                continue
            assert made == (cause not in seen)
            if made:
                seen.add(cause)
                expected[alice] += change
                expected[bob] -= change if kind == "pass" else 0
        for account, points in expected.items():
            assert points >= 0
            assert ledger.balance(session, account_id=account) == ledger.total(session, account_id=account) == points
        assert ledger.find_unbalanced(session) == []
        assert session.scalar(select(func.coalesce(func.sum(Entry.points), 0))) == 0


def test_a_changed_balance_is_found(session: Session, now: datetime) -> None:
    give(session, ALICE, "claim:1", 30, now)
    session.connection().exec_driver_sql("UPDATE accounts SET balance = 31")
    assert ledger.find_unbalanced(session) == [ALICE]


def test_those_who_spend_at_once_spend_what_is_there(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        give(session, ALICE, "claim:1", 50, now)

    def work(number: int) -> bool:
        with db.transaction() as session:
            return spend(session, ALICE, f"spend:{number}", 10, now)

    results = at_once(6, work)
    assert results.count(True) == 5
    assert [type(result) for result in results if result is not True] == [ledger.Overdrawn]
    with db.reading() as session:
        assert ledger.balance(session, account_id=ALICE) == 0
        assert ledger.find_unbalanced(session) == []


def test_one_cause_posted_by_many_at_once_is_posted_once(db: Database, now: datetime) -> None:
    def work(_: int) -> bool:
        with db.transaction() as session:
            return give(session, ALICE, "claim:1", 7, now)

    results = at_once(6, work)
    assert sorted(map(str, results)) == ["False"] * 5 + ["True"]
    with db.reading() as session:
        assert ledger.balance(session, account_id=ALICE) == 7


def test_transfers_in_both_directions_never_wait_for_each_other(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        give(session, ALICE, "claim:1", 100, now)
        give(session, BOB, "claim:2", 100, now)

    def work(number: int) -> bool:
        one, other = (ALICE, BOB) if number % 2 else (BOB, ALICE)
        with db.transaction() as session:
            return ledger.post(
                session,
                account_id=one,
                counter_account_id=other,
                brand_id=BRAND,
                cause=f"pass:{number}",
                points=3,
                now=now,
            )

    assert at_once(6, work) == [True] * 6
    with db.reading() as session:
        assert ledger.balance(session, account_id=ALICE) == ledger.balance(session, account_id=BOB) == 100
