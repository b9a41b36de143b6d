"""The welcome of a member: given once, when they join, by what brought them; seen, put away, and what became of a
message about it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.channels.models import GivenWelcome, Welcome
from scancode.channels.rules import Attribution
from scancode.channels.service.welcoming import current_of, facts_of
from scancode.channels.welcomes import GivenFacts, WelcomeFacts, choose, targets_of
from scancode.db import affected, insert_once
from scancode.letters import LetterState

_GIVEN = tuple(getattr(GivenWelcome, name) for name in GivenFacts.__dataclass_fields__ if name != "welcome")
_WELCOME = tuple(getattr(Welcome, name) for name in WelcomeFacts.__dataclass_fields__ if name != "is_on")


def give_welcome(
    session: Session, *, member_id: UUID, brand_id: UUID, attribution: Attribution, now: datetime
) -> WelcomeFacts | None:
    """Gives a new member the welcome of what they are credited to. None where there is none, or they have theirs."""
    places = targets_of(attribution, brand_id)
    found = choose(attribution, brand_id, current_of(session, brand_id=brand_id, places=places))
    if found is None:
        return None
    is_new = insert_once(
        session,
        GivenWelcome,
        member_id=member_id,
        brand_id=brand_id,
        welcome_id=found.id,
        source=attribution.source,
        touchpoint_id=attribution.touchpoint_id,
        given_at=now,
        seen_at=None,
        dismissed_at=None,
        state=LetterState.WAITING.value,
        reason="",
        ended_at=None,
    )
    return found if is_new else None


def find_given(session: Session, *, member_id: UUID) -> GivenFacts | None:
    """The welcome of a member, as it was when they joined."""
    query = select(*_GIVEN, *_WELCOME).join(Welcome, Welcome.id == GivenWelcome.welcome_id)
    row = session.execute(query.where(GivenWelcome.member_id == member_id)).one_or_none()
    if row is None:
        return None
    given = dict(zip([column.key for column in _GIVEN], row, strict=False))
    state = LetterState(given.pop("state"))
    return GivenFacts(**given, state=state, welcome=facts_of(row[len(_GIVEN) :]))


def note_welcome_seen(session: Session, *, member_id: UUID, now: datetime) -> bool:
    """That the member's browser asked for a page with it. True the first time."""
    fresh = (GivenWelcome.member_id == member_id, GivenWelcome.seen_at.is_(None))
    return affected(session, update(GivenWelcome).where(*fresh).values(seen_at=now)) == 1


def dismiss_welcome(session: Session, *, member_id: UUID, now: datetime) -> bool:
    """It need not stand on the member's page any longer. True the first time."""
    shown = (GivenWelcome.member_id == member_id, GivenWelcome.dismissed_at.is_(None))
    return affected(session, update(GivenWelcome).where(*shown).values(dismissed_at=now)) == 1


def count_welcome_opened(session: Session, *, welcome_id: UUID) -> None:
    """One opening more of the link; nobody is named."""
    affected(session, update(Welcome).where(Welcome.id == welcome_id).values(opened=Welcome.opened + 1))


def end_welcome_letter(
    session: Session, *, member_id: UUID, state: LetterState, reason: str = "", now: datetime
) -> bool:
    """What became of the message. False where that was known."""
    waiting = (GivenWelcome.member_id == member_id, GivenWelcome.state == LetterState.WAITING.value)
    values = {"state": state.value, "reason": reason, "ended_at": now}
    return affected(session, update(GivenWelcome).where(*waiting).values(**values)) == 1


def close_welcome(session: Session, *, member_id: UUID, now: datetime) -> None:
    """Somebody leaves: nothing is shown or sent any more. The row stays in the count of its place, as where they came
    from does, and names nobody."""
    dismiss_welcome(session, member_id=member_id, now=now)
    end_welcome_letter(session, member_id=member_id, state=LetterState.PAGE_ONLY, reason="left", now=now)
