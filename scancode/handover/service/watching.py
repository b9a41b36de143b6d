"""What is due: packs whose time on the disk is over, and packs that nobody fetched or activated in time.

An alert is raised once per batch and kind, ends by itself when its reason does, and is acknowledged by a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from batches.manifest import MANIFEST_NAME
from scancode.codes import service as codes
from scancode.codes.models import Batch, BatchState, Life, LifeRange
from scancode.db import affected, insert_once, new_id
from scancode.errors import NotFound
from scancode.handover.models import Alert, Download, PressKit
from scancode.handover.rules import AlertKind, KitState, PackFacts, Terms, late
from scancode.staff import service as staff

LOOKED_AT_MAX = 5000
SHOWN_MAX = 200
NOTE_LENGTH_MAX = 200


@dataclass(frozen=True)
class AlertFacts:
    """An alert as the console shows it."""

    id: UUID
    kind: AlertKind
    batch_number: int
    order_no: str
    brand_id: UUID
    ready_at: datetime | None
    raised_at: datetime
    acknowledged_at: datetime | None
    note: str


def terms_of(session: Session, *, brand_id: UUID, otherwise: Terms) -> Terms:
    """The times of a brand: its own where it has any."""
    own = codes.find_terms(session, brand_id=brand_id)
    if own is None:
        return otherwise
    return Terms(
        pack_days=own.pack_days or otherwise.pack_days,
        download_days=own.download_days or otherwise.download_days,
        activate_days=own.activate_days or otherwise.activate_days,
    )


def due_packs(session: Session, *, otherwise: Terms, now: datetime) -> list[int]:
    """Batches whose plain files have been on the disk for as long as their brand allows."""
    rows = session.execute(
        select(Batch.number, Batch.brand_id, Batch.ready_at)
        .where(
            Batch.state == BatchState.READY.value,
            Batch.pack_gone_at.is_(None),
            Batch.is_offline.is_(False),
            Batch.ready_at <= now - timedelta(days=1),
        )
        .order_by(Batch.ready_at)
        .limit(LOOKED_AT_MAX)
    ).all()
    terms = {brand: terms_of(session, brand_id=brand, otherwise=otherwise) for brand in {row.brand_id for row in rows}}
    return [row.number for row in rows if terms[row.brand_id].leaves_at(row.ready_at) <= now]


def watch(session: Session, *, otherwise: Terms, now: datetime) -> int:
    """Raises the alerts that are due and ends those whose reason is gone; returns how many were raised."""
    raised = 0
    terms: dict[UUID, Terms] = {}
    for row in _candidates(session, now):
        if row.brand_id not in terms:
            terms[row.brand_id] = terms_of(session, brand_id=row.brand_id, otherwise=otherwise)
        facts = PackFacts(row.ready_at, row.is_test, bool(row.is_downloaded), bool(row.is_activated))
        kinds = late(facts, terms[row.brand_id], now=now)
        for kind in kinds:
            raised += insert_once(
                session,
                Alert,
                id=new_id(now),
                batch_number=row.number,
                brand_id=row.brand_id,
                kind=kind.value,
                raised_at=now,
                note="",
            )
        over = [kind.value for kind in AlertKind if kind not in kinds]
        ended = update(Alert).where(Alert.batch_number == row.number, Alert.kind.in_(over), Alert.over_at.is_(None))
        affected(session, ended.values(over_at=now))
    return raised


def _candidates(session: Session, now: datetime) -> list[Any]:
    """Ready batches that may be late, and those with an alert that may be over."""
    live = exists().where(LifeRange.batch_number == Batch.number, LifeRange.state != Life.INACTIVE.value)
    # Fetched is what has arrived whole; who only reads the manifest prints nothing.
    fetched = exists().where(
        Download.batch_number == Batch.number, Download.finished_at.is_not(None), Download.file_name != MANIFEST_NAME
    )
    kit = exists().where(PressKit.batch_number == Batch.number, PressKit.state == KitState.APPROVED.value)
    alerted = exists().where(Alert.batch_number == Batch.number, Alert.over_at.is_(None))
    statement = (
        select(
            Batch.number,
            Batch.brand_id,
            Batch.ready_at,
            Batch.is_test,
            (fetched | kit).label("is_downloaded"),
            live.label("is_activated"),
        )
        .where(
            Batch.state == BatchState.READY.value,
            Batch.ready_at <= now - timedelta(days=1),
            alerted | ~live,
        )
        .order_by(Batch.ready_at.desc())
        .limit(LOOKED_AT_MAX)
    )
    return list(session.execute(statement))


def list_alerts(session: Session, *, brand_id: UUID | None, with_acknowledged: bool = False) -> list[AlertFacts]:
    """What is late, the oldest first."""
    statement = (
        select(Alert, Batch.order_no, Batch.ready_at)
        .join(Batch, Batch.number == Alert.batch_number)
        .where(Alert.over_at.is_(None))
        .order_by(Alert.raised_at)
        .limit(SHOWN_MAX)
    )
    if brand_id is not None:
        statement = statement.where(Alert.brand_id == brand_id)
    if not with_acknowledged:
        statement = statement.where(Alert.acknowledged_at.is_(None))
    return [
        AlertFacts(
            row.id,
            AlertKind(row.kind),
            row.batch_number,
            order_no,
            row.brand_id,
            ready_at,
            row.raised_at,
            row.acknowledged_at,
            row.note,
        )
        for row, order_no, ready_at in session.execute(statement)
    ]


def count_alerts(session: Session, *, brand_id: UUID | None) -> int:
    """How many wait for a person."""
    statement = select(func.count()).select_from(Alert).where(Alert.over_at.is_(None), Alert.acknowledged_at.is_(None))
    return session.scalar(statement if brand_id is None else statement.where(Alert.brand_id == brand_id)) or 0


def get_alert(session: Session, *, alert_id: UUID) -> Alert:
    """Raises NotFound."""
    row = session.get(Alert, alert_id)
    if row is None:
        raise NotFound
    return row


def acknowledge(session: Session, *, alert_id: UUID, note: str, staff_id: UUID, actor: str, now: datetime) -> None:
    """Somebody has seen to it; a second time changes nothing. Raises NotFound."""
    row = get_alert(session, alert_id=alert_id)
    values = {"acknowledged_at": now, "acknowledged_by": staff_id, "note": note.strip()[:NOTE_LENGTH_MAX]}
    statement = update(Alert).where(Alert.id == alert_id, Alert.acknowledged_at.is_(None))
    if affected(session, statement.values(values)) == 1:
        staff.audit(
            session,
            actor=actor,
            brand_id=row.brand_id,
            action="alert.acknowledge",
            subject=f"batch:{row.batch_number}",
            facts={"kind": row.kind},
            now=now,
        )
