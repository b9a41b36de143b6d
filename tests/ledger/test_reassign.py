"""Moving all that an account holds: somebody joined, or two turned out to be one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.db import Database
from scancode.ledger import service as ledger
from tests.ledger.test_post import ALICE, BOB, BRAND, give
from tests.threads import at_once


def move(session: Session, from_id: UUID, to_id: UUID, cause: str, now: datetime) -> int:
    return ledger.reassign(session, from_id=from_id, to_id=to_id, brand_id=BRAND, cause=cause, now=now)


def test_it_moves_the_whole_balance(session: Session, now: datetime) -> None:
    give(session, ALICE, "claim:1", 30, now)
    give(session, BOB, "claim:2", 5, now)
    assert move(session, ALICE, BOB, "join:1", now) == 30
    assert ledger.balance(session, account_id=ALICE) == 0
    assert ledger.balance(session, account_id=BOB) == 35
    assert ledger.find_unbalanced(session) == []


def test_it_moves_once(session: Session, now: datetime) -> None:
    give(session, ALICE, "claim:1", 30, now)
    move(session, ALICE, BOB, "join:1", now)
    give(session, ALICE, "claim:2", 4, now)
    assert move(session, ALICE, BOB, "join:1", now) == 0
    assert ledger.balance(session, account_id=ALICE) == 4


def test_an_empty_account_has_nothing_to_move(session: Session, now: datetime) -> None:
    assert move(session, ALICE, BOB, "join:1", now) == 0
    assert ledger.entries(session, account_id=BOB, limit=5) == []


def test_an_account_is_not_moved_to_itself(session: Session, now: datetime) -> None:
    give(session, ALICE, "claim:1", 30, now)
    assert move(session, ALICE, ALICE, "join:1", now) == 0


def test_many_at_once_move_it_once(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        give(session, ALICE, "claim:1", 30, now)

    def work(_: int) -> int:
        with db.transaction() as session:
            return move(session, ALICE, BOB, "join:1", now)

    assert sorted(map(str, at_once(5, work))) == ["0"] * 4 + ["30"]
    with db.reading() as session:
        assert ledger.balance(session, account_id=BOB) == 30
