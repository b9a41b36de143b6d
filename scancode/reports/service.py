"""The attribution funnel by any dimension, and the week for the dashboard. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.catalog.models import Brand, Product
from scancode.channels import regions
from scancode.channels.models import Channel, Guide, Store, Touchpoint
from scancode.codes.models import Batch
from scancode.errors import NotFound
from scancode.reports import counting, rules
from scancode.reports.rules import (
    DIMENSIONS,
    MODELS,
    UNKNOWN,
    BadDimension,
    BadModel,
    Counts,
    DayFigures,
    Dimension,
    Funnel,
    FunnelRow,
    Model,
    Period,
)

ROWS_MAX = 2000
_IDS_AT_ONCE = 500
Names = dict[str, tuple[str, str, str]]
"""By key: Chinese name, English name, a note."""


def funnel(
    session: Session,
    *,
    brand_id: UUID,
    by: Dimension,
    first_day: str,
    last_day: str,
    model: Model = "last",
    rows_max: int = ROWS_MAX,
) -> Funnel:
    """What each channel, store … brought from ``first_day`` to ``last_day`` (``2026-11-22``, the brand's zone).
    ``model`` says who gets the credit for a scan, a claim and a member.

    Raises NotFound, BadDimension, BadModel, BadPeriod, PeriodTooLong.
    """
    if model not in MODELS:
        raise BadModel(by=str(model)[:20])
    if by not in DIMENSIONS:
        raise BadDimension(by=str(by)[:20])
    period = _period(session, brand_id, first_day, last_day)
    counts = _count(session, brand_id, period, by, model)
    keys = counts.keys() | _always_shown(session, brand_id, period, by)
    names = _names(session, brand_id, by, keys - {UNKNOWN})
    rows = []
    for key in keys:
        name_zh, name_en, note = names.get(key, (key, key, ""))
        rows.append(counts.row(key, by=by, name_zh=name_zh, name_en=name_en, note=note))
    ordered = rules.in_order(rows, by)
    everything = _count(session, brand_id, period, None).row(UNKNOWN, by="all")
    if by == "touchpoint":
        everything = replace(everything, opened=counting.opened(session, brand_id, period, in_all=True)[UNKNOWN])
    return Funnel(by, period, tuple(ordered[:rows_max]), everything, max(0, len(ordered) - rows_max), model)


def total(session: Session, *, brand_id: UUID, first_day: str, last_day: str) -> FunnelRow:
    """The last row of every funnel of that time. Raises NotFound, BadPeriod, PeriodTooLong."""
    period = _period(session, brand_id, first_day, last_day)
    return _count(session, brand_id, period, None).row(UNKNOWN, by="all")


def _period(session: Session, brand_id: UUID, first_day: str, last_day: str) -> Period:
    brand = session.get(Brand, brand_id)
    if brand is None:
        raise NotFound
    return rules.read_period(first_day, last_day, timezone=brand.timezone)


def overview(session: Session, *, brand_id: UUID | None, today: str, days: int = 7) -> tuple[DayFigures, ...]:
    """The last ``days`` days up to ``today``, oldest first; without a brand, of all brands together."""
    first_day, last_day = rules.last_days(today, days)
    period = Period(first_day, last_day, "UTC")
    scanned = counting.scanned(session, brand_id, period, "day")
    claims = counting.claims(session, brand_id, period, "day")
    members = counting.members(session, brand_id, period, "day")
    money = counting.money(session, brand_id, period, "day")
    return tuple(
        DayFigures(
            day=day,
            scans=scanned.get(day, (0, 0, 0))[1],
            visitors=scanned.get(day, (0, 0, 0))[2],
            claims=claims.get(day, 0),
            members=members.get(day, 0),
            paid_fen=money.get(day, (0, 0))[0],
        )
        for day in period.days()
    )


def _count(session: Session, brand_id: UUID, period: Period, by: Dimension | None, model: Model = "last") -> Counts:
    return Counts(
        shipped=counting.shipped(session, brand_id, period, by),
        activated=counting.activated(session, brand_id, period, by),
        opened=counting.opened(session, brand_id, period) if by == "touchpoint" else {},
        scanned=counting.scanned(session, brand_id, period, by, model),
        claims=counting.claims(session, brand_id, period, by, model),
        members=counting.members(session, brand_id, period, by, model),
        money=counting.money(session, brand_id, period, by, model),
    )


def _always_shown(session: Session, brand_id: UUID, period: Period, by: Dimension) -> set[str]:
    """A channel or a placed code in use that brought nothing is news too, and so is an empty day."""
    if by == "day":
        return set(period.days())
    if by == "channel":
        active = select(Channel.id).where(Channel.brand_id == brand_id, Channel.is_active).limit(ROWS_MAX)
        return {str(channel_id) for channel_id in session.scalars(active)}
    if by == "touchpoint":
        placed = select(Touchpoint.id).where(Touchpoint.brand_id == brand_id, Touchpoint.is_active).limit(ROWS_MAX)
        return {str(point_id) for point_id in session.scalars(placed)}
    return set()


def _names(session: Session, brand_id: UUID, by: Dimension, keys: Iterable[str]) -> Names:
    wanted = list(keys)
    if by in ("day", "scene"):
        return {key: (key, key, "") for key in wanted}
    if by == "region":
        return {key: (regions.name_of(int(key), "zh"), regions.name_of(int(key), "en"), "") for key in wanted}
    found: Names = {}
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        part = wanted[start : start + _IDS_AT_ONCE]
        for key, name_zh, name_en, note in session.execute(_names_query(by, part, brand_id)):
            found[str(key)] = (str(name_zh), str(name_en), str(note or ""))
    return found


def _names_query(by: Dimension, keys: Sequence[str], brand_id: UUID) -> counting.AnySelect:
    if by == "batch":
        return (
            select(Batch.number, Batch.number, Batch.number, Product.name_zh)
            .join(Product, Product.id == Batch.product_id)
            .where(Batch.number.in_([int(key) for key in keys]), Batch.brand_id == brand_id)
        )
    ids = [UUID(key) for key in keys]
    if by == "channel":
        return select(Channel.id, Channel.name, Channel.name, Channel.kind).where(Channel.id.in_(ids))
    if by == "store":
        return select(Store.id, Store.name, Store.name, Channel.name).join(Channel).where(Store.id.in_(ids))
    if by == "touchpoint":
        return (
            select(Touchpoint.id, Touchpoint.name, Touchpoint.name, Channel.name)
            .join(Channel, Channel.id == Touchpoint.channel_id)
            .where(Touchpoint.id.in_(ids))
        )
    if by == "guide":
        return select(Guide.id, Guide.name, Guide.name, Store.name).join(Store).where(Guide.id.in_(ids))
    return select(Product.id, Product.name_zh, Product.name_en, Product.gtin).where(Product.id.in_(ids))


__all__ = ["DayFigures", "Funnel", "FunnelRow", "funnel", "overview", "total"]
