"""Whether the books agree: balance, entries, lots and reservations of every account, and both sides of every brand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.orm import Session

from scancode.db import insert_once
from scancode.ledger.models import Account, Entry, PointsHold, PointsLot, PointsProof
from scancode.ledger.rules import HoldState, Wrong
from scancode.ledger.service.posting import issuer_id, sink_id

PAGE = 1000
KEPT_MAX = 20
"""Of what is wrong, so many are kept with a proof."""


def wrong_accounts(session: Session, *, brand_id: UUID, after: UUID | None) -> tuple[list[Wrong], UUID | None, int]:
    """What is wrong among the next accounts by their ids; the last of them, None at the end; and how many they are.

    One statement, so that what is posted meanwhile is seen whole or not at all.
    """
    query = _sums().where(Account.brand_id == brand_id).order_by(Account.id).limit(PAGE)
    if after is not None:
        query = query.where(Account.id > after)
    rows = session.execute(query).all()
    wrong = [one for one in map(_wrong, rows) if one is not None]
    return wrong, rows[-1].id if len(rows) == PAGE else None, len(rows)


def wrong_brand(session: Session, *, brand_id: UUID) -> Wrong | None:
    """The sum of all entries of a brand, which is nought: whatever came to somebody came from somebody."""
    of_people = select(func.sum(Entry.points)).join(Account, Account.id == Entry.account_id)
    of_people = of_people.where(Account.brand_id == brand_id)
    of_systems = select(func.sum(Entry.points)).where(Entry.account_id.in_((issuer_id(brand_id), sink_id(brand_id))))
    row = session.execute(select(of_people.scalar_subquery(), of_systems.scalar_subquery())).one()
    people, systems = (int(value or 0) for value in row)
    return None if people + systems == 0 else Wrong(None, -systems, people, people, 0, 0)


def _sums() -> Select[UUID, int, int, int, int, int]:
    """Each account with the sums that have to agree: every one read along a primary key."""
    entries = select(func.sum(Entry.points)).where(Entry.account_id == Account.id)
    left = select(func.sum(PointsLot.left_points)).where(PointsLot.account_id == Account.id)
    held = select(func.sum(-PointsHold.points)).where(
        PointsHold.account_id == Account.id,
        PointsHold.state == HoldState.PENDING.value,
        PointsHold.points < 0,
    )
    nought = [func.coalesce(query.correlate(Account).scalar_subquery(), 0) for query in (entries, left, held)]
    names = ("entries", "lots", "holds")
    sums = [column.label(name) for column, name in zip(nought, names, strict=True)]
    return select(Account.id, Account.balance, Account.reserved, *sums)  # type: ignore[return-value]


def _wrong(row: Row[UUID, int, int, int, int, int]) -> Wrong | None:
    account_id, balance, reserved, entries, lots, holds = row
    if balance == entries == lots and reserved == holds:
        return None
    return Wrong(account_id, balance, int(entries), int(lots), reserved, int(holds))


def find_unbalanced(session: Session, *, limit: int = 20) -> list[UUID]:
    """Accounts of any brand whose sums do not agree: always empty, unless somebody meddled."""
    sums = _sums().subquery()
    differ = or_(sums.c.balance != sums.c.entries, sums.c.balance != sums.c.lots, sums.c.reserved != sums.c.holds)
    return list(session.scalars(select(sums.c.id).where(differ).limit(limit)))


def keep_proof(
    session: Session, *, brand_id: UUID, day: str, accounts: int, wrong: list[Wrong], count: int, now: datetime
) -> bool:
    """Writes down what the proof of a day came to, of ``count`` wrong sums the first. False when that day has one."""
    kept = json.dumps([one.written() for one in wrong[:KEPT_MAX]])
    values = {"made_at": now, "accounts": accounts, "wrong_count": count, "wrong": kept}
    return insert_once(session, PointsProof, brand_id=brand_id, day=day, **values)


def is_proved(session: Session, *, brand_id: UUID, day: str) -> bool:
    return session.get(PointsProof, (brand_id, day)) is not None


def last_proofs(session: Session, *, brand_id: UUID | None) -> Iterator[tuple[PointsProof, list[Wrong]]]:
    """The newest proof of a brand, or of each, with the first of what it found wrong."""
    newest = select(PointsProof.brand_id, func.max(PointsProof.day).label("day")).group_by(PointsProof.brand_id)
    if brand_id is not None:
        newest = newest.where(PointsProof.brand_id == brand_id)
    last = newest.subquery()
    query = select(PointsProof).join(last, (PointsProof.brand_id == last.c.brand_id) & (PointsProof.day == last.c.day))
    for proof in session.scalars(query.order_by(PointsProof.brand_id)):
        yield proof, [Wrong.read(one) for one in json.loads(proof.wrong)]
