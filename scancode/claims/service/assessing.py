"""The facts of a claim that smells, as the book has them: looked up only then, in the claim's own transaction.

A handful of short ranges of indexes: the person's claims of a day, the carton and its claims, the territory that the
item was shipped to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, or_, select
from sqlalchemy.orm import Session

from batches.codes import Kind, code_id, split_code_id
from scancode.channels import regions
from scancode.claims.models import Claim
from scancode.claims.risk import JUMP_KM, RUN_SPAN, Glimpse, RiskFacts, Score, score
from scancode.claims.rules import Claimant
from scancode.db import made_at
from scancode.diversion import service as diversion
from scancode.diversion.rules import DiversionTerms, is_outside
from scancode.members.models import Identity
from scancode.packing import service as packing
from scancode.packing.rules import Unit

WITHIN = timedelta(hours=24)
CLAIMS_MAX = 200
CARTON_RANGES_MAX = 50
Earlier = Row[tuple[int, UUID, datetime, int | None, UUID | None, UUID | None]]
_EARLIER = (
    Claim.code_id, Claim.brand_id, Claim.claimed_at, Claim.region, Claim.item_channel_id, Claim.item_store_id,
)  # fmt: skip


def assess(session: Session, *, code: int, claimant: Claimant, glimpse: Glimpse, now: datetime) -> Score:
    """How much speaks against the claim of this code, whose row is there already."""
    own = _own_claims(session, claimant, now)
    carton_claims, carton_people = _carton(session, code, now)
    here = next((row for row in own if row.code_id == code), None)
    known = asdict(glimpse) | {"today": len(own), "run": _run(code, own)}
    return score(
        RiskFacts(
            **known,
            carton_claims=carton_claims,
            carton_people=carton_people,
            known_minutes=_known_minutes(session, claimant, now),
            outside_km=_outside_km(session, here, glimpse.territory_km) if here else None,
            kmh=_kmh(here, own, now) if here else None,
        )
    )


def _own_claims(session: Session, claimant: Claimant, now: datetime) -> list[Earlier]:
    """What this person claimed within a day, the newest first."""
    ids = list(claimant.ids)
    theirs: list[ColumnElement[bool]] = []
    if ids:
        theirs += [Claim.subject_id.in_(ids), Claim.account_id.in_(ids)]
    if claimant.visitor_id is not None:
        theirs.append(Claim.visitor_id == claimant.visitor_id)
    if not theirs:
        return []
    query = select(*_EARLIER)
    query = query.where(or_(*theirs), Claim.nth.is_(None), Claim.claimed_at >= now - WITHIN).order_by(
        Claim.claimed_at.desc()
    )
    return list(session.execute(query.limit(CLAIMS_MAX)).all())  # type: ignore[arg-type]


def _run(code: int, own: Iterable[Earlier]) -> int:
    """How many of these are neighbours of the code on the roll."""
    here = split_code_id(code)
    parts = (split_code_id(row.code_id) for row in own)
    return sum(one.batch == here.batch and abs(one.serial - here.serial) <= RUN_SPAN for one in parts)


def _carton(session: Session, code: int, now: datetime) -> tuple[int, int]:
    """Claims of items of the same carton within a day, and by how many people; nothing where it was never packed."""
    carton = packing.parent_of(session, unit=Unit.of(code))
    if carton is None:
        return 0, 0
    inside = packing.look_into(session, parent=carton)
    spans = [
        Claim.code_id.between(code_id(batch, Kind.INNER, first), code_id(batch, Kind.INNER, last))
        for (batch, _), ranges in inside.items()
        for first, last in ranges
    ]
    if not spans:
        return 0, 0
    who = func.coalesce(Claim.account_id, Claim.visitor_id)
    query = select(func.count(), func.count(who.distinct())).select_from(Claim)
    row = session.execute(query.where(or_(*spans[:CARTON_RANGES_MAX]), Claim.claimed_at >= now - WITHIN)).one()
    return int(row[0]), int(row[1])


def _known_minutes(session: Session, claimant: Claimant, now: datetime) -> int | None:
    """How long the openid or the phone has been known, else the browser, whose id tells when it was made."""
    since = made_at(claimant.visitor_id) if claimant.visitor_id is not None else None
    if claimant.subject_id is not None:
        since = session.scalar(select(Identity.created_at).where(Identity.id == claimant.subject_id)) or since
    return None if since is None else max(0, int((now - since).total_seconds() // 60))


def _outside_km(session: Session, here: Earlier, territory_km: int | None) -> int | None:
    """How far outside the item's territory it was, for certain; None where it was inside, or nothing is known."""
    channel_id, store_id, there = here.item_channel_id, here.item_store_id, here.region
    if there is None or channel_id is None:
        return None
    territory = (
        diversion.own_territory(session, channel_id=channel_id, store_id=store_id) if store_id is not None else []
    ) or diversion.own_territory(session, channel_id=channel_id)
    if not territory:
        return None
    usual = DiversionTerms() if territory_km is None else DiversionTerms(kilometres=territory_km)
    beyond_km = diversion.load_terms(session, brand_id=here.brand_id, otherwise=usual).kilometres
    if not is_outside(there, territory, beyond_km=beyond_km):
        return None
    known = [found for part in territory if (found := regions.kilometres(part, there)) is not None]
    return round(min(known)) if known else beyond_km


def _kmh(here: Earlier, own: Iterable[Earlier], now: datetime) -> int | None:
    """How fast the person came here from their last claim in another place, where that is far enough to tell."""
    if here.region is None:
        return None
    for row in own:
        if row.code_id == here.code_id or row.region is None or row.region == here.region:
            continue
        distance = regions.kilometres(row.region, here.region)
        if distance is None or distance < JUMP_KM:
            return None
        claimed_at: datetime = row.claimed_at
        hours = max((now - claimed_at).total_seconds() / 3600, 1 / 60)
        return round(distance / hours)
    return None
