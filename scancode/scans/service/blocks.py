"""Holding off addresses and browsers, and letting them in again. For the whole installation: attacks know no brands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from scancode.catalog import revision
from scancode.db import affected, new_id
from scancode.errors import NotFound
from scancode.scans.blocklist import Block, BlockKind, Blocklist, read_terms, read_value
from scancode.scans.models import BlockRow
from scancode.staff import service as staff
from scancode.staff.models import Staff

BLOCKS_MAX = 1000


@dataclass(frozen=True)
class BlockFacts:
    id: UUID
    kind: BlockKind
    value: str
    reason: str
    created_at: datetime
    expires_at: datetime
    staff_name: str | None


def load_blocklist(session: Session) -> Blocklist:
    """Everybody who is held off, the newest ``BLOCKS_MAX``."""
    rows = session.scalars(select(BlockRow).order_by(BlockRow.id.desc()).limit(BLOCKS_MAX))
    return Blocklist(Block(BlockKind(row.kind), row.value, row.expires_at) for row in rows)


def list_blocks(session: Session) -> list[BlockFacts]:
    """The newest first."""
    query = select(BlockRow, Staff.name).outerjoin(Staff, Staff.id == BlockRow.staff_id)
    rows = session.execute(query.order_by(BlockRow.id.desc()).limit(BLOCKS_MAX))
    return [
        BlockFacts(row.id, BlockKind(row.kind), row.value, row.reason, row.created_at, row.expires_at, name)
        for row, name in rows
    ]


def block(
    session: Session, *, value: str, reason: str, days: int, staff_id: UUID | None = None, actor: str, now: datetime
) -> UUID:
    """Holds somebody off from within a second on. Raises BadBlock, BlockReasonNeeded."""
    kind, plain = read_value(value)
    why, expires_at = read_terms(reason, days, now)
    row = BlockRow(
        id=new_id(now),
        kind=kind.value,
        value=plain,
        reason=why,
        created_at=now,
        expires_at=expires_at,
        staff_id=staff_id,
    )
    session.add(row)
    session.flush()
    _record(session, row.id, "add", {"kind": kind.value, "days": days}, actor, now)
    return row.id


def lift(session: Session, *, block_id: UUID, actor: str, now: datetime) -> None:
    """Lets them in again; nothing of the address is kept. Raises NotFound."""
    if affected(session, delete(BlockRow).where(BlockRow.id == block_id)) != 1:
        raise NotFound
    _record(session, block_id, "lift", {}, actor, now)


def forget_blocks(session: Session, *, now: datetime) -> int:
    """Removes those that are over."""
    return affected(session, delete(BlockRow).where(BlockRow.expires_at <= now))


def _record(session: Session, block_id: UUID, verb: str, facts: dict[str, object], actor: str, now: datetime) -> None:
    """Ids and counts alone: what was blocked is personal."""
    revision.bump(session)
    subject = f"block:{block_id}"
    staff.audit(session, actor=actor, brand_id=None, action=f"block.{verb}", subject=subject, facts=facts, now=now)
