"""Reading offers: all of a batch for the scan page's cache, or the one of a single code, fresh, for a claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, or_, select
from sqlalchemy.orm import Session

from scancode.campaigns import conditions
from scancode.campaigns.models import Campaign, CampaignState, Prize, Tranche, TrancheRange
from scancode.campaigns.rules import Offer, PrizeFacts, choose, lay_out
from scancode.codes.models import Batch
from scancode.codes.ranges import Span, SpanMap
from scancode.sealing import Sealer

PURPOSE = "draw"
"""What the secrets of tranches are sealed for."""


_COLUMNS = (
    select(
        Tranche.id.label("tranche_id"),
        Tranche.mode,
        Tranche.size,
        Tranche.secret,
        Tranche.published_at,
        Tranche.created_at,
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
    .order_by(Tranche.id, TrancheRange.first, Prize.position)
)


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


def read_drafts(session: Session, sealer: Sealer, *, batch_number: int, campaign_ids: Sequence[UUID]) -> list[Offer]:
    """Pools of campaigns that have not begun, published or not, as testers meet them: drawn from a secret that is made
    of the pool's id, so that nothing tells what a code will hold. Pools over codes of another brand are left out."""
    own = select(Batch.brand_id).where(Batch.number == batch_number).scalar_subquery()
    chosen = (
        _COLUMNS.where(TrancheRange.batch_number == batch_number, Campaign.id.in_(campaign_ids))
        .where(Campaign.brand_id == own, Campaign.state != CampaignState.ENDED)
        .where(or_(Campaign.state == CampaignState.DRAFT, Campaign.keeps_testers))
    )
    return [_draft(rows, sealer) for rows in _by_tranche(session, chosen)]


def _draft(rows: Sequence[Any], sealer: Sealer) -> Offer:
    """A draft's thanks are counted at publication only; here they fill the table up."""
    offer = _offer(rows, bytes.fromhex(sealer.digest(str(rows[0].tranche_id), purpose="trial")))
    *prizes, thanks = offer.prizes
    left = max(0, offer.size - sum(prize.count for prize in prizes))
    return offer if offer.mode == "odds" else replace(offer, prizes=(*prizes, replace(thanks, count=left)))


def _read(session: Session, sealer: Sealer, batch_number: int, serial: int | None) -> list[Offer]:
    statement = _COLUMNS.where(TrancheRange.batch_number == batch_number, Tranche.published_at.is_not(None))
    if serial is not None:
        statement = statement.where(TrancheRange.first <= serial, TrancheRange.last >= serial)
    return [
        _offer(rows, bytes.fromhex(sealer.open(rows[0].secret, purpose=PURPOSE)))
        for rows in _by_tranche(session, statement)
    ]


def _by_tranche(session: Session, statement: Executable) -> list[list[Any]]:
    grouped: dict[UUID, list[Any]] = {}
    for row in session.execute(statement):
        grouped.setdefault(row.tranche_id, []).append(row)
    return list(grouped.values())


def _offer(rows: Sequence[Any], secret: bytes) -> Offer:
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
        published_at=head.published_at or head.created_at,
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
        secret=secret,
    )
