"""The welcomes of a brand: written, changed and removed for a place or for everybody else, listed with what became of
them, and on which terms they are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from scancode.catalog import service as catalog
from scancode.catalog.models import Brand
from scancode.channels.models import Channel, GivenWelcome, Guide, Store, Touchpoint, Welcome
from scancode.channels.models import WelcomeTerms as TermsRow
from scancode.channels.service.reading import PLACED, get_channel, get_guide, get_store, get_touchpoint
from scancode.channels.welcomes import Target, Terms, WelcomeDraft, WelcomeFacts
from scancode.db import affected, insert_once, new_id
from scancode.errors import Invalid, NotFound
from scancode.i18n import N_
from scancode.staff import service as staff

WELCOMES_MAX = 20_000
_COLUMNS = tuple(getattr(Welcome, name) for name in WelcomeFacts.__dataclass_fields__ if name != "is_on")
_IN_USE = (Touchpoint.is_active, Guide.is_active, Store.is_active, Channel.is_active)


@dataclass(frozen=True)
class WelcomeLine:
    """A welcome with the name of its place and of what that belongs to, and what became of all its versions."""

    welcome: WelcomeFacts
    name: str
    """Of the place; empty for everybody else's."""
    above: str
    given: int = 0
    seen: int = 0
    opened: int = 0
    """How often its link was."""


@dataclass(frozen=True)
class WelcomePlace:
    """What a welcome belongs to; ``name`` and ``above`` are empty for everybody else."""

    brand_id: UUID
    name: str = ""
    above: str = ""
    may_greet: bool = True
    """False of the code that a store or a guide has by birth."""


def welcome_place(session: Session, *, target: Target, target_id: UUID) -> WelcomePlace:
    """Raises NotFound."""
    if target is Target.CHANNEL:
        channel = get_channel(session, channel_id=target_id)
        return WelcomePlace(channel.brand_id, channel.name)
    if target is Target.STORE:
        store, channel = get_store(session, store_id=target_id)
        return WelcomePlace(channel.brand_id, store.name, channel.name)
    if target is Target.GUIDE:
        guide, store, channel = get_guide(session, guide_id=target_id)
        return WelcomePlace(channel.brand_id, guide.name, store.name)
    if target is Target.CODE:
        point = get_touchpoint(session, touchpoint_id=target_id)
        store_id = point.store_id
        above = (
            get_store(session, store_id=store_id)[0] if store_id else get_channel(session, channel_id=point.channel_id)
        )
        return WelcomePlace(point.brand_id, point.name, above.name, point.kind in PLACED)
    if catalog.load_brand(session, brand_id=target_id) is None:
        raise NotFound
    return WelcomePlace(target_id)


def write_welcome(
    session: Session,
    *,
    brand_id: UUID,
    target: Target,
    target_id: UUID,
    draft: WelcomeDraft,
    actor: str,
    now: datetime,
) -> UUID:
    """What is said from now on to who joins through this place; the id of the version. Writing the same again changes
    nothing. Raises NotFound, Invalid."""
    draft = draft.checked()
    # One writer at a time: a version takes the place of the one before it, however many write at once.
    session.execute(select(Brand.id).where(Brand.id == brand_id).with_for_update(key_share=True))
    _check_place(session, brand_id, target, target_id)
    before = find_welcome(session, brand_id=brand_id, target=target, target_id=target_id)
    if before is not None and before.draft == draft:
        return before.id
    _replace(session, brand_id, target, target_id, now)
    made = new_id(now)
    place = {"brand_id": brand_id, "target": target.value, "target_id": target_id}
    session.add(Welcome(id=made, **place, **vars(draft), made_at=now, replaced_at=None, opened=0))
    session.flush()
    old = vars(before.draft) if before else {}
    fields = sorted(name for name, text in vars(draft).items() if old.get(name, "") != text)
    _audit(session, brand_id, target, target_id, "change" if before else "create", {"fields": fields}, actor, now)
    return made


def _check_place(session: Session, brand_id: UUID, target: Target, target_id: UUID) -> None:
    """Raises NotFound, also for another brand's place, and Invalid for the own code of a store or a guide."""
    place = welcome_place(session, target=target, target_id=target_id)
    if place.brand_id != brand_id:
        raise NotFound
    if not place.may_greet:
        problem = N_("The code of a store or a guide greets as they do: write their welcome.")
        raise Invalid(field="target", problem=problem)


def remove_welcome(
    session: Session, *, brand_id: UUID, target: Target, target_id: UUID, actor: str, now: datetime
) -> None:
    """Nobody is given it any more; who was given it keeps it. Raises NotFound."""
    if not _replace(session, brand_id, target, target_id, now):
        raise NotFound
    _audit(session, brand_id, target, target_id, "remove", {}, actor, now)


def _replace(session: Session, brand_id: UUID, target: Target, target_id: UUID, now: datetime) -> bool:
    here = (Welcome.brand_id == brand_id, Welcome.target == target.value, Welcome.target_id == target_id)
    return affected(session, update(Welcome).where(*here, Welcome.replaced_at.is_(None)).values(replaced_at=now)) == 1


def find_welcome(session: Session, *, brand_id: UUID, target: Target, target_id: UUID) -> WelcomeFacts | None:
    """The current one of a place."""
    found = current_of(session, brand_id=brand_id, places=[(target, target_id)])
    return found[0] if found else None


def current_of(session: Session, *, brand_id: UUID, places: Sequence[tuple[Target, UUID]]) -> list[WelcomeFacts]:
    """The current welcomes of these places, also where a place is not in use."""
    wanted = tuple_(Welcome.target, Welcome.target_id).in_([(target.value, id_) for target, id_ in places])
    query = _with_places(select(*_COLUMNS, *_IN_USE)).where(Welcome.brand_id == brand_id, wanted, _IS_CURRENT)
    return [facts_of(row) for row in session.execute(query)]


def list_welcomes(
    session: Session,
    *,
    brand_id: UUID,
    target: Target | None = None,
    query: str = "",
    after: tuple[Target, UUID] | None = None,
    offset: int = 0,
    limit: int,
) -> list[WelcomeLine]:
    """The current welcomes of a brand, those of codes first and everybody else's last. ``query`` is looked for in the
    names of places and in titles; ``after`` is the place of the last line before."""
    statement = _with_places(select(*_COLUMNS, *_IN_USE, _NAME, _ABOVE)).where(
        Welcome.brand_id == brand_id, _IS_CURRENT
    )
    if target is not None:
        statement = statement.where(Welcome.target == target.value)
    if query.strip():
        columns = (_NAME, Welcome.title_zh, Welcome.title_en)
        statement = statement.where(or_(*(column.icontains(query.strip(), autoescape=True) for column in columns)))
    if after is not None:
        statement = statement.where(tuple_(_RANK, Welcome.target_id) > (list(Target).index(after[0]), after[1]))
    rows = session.execute(statement.order_by(_RANK, Welcome.target_id).offset(offset).limit(limit)).all()
    counts = _counts(session, brand_id, [(row.target, row.target_id) for row in rows])
    return [
        WelcomeLine(facts_of(row[:-2]), row[-2] or "", row[-1] or "", *counts.get((row.target, row.target_id), ()))
        for row in rows
    ]


def places_with_welcome(session: Session, *, brand_id: UUID) -> set[tuple[Target, UUID]]:
    query = select(Welcome.target, Welcome.target_id).where(Welcome.brand_id == brand_id, _IS_CURRENT)
    return {(Target(target), id_) for target, id_ in session.execute(query.limit(WELCOMES_MAX))}


def _counts(session: Session, brand_id: UUID, places: Sequence[tuple[str, UUID]]) -> dict[tuple[str, UUID], Any]:
    """By place: how many members were given one of its versions, how many saw it, how often the links were opened."""
    here = (Welcome.brand_id == brand_id, tuple_(Welcome.target, Welcome.target_id).in_(places))
    key = (Welcome.target, Welcome.target_id)
    given = select(*key, func.count(), func.count(GivenWelcome.seen_at)).join(
        GivenWelcome, GivenWelcome.welcome_id == Welcome.id
    )
    people = {(row[0], row[1]): (row[2], row[3]) for row in session.execute(given.where(*here).group_by(*key))}
    opened = session.execute(select(*key, func.sum(Welcome.opened)).where(*here).group_by(*key))
    return {(row[0], row[1]): (*people.get((row[0], row[1]), (0, 0)), int(row[2])) for row in opened}


def load_welcome_terms(session: Session, *, brand_id: UUID) -> Terms:
    row = session.execute(select(TermsRow.days, TermsRow.template).where(TermsRow.brand_id == brand_id)).one_or_none()
    return Terms(*row) if row else Terms()


def set_welcome_terms(session: Session, *, brand_id: UUID, terms: Terms, actor: str, now: datetime) -> None:
    """Raises BadWelcomeDays, BadTemplate."""
    terms = terms.checked()
    if load_welcome_terms(session, brand_id=brand_id) == terms:
        return
    if not insert_once(session, TermsRow, brand_id=brand_id, **vars(terms)):
        affected(session, update(TermsRow).where(TermsRow.brand_id == brand_id).values(**vars(terms)))
    facts = {"days": terms.days, "has_template": bool(terms.template)}
    staff.audit(
        session, actor=actor, brand_id=brand_id, action="welcome.terms", subject="welcomes", facts=facts, now=now
    )


_IS_CURRENT = Welcome.replaced_at.is_(None)
_RANK = case({target.value: number for number, target in enumerate(Target)}, value=Welcome.target)
_NAME = func.coalesce(
    Touchpoint.name,
    Guide.name,
    case((Welcome.target == Target.STORE.value, Store.name)),
    case((Welcome.target == Target.CHANNEL.value, Channel.name)),
    "",
)
_ABOVE = case(
    (Welcome.target == Target.CHANNEL.value, ""),
    (Welcome.target == Target.STORE.value, Channel.name),
    else_=func.coalesce(Store.name, Channel.name),
)


def _with_places(statement: Select[Any]) -> Select[Any]:
    """With the place of each welcome, and the store and channel that it belongs to."""
    return (
        statement.select_from(Welcome)
        .outerjoin(Touchpoint, and_(Welcome.target == Target.CODE.value, Touchpoint.id == Welcome.target_id))
        .outerjoin(Guide, and_(Welcome.target == Target.GUIDE.value, Guide.id == Welcome.target_id))
        .outerjoin(Store, Store.id == func.coalesce(Touchpoint.store_id, Guide.store_id, Welcome.target_id))
        .outerjoin(Channel, Channel.id == func.coalesce(Touchpoint.channel_id, Store.channel_id, Welcome.target_id))
    )


def facts_of(row: Sequence[Any]) -> WelcomeFacts:
    """From the columns of a welcome and, behind them, whether what it belongs to is in use (None: there is none)."""
    names = [column.key for column in _COLUMNS]
    values = dict(zip(names, row, strict=False))
    return WelcomeFacts(**values | {"target": Target(values["target"])}, is_on=False not in row[len(names) :])


def _audit(
    session: Session,
    brand_id: UUID,
    target: Target,
    target_id: UUID,
    verb: str,
    facts: dict[str, Any],
    actor: str,
    now: datetime,
) -> None:
    staff.audit(
        session,
        actor=actor,
        brand_id=brand_id,
        action=f"welcome.{verb}",
        subject=f"{target.value}:{target_id}",
        facts=facts,
        now=now,
    )
