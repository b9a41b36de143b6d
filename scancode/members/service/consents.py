"""Consents: what a member agreed to, in which version and language, when, and when they took it back.

Rows are kept after a withdrawal as the proof of what was agreed; at most one per purpose and version stands.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.db import affected, new_id
from scancode.members.models import Consent, Member
from scancode.members.rules import MARKETING, PURPOSES, ConsentFacts, covers_wechat

CONSENTS_MAX = 200


def consent(session: Session, *, member_id: UUID, purpose: str, version: str, language: str, now: datetime) -> bool:
    """Records that the member agreed. True when it is news: no such consent stood before."""
    if purpose not in PURPOSES:
        raise ValueError(f"no such purpose: {purpose}")
    # The member's row is locked first, so that two requests of one person do not both find nothing.
    session.execute(update(Member).where(Member.id == member_id).values(left_at=Member.left_at))
    if has_consent(session, member_id=member_id, purpose=purpose, version=version):
        return False
    session.add(
        Consent(
            member_id=member_id,
            id=new_id(now),
            purpose=purpose,
            version=version,
            language=language,
            granted_at=now,
            withdrawn_at=None,
        )
    )
    session.flush()
    return True


def withdraw(session: Session, *, member_id: UUID, purpose: str, now: datetime) -> bool:
    """Takes back every standing consent for the purpose, whatever its version. True when one stood."""
    statement = (
        update(Consent)
        .where(Consent.member_id == member_id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )
    return affected(session, statement) > 0


def has_consent(session: Session, *, member_id: UUID, purpose: str, version: str | None = None) -> bool:
    """Whether a consent for the purpose stands; with ``version``, for that text."""
    query = select(Consent.id).where(
        Consent.member_id == member_id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None)
    )
    if version is not None:
        query = query.where(Consent.version == version)
    return session.scalar(query.limit(1)) is not None


def reaches_by_wechat(session: Session, *, member_id: UUID) -> bool:
    """Whether offers and reminders may be sent to a member in WeChat: a consent stands whose words say so."""
    standing = (Consent.member_id == member_id, Consent.purpose == MARKETING, Consent.withdrawn_at.is_(None))
    return any(map(covers_wechat, session.scalars(select(Consent.version).where(*standing).limit(CONSENTS_MAX))))


def hold_consent(session: Session, *, member_id: UUID, purpose: str) -> bool:
    """The same, for what is written because of it: taking the consent back waits for the end of this transaction, so
    that nothing is written after."""
    statement = (
        update(Consent)
        .where(Consent.member_id == member_id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None))
        .values(granted_at=Consent.granted_at)
    )
    return affected(session, statement) > 0


def consents_of(session: Session, *, member_id: UUID) -> tuple[ConsentFacts, ...]:
    """Everything the member ever agreed to, the newest first."""
    query = (
        select(Consent)
        .where(Consent.member_id == member_id)
        .order_by(Consent.granted_at.desc(), Consent.id.desc())
        .limit(CONSENTS_MAX)
    )
    return tuple(
        ConsentFacts(
            purpose=row.purpose,
            version=row.version,
            language=row.language,
            granted_at=row.granted_at,
            withdrawn_at=row.withdrawn_at,
        )
        for row in session.scalars(query)
    )
