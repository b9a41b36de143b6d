"""Who is really there: what a session says of a person, compared with what the book knows of them now."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.claims.rules import Claimant
from scancode.members.models import Identity, Member


def settle(session: Session, *, claimant: Claimant, brand_id: UUID) -> Claimant:
    """The claimant as far as this brand knows them: ids of another brand, or erased ones, do not count; an identity
    that joined meanwhile brings its member along.

    The identities are share-locked, so that a join which moves their points waits for this claim, or goes before it.
    """
    if not claimant.ids:
        return claimant
    wanted = [one for one in (claimant.identity_id, claimant.phone_identity_id) if one is not None]
    known = {}
    if wanted:
        query = (
            select(Identity.id, Identity.kind, Identity.member_id, Identity.is_snapshot)
            .where(Identity.id.in_(wanted), Identity.brand_id == brand_id)
            .with_for_update(read=True)
        )
        known = {row.id: row for row in session.execute(query)}
    openid = known.get(claimant.identity_id) if claimant.identity_id else None
    phone = known.get(claimant.phone_identity_id) if claimant.phone_identity_id else None
    members = [row.member_id for row in (phone, openid) if row is not None and row.member_id is not None]
    member_id = members[0] if members else None
    if member_id is None and claimant.member_id is not None:
        here = (Member.id == claimant.member_id, Member.brand_id == brand_id, Member.left_at.is_(None))
        member_id = session.scalar(select(Member.id).where(*here))
    return replace(
        claimant,
        identity_id=openid.id if openid else None,
        phone_identity_id=phone.id if phone else None,
        member_id=member_id,
        is_snapshot=bool(openid and openid.is_snapshot),
    )
