"""Batches and the spans of their life in pages that continue where the last one ended, for clients that read them all.

An offset would skip or repeat what is ordered meanwhile; a page here begins after the last row of the one before.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, defer

from scancode.codes.models import Batch, LifeRange
from scancode.codes.ranges import Span
from scancode.codes.rules import BatchState, Life, LifeFacts

Place = tuple[datetime, int]
"""Where a page of batches ended: when its last batch was ordered, and its number."""


def page_of_batches(
    session: Session,
    *,
    brand_id: UUID | None,
    state: BatchState | None = None,
    product_id: UUID | None = None,
    order_no: str | None = None,
    after: Place | None = None,
    limit: int,
) -> list[Batch]:
    """The newest batches that fit, from ``after`` on; without their manifests."""
    query = select(Batch).order_by(Batch.ordered_at.desc(), Batch.number).limit(limit).options(defer(Batch.manifest))
    if brand_id is not None:
        query = query.where(Batch.brand_id == brand_id)
    if state is not None:
        query = query.where(Batch.state == state.value)
    if product_id is not None:
        query = query.where(Batch.product_id == product_id)
    if order_no is not None:
        query = query.where(Batch.order_no == order_no)
    if after is not None:
        at, number = after
        query = query.where(or_(Batch.ordered_at < at, and_(Batch.ordered_at == at, Batch.number > number)))
    return list(session.scalars(query))


def page_of_life(session: Session, *, batch_number: int, after: int | None = None, limit: int) -> list[Span[LifeFacts]]:
    """The spans of a batch that begin after serial ``after``, in order. Serials in no span are inactive."""
    query = select(LifeRange).where(LifeRange.batch_number == batch_number).order_by(LifeRange.first).limit(limit)
    if after is not None:
        query = query.where(LifeRange.first > after)
    return [
        Span(
            row.first,
            row.last,
            LifeFacts(Life(row.state), row.reason, row.message_zh, row.message_en, row.changed_at, row.prior),
        )
        for row in session.scalars(query)
    ]


def count_life(session: Session, *, batch_number: int, count: int) -> dict[Life, int]:
    """How many of the ``count`` serials of a batch are in each state."""
    query = (
        select(LifeRange.state, func.sum(LifeRange.last - LifeRange.first + 1))
        .where(LifeRange.batch_number == batch_number)
        .group_by(LifeRange.state)
    )
    found = {Life(state): int(serials) for state, serials in session.execute(query)}
    found[Life.INACTIVE] = count - sum(found.values())
    return {state: found.get(state, 0) for state in Life}
