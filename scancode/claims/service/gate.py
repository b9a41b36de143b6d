"""Whether a claim may be made at this moment, asked in one statement; the reasons to refuse are looked for only when
it may not.

What is asked is read in the claim's own transaction: stops, the life of the code and whether it looks copied, the state
of the campaign, and who the openid belongs to. All but the mark of the code and the openid are in small tables that
every part of a distributed database holds.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, case, select
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.models import Campaign
from scancode.campaigns.rules import Offer, Phase, in_turn, phase, phase_of
from scancode.catalog.rules import BrandFacts
from scancode.claims.rules import (
    Claimant,
    ClaimCode,
    ClaimsStopped,
    CodeSuspect,
    SnapshotAccount,
    check_life,
    check_phase,
)
from scancode.codes import service as codes
from scancode.codes.models import LifeRange
from scancode.codes.rules import Life
from scancode.jobs import service as jobs
from scancode.jobs.models import Stop
from scancode.members.models import Identity
from scancode.scans import service as scans
from scancode.scans.models import Suspicion
from scancode.scans.rules import SUSPECT
from scancode.sealing import Sealer

STOP = "claims"

_STOPPED = select(Stop.reason).where(Stop.name == STOP).scalar_subquery()
# Ranges do not overlap: only the last one that begins before the serial can hold it.
_LIFE = (
    select(case((LifeRange.last >= bindparam("serial"), LifeRange.state)))
    .where(LifeRange.batch_number == bindparam("batch"), LifeRange.first <= bindparam("serial"))
    .order_by(LifeRange.first.desc())
    .limit(1)
    .scalar_subquery()
)
_MARK = (
    select(Suspicion.state)
    .where(Suspicion.code_id == bindparam("code"), Suspicion.state.in_([state.value for state in SUSPECT]))
    .scalar_subquery()
)
_OPEN = select(
    _STOPPED.label("stopped"),
    _LIFE.label("life"),
    _MARK.label("mark"),
    Campaign.state,
    Campaign.starts_at,
    Campaign.ends_at,
).where(Campaign.id == bindparam("campaign"))
_OPEN_TO = (
    _OPEN.add_columns(Identity.member_id, Identity.is_snapshot)
    .join(Identity, Identity.brand_id == Campaign.brand_id)
    .where(Identity.id == bindparam("openid"))
    # A join that moves this person's points waits for the claim, or goes before it.
    .with_for_update(read=True, of=Identity)
)


def pass_quickly(
    session: Session, *, code: ClaimCode, offer: Offer | None, claimant: Claimant, now: datetime
) -> Claimant | None:
    """The claimant as the book knows them, where the claim may be made under the cached offer. None where it may not,
    or where more has to be looked up to tell: whether another campaign goes first is read afresh."""
    if offer is None or not offer.is_exclusive or (claimant.identity_id is None and claimant.ids):
        return None
    asked = {
        "serial": code.serial,
        "batch": code.batch_number,
        "code": code.code_id,
        "campaign": offer.campaign_id,
    }
    connection = session.connection()
    if claimant.identity_id is None:
        row = connection.execute(_OPEN, asked).one_or_none()
    else:
        row = connection.execute(_OPEN_TO, asked | {"openid": claimant.identity_id}).one_or_none()
    if row is None or row.stopped is not None or row.life != Life.ACTIVE or row.mark is not None:
        return None
    if phase_of(state=row.state, starts_at=row.starts_at, ends_at=row.ends_at, now=now) is not Phase.RUNNING:
        return None
    if claimant.identity_id is None:
        return claimant
    is_plain = claimant.member_id is None and claimant.phone_identity_id is None
    if row.is_snapshot or not (is_plain or (row.member_id is not None and row.member_id == claimant.member_id)):
        return None
    return replace(claimant, member_id=row.member_id)


def pass_slowly(
    session: Session,
    *,
    code: ClaimCode,
    brand: BrandFacts,
    claimant: Claimant,
    draw_sealer: Sealer,
    now: datetime,
) -> tuple[Offer, ...]:
    """The offers that run for the code at this moment, read afresh, the first first; where there are several, paused
    ones among them. Raises the refusal that applies."""
    check_code(session, code)
    fresh = campaigns.find_offer(session, batch_number=code.batch_number, serial=code.serial, sealer=draw_sealer)
    turns = in_turn(fresh, now) if fresh else ()
    if len(turns) < 2:
        check_phase(phase(turns[0], now) if turns else Phase.NONE, turns[0] if turns else None, brand)
    if claimant.is_snapshot:
        raise SnapshotAccount
    return turns


def check_code(session: Session, code: ClaimCode) -> None:
    """Whatever it holds. Raises ClaimsStopped, CodeSuspect and those of ``check_life``."""
    if jobs.is_stopped(session, STOP) is not None:
        raise ClaimsStopped
    check_life(codes.life_of(session, batch_number=code.batch_number, serial=code.serial).state)
    if scans.are_suspect(session, code_ids=[code.code_id]):
        raise CodeSuspect
