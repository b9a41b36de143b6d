"""Coming back from the platform's login, across the features: an openid shows who the browser belongs to.

The prizes that the browser held back become the openid's. Where the openid (or the phone with which the browser is
signed in) belongs to a member, it is the member who comes in, and payouts that waited for an openid get this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.claims import service as claims
from scancode.claims.rules import Claimant
from scancode.members import service as members
from scancode.members.models import IdentityKind
from scancode.members.rules import LINKING
from scancode.ports import Login
from scancode.sealing import Sealer
from scancode.stories.join import gather


@dataclass(frozen=True)
class Agreed:
    """A member agreed, here and at WeChat, to be known as the same person in the company's other services there."""

    version: str
    """Of the privacy notice that they were shown."""
    language: str


@dataclass(frozen=True)
class SignedIn:
    identity_id: UUID
    member_id: UUID | None
    phone_identity_id: UUID | None
    prizes_bound: int
    is_linked: bool = False
    """The unionid was kept."""


def sign_in(
    session: Session,
    *,
    brand_id: UUID,
    login: Login,
    visitor_id: UUID,
    member_id: UUID | None,
    agreed: Agreed | None = None,
    sealer: Sealer,
    prefix: str,
    now: datetime,
) -> SignedIn:
    """The person behind an openid. ``member_id`` is the member as whom the browser is signed in already, if any: a
    free openid becomes theirs; one that is another member's signs that member in instead.

    A snapshot account must not come here: it is no person, and nothing of it is stored. A unionid is kept where the
    member ``agreed``, and dropped otherwise.
    """
    if login.is_snapshot:
        raise ValueError("a snapshot account is nobody")
    openid = members.identify(
        session, brand_id=brand_id, kind=IdentityKind.OPENID, value=login.openid, sealer=sealer, now=now
    )
    if member_id is not None and members.claim_identity(session, identity_id=openid.id, member_id=member_id):
        owner: UUID | None = member_id
    else:
        owner = members.of_identity(session, identity_id=openid.id)
    if owner is None:
        stranger = Claimant(visitor_id, openid.id)
        bound = claims.bind(session, claimant=stranger, brand_id=brand_id, prefix=prefix, now=now)
        return SignedIn(openid.id, None, None, prizes_bound=len(bound))
    phones = [one.id for one in members.identities_of(session, member_id=owner) if one.kind == IdentityKind.PHONE]
    phone_id = phones[0] if phones else None
    member = Claimant(visitor_id, openid.id, phone_id, owner)
    _, count = gather(session, brand_id=brand_id, claimant=member, prefix=prefix, now=now)
    is_linked = False
    if agreed is not None and login.unionid is not None and owner == member_id:
        is_linked = _link(session, brand_id, owner, login.unionid, agreed, sealer, now)
    return SignedIn(openid.id, owner, phone_id, prizes_bound=count, is_linked=is_linked)


def _link(
    session: Session, brand_id: UUID, member_id: UUID, unionid: str, agreed: Agreed, sealer: Sealer, now: datetime
) -> bool:
    """Keeps the unionid as the member's. False where it is another membership's already: it stays there."""
    same = members.identify(
        session, brand_id=brand_id, kind=IdentityKind.UNIONID, value=unionid, sealer=sealer, now=now
    )
    if not members.claim_identity(session, identity_id=same.id, member_id=member_id):
        return False
    members.consent(
        session, member_id=member_id, purpose=LINKING, version=agreed.version, language=agreed.language, now=now
    )
    return True
