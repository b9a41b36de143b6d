"""Identities: a phone or an openid that means a person within one brand.

An identity's id is the blind index of its value, so the same value is always the same row: making one is an upsert,
and finding a person takes the value and the key. The value itself is sealed; only ``reveal`` opens it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once
from scancode.errors import NotFound
from scancode.members import rules
from scancode.members.models import Identity, IdentityKind, Member
from scancode.members.rules import IdentityFacts
from scancode.sealing import Sealer

AT_ONCE = 500
IDENTITIES_MAX = 20
"""A member has one phone and few openids; more than this are never read."""


def identify(
    session: Session,
    *,
    brand_id: UUID,
    kind: str,
    value: str,
    sealer: Sealer,
    now: datetime,
    is_snapshot: bool = False,
) -> Identity:
    """The identity of a value within a brand, made on first sight. A phone must be E.164 already.

    ``is_snapshot`` marks a virtual account of the platform; a real login with the same value clears the mark.
    """
    kind = IdentityKind(kind).value
    identity_id = _index(value, kind, brand_id, sealer)
    found = session.get(Identity, identity_id)
    if found is None:
        insert_once(
            session,
            Identity,
            id=identity_id,
            brand_id=brand_id,
            kind=kind,
            sealed=sealer.seal(value, purpose=_purpose(kind, brand_id)),
            hint=rules.mask_phone(value) if kind == IdentityKind.PHONE else rules.mask_openid(value),
            member_id=None,
            is_snapshot=is_snapshot,
            created_at=now,
        )
        found = session.get_one(Identity, identity_id, populate_existing=True)
    if found.is_snapshot and not is_snapshot:
        session.execute(update(Identity).where(Identity.id == identity_id).values(is_snapshot=False))
        session.refresh(found)
    return found


def find_identity(session: Session, *, identity_id: UUID) -> IdentityFacts | None:
    found = session.get(Identity, identity_id, populate_existing=True)
    return _facts(found) if found else None


def find_phone(session: Session, *, brand_id: UUID, phone: str, sealer: Sealer) -> IdentityFacts | None:
    """The identity of an E.164 number, where the brand knows it. Stores nothing."""
    return find_identity(session, identity_id=_index(phone, IdentityKind.PHONE, brand_id, sealer))


def identities_of(session: Session, *, member_id: UUID) -> tuple[IdentityFacts, ...]:
    """A member's identities, the phone first."""
    query = (
        select(Identity)
        .where(Identity.member_id == member_id)
        .order_by(Identity.kind != IdentityKind.PHONE.value, Identity.kind.desc(), Identity.created_at)
        .limit(IDENTITIES_MAX)
    )
    return tuple(_facts(row) for row in session.scalars(query))


def phone_hints(session: Session, *, member_ids: Collection[UUID]) -> dict[UUID, str]:
    """The masked phone of each of these who is or was a member; empty for who has left."""
    found = dict.fromkeys(session.scalars(select(Member.id).where(Member.id.in_(sorted(member_ids)))), "")
    phones = select(Identity.member_id, Identity.hint).where(
        Identity.member_id.in_(sorted(found)), Identity.kind == IdentityKind.PHONE.value
    )
    found.update((row.member_id, row.hint) for row in session.execute(phones) if row.member_id is not None)
    return found


def of_identity(session: Session, *, identity_id: UUID) -> UUID | None:
    """The member whom an identity belongs to, if any."""
    return session.scalar(select(Identity.member_id).where(Identity.id == identity_id))


def phone_id(phone: str, *, brand_id: UUID, sealer: Sealer) -> UUID:
    """The identity that an E.164 number has within a brand, whether it is there or not. Asks nobody."""
    return _index(phone, IdentityKind.PHONE, brand_id, sealer)


def members_of_identities(session: Session, *, identity_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Who has which of these identities; those that are nobody's are left out."""
    found: dict[UUID, UUID] = {}
    ordered = sorted(identity_ids)
    for start in range(0, len(ordered), AT_ONCE):
        some = Identity.id.in_(ordered[start : start + AT_ONCE])
        query = select(Identity.id, Identity.member_id).where(some, Identity.member_id.is_not(None))
        found.update((row.id, row.member_id) for row in session.execute(query) if row.member_id is not None)
    return found


def claim_identity(session: Session, *, identity_id: UUID, member_id: UUID) -> bool:
    """Makes a free identity the member's. True when it now is theirs; False when it is somebody else's."""
    statement = (
        update(Identity).where(Identity.id == identity_id, Identity.member_id.is_(None)).values(member_id=member_id)
    )
    if affected(session, statement) == 1:
        return True
    return of_identity(session, identity_id=identity_id) == member_id


def forget_identities(session: Session, *, member_id: UUID, kind: str) -> int:
    """Deletes a member's identities of one kind: they took back what allowed to keep them. Returns how many."""
    theirs = delete(Identity).where(Identity.member_id == member_id, Identity.kind == IdentityKind(kind).value)
    return affected(session, theirs)


def reveal(session: Session, *, identity_id: UUID, sealer: Sealer) -> str:
    """The value in clear: for paying an openid or handing a person their own phone, never for a screen of staff.

    Raises NotFound when the identity was erased, SealBroken when its key is missing.
    """
    found = session.get(Identity, identity_id)
    if found is None:
        raise NotFound
    return sealer.open(found.sealed, purpose=_purpose(found.kind, found.brand_id))


def phone_index(phone: str, sealer: Sealer) -> UUID:
    """The index under which sent passwords are counted: one per phone, whatever the brand."""
    return sealer.index(phone, purpose="otp")


def _index(value: str, kind: str, brand_id: UUID, sealer: Sealer) -> UUID:
    return sealer.index(value, purpose=_purpose(kind, brand_id))


def _purpose(kind: str, brand_id: UUID) -> str:
    return f"{IdentityKind(kind).value}|{brand_id}"


def _facts(row: Identity) -> IdentityFacts:
    return IdentityFacts(
        id=row.id,
        brand_id=row.brand_id,
        kind=row.kind,
        hint=row.hint,
        member_id=row.member_id,
        is_snapshot=row.is_snapshot,
    )
