"""Whatever is earned, spent, held, taken back, expired, frozen and merged, in any order: never negative, never lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy.orm import Session

from scancode.db import Database, new_id
from scancode.errors import Refusal
from scancode.ledger import service as ledger
from scancode.ledger.models import Account
from scancode.ledger.rules import HoldState
from tests.conftest import NOW

PEOPLE = st.integers(0, 1)
POINTS = st.integers(1, 40)
DAYS = st.integers(0, 6)
SPENDS = st.tuples(st.just("spend"), PEOPLE, POINTS)
RESERVES = st.tuples(st.just("hold"), PEOPLE, st.integers(1, 15), st.just(-1))
MOVES = st.one_of(
    st.tuples(st.just("earn"), PEOPLE, POINTS, st.none() | DAYS),
    st.tuples(st.just("grant"), st.lists(st.tuples(PEOPLE, POINTS), min_size=1, max_size=3)),
    SPENDS,
    SPENDS,
    st.tuples(st.just("hold"), PEOPLE, POINTS, st.sampled_from([1, -1])),
    RESERVES,
    RESERVES,
    st.tuples(st.just("settle"), PEOPLE, st.booleans()),
    st.tuples(st.just("reverse"), PEOPLE, st.integers(0, 5)),
    st.tuples(st.just("wait_and_expire"), DAYS),
    st.tuples(st.just("freeze"), PEOPLE, st.sampled_from([True, False, False, False])),
    st.tuples(st.just("merge"), PEOPLE, PEOPLE),
)
"""One rule draws among them, evenly: rules of their own would be drawn so unevenly that little is ever spent."""


class Book(RuleBasedStateMachine):
    """Two accounts of one brand, and beside each what it must hold by counting alone."""

    db: Database

    @initialize()
    def open(self) -> None:
        self.now = NOW
        self.brand, self.people = new_id(NOW), [new_id(NOW) for _ in range(2)]
        self.held = dict.fromkeys(self.people, 0)
        self.reserved = dict.fromkeys(self.people, 0)
        self.lots: dict[UUID, dict[Any, int]] = {one: {} for one in self.people}
        """What is left by the day of expiry: enough to say what expires, since what expires first goes first."""
        self.number = 0

    def act(self, work: Callable[[Session], Any]) -> Any:
        """The result, or the refusal, which changed nothing."""
        self.number += 1
        with self.db.transaction() as session:
            try:
                return work(session)
            except Refusal as refusal:
                return refusal

    def move(self, who: UUID, points: int, expires_at: Any = None, from_lot: Any = ...) -> None:
        self.held[who] += points
        left = self.lots[who]
        if points > 0:
            left[expires_at] = left.get(expires_at, 0) + points
            return
        order = sorted(left, key=lambda day: (day is None, day or self.now))
        for day in ([from_lot] if from_lot is not ... else []) + order:
            part = min(-points, left.get(day, 0))
            left[day] = left.get(day, 0) - part
            points += part

    def post(self, who: UUID, points: int, expires_at: Any = None) -> Any:
        counter = ledger.issuer_id(self.brand) if points > 0 else ledger.sink_id(self.brand)
        cause = f"test:{self.number}"
        return self.act(
            lambda session: ledger.post(
                session,
                account_id=who,
                counter_account_id=counter,
                brand_id=self.brand,
                cause=cause,
                points=points,
                now=self.now,
                expires_at=expires_at,
            )
        )

    def is_frozen(self, who: UUID) -> bool:
        with self.db.reading() as session:
            return ledger.account(session, account_id=who).frozen_at is not None

    def earn(self, who: int, points: int, days: int | None) -> None:
        expires_at = None if days is None else self.now + timedelta(days=days)
        assert self.post(self.people[who], points, expires_at) is True
        self.move(self.people[who], points, expires_at)

    def grant(self, grants: list[tuple[int, int]]) -> None:
        made = [
            ledger.Grant(self.people[who], f"grant:{self.number}:{place}", points)
            for place, (who, points) in enumerate(grants)
        ]
        self.act(lambda session: ledger.grant_many(session, brand_id=self.brand, grants=made, now=self.now))
        for one in made:
            self.move(one.account_id, one.points)

    def spend(self, who: int, points: int) -> None:
        person = self.people[who]
        fits = self.held[person] - self.reserved[person] >= points and not self.is_frozen(person)
        assert (self.post(person, -points) is True) == fits
        if fits:
            self.move(person, -points)

    def hold(self, who: int, points: int, sign: int) -> None:
        person, cause = self.people[who], f"hold:{self.number}"
        fits = (sign > 0 or self.held[person] - self.reserved[person] >= points) and not self.is_frozen(person)
        made = self.act(
            lambda session: ledger.hold(
                session,
                account_id=person,
                brand_id=self.brand,
                cause=cause,
                points=sign * points,
                due_at=self.now + timedelta(days=1),
                now=self.now,
            )
        )
        assert (made is True) == fits
        self.reserved[person] += points if fits and sign < 0 else 0

    def settle(self, who: int, takes: bool) -> None:
        person = self.people[who]
        with self.db.reading() as session:
            pending = [
                one for one in ledger.list_holds(session, account_id=person, limit=50) if one.state == HoldState.PENDING
            ]
        if not pending:
            return
        one, end = pending[-1], ledger.post_hold if takes else ledger.void_hold
        ended = self.act(lambda session: end(session, account_id=person, hold_id=one.id, now=self.now))
        assert isinstance(ended, ledger.Frozen) == (takes and self.is_frozen(person))
        again = self.act(lambda session: ledger.void_hold(session, account_id=person, hold_id=one.id, now=self.now))
        self.reserved[person] -= max(-one.points, 0)
        if isinstance(ended, ledger.Frozen):
            return  # and then it was voided
        assert isinstance(again, ledger.HoldEnded)
        if takes:
            self.move(person, one.points)

    def reverse(self, who: int, back: int) -> None:
        person = self.people[who]
        with self.db.reading() as session:
            entries = ledger.entries(session, account_id=person, limit=6)
            lots = {lot.id: lot.expires_at for lot in ledger.list_lots(session, account_id=person, limit=500)}
        if back >= len(entries):
            return
        entry = entries[back]
        made = self.act(
            lambda session: ledger.reverse(
                session, account_id=person, entry_id=entry.id, brand_id=self.brand, now=self.now
            )
        )
        if isinstance(made, int):
            assert made == -entry.points
            self.move(person, made, from_lot=lots.get(entry.id, ...))

    def wait_and_expire(self, days: int) -> None:
        self.now += timedelta(days=days)
        with self.db.reading() as session:
            found = ledger.expiring_accounts(session, now=self.now, after=None)
        for person in set(found) & set(self.people):  # the database holds those of other examples, too
            gone = self.act(lambda session, person=person: ledger.expire(session, account_id=person, now=self.now))
            due = sum(n for day, n in self.lots[person].items() if day is not None and day <= self.now)
            assert gone == due or (gone < due and self.held[person] - gone - self.reserved[person] < due - gone)
            self.move(person, -gone)

    def freeze(self, who: int, frozen: bool) -> None:
        person = self.people[who]
        if frozen:
            self.act(
                lambda session: ledger.freeze(
                    session, account_id=person, brand_id=self.brand, reason="why", now=self.now
                )
            )
        else:
            self.act(lambda session: ledger.unfreeze(session, account_id=person, brand_id=self.brand, now=self.now))

    def merge(self, one: int, other: int) -> None:
        source, target = self.people[one], self.people[other]
        cause = f"join:{self.number}"
        moved = self.act(
            lambda session: ledger.reassign(
                session, from_id=source, to_id=target, brand_id=self.brand, cause=cause, now=self.now
            )
        )
        if source == target:
            assert moved == 0
            return
        assert moved == self.held[source]
        for day, points in self.lots[source].items():
            if points:
                self.move(target, points, day)
        self.reserved[target] += self.reserved[source]
        self.held[source] = self.reserved[source] = 0
        self.lots[source] = {}

    @rule(move=MOVES)
    def do(self, move: tuple[Any, ...]) -> None:
        name, *facts = move
        getattr(self, name)(*facts)

    @invariant()
    def the_books_agree(self) -> None:
        with self.db.reading() as session:
            wrong, _, _ = ledger.wrong_accounts(session, brand_id=self.brand, after=None)
            assert wrong == []
            assert ledger.wrong_brand(session, brand_id=self.brand) is None
            for person in self.people:
                there = ledger.account(session, account_id=person)
                assert (there.balance, there.reserved) == (self.held[person], self.reserved[person])
                assert there.available >= 0
                left: dict[Any, int] = {}
                for lot in ledger.list_lots(session, account_id=person, limit=500):
                    left[lot.expires_at] = left.get(lot.expires_at, 0) + lot.left_points
                assert left == {day: points for day, points in self.lots[person].items() if points}
                assert ledger.balance_at(session, account_id=person, moment=self.now) == there.balance


def test_points_are_never_negative_and_never_lost(db: Database) -> None:
    class Here(Book):
        pass

    Here.db = db
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            deadline=None,
            phases=[Phase.generate],  # to shrink what failed takes minutes
            suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        ),
    )
    with db.reading() as session:
        assert session.query(Account).count() > 0
