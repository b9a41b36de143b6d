"""Joining a brand, across the features: a phone that was proved becomes a member, and all that the person gathered
before as a stranger follows them.

One transaction: the member (made once per phone and brand), what they consented to, the browser and with it its
earlier scans, the openid and its points and prizes, prizes that the browser held back, where the member came from, and
the welcome that this chooses. Joining again is logging in: nothing is made or counted twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.catalog.rules import BrandFacts
from scancode.channels import service as channels
from scancode.channels.rules import Attribution, ItemFacts, Seen, Source, attribute
from scancode.claims import service as claims
from scancode.claims.rules import Claimant
from scancode.errors import NotFound
from scancode.ledger import service as ledger
from scancode.members import service as members
from scancode.members.models import IdentityKind
from scancode.members.rules import MARKETING, MEMBERSHIP, PREFERENCES, ConsentMissing, consent_version
from scancode.members.tags import TagSource
from scancode.scans import service as scans
from scancode.scans.service import ScanFacts
from scancode.sealing import Sealer
from scancode.stories.welcoming import welcome

SCANS_LOOKED_AT = 20


@dataclass(frozen=True)
class Arrival:
    """The browser that joins, and the placed codes that it remembers, the oldest first."""

    visitor_id: UUID
    identity_id: UUID | None
    """The openid that the browser has shown to this brand, if any."""
    touches: Sequence[Seen]
    touch_days: int
    region: int | None = None


@dataclass(frozen=True)
class Joined:
    member_id: UUID
    phone_identity_id: UUID
    identity_id: UUID | None
    """The openid, where it is this member's; None also when it turned out to be somebody else's."""
    is_new: bool
    points_moved: int
    prizes_bound: int
    is_welcomed: bool = False
    """They have just been given a welcome of the brand."""

    @property
    def claimed_anything(self) -> bool:
        return bool(self.points_moved or self.prizes_bound)


def join(
    session: Session,
    *,
    brand: BrandFacts,
    phone: str,
    arrival: Arrival,
    accepts_terms: bool,
    accepts_marketing: bool,
    accepts_preferences: bool = False,
    language: str,
    can_write: bool = False,
    sealer: Sealer,
    prefix: str,
    now: datetime,
) -> Joined:
    """Makes or finds the member of an E.164 phone that has just been proved. ``prefix`` starts bill numbers;
    ``can_write``: messages can go out in WeChat.

    Raises ConsentMissing.
    """
    if not accepts_terms:
        raise ConsentMissing
    identity = members.identify(
        session, brand_id=brand.id, kind=IdentityKind.PHONE, value=phone, sealer=sealer, now=now
    )
    member, is_new = members.join(session, phone_identity_id=identity.id, brand_id=brand.id, language=language, now=now)
    asked = ((MEMBERSHIP, accepts_terms), (MARKETING, accepts_marketing), (PREFERENCES, accepts_preferences))
    for purpose, accepts in asked:
        if accepts:
            members.consent(
                session,
                member_id=member.id,
                purpose=purpose,
                version=consent_version(purpose, brand.privacy_version),
                language=language,
                now=now,
            )
    openid = arrival.identity_id
    if openid and not members.claim_identity(session, identity_id=openid, member_id=member.id):
        openid = None  # it is another member's: it stays theirs, with all that it holds
    is_welcomed = False
    if is_new:
        origin = _acquire(session, brand=brand, member_id=member.id, arrival=arrival, now=now)
        _tag(session, brand_id=brand.id, member_id=member.id, origin=origin, now=now)
        is_welcomed = welcome(
            session, brand_id=brand.id, member_id=member.id, origin=origin, can_write=can_write, now=now
        )
    points, prizes = gather(
        session,
        brand_id=brand.id,
        claimant=Claimant(arrival.visitor_id, openid, identity.id, member.id),
        prefix=prefix,
        now=now,
    )
    return Joined(member.id, identity.id, openid, is_new, points, prizes, is_welcomed)


def gather(session: Session, *, brand_id: UUID, claimant: Claimant, prefix: str, now: datetime) -> tuple[int, int]:
    """Brings to a member what they had as a stranger: the browser's scans, points and prizes of their identities,
    prizes that the browser held back. Returns the points moved and the prizes bound. Safe to repeat at every login.
    """
    if claimant.member_id is None:
        raise ValueError("only a member can be given what a stranger had")
    moved = 0
    if claimant.visitor_id is not None:
        members.link_visitor(session, member_id=claimant.member_id, visitor_id=claimant.visitor_id, now=now)
    for identity_id in _in_order(claimant.identity_id, claimant.phone_identity_id):
        claims.reassign(session, from_id=identity_id, to_id=claimant.member_id)
        claims.reassign_tried(session, from_id=identity_id, to_id=claimant.member_id)
        campaigns.reassign_testers(session, from_id=identity_id, to_id=claimant.member_id)
        moved += ledger.reassign(
            session,
            from_id=identity_id,
            to_id=claimant.member_id,
            brand_id=brand_id,
            cause=f"join:{identity_id}:{now.isoformat()}",
            now=now,
        )
    bound = claims.bind(session, claimant=claimant, brand_id=brand_id, prefix=prefix, now=now)
    return moved, len(bound)


def _in_order(*ids: UUID | None) -> Iterable[UUID]:
    """Accounts are always touched in the order of their ids, so that two logins never wait for each other."""
    return sorted(id_ for id_ in ids if id_ is not None)


def _acquire(session: Session, *, brand: BrandFacts, member_id: UUID, arrival: Arrival, now: datetime) -> Attribution:
    """Writes where a new member came from, and returns it; the row is written even where nothing is known."""
    seen = scans.latest_of_visitor(session, visitor_id=arrival.visitor_id, brand_id=brand.id, limit=SCANS_LOOKED_AT)
    scan = next((one for one in seen if not one.is_test), None)
    touched = attribute(
        touches=arrival.touches,
        item=ItemFacts(region=arrival.region),
        brand_id=brand.id,
        now=now,
        touch_days=arrival.touch_days,
    )
    origin = came_from(scan, touched, arrival.touches[-1].at if arrival.touches else None)
    channels.acquire(
        session,
        member_id=member_id,
        brand_id=brand.id,
        attribution=origin,
        product_id=scan.product_id if scan else None,
        batch_number=scan.batch_number if scan else None,
        code_id=scan.code_id if scan else None,
        day=brand.day(now),
        now=now,
    )
    return origin


def _tag(session: Session, *, brand_id: UUID, member_id: UUID, origin: Attribution, now: datetime) -> None:
    """The placed code that brought a new member may give tags."""
    if origin.touchpoint_id is None:
        return
    for tag_id in members.tags_of_scene(session, brand_id=brand_id, touchpoint_id=origin.touchpoint_id):
        with suppress(NotFound):  # the tag was deleted at this moment
            members.mark(session, tag_id=tag_id, member_ids=[member_id], source=TagSource.SCAN, now=now)


def came_from(scan: ScanFacts | None, touched: Attribution, touched_at: datetime | None) -> Attribution:
    """What brought a member: the newest of the last scan and the last touch. A scan of which nothing is known yields
    to any touch that still counts."""
    if scan is None:
        return touched
    item = scan.attribution
    is_touched = touched.source == Source.TOUCH and touched_at is not None
    if is_touched and (scan.attribution.source == Source.UNKNOWN or scan.scanned_at < touched_at):  # type: ignore[operator]
        return replace(
            touched,
            item_channel_id=item.item_channel_id,
            item_store_id=item.item_store_id,
            region=touched.region or item.region,
        )
    return scan.attribution
