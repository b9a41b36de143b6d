"""Tiers: a brand's ladder, and the tier that each member holds, with the moment since when.

Where somebody stands is always worked out from the ledger; the row that is kept says since when, and serves lists and
counts. ``settle_tiers`` makes it agree: once points were posted, once the day has turned, once the ladder has changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from scancode.catalog.models import Brand
from scancode.db import affected, insert_once, new_id
from scancode.errors import NotFound
from scancode.ledger import service as ledger
from scancode.members.models import Member, MemberTier, Tag, TierLadder
from scancode.members.models import Tier as TierRow
from scancode.members.tiers import Ladder, Standing, Tier, TierDraft, checked
from scancode.staff import service as staff


@dataclass(frozen=True)
class Held:
    """The tier that is kept of a member."""

    tier_id: UUID
    since: datetime


@dataclass(frozen=True)
class LadderState:
    """``settled_day``: on which day of the brand everybody was settled last; ``looked_at``: as they stood when."""

    brand_id: UUID
    changed_at: datetime
    settled_day: str
    looked_at: datetime | None


def load_ladder(session: Session, *, brand_id: UUID) -> Ladder:
    """Without tiers where the brand has none."""
    months = session.scalar(select(TierLadder.months).where(TierLadder.brand_id == brand_id))
    if months is None:
        return Ladder()
    query = select(TierRow.id, TierRow.name_zh, TierRow.name_en, TierRow.points).where(TierRow.brand_id == brand_id)
    return Ladder(months, tuple(Tier(*row) for row in session.execute(query.order_by(TierRow.points))))


def marks_there(session: Session, *, brand_id: UUID, mark_ids: Collection[UUID]) -> set[UUID]:
    """Those of the ids that are tags or tiers of the brand. Asks nothing where there are none."""
    wanted = sorted(mark_ids)
    if not wanted:
        return set()
    tags = select(Tag.id).where(Tag.brand_id == brand_id, Tag.id.in_(wanted), Tag.deleted_at.is_(None))
    tiers = select(TierRow.id).where(TierRow.brand_id == brand_id, TierRow.id.in_(wanted))
    return {*session.scalars(tags), *session.scalars(tiers)}


def count_tiers(session: Session, *, brand_id: UUID) -> dict[UUID, int]:
    """How many members hold each tier, as it is kept."""
    query = select(MemberTier.tier_id, func.count()).join(TierRow, TierRow.id == MemberTier.tier_id)
    found = session.execute(query.where(TierRow.brand_id == brand_id).group_by(MemberTier.tier_id)).all()
    return {row[0]: row[1] for row in found}


def set_ladder(
    session: Session, *, brand_id: UUID, months: int, tiers: Sequence[TierDraft], actor: str, now: datetime
) -> None:
    """The whole ladder anew; the members of tiers that are gone hold none until they are settled. Whether something
    names a tier that goes is for the caller to ask. Raises BadLadder, BadMonths, NotFound for another brand's tier.
    """
    drafts = checked(months, tiers)
    insert_once(session, TierLadder, brand_id=brand_id, months=months, changed_at=now, settled_day="")
    # The ladder's row is changed first: two who change it at once take turns.
    ladder = update(TierLadder).where(TierLadder.brand_id == brand_id)
    session.execute(ladder.values(months=months, changed_at=now, settled_day=""))
    there = set(session.scalars(select(TierRow.id).where(TierRow.brand_id == brand_id)))
    kept = {one.id for one in drafts if one.id}
    if not kept <= there:
        raise NotFound
    for gone in sorted(there - kept):
        affected(session, delete(MemberTier).where(MemberTier.tier_id == gone))
        affected(session, delete(TierRow).where(TierRow.id == gone))
    for place, id_ in enumerate(sorted(kept), 1):  # out of each other's way: their points are unique
        session.execute(update(TierRow).where(TierRow.id == id_).values(points=-place))
    for one in drafts:
        values = {"name_zh": one.name_zh, "name_en": one.name_en, "points": one.points}
        if one.id:
            session.execute(update(TierRow).where(TierRow.id == one.id).values(values))
        else:
            session.add(TierRow(id=new_id(now), brand_id=brand_id, **values))
    session.flush()
    staff.audit(
        session,
        actor=actor,
        brand_id=brand_id,
        action="tier.change",
        subject=f"brand:{brand_id}",
        facts={"months": months, "points": [one.points for one in drafts], "gone": len(there - kept)},
        now=now,
    )


def standing(session: Session, *, member_id: UUID, brand_id: UUID, now: datetime) -> Standing:
    """Where a member stands now, worked out from the ledger. Changes nothing."""
    ladder = load_ladder(session, brand_id=brand_id)
    if not ladder.tiers:
        return Standing(ladder, 0)
    return Standing(ladder, _earned(session, ladder, [member_id], brand_id, now).get(member_id, 0))


def _earned(
    session: Session, ladder: Ladder, member_ids: Collection[UUID], brand_id: UUID, now: datetime
) -> dict[UUID, int]:
    timezone = session.scalar(select(Brand.timezone).where(Brand.id == brand_id))
    if timezone is None:
        raise NotFound
    return ledger.earned(session, account_ids=member_ids, since=ladder.since(now, timezone))


def tiers_held(session: Session, *, member_ids: Collection[UUID]) -> dict[UUID, Held]:
    """The tiers that are kept of these members; who holds none is left out."""
    query = select(MemberTier.member_id, MemberTier.tier_id, MemberTier.since)
    found = session.execute(query.where(MemberTier.member_id.in_(sorted(member_ids))))
    return {member_id: Held(tier_id, since) for member_id, tier_id, since in found}


def settle_tiers(session: Session, *, brand_id: UUID, member_ids: Collection[UUID], now: datetime) -> int:
    """Makes the tiers that are kept of these members what they have earned; returns how many changed.

    Of whoever is no member of the brand, or has left, nothing is kept.
    """
    ladder = load_ladder(session, brand_id=brand_id)
    # Share-locked: who leaves meanwhile waits, and then takes the tier along.
    here = (Member.id.in_(sorted(member_ids)), Member.brand_id == brand_id, Member.left_at.is_(None))
    found = session.scalars(select(Member.id).where(*here).order_by(Member.id).with_for_update(read=True)).all()
    if not found:
        return 0
    earned: Mapping[UUID, int] = _earned(session, ladder, found, brand_id, now) if ladder.tiers else {}
    held = tiers_held(session, member_ids=found)
    return sum(_keep(session, one, ladder.at(earned.get(one, 0)), held.get(one), now) for one in found)


def _keep(session: Session, member_id: UUID, tier: Tier | None, held: Held | None, now: datetime) -> bool:
    """Of two who settle somebody at once one changes the row, and the other finds it changed."""
    row = (MemberTier.member_id == member_id, MemberTier.tier_id == (held.tier_id if held else None))
    if tier is None:
        return held is not None and affected(session, delete(MemberTier).where(*row)) == 1
    if held is None:
        return insert_once(session, MemberTier, member_id=member_id, tier_id=tier.id, since=now)
    if held.tier_id == tier.id:
        return False
    return affected(session, update(MemberTier).where(*row).values(tier_id=tier.id, since=now)) == 1


def ladders(session: Session) -> list[LadderState]:
    """Of every brand that has tiers: up to when its members were settled."""
    query = select(TierLadder.brand_id, TierLadder.changed_at, TierLadder.settled_day, TierLadder.looked_at)
    query = query.where(exists().where(TierRow.brand_id == TierLadder.brand_id))
    return [LadderState(*row) for row in session.execute(query.order_by(TierLadder.brand_id))]


def note_settled(session: Session, *, state: LadderState, day: str, now: datetime) -> bool:
    """Everybody of the brand was settled on that day, as they stood at ``now``. False when the ladder was changed
    meanwhile: then it has to be done again."""
    same = (TierLadder.brand_id == state.brand_id, TierLadder.changed_at == state.changed_at)
    return affected(session, update(TierLadder).where(*same).values(settled_day=day, looked_at=now)) == 1


def page_of_members(session: Session, *, brand_id: UUID, after: UUID | None, limit: int) -> list[UUID]:
    """Members of a brand who are here, by their ids."""
    query = select(Member.id).where(Member.brand_id == brand_id, Member.left_at.is_(None))
    if after is not None:
        query = query.where(Member.id > after)
    return list(session.scalars(query.order_by(Member.id).limit(limit)))
