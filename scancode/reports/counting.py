"""The queries under every report: plain, bounded SELECTs that group one step of the funnel by one column.

Days are texts of the brand's zone and moments are parameters, so both databases count alike. Test batches are left out
by the ``is_test`` mark of the row itself, or of its batch; scans that nobody confirmed are left out too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, distinct, func, literal_column, null, or_, select
from sqlalchemy.orm import Session, aliased

from scancode.channels.models import Acquisition, Guide, Shipment, ShippedRange, Touch, Touchpoint
from scancode.claims.models import Claim, ClaimState
from scancode.codes.models import Batch, Life, LifeRange
from scancode.payouts.models import Payout, PayoutState
from scancode.reports.rules import UNKNOWN, Dimension, Model, Period
from scancode.scans.models import Scan

NOT_PROMISED = (PayoutState.FAILED.value, PayoutState.CANCELLED.value, PayoutState.EXPIRED.value)
MOMENTS_MAX = 100_000
CREDITED = ("channel", "store", "guide", "scene", "touchpoint")
"""The dimensions that a model of attribution decides."""
Key = ColumnElement[Any]
AnySelect = Select[*tuple[Any, ...]]


FirstPoint, FirstGuide = aliased(Touchpoint), aliased(Guide)


def _key_of(table: Any, by: Dimension, model: Model) -> Key:
    """The column that a dimension groups by, of a table that carries an attribution."""
    has_first = table.first_touchpoint_id.is_not(None)
    if model == "item":
        credited: dict[str, Callable[[], Key]] = {
            "channel": lambda: table.item_channel_id,
            "store": lambda: table.item_store_id,
            "guide": null,
            "scene": null,
            "touchpoint": null,
        }
    elif model == "first":
        credited = {
            "channel": lambda: case((has_first, FirstPoint.channel_id), else_=table.channel_id),
            "store": lambda: case(
                (has_first, func.coalesce(FirstGuide.store_id, FirstPoint.store_id)), else_=table.store_id
            ),
            "guide": lambda: case((has_first, table.first_guide_id), else_=table.guide_id),
            "scene": lambda: func.nullif(FirstPoint.scene, literal_column("''")),
            "touchpoint": lambda: case((has_first, table.first_touchpoint_id), else_=table.touchpoint_id),
        }
    else:
        credited = {
            "channel": lambda: table.channel_id,
            "store": lambda: table.store_id,
            "guide": lambda: table.guide_id,
            # Stores' and guides' own codes have no scene; '' would be a row beside the unknown one.
            "scene": lambda: func.nullif(Touchpoint.scene, literal_column("''")),
            "touchpoint": lambda: table.touchpoint_id,
        }
    columns: dict[str, Callable[[], Key]] = {
        **credited,
        "region": lambda: table.region,
        "product": lambda: table.product_id,
        "batch": lambda: table.batch_number,
        "day": lambda: table.day,
    }
    return columns[by]()


def _text(key: Any) -> str:
    return UNKNOWN if key is None else str(key)


def _grouped(statement: AnySelect, table: Any, by: Dimension | None, model: Model) -> AnySelect:
    """Adds the key, the joins that it needs and the grouping; without a dimension everything is one group."""
    if by is None:
        return statement.add_columns(literal_column("''"))
    key = _key_of(table, by, model)
    if model == "first" and by in CREDITED:
        statement = statement.outerjoin(FirstPoint, FirstPoint.id == table.first_touchpoint_id)
        statement = statement.outerjoin(FirstGuide, FirstGuide.id == table.first_guide_id)
    elif model == "item" and by in ("guide", "scene", "touchpoint"):
        return statement.add_columns(key)  # an item names none of them: one row, of what is not known
    elif by == "scene":
        statement = statement.outerjoin(Touchpoint, Touchpoint.id == table.touchpoint_id)
    return statement.add_columns(key).group_by(key)


def scanned(
    session: Session, brand_id: UUID | None, period: Period, by: Dimension | None, model: Model = "last"
) -> dict[str, tuple[int, int, int]]:
    """By key: distinct codes, scans, distinct visitors."""
    statement = (
        select(func.count(distinct(Scan.code_id)), func.count(), func.count(distinct(Scan.visitor_id)))
        .select_from(Scan)
        .where(
            Scan.day.between(period.first_day, period.last_day), Scan.is_test.is_(False), Scan.is_confirmed.is_(True)
        )
    )
    if brand_id is not None:
        statement = statement.where(Scan.brand_id == brand_id)
    rows = session.execute(_grouped(statement, Scan, by, model))
    return {_text(key): (codes, scans, visitors) for codes, scans, visitors, key in rows if scans}


def opened(session: Session, brand_id: UUID, period: Period, *, in_all: bool = False) -> dict[str, int]:
    """By placed code, or in all: distinct browsers that opened it, or a link that names it."""
    statement = (
        select(func.count(distinct(Touch.visitor_id)))
        .select_from(Touch)
        .join(Touchpoint, Touchpoint.id == Touch.touchpoint_id)
        .where(
            Touchpoint.brand_id == brand_id,
            Touch.touched_at >= period.begins_at,
            Touch.touched_at < period.ends_before,
        )
    )
    if in_all:
        return {UNKNOWN: session.scalar(statement) or 0}
    rows = session.execute(statement.add_columns(Touch.touchpoint_id).group_by(Touch.touchpoint_id))
    return {str(key): count for count, key in rows}


def claims(
    session: Session, brand_id: UUID | None, period: Period, by: Dimension | None, model: Model = "last"
) -> dict[str, int]:
    """By key: codes claimed by somebody whom the prize can reach; a reservation is no claim yet, a second prize none
    either."""
    statement = (
        select(func.count())
        .select_from(Claim)
        .where(
            Claim.day.between(period.first_day, period.last_day),
            Claim.is_test.is_(False),
            Claim.state == ClaimState.CLAIMED.value,
            Claim.nth.is_(None),
        )
    )
    if brand_id is not None:
        statement = statement.where(Claim.brand_id == brand_id)
    rows = session.execute(_grouped(statement, Claim, by, model))
    return {_text(key): count for count, key in rows if count}


def members(
    session: Session, brand_id: UUID | None, period: Period, by: Dimension | None, model: Model = "last"
) -> dict[str, int]:
    """By key: members by where they came from."""
    statement = (
        select(func.count())
        .select_from(Acquisition)
        .outerjoin(Batch, Batch.number == Acquisition.batch_number)
        .where(
            Acquisition.day.between(period.first_day, period.last_day),
            or_(Batch.number.is_(None), Batch.is_test.is_(False)),
        )
    )
    if brand_id is not None:
        statement = statement.where(Acquisition.brand_id == brand_id)
    rows = session.execute(_grouped(statement, Acquisition, by, model))
    return {_text(key): count for count, key in rows if count}


def money(
    session: Session, brand_id: UUID | None, period: Period, by: Dimension | None, model: Model = "last"
) -> dict[str, tuple[int, int]]:
    """By key: fen paid, and fen promised (paid included), for what was claimed in the period."""
    paid = func.sum(case((Payout.state == PayoutState.PAID.value, Payout.amount_fen), else_=0))
    promised = func.sum(case((Payout.state.not_in(NOT_PROMISED), Payout.amount_fen), else_=0))
    statement = (
        select(paid, promised)
        .select_from(Payout)
        .join(Claim, Claim.code_id == Payout.code_id)
        .where(Claim.day.between(period.first_day, period.last_day), Claim.is_test.is_(False))
    )
    if brand_id is not None:
        statement = statement.where(Claim.brand_id == brand_id)
    rows = session.execute(_grouped(statement, Claim, by, model))
    return {_text(key): (int(paid), int(promised)) for paid, promised, key in rows if promised or paid}


def shipped(session: Session, brand_id: UUID, period: Period, by: Dimension | None) -> dict[str, int]:
    """By key: items that a shipment of the period brought to where they are now."""
    count = func.sum(ShippedRange.last - ShippedRange.first + 1)
    statement = (
        select(count)
        .select_from(ShippedRange)
        .join(Shipment, Shipment.id == ShippedRange.shipment_id)
        .join(Batch, Batch.number == ShippedRange.batch_number)
        .where(
            Batch.brand_id == brand_id,
            Batch.is_test.is_(False),
            Shipment.shipped_at >= period.begins_at,
            Shipment.shipped_at < period.ends_before,
        )
    )
    return _items(session, statement, period, by, _range_key(by, Shipment.shipped_at))


def activated(session: Session, brand_id: UUID, period: Period, by: Dimension | None) -> dict[str, int]:
    """By key: items that became live in the period and still are. Unshipped ones are under the unknown place."""
    all_of_them = _live(select(func.sum(LifeRange.last - LifeRange.first + 1)), brand_id, period)
    if by not in ("channel", "store"):
        return _items(session, all_of_them, period, by, _range_key(by, LifeRange.changed_at))
    low = case((LifeRange.first > ShippedRange.first, LifeRange.first), else_=ShippedRange.first)
    high = case((LifeRange.last < ShippedRange.last, LifeRange.last), else_=ShippedRange.last)
    both = _live(select(func.sum(high - low + 1)), brand_id, period).join(
        ShippedRange,
        (ShippedRange.batch_number == LifeRange.batch_number)
        & (ShippedRange.first <= LifeRange.last)
        & (ShippedRange.last >= LifeRange.first),
    )
    found = _items(session, both, period, by, _range_key(by, LifeRange.changed_at))
    nowhere = sum(_items(session, all_of_them, period, None, None).values()) - sum(found.values())
    if nowhere:
        found[UNKNOWN] = found.get(UNKNOWN, 0) + nowhere
    return found


def _live(statement: AnySelect, brand_id: UUID, period: Period) -> AnySelect:
    return (
        statement.select_from(LifeRange)
        .join(Batch, Batch.number == LifeRange.batch_number)
        .where(
            Batch.brand_id == brand_id,
            Batch.is_test.is_(False),
            LifeRange.state == Life.ACTIVE.value,
            LifeRange.changed_at >= period.begins_at,
            LifeRange.changed_at < period.ends_before,
        )
    )


def _range_key(by: Dimension | None, moment: Any) -> Key | None:
    keys: dict[str | None, Any] = {
        "channel": ShippedRange.channel_id,
        "store": ShippedRange.store_id,
        "product": Batch.product_id,
        "batch": Batch.number,
        "day": moment,
    }
    return keys.get(by)


def _items(
    session: Session, statement: AnySelect, period: Period, by: Dimension | None, key: Key | None
) -> dict[str, int]:
    """Adds up items by key. Moments are turned into days here: a database knows no brand's zone."""
    if by is not None and key is None:
        return {}
    if key is not None:
        statement = statement.add_columns(key).group_by(key).limit(MOMENTS_MAX)
    else:
        statement = statement.add_columns(literal_column("''"))
    found: dict[str, int] = {}
    for count, value in session.execute(statement):
        name = period.day_of(value) if by == "day" else _text(value)
        if count:
            found[name] = found.get(name, 0) + int(count)
    return found
