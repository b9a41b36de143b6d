"""Authorisations to pay without confirmation: asked for, granted, ended. A page only writes the wish; the worker calls.

Notice and poller share ``apply``, which an ended one no longer moves. What has ended keeps no openid.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from scancode.catalog.models import Brand
from scancode.db import affected, insert_once
from scancode.errors import NotFound
from scancode.jobs import service as jobs
from scancode.members import service as members
from scancode.payouts.authorisation import (
    A_DAY_MAX,
    DOUBT_S,
    LOST_AFTER,
    NOT_FOUND,
    UNHEARD_AFTER,
    AskedTooOften,
    AuthorisationFacts,
    AuthorisationState,
    next_state,
    number_of,
)
from scancode.payouts.models import Authorisation, AuthorisationNumber, PayoutNotice
from scancode.payouts.rules import plain_text
from scancode.ports import Ask, AuthorisationSaid
from scancode.sealing import Sealer

AUTHORISATION_JOB = "authorisation"
REASON_MAX = 80
LIST_MAX = 50
COLUMNS = (
    Authorisation.identity_id,
    Authorisation.attempt,
    Authorisation.number,
    Authorisation.brand_id,
    Authorisation.state,
    Authorisation.provider_id,
    Authorisation.package,
    Authorisation.reason,
    Authorisation.asked_at,
    Authorisation.granted_at,
    Authorisation.closing_at,
    Authorisation.ended_at,
)
S = AuthorisationState
log = structlog.get_logger(__name__)


class Call(StrEnum):
    """What the worker is to call for an authorisation."""

    ASK = "ask"
    QUERY = "query"
    CLOSE = "close"


@dataclass(frozen=True)
class AskErrand:
    """One call to make; ``order`` is what was stored before the first."""

    call: Call
    facts: AuthorisationFacts
    order: str | None


def ask_authorisation(
    session: Session, *, brand_id: UUID, identity_id: UUID, prefix: str, now: datetime
) -> AuthorisationFacts:
    """The person wishes to be paid without confirming: the open one, or a new one that the worker asks for. However
    often it is wished at once, one is made. Raises AskedTooOften."""
    found = open_authorisation(session, identity_id=identity_id)
    if found is not None:
        return found
    theirs = Authorisation.identity_id == identity_id
    count = session.scalar(select(func.count()).where(theirs)) or 0
    today = select(func.count()).where(theirs, Authorisation.asked_at > now - timedelta(days=1))
    if (session.scalar(today) or 0) >= A_DAY_MAX:
        raise AskedTooOften
    number = number_of(prefix=prefix, identity_id=identity_id, attempt=count + 1)
    made = insert_once(
        session,
        Authorisation,
        identity_id=identity_id,
        attempt=count + 1,
        number=number,
        brand_id=brand_id,
        state=S.ASKED.value,
        asked_at=now,
    )
    if made:
        insert_once(session, AuthorisationNumber, number=number, identity_id=identity_id, attempt=count + 1)
        _look_now(session, number, now)
    found = open_authorisation(session, identity_id=identity_id)
    if found is None:
        raise NotFound
    return found


def end_authorisation(session: Session, *, number: str, identity_ids: Collection[UUID], now: datetime) -> bool:
    """One of these people wishes it to end: no payment names it from now on. Raises NotFound where it is nobody's of
    these. True on the first wish."""
    facts = get_authorisation(session, number=number)
    if facts.identity_id not in identity_ids:
        raise NotFound
    return _wish_end(session, facts, now)


def end_all_authorisations(session: Session, *, identity_ids: Collection[UUID], now: datetime) -> int:
    """Ends whatever is open of these identities, for somebody who leaves. Returns how many."""
    return sum(_wish_end(session, one, now) for one in list_authorisations(session, identity_ids=identity_ids))


def _wish_end(session: Session, facts: AuthorisationFacts, now: datetime) -> bool:
    place = (Authorisation.identity_id == facts.identity_id, Authorisation.attempt == facts.attempt)
    still = (Authorisation.state.in_([S.ASKED.value, S.GRANTED.value]), Authorisation.closing_at.is_(None))
    if affected(session, update(Authorisation).where(*place, *still).values(closing_at=now, package=None)) == 0:
        return False
    _look_now(session, facts.number, now)
    return True


def look_at_authorisation(session: Session, *, number: str, now: datetime) -> None:
    """News is likely: the worker looks now."""
    _look_now(session, number, now)


def _look_now(session: Session, number: str, now: datetime, *, after_s: int = 0) -> None:
    key, run_at = f"{AUTHORISATION_JOB}:{number}", now + timedelta(seconds=after_s)
    if not jobs.requeue(session, key=key, run_at=run_at, now=now):
        jobs.enqueue(session, kind=AUTHORISATION_JOB, key=key, payload={"number": number}, run_at=run_at, now=now)


def get_authorisation(session: Session, *, number: str, is_locked: bool = False) -> AuthorisationFacts:
    """Raises NotFound. Whoever has it locked is the only one who moves it until the commit."""
    place = session.execute(
        select(AuthorisationNumber.identity_id, AuthorisationNumber.attempt).where(AuthorisationNumber.number == number)
    ).one_or_none()
    if place is None:
        raise NotFound
    query = select(*COLUMNS).where(
        Authorisation.identity_id == place.identity_id, Authorisation.attempt == place.attempt
    )
    row = session.execute(query.with_for_update() if is_locked else query).one_or_none()
    if row is None:
        raise NotFound
    return _facts(row)


def open_authorisation(session: Session, *, identity_id: UUID) -> AuthorisationFacts | None:
    """The one of this identity that is asked for or granted."""
    is_open = Authorisation.state.in_([S.ASKED.value, S.GRANTED.value])
    row = session.execute(select(*COLUMNS).where(Authorisation.identity_id == identity_id, is_open)).one_or_none()
    return _facts(row) if row else None


def list_authorisations(session: Session, *, identity_ids: Collection[UUID]) -> list[AuthorisationFacts]:
    """All that these identities were ever asked for, newest first."""
    if not identity_ids:
        return []
    theirs = Authorisation.identity_id.in_(sorted(identity_ids))
    query = select(*COLUMNS).where(theirs).order_by(Authorisation.asked_at.desc()).limit(LIST_MAX)
    return [_facts(row) for row in session.execute(query)]


def prepare_authorisation(
    session: Session, *, number: str, sealer: Sealer, compose: Callable[[Ask], str], now: datetime
) -> AskErrand | None:
    """The next call; None where there is nothing to do. The request is stored before anything leaves the house."""
    facts = get_authorisation(session, number=number, is_locked=True)
    if not facts.is_open:
        return None
    if facts.closing_at is not None and now - facts.closing_at > UNHEARD_AFTER:
        log.warning("authorisation_end_unheard", number=number)
        _move(session, facts, S.CLOSED, now, reason="unheard")
        return None
    kept = _kept(session, facts, sealer)
    if kept is not None:
        return AskErrand(Call.CLOSE if facts.is_closing else Call.QUERY, facts, str(kept["order"]))
    if facts.is_closing:
        _move(session, facts, S.CLOSED, now, reason="never_asked")
        return None
    try:
        openid = members.reveal(session, identity_id=facts.identity_id, sealer=sealer)
    except NotFound:
        _move(session, facts, S.CLOSED, now, reason="identity_gone")
        return None
    brand = session.execute(select(Brand.name_zh).where(Brand.id == facts.brand_id)).scalar_one()
    order = compose(Ask(number, openid, plain_text(f"{brand}会员") or "会员"))
    sealed = sealer.seal(json.dumps({"openid": openid, "order": order}, ensure_ascii=False), purpose=_purpose(number))
    if not _set(session, facts, order=sealed):
        return None
    return AskErrand(Call.ASK, facts, order)


def apply_authorisation(
    session: Session,
    *,
    said: AuthorisationSaid | None,
    number: str,
    sealer: Sealer,
    now: datetime,
    is_turn: bool = False,
) -> AuthorisationFacts:
    """Does what follows from the provider's words, or from its not knowing the number; in its own turn (``is_turn``) a
    doubted one may end by that. Repeating it changes nothing. Raises NotFound."""
    facts = get_authorisation(session, number=number, is_locked=True)
    kept = _kept(session, facts, sealer)
    if said is None:
        return _absent(session, facts, now, is_turn=is_turn)
    try:
        new = next_state(facts=facts, openid=str(kept["openid"]) if kept else None, said=said)
    except ValueError as error:
        log.warning("authorisation_contradicted", number=number, why=str(error))
        return facts
    if new is not None:
        _move(session, facts, new, now, reason=said.reason, provider_id=said.provider_id or facts.provider_id)
    elif facts.state is S.ASKED and said.state == "WAIT_USER_CONFIRM" and not facts.is_closing:
        _set(session, facts, package=said.package or facts.package, reason=None)
    elif facts.is_doubted and said.state == "TAKING_EFFECT":
        _set(session, facts, reason=None)
    return get_authorisation(session, number=number)


def _absent(session: Session, facts: AuthorisationFacts, now: datetime, *, is_turn: bool) -> AuthorisationFacts:
    """A granted one is doubted, and asked about again in an hour: ended too early, its person could neither set up
    another nor end this one here. One that was asked for may not be known yet; after a refusal, or two days, it never
    will be."""
    if facts.is_doubted:
        if is_turn:
            _move(session, facts, S.CLOSED, now, reason=NOT_FOUND)
    elif facts.state is S.GRANTED:
        _set(session, facts, reason=NOT_FOUND)
        _look_now(session, facts.number, now, after_s=DOUBT_S)
    elif facts.state is S.ASKED and (facts.reason or now - facts.asked_at > LOST_AFTER):
        _move(session, facts, S.CLOSED if facts.reason else S.EXPIRED, now, reason=facts.reason)
    return get_authorisation(session, number=facts.number)


def note_refusal(session: Session, *, number: str, reason: str, now: datetime) -> None:
    """The provider refused to ask: whether it did all the same is for a query to say. Where that is refused as well and
    nothing was ever heard of it, the merchant may not do this at all, and it has ended."""
    facts = get_authorisation(session, number=number, is_locked=True)
    if facts.state is S.ASKED and facts.reason and facts.package is None:
        _move(session, facts, S.CLOSED, now, reason=facts.reason)
    elif facts.state is S.ASKED:
        _set(session, facts, reason=reason[:REASON_MAX])


def take_authorisation_notice(
    session: Session, *, notice_id: str, said: AuthorisationSaid, sealer: Sealer, now: datetime
) -> AuthorisationFacts:
    """Does what follows from a notice, once per notice. Raises NotFound for a number that the book does not have."""
    facts = get_authorisation(session, number=said.number)
    if not insert_once(session, PayoutNotice, id=notice_id, out_bill_no=said.number, at=now):
        return facts
    after = apply_authorisation(session, said=said, number=said.number, sealer=sealer, now=now)
    if said.state == "TAKING_EFFECT" and after.state is S.ASKED:
        _look_now(session, said.number, now)  # it does not say all that a query says
    return after


def _move(session: Session, facts: AuthorisationFacts, new: AuthorisationState, now: datetime, **values: Any) -> bool:
    """From the state of ``facts`` to another, if it is still there; the end forgets the openid."""
    values |= {"state": new.value, "package": None}
    values |= {"granted_at": now} if new is S.GRANTED else {"ended_at": now, "order": None}
    moved = _set(session, facts, **values)
    if moved:
        log.info("authorisation_moved", number=facts.number, state=new.value)
    return moved


def _set(session: Session, facts: AuthorisationFacts, **values: Any) -> bool:
    place = (Authorisation.identity_id == facts.identity_id, Authorisation.attempt == facts.attempt)
    guarded = update(Authorisation).where(*place, Authorisation.state == facts.state.value).values(values)
    return affected(session, guarded) == 1


def _kept(session: Session, facts: AuthorisationFacts, sealer: Sealer) -> dict[str, Any] | None:
    """What was stored before the first call: openid and order. None before it, and after the end."""
    place = (Authorisation.identity_id == facts.identity_id, Authorisation.attempt == facts.attempt)
    sealed = session.scalar(select(Authorisation.order).where(*place))
    return json.loads(sealer.open(sealed, purpose=_purpose(facts.number))) if sealed else None


def _purpose(number: str) -> str:
    return f"authorisation|{number}"


def _facts(row: Any) -> AuthorisationFacts:
    values = {column.key: getattr(row, column.key) for column in COLUMNS}
    return AuthorisationFacts(**{**values, "state": AuthorisationState(row.state)})
