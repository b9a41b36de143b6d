"""Live codes: one printed code over a team of guides, and the turn that each visitor takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.orm import Session

from scancode.channels.models import Channel, Guide, LiveGuide, LiveTurn, Store, TouchKind, Touchpoint
from scancode.channels.rotation import TEAM_MAX, WEIGHT_MAX, Attendant, Rule, Taken, choose
from scancode.channels.rules import TouchpointFacts
from scancode.channels.service.places import checked_place, named, place, record, scene_value
from scancode.channels.service.reading import get_touchpoint
from scancode.db import affected, insert_once
from scancode.errors import Invalid, NotFound
from scancode.i18n import N_

TRIES = 8
"""How often a turn that somebody else took at the same moment is chosen anew."""


@dataclass(frozen=True)
class TeamLine:
    """A guide of a live code as somebody wants it."""

    guide_id: UUID
    weight: int = 1
    day_max: int = 0


def create_live(
    session: Session,
    *,
    channel_id: UUID,
    store_id: UUID | None,
    name: str,
    scene: str,
    placement: str,
    rotation: str,
    team: Sequence[TeamLine],
    actor: str,
    now: datetime,
) -> Touchpoint:
    """A code that leads each visitor to one guide of ``team``. Raises NotFound, PlaceOff, Invalid."""
    channel = checked_place(session, channel_id=channel_id, store_id=store_id)
    point = place(
        session,
        channel,
        TouchKind.LIVE,
        named(name),
        now,
        store_id=store_id,
        scene=scene_value(scene),
        placement=placement.strip(),
        rotation=_rule(rotation),
    )
    _write_team(session, point, team)
    facts = {"channel": str(channel_id), "scene": point.scene, "rotation": point.rotation, "guides": len(team)}
    record(session, "live.create", f"touchpoint:{point.id}", channel.brand_id, facts, actor, now)
    return point


def change_live(
    session: Session,
    *,
    touchpoint_id: UUID,
    name: str,
    scene: str,
    placement: str,
    rotation: str,
    is_active: bool,
    team: Sequence[TeamLine],
    actor: str,
    now: datetime,
) -> Touchpoint:
    """Raises NotFound, Invalid. The printed code stays; today's turns of guides who stay are kept."""
    point = get_touchpoint(session, touchpoint_id=touchpoint_id)
    if point.kind != TouchKind.LIVE:
        raise NotFound
    # Touching the row first makes two changes of one team take turns.
    session.execute(update(Touchpoint).where(Touchpoint.id == touchpoint_id).values(rotation=_rule(rotation)))
    point.name, point.scene, point.placement = named(name), scene_value(scene), placement.strip()
    point.rotation, point.is_active = _rule(rotation), is_active
    session.execute(delete(LiveGuide).where(LiveGuide.touchpoint_id == touchpoint_id))
    _write_team(session, point, team)
    facts = {"scene": point.scene, "rotation": point.rotation, "is_active": is_active, "guides": len(team)}
    record(session, "live.change", f"touchpoint:{point.id}", point.brand_id, facts, actor, now)
    return point


def _rule(text: str) -> str:
    try:
        return Rule(text).value
    except ValueError as error:
        raise Invalid(field="rotation", problem=N_("Choose one of the list.")) from error


def _write_team(session: Session, point: Touchpoint, team: Sequence[TeamLine]) -> None:
    ids = [line.guide_id for line in team]
    if not 1 <= len(set(ids)) == len(ids) <= TEAM_MAX:
        raise Invalid(field="team", problem=N_("Choose 1 to 100 guides."))
    if any(not 1 <= line.weight <= WEIGHT_MAX or not 0 <= line.day_max <= 10_000 for line in team):
        raise Invalid(field="team", problem=N_("A share is 1 to 100, and a limit 0 to 10,000 people a day."))
    ours = set(
        session.scalars(
            select(Guide.id).join(Store).join(Channel).where(Guide.id.in_(ids), Channel.id == point.channel_id)
        )
    )
    if ours != set(ids):
        raise NotFound
    session.add_all(
        LiveGuide(touchpoint_id=point.id, guide_id=line.guide_id, weight=line.weight, day_max=line.day_max)
        for line in team
    )
    session.flush()


def meet_guide(
    session: Session, *, point: TouchpointFacts, local: datetime, before: UUID | None, now: datetime
) -> Attendant | None:
    """The guide to whom this visitor is led at ``local`` (the brand's clocks); a turn is taken unless it was theirs
    before. None when nobody is there who can.

    A guide's daily limit holds under races: a turn is taken with the count that was seen, else chosen anew.
    """
    day = local.date().isoformat()
    for _ in range(TRIES):
        taken = load_turns(session, touchpoint_id=point.id, day=day)
        chosen = choose(point.team, taken, rule=point.rotation, local=local, before=before)
        if chosen is None or chosen.guide_id == before:
            return chosen
        if _take(session, point.id, chosen.guide_id, day, taken.get(chosen.guide_id, Taken()).today, now):
            return chosen
    return None


def load_turns(session: Session, *, touchpoint_id: UUID, day: str) -> dict[UUID, Taken]:
    """By guide: how many today, and when the last ever."""
    on_day = func.coalesce(func.sum(case((LiveTurn.day == day, LiveTurn.count))), 0)
    rows = session.execute(
        select(LiveTurn.guide_id, on_day, func.max(LiveTurn.last_at))
        .where(LiveTurn.touchpoint_id == touchpoint_id)
        .group_by(LiveTurn.guide_id)
    )
    return {guide_id: Taken(int(today), last_at) for guide_id, today, last_at in rows}


def _take(session: Session, touchpoint_id: UUID, guide_id: UUID, day: str, seen: int, now: datetime) -> bool:
    key = {"touchpoint_id": touchpoint_id, "guide_id": guide_id, "day": day}
    if seen == 0 and insert_once(session, LiveTurn, **key, count=1, last_at=now):
        return True
    mine = update(LiveTurn).filter_by(**key).where(LiveTurn.count == seen)
    return affected(session, mine.values(count=seen + 1, last_at=now)) == 1


@dataclass(frozen=True)
class TeamMember:
    """A guide of a live code with what the console shows of them."""

    guide: Guide
    store: Store
    weight: int
    day_max: int
    today: int


def team_of(session: Session, *, touchpoint_id: UUID, day: str) -> list[TeamMember]:
    rows = session.execute(
        select(LiveGuide, Guide, Store)
        .join(Guide, Guide.id == LiveGuide.guide_id)
        .join(Store, Store.id == Guide.store_id)
        .where(LiveGuide.touchpoint_id == touchpoint_id)
        .order_by(Store.name, Guide.name)
        .limit(TEAM_MAX)
    )
    taken = load_turns(session, touchpoint_id=touchpoint_id, day=day)
    return [
        TeamMember(guide, store, line.weight, line.day_max, taken.get(guide.id, Taken()).today)
        for line, guide, store in rows
    ]
