"""Reading offers: all of a batch for the scan page's cache, or the one of a single code, fresh, for a claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.campaigns import conditions
from scancode.campaigns.models import Campaign, Prize, Tranche, TrancheRange
from scancode.campaigns.rules import Offer, PrizeFacts, choose, lay_out
from scancode.codes.ranges import Span, SpanMap
from scancode.sealing import Sealer

PURPOSE = "draw"
"""What the secrets of tranches are sealed for."""


def load_offers(session: Session, *, batch_number: int, sealer: Sealer) -> SpanMap[Offer]:
    """The relevant offer over each serial of a batch (see ``rules``), running or not; gaps have none.

    It does not depend on the time, so it may be kept until the revision changes. Raises SealBroken when the key that
    sealed a tranche's secret is gone.
    """
    return SpanMap(lay_out(_read(session, sealer, batch_number, None)))


def find_offer(session: Session, *, batch_number: int, serial: int, sealer: Sealer) -> Offer | None:
    """The relevant offer of one code as it stands now in this transaction. One query. Raises SealBroken."""
    return choose(_read(session, sealer, batch_number, serial))


def offers_of(session: Session, *, campaign_id: UUID, batch_number: int, sealer: Sealer) -> list[Offer]:
    """All offers of one campaign over a batch, whoever goes first there now. Raises SealBroken."""
    return [one for one in _read(session, sealer, batch_number, None) if one.campaign_id == campaign_id]


def _read(session: Session, sealer: Sealer, batch_number: int, serial: int | None) -> list[Offer]:
    statement = (
        select(
            Tranche.id.label("tranche_id"),
            Tranche.mode,
            Tranche.size,
            Tranche.secret,
            Tranche.published_at,
            Campaign.id.label("campaign_id"),
            Campaign.brand_id,
            Campaign.name_zh,
            Campaign.name_en,
            Campaign.state,
            Campaign.starts_at,
            Campaign.ends_at,
            Campaign.ended_at,
            Campaign.conditions,
            Campaign.priority,
            Campaign.is_exclusive,
            TrancheRange.first,
            TrancheRange.last,
            TrancheRange.offset,
            Prize.id.label("prize_id"),
            Prize.kind,
            Prize.amount,
            Prize.amount_most,
            Prize.chance_ppm,
            Prize.count.label("prize_count"),
            Prize.name_zh.label("prize_zh"),
            Prize.name_en.label("prize_en"),
        )
        .join(Tranche, Tranche.id == TrancheRange.tranche_id)
        .join(Campaign, Campaign.id == Tranche.campaign_id)
        .join(Prize, Prize.tranche_id == Tranche.id)
        .where(TrancheRange.batch_number == batch_number, Tranche.published_at.is_not(None))
        .order_by(Tranche.id, TrancheRange.first, Prize.position)
    )
    if serial is not None:
        statement = statement.where(TrancheRange.first <= serial, TrancheRange.last >= serial)
    grouped: dict[UUID, list[Any]] = {}
    for row in session.execute(statement):
        grouped.setdefault(row.tranche_id, []).append(row)
    return [_offer(rows, sealer) for rows in grouped.values()]


def _offer(rows: Sequence[Any], sealer: Sealer) -> Offer:
    """From the rows of one tranche: each of its ranges with each of its prizes, both in order."""
    head = rows[0]
    return Offer(
        campaign_id=head.campaign_id,
        tranche_id=head.tranche_id,
        brand_id=head.brand_id,
        name_zh=head.name_zh,
        name_en=head.name_en,
        state=head.state,
        starts_at=head.starts_at,
        ends_at=head.ends_at,
        ended_at=head.ended_at,
        published_at=head.published_at,
        size=head.size,
        spans=tuple(Span(row.first, row.last, row.offset) for row in rows if row.prize_id == head.prize_id),
        prizes=tuple(
            PrizeFacts(
                id=row.prize_id,
                kind=row.kind,
                amount=row.amount,
                amount_most=row.amount_most,
                chance_ppm=row.chance_ppm,
                count=row.prize_count,
                name_zh=row.prize_zh,
                name_en=row.prize_en,
            )
            for row in rows
            if row.first == head.first
        ),
        mode=head.mode,
        conditions=conditions.from_text(head.conditions),
        priority=head.priority,
        is_exclusive=head.is_exclusive,
        secret=bytes.fromhex(sealer.open(head.secret, purpose=PURPOSE)),
    )
