"""The proof of a campaign's draws: its commitments while it runs, secrets and tables once nothing can be claimed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.campaigns.models import Mode, Prize, Tranche, TrancheRange
from scancode.campaigns.proof import Line, Table
from scancode.campaigns.rules import Phase, phase_of
from scancode.campaigns.service.offers import PURPOSE
from scancode.campaigns.service.reading import get_campaign
from scancode.campaigns.service.refusals import NotRevealed
from scancode.sealing import Sealer


def table_of(session: Session, *, tranche_id: UUID) -> Table:
    """What is committed to, as it is frozen."""
    tranche = session.execute(select(Tranche.mode, Tranche.size).where(Tranche.id == tranche_id)).one()
    ranges = select(TrancheRange.batch_number, TrancheRange.first, TrancheRange.last)
    prizes = select(Prize.kind, Prize.amount, Prize.amount_most, Prize.chance_ppm, Prize.count.label("places"))
    return Table(
        mode=tranche.mode,
        size=tranche.size,
        ranges=tuple(
            (row.batch_number, row.first, row.last)
            for row in session.execute(
                ranges.where(TrancheRange.tranche_id == tranche_id).order_by(TrancheRange.offset)
            )
        ),
        lines=tuple(
            Line(row.kind, row.amount, row.amount_most, row.chance_ppm, row.places)
            for row in session.execute(prizes.where(Prize.tranche_id == tranche_id).order_by(Prize.position))
        ),
    )


def list_commitments(session: Session, *, campaign_id: UUID) -> list[str]:
    """Of every published pool, in the order of publication."""
    query = select(Tranche.commitment).where(Tranche.campaign_id == campaign_id, Tranche.commitment.is_not(None))
    return [one for one in session.scalars(query.order_by(Tranche.published_at, Tranche.created_at, Tranche.id)) if one]


def count_uncommitted(session: Session, *, campaign_id: UUID) -> int:
    """Published pools that are older than commitments: what is promised about them now would prove nothing."""
    query = select(func.count()).select_from(Tranche)
    without = (Tranche.published_at.is_not(None), Tranche.commitment.is_(None))
    return session.scalar(query.where(Tranche.campaign_id == campaign_id, *without)) or 0


def reveal(session: Session, *, campaign_id: UUID, sealer: Sealer, now: datetime) -> list[tuple[Table, bytes, str]]:
    """Table, secret and commitment of each pool, for anybody. Raises CampaignNotFound, NotRevealed before the end,
    SealBroken."""
    _require_end(session, campaign_id, now)
    query = select(Tranche.id, Tranche.secret, Tranche.commitment).where(
        Tranche.campaign_id == campaign_id, Tranche.commitment.is_not(None)
    )
    rows = session.execute(query.order_by(Tranche.published_at, Tranche.created_at, Tranche.id)).all()
    return [
        (
            table_of(session, tranche_id=row.id),
            bytes.fromhex(sealer.open(row.secret, purpose=PURPOSE)),
            row.commitment,
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Pool:
    """A published pool with all that it takes to draw again. ``prize_ids`` are in the order of the table's lines."""

    table: Table
    secret: bytes
    prize_ids: tuple[UUID, ...]

    def __repr__(self) -> str:
        return f"Pool(size={self.table.size})"  # never the secret

    def draw(self, index: int, turn: int = 1) -> tuple[UUID, int]:
        """The prize that the code with this index draws, and its amount."""
        line, amount = self.table.drawn(self.secret, index, turn)
        return self.prize_ids[-1 if line is None else line], amount


def list_pools(session: Session, *, campaign_id: UUID, sealer: Sealer) -> list[Pool]:
    """Of every published pool, commitment or none; for comparing, never for showing. Raises SealBroken."""
    published = select(Tranche.id, Tranche.secret).where(
        Tranche.campaign_id == campaign_id, Tranche.published_at.is_not(None)
    )
    prizes = select(Prize.id).order_by(Prize.position)
    return [
        Pool(
            table_of(session, tranche_id=row.id),
            bytes.fromhex(sealer.open(row.secret, purpose=PURPOSE)),
            tuple(session.scalars(prizes.where(Prize.tranche_id == row.id))),
        )
        for row in session.execute(published.order_by(Tranche.published_at, Tranche.created_at, Tranche.id)).all()
    ]


def prize_finder(
    session: Session, *, campaign_id: UUID, sealer: Sealer, now: datetime
) -> Callable[[int, int], UUID | None]:
    """Tells by batch and serial which prize a code of an exact table holds. Raises CampaignNotFound, NotRevealed before
    the end, SealBroken."""
    _require_end(session, campaign_id, now)
    pools = list_pools(session, campaign_id=campaign_id, sealer=sealer)

    def find(batch_number: int, serial: int) -> UUID | None:
        for pool in pools:
            index = pool.table.index_of(batch_number, serial)
            if index is not None:
                return pool.draw(index)[0] if pool.table.mode == Mode.EXACT else None
        return None

    return find


def _require_end(session: Session, campaign_id: UUID, now: datetime) -> None:
    campaign = get_campaign(session, campaign_id=campaign_id)
    at = phase_of(state=campaign.state, starts_at=campaign.starts_at, ends_at=campaign.ends_at, now=now)
    if at is not Phase.ENDED:
        raise NotRevealed
