"""Whether a campaign's conditions fit: where the code came from, and who claims it; and how many times its points it
gives. Asked only under campaigns that have conditions.

Who does not take part learns it in the words that the brand chose for people; without such words no tag is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.campaigns.conditions import Conditions, Members, Person, Place
from scancode.campaigns.rules import Offer, PrizeFacts, phase
from scancode.catalog.rules import BrandFacts
from scancode.channels.models import Store
from scancode.channels.rules import UNKNOWN, Attribution
from scancode.claims.admission import (
    ExistingMembersOnly,
    GroupLeftOut,
    GroupOnly,
    InvitedOnly,
    LeftOut,
    MembersOnly,
    NewMembersOnly,
    TierOnly,
)
from scancode.claims.rules import (
    Claimant,
    Elsewhere,
    NoCampaign,
    OtherItem,
    ScannedElsewhere,
    WhereUnknown,
    check_phase,
)
from scancode.claims.service.asking import Request
from scancode.errors import Refusal
from scancode.members import service as members
from scancode.members.models import Member
from scancode.members.tags import public_names
from scancode.members.tiers import tier_names
from scancode.scans import service as scans


@dataclass(frozen=True)
class Item:
    """What of a code conditions may ask."""

    code_id: int
    product_id: UUID
    batch_number: int


def first_fitting(
    session: Session,
    *,
    offers: Sequence[Offer],
    item: Item,
    brand: BrandFacts,
    claimant: Claimant,
    attribution: Attribution | None,
    now: datetime,
) -> Offer:
    """The first of the offers over a code whose conditions let this code and this person take part. Raises why the
    first of all does not where none does; CampaignPaused where the one that does is paused."""
    reason: Refusal | None = None
    for offer in offers:
        try:
            check_fit(session, offer=offer, item=item, claimant=claimant, attribution=attribution, now=now)
        except Refusal as refusal:
            reason = reason or refusal
        else:
            return check_phase(phase(offer, now), offer, brand)
    raise reason or NoCampaign


def check_fit(
    session: Session,
    *,
    offer: Offer,
    item: Item,
    claimant: Claimant,
    attribution: Attribution | None,
    now: datetime,
) -> None:
    """Raises OtherItem, Elsewhere, WhereUnknown, ScannedElsewhere, MembersOnly, NewMembersOnly, ExistingMembersOnly,
    and as ``_check_person``."""
    conditions = offer.conditions
    if not conditions.takes_item(item.product_id, item.batch_number):
        raise OtherItem
    if conditions.scan_regions:
        _check_region(session, conditions, item, claimant, attribution or UNKNOWN)
    if conditions.names_places and not conditions.takes_part(_place(session, attribution or UNKNOWN)):
        raise Elsewhere
    if conditions.names_people:
        _check_person(session, offer=offer, member_id=claimant.member_id, now=now)
    if not conditions.members:
        return
    if claimant.member_id is None:
        raise ExistingMembersOnly if conditions.members == Members.EXISTING else MembersOnly
    if conditions.members == Members.MEMBERS:
        return
    joined_at = session.scalar(select(Member.joined_at).where(Member.id == claimant.member_id))
    is_new = joined_at is not None and joined_at >= offer.starts_at
    if conditions.members == Members.NEW and not is_new:
        raise NewMembersOnly
    if conditions.members == Members.EXISTING and is_new:
        raise ExistingMembersOnly


def fits_at_once(request: Request, offer: Offer) -> bool:
    """The same without asking anybody: False where it does not fit, or where more has to be looked up to tell."""
    conditions, origin = offer.conditions, request.attribution or UNKNOWN
    if conditions.is_for_all:
        return True
    if conditions.scan_regions or conditions.names_people or conditions.members not in (Members.ANY, Members.MEMBERS):
        return False
    if conditions.members and request.claimant.member_id is None:
        return False
    place = Place(origin.channel_id, origin.store_id, origin.touchpoint_id)
    return conditions.takes_item(request.batch.product_id, request.batch.number) and conditions.takes_part(place)


def _check_region(
    session: Session, conditions: Conditions, item: Item, claimant: Claimant, origin: Attribution
) -> None:
    """By the scan that this browser made of the code, which a person may have corrected; else by the claim itself."""
    told = None
    if claimant.visitor_id is not None:
        told = scans.region_of(session, code_id=item.code_id, visitor_id=claimant.visitor_id)
    region = origin.region if told is None else told
    if not conditions.takes_scan(region):
        raise WhereUnknown if region is None else ScannedElsewhere


def _check_person(session: Session, *, offer: Offer, member_id: UUID | None, now: datetime) -> None:
    """Raises MembersOnly, InvitedOnly, GroupOnly, LeftOut, GroupLeftOut, TierOnly."""
    conditions = offer.conditions
    wanted, unwanted = (frozenset(map(UUID, ids)) for ids in (conditions.tags_any, conditions.tags_none))
    carried: frozenset[UUID] = frozenset()
    person = Person()
    if member_id is not None:
        carried = members.has_tags(session, member_id=member_id, tag_ids=wanted | unwanted)
        person = Person(frozenset(map(str, carried)))
        if conditions.names_tiers:
            reached = members.standing(session, member_id=member_id, brand_id=offer.brand_id, now=now).reached
            person = replace(
                person, tier=str(reached[-1].id) if reached else "", reached=frozenset(str(one.id) for one in reached)
            )
        if conditions.admits(person):
            return
    if wanted and not carried & wanted:
        names = public_names(members.find_tags(session, brand_id=offer.brand_id, tag_ids=wanted))
        raise GroupOnly(zh=names[0], en=names[1]) if names else InvitedOnly
    if member_id is None:
        raise _tier_only(session, offer) if conditions.names_tiers else MembersOnly
    if not conditions.suits(person):
        raise _tier_only(session, offer)
    names = public_names(members.find_tags(session, brand_id=offer.brand_id, tag_ids=carried & unwanted))
    raise GroupLeftOut(zh=names[0], en=names[1]) if names else LeftOut


def _tier_only(session: Session, offer: Offer) -> TierOnly:
    ladder = members.load_ladder(session, brand_id=offer.brand_id)
    zh, en = tier_names(ladder, offer.conditions.tier_min, offer.conditions.tiers)
    return TierOnly(zh=zh, en=en)


def _place(session: Session, origin: Attribution) -> Place:
    place = Place(origin.channel_id, origin.store_id, origin.touchpoint_id)
    if origin.store_id is None:
        return place
    where = session.execute(select(Store.province, Store.city).where(Store.id == origin.store_id)).one_or_none()
    return replace(place, province=where.province, city=where.city) if where else place


def boosted(
    prize: PrizeFacts, *, offer: Offer, brand: BrandFacts, attribution: Attribution | None, now: datetime
) -> PrizeFacts:
    """The prize with the points that it gives here and now."""
    if prize.kind != "points" or not offer.conditions.boosts:
        return prize
    local = now.astimezone(ZoneInfo(brand.timezone)).replace(tzinfo=None)
    factor = offer.conditions.factor((attribution or UNKNOWN).store_id, local)
    return replace(prize, amount=prize.amount * factor)
