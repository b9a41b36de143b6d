"""Points by the hand of staff: entered, reserved, taken back, frozen, each with a reason and an audit row; and the
nightly proof that a brand's books of points agree.

The reason stands in the ledger beside the entry; the audit row says who, which account, how many.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.catalog.rules import BrandFacts
from scancode.db import Database
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.ledger import service as ledger
from scancode.ledger.rules import BY_HAND_MAX, NOTE_LENGTH_MAX, Wrong
from scancode.staff import service as staff

UNTIL_MAX = timedelta(days=366)
KEPT_MAX = 1000


class ReasonMissing(Refusal):
    code = "points_reason"
    text = N_("Say why, in up to 200 characters: it is kept beside the entry.")
    status = 422


class BadPoints(Refusal):
    code = "points_number"
    text = N_("Enter a whole number of points other than 0, up to 10 million.")
    status = 422


class BadUntil(Refusal):
    code = "points_until"
    text = N_("Choose a day from today on, within a year.")
    status = 422


class CauseUsed(Refusal):
    code = "points_cause_used"
    text = N_("This cause was used before, for other points or another member. Give each change a cause of its own.")


class Outcome(StrEnum):
    DONE = "done"
    PENDING = "pending"
    REPEATED = "repeated"
    """The same form was sent before: nothing was done again."""


@dataclass(frozen=True)
class Account:
    """Whose points: a member's or an openid's account of a brand, and who acts on it."""

    id: UUID
    brand: BrandFacts
    actor: str


def adjust(
    session: Session, *, account: Account, form_id: UUID, points: int, note: str, until: datetime | None, now: datetime
) -> Outcome:
    """Enters points at once, or with ``until`` in two steps: those above zero come in then unless voided, those below
    zero are reserved until then unless taken. Once per ``form_id``.

    Raises ReasonMissing, BadPoints, BadUntil, Overdrawn, Frozen.
    """
    note = _checked(points, note)
    if until is not None and not now < until <= now + UNTIL_MAX:
        raise BadUntil
    cause = f"adjust:{form_id}"
    if until is not None:
        made = ledger.hold(
            session,
            account_id=account.id,
            brand_id=account.brand.id,
            cause=cause,
            points=points,
            due_at=until,
            note=note,
            now=now,
        )
    else:
        _refuse_frozen(session, account.id)
        made = _post(session, account, cause, points, note, now)
    if not made:
        return Outcome.REPEATED
    facts: dict[str, object] = {"points": points, "until": until.isoformat() if until else None}
    _audit(session, account, "points.adjust", facts, now)
    return Outcome.PENDING if until else Outcome.DONE


def enter(session: Session, *, account: Account, cause: str, points: int, note: str, now: datetime) -> bool:
    """Points that another system gives or takes, once per cause within the brand. False where it was made before.

    Raises ReasonMissing, BadPoints, Overdrawn, Frozen, CauseUsed.
    """
    note = _checked(points, note)
    cause = f"api:{cause}"
    # What everybody's points come from has an entry for each cause, and so has what they go to.
    if ledger.find_entry(session, account_id=_counter_of(account, -points), cause=cause):
        raise CauseUsed
    if ledger.find_entry(session, account_id=account.id, cause=cause) is None:
        _refuse_frozen(session, account.id)
    try:
        made = _post(session, account, cause, points, note, now)
    except ledger.CauseReused as error:
        raise CauseUsed from error
    if made:
        # The cause is another system's own words. It stands in the ledger; the record, which lasts, only says where.
        entry_id = ledger.find_entry(session, account_id=account.id, cause=cause)
        _audit(session, account, "points.enter", {"points": points, "entry": str(entry_id)}, now)
    return made


def reverse(session: Session, *, account: Account, entry_id: UUID, note: str, now: datetime) -> int:
    """Takes an entry back; returns the points by which the balance changed.

    Raises ReasonMissing and what ``ledger.reverse`` raises.
    """
    points = ledger.reverse(
        session,
        account_id=account.id,
        entry_id=entry_id,
        brand_id=account.brand.id,
        now=now,
        expires_at=account.brand.points_expire_at(now),
        note=_reason(note),
    )
    _audit(session, account, "points.reverse", {"entry": str(entry_id), "points": points}, now)
    return points


def settle(session: Session, *, account: Account, hold_id: UUID, takes: bool, now: datetime) -> int:
    """Ends what is pending: its points are moved now (``takes``) or not at all. Returns the hold's points.

    Raises NotFound, HoldEnded, Frozen.
    """
    if takes:
        expires_at = account.brand.points_expire_at(now)
        found = ledger.post_hold(session, account_id=account.id, hold_id=hold_id, now=now, expires_at=expires_at)
    else:
        found = ledger.void_hold(session, account_id=account.id, hold_id=hold_id, now=now)
    action = "points.post" if takes else "points.void"
    _audit(session, account, action, {"hold": str(hold_id), "points": found.points}, now)
    return found.points


def freeze(session: Session, *, account: Account, note: str, now: datetime) -> bool:
    """False when it was frozen already. Raises ReasonMissing."""
    note = _reason(note)
    done = ledger.freeze(session, account_id=account.id, brand_id=account.brand.id, reason=note, now=now)
    if done:
        _audit(session, account, "points.freeze", {}, now)
    return done


def unfreeze(session: Session, *, account: Account, now: datetime) -> bool:
    """False when it was not frozen."""
    done = ledger.unfreeze(session, account_id=account.id, brand_id=account.brand.id, now=now)
    if done:
        _audit(session, account, "points.unfreeze", {}, now)
    return done


def get_account(session: Session, *, account_id: UUID) -> UUID:
    """The brand of a person's account. Raises NotFound."""
    brand_id = ledger.brand_of(session, account_id=account_id)
    if brand_id is None:
        raise NotFound
    return brand_id


@dataclass(frozen=True)
class Proof:
    """``wrong`` holds the first of the ``wrong_count`` sums that do not agree."""

    accounts: int
    wrong_count: int
    wrong: list[Wrong]


def prove(db: Database, *, brand_id: UUID) -> Proof:
    """Adds up the books of a brand, some accounts at a time, each in a read of its own: nobody waits for it."""
    wrong: list[Wrong] = []
    accounts, count, after = 0, 0, None
    while True:
        with db.reading() as session:
            found, after, seen = ledger.wrong_accounts(session, brand_id=brand_id, after=after)
        accounts += seen
        count += len(found)
        wrong += found[: KEPT_MAX - len(wrong)]
        if after is None:
            break
    with db.reading() as session:
        whole = ledger.wrong_brand(session, brand_id=brand_id)
    return Proof(accounts, count + (whole is not None), [*([whole] if whole else []), *wrong])


def _checked(points: int, note: str) -> str:
    """The note, tidied. Raises ReasonMissing, BadPoints."""
    note = _reason(note)
    if points == 0 or abs(points) > BY_HAND_MAX:
        raise BadPoints
    return note


def _counter_of(account: Account, points: int) -> UUID:
    """What points above 0 come from, and what those below 0 go to."""
    return ledger.issuer_id(account.brand.id) if points > 0 else ledger.sink_id(account.brand.id)


def _post(session: Session, account: Account, cause: str, points: int, note: str, now: datetime) -> bool:
    """False where the cause was posted before. Raises Overdrawn, CauseReused."""
    return ledger.post(
        session,
        account_id=account.id,
        counter_account_id=_counter_of(account, points),
        brand_id=account.brand.id,
        cause=cause,
        points=points,
        now=now,
        expires_at=account.brand.points_expire_at(now),
        note=note,
    )


def _reason(note: str) -> str:
    note = " ".join(note.split())
    if not note or len(note) > NOTE_LENGTH_MAX:
        raise ReasonMissing
    return note


def _refuse_frozen(session: Session, account_id: UUID) -> None:
    found = ledger.account(session, account_id=account_id)
    if found.frozen_at is not None:
        raise ledger.Frozen(reason=found.frozen_reason)


def _audit(session: Session, account: Account, action: str, facts: dict[str, object], now: datetime) -> None:
    staff.audit(
        session,
        actor=account.actor,
        brand_id=account.brand.id,
        action=action,
        subject=f"account:{account.id}",
        facts=facts,
        now=now,
    )
