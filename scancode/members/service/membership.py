"""Membership itself: one member to a phone and brand, the browsers that were theirs, and the end of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once, new_id
from scancode.members.models import Consent, Identity, IdentityKind, Member, MemberTag, MemberTier, MemberVisitor
from scancode.members.rules import MemberFacts, NotAMember

AT_ONCE = 500
VISITORS_MAX = 200
"""Browsers of one member that are read: more than any person has, fewer than would slow a page."""


def join(
    session: Session, *, phone_identity_id: UUID, brand_id: UUID, language: str, now: datetime
) -> tuple[Member, bool]:
    """The member of a phone identity, made on the first call; True when this call made it.

    However many join with one phone at once, the guarded UPDATE of the identity lets one of them make the member.
    """
    member_id = new_id(now)
    statement = (
        update(Identity)
        .where(Identity.id == phone_identity_id, Identity.kind == IdentityKind.PHONE, Identity.member_id.is_(None))
        .values(member_id=member_id)
    )
    if affected(session, statement) == 1:
        member = Member(id=member_id, brand_id=brand_id, language=language, joined_at=now, left_at=None)
        session.add(member)
        session.flush()
        return member, True
    owner = session.scalar(select(Identity.member_id).where(Identity.id == phone_identity_id))
    found = session.get(Member, owner) if owner else None
    if found is None or found.left_at is not None:
        raise NotAMember
    return found, False


def link_visitor(session: Session, *, member_id: UUID, visitor_id: UUID, now: datetime) -> bool:
    """The browser is this member: its earlier scans are theirs. True on the first link."""
    return insert_once(session, MemberVisitor, member_id=member_id, visitor_id=visitor_id, linked_at=now)


def is_linked(session: Session, *, member_id: UUID, visitor_id: UUID) -> bool:
    return bool(
        session.scalar(
            select(exists().where(MemberVisitor.member_id == member_id, MemberVisitor.visitor_id == visitor_id))
        )
    )


def visitors_of(session: Session, *, member_id: UUID) -> tuple[UUID, ...]:
    """The member's browsers, the newest link first."""
    query = (
        select(MemberVisitor.visitor_id)
        .where(MemberVisitor.member_id == member_id)
        .order_by(MemberVisitor.linked_at.desc(), MemberVisitor.visitor_id)
        .limit(VISITORS_MAX)
    )
    return tuple(session.scalars(query))


def find_member(session: Session, *, member_id: UUID) -> MemberFacts | None:
    """A member, also one that has left; None where there never was one."""
    member = session.get(Member, member_id, populate_existing=True)
    if member is None:
        return None
    hint = select(Identity.hint).where(Identity.member_id == member_id, Identity.kind == IdentityKind.PHONE).limit(1)
    return MemberFacts(
        id=member.id,
        brand_id=member.brand_id,
        language=member.language,
        joined_at=member.joined_at,
        left_at=member.left_at,
        phone_hint=session.scalar(hint) or "",
    )


def members_here(session: Session, *, brand_id: UUID, member_ids: Collection[UUID]) -> set[UUID]:
    """Those of the ids that are members of the brand and have not left."""
    ordered, found = sorted(member_ids), set[UUID]()
    for start in range(0, len(ordered), AT_ONCE):
        some = Member.id.in_(ordered[start : start + AT_ONCE])
        query = select(Member.id).where(some, Member.brand_id == brand_id, Member.left_at.is_(None))
        found.update(session.scalars(query))
    return found


def get_member(session: Session, *, member_id: UUID) -> MemberFacts:
    """A member who is here. Raises NotAMember."""
    found = find_member(session, member_id=member_id)
    if found is None or not found.is_here:
        raise NotAMember
    return found


def speak(session: Session, *, member_id: UUID, language: str) -> None:
    """The language in which the member wants to be addressed."""
    session.execute(update(Member).where(Member.id == member_id).values(language=language))


def forget(session: Session, *, member_id: UUID, now: datetime) -> bool:
    """Ends a membership: identities, tags and tier go, browsers are unlinked, consents closed. True on the first call.

    The member's row stays without anything personal, for the books of points, claims and money that name it. The same
    phone may join again and is a new member then.
    """
    left = update(Member).where(Member.id == member_id, Member.left_at.is_(None)).values(left_at=now)
    if affected(session, left) == 0:
        return False
    session.execute(delete(Identity).where(Identity.member_id == member_id))
    session.execute(delete(MemberVisitor).where(MemberVisitor.member_id == member_id))
    session.execute(delete(MemberTag).where(MemberTag.member_id == member_id))
    session.execute(delete(MemberTier).where(MemberTier.member_id == member_id))
    session.execute(
        update(Consent).where(Consent.member_id == member_id, Consent.withdrawn_at.is_(None)).values(withdrawn_at=now)
    )
    return True
