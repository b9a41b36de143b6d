"""Authorisations to pay without confirmation: asked for, granted, ended. A page only writes the wish; the worker calls.

Notice and poller share ``apply``, which an ended one no longer moves. What has ended keeps no openid.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
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
from scancode.payouts.authorisation import LOST_AFTER, AuthorisationFacts, AuthorisationState, next_state, number_of
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
    often it is wished at once, one is made."""
    found = open_authorisation(session, identity_id=identity_id)
    if found is not None:
        return found
    count = session.scalar(select(func.count()).where(Authorisation.identity_id == identity_id)) or 0
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


def _look_now(session: Session, number: str, now: datetime) -> None:
    key = f"{AUTHORISATION_JOB}:{number}"
    if not jobs.requeue(session, key=key, run_at=now, now=now):
        jobs.enqueue(session, kind=AUTHORISATION_JOB, key=key, payload={"number": number}, run_at=now, now=now)


def get_authorisation(session: Session, *, number: str) -> AuthorisationFacts:
    """Raises NotFound."""
    place = session.execute(
        select(AuthorisationNumber.identity_id, AuthorisationNumber.attempt).where(AuthorisationNumber.number == number)
    ).one_or_none()
    if place is None:
        raise NotFound
    return _load(session, place.identity_id, place.attempt)


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
    facts = get_authorisation(session, number=number)
    if not facts.is_open:
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
    session: Session, *, said: AuthorisationSaid | None, number: str, sealer: Sealer, now: datetime
) -> AuthorisationFacts:
    """Does what follows from the provider's words, or from its not knowing the number. Repeating it changes nothing.
    Raises NotFound."""
    facts = get_authorisation(session, number=number)
    kept = _kept(session, facts, sealer)
    if said is None:
        return _absent(session, facts, now)
    try:
        new = next_state(facts=facts, openid=str(kept["openid"]) if kept else None, said=said)
    except ValueError as error:
        log.warning("authorisation_contradicted", number=number, why=str(error))
        return facts
    if new is not None:
        _move(session, facts, new, now, reason=said.reason, provider_id=said.provider_id or facts.provider_id)
    elif facts.state is S.ASKED and said.state == "WAIT_USER_CONFIRM" and not facts.is_closing:
        _set(session, facts, package=said.package or facts.package, reason=None)
    return get_authorisation(session, number=number)


def _absent(session: Session, facts: AuthorisationFacts, now: datetime) -> AuthorisationFacts:
    """A granted one is gone. One that was asked for may not be known yet; after a refusal, or two days, it never will
    be."""
    if facts.state is S.GRANTED:
        _move(session, facts, S.CLOSED, now, reason="not_found")
    elif facts.state is S.ASKED and (facts.reason or now - facts.asked_at > LOST_AFTER):
        _move(session, facts, S.CLOSED if facts.reason else S.EXPIRED, now, reason=facts.reason)
    return get_authorisation(session, number=facts.number)


def note_refusal(session: Session, *, number: str, reason: str) -> None:
    """The provider refused to ask: whether it did all the same is for a query to say."""
    facts = get_authorisation(session, number=number)
    if facts.state is S.ASKED:
        _set(session, facts, reason=reason[:REASON_MAX])


def take_authorisation_notice(
    session: Session, *, notice_id: str, said: AuthorisationSaid, sealer: Sealer, now: datetime
) -> AuthorisationFacts:
    """Does what follows from a notice, once per notice. Raises NotFound for a number that the book does not have."""
    facts = get_authorisation(session, number=said.number)
    if not insert_once(session, PayoutNotice, id=notice_id, out_bill_no=said.number, at=now):
        return facts
    return apply_authorisation(session, said=said, number=said.number, sealer=sealer, now=now)


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


def _load(session: Session, identity_id: UUID, attempt: int) -> AuthorisationFacts:
    place = (Authorisation.identity_id == identity_id, Authorisation.attempt == attempt)
    row = session.execute(select(*COLUMNS).where(*place)).one_or_none()
    if row is None:
        raise NotFound
    return _facts(row)


def _facts(row: Any) -> AuthorisationFacts:
    values = {column.key: getattr(row, column.key) for column in COLUMNS}
    return AuthorisationFacts(**{**values, "state": AuthorisationState(row.state)})
