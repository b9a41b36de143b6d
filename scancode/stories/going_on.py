"""When claims and payouts go on after a restore: once our books and the provider's were compared from the backup on,
and agree, or somebody has looked at what does not."""

from __future__ import annotations

import json
from datetime import date, datetime

from sqlalchemy.orm import Session

from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.staff import service as staff
from scancode.staff.models import AuditRow
from scancode.stories.books import DAYS_IN, Report

STOPS = ("claims", "payouts")


class NotReconciled(Refusal):
    """Facts: ``count``."""

    code = "not_reconciled"
    text = N_("The books still differ in {count} places. Look at each of them before payments go on.")


class FilesPending(Refusal):
    """Facts: ``day``."""

    code = "bill_files_pending"
    text = N_(
        "The provider's bill file of {day} comes the next morning after half past ten. Compare again then, or let it "
        "go on with `scancode reconcile --accept`: no code can be paid twice meanwhile; second prizes of that day can."
    )


class NotCompared(Refusal):
    """Facts: ``moment``, of the backup."""

    code = "not_compared"
    text = N_(
        "The database was restored from the backup of {moment} (UTC): compare the books from that day on first. "
        "Where they cannot agree, `scancode reconcile --accept` lets it go on."
    )


def let_go_on(session: Session, *, report: Report, accept: bool, actor: str, now: datetime) -> None:
    """Lifts the stops of claims and payouts. Raises NotReconciled while the books differ, FilesPending while the
    provider's file of the day of a restore is not there, unless ``accept``: a person has looked at it."""
    if not report.agrees and not accept:
        raise NotReconciled(count=len(report.open))
    restored = _last(session, "database.restore")
    if restored is not None and not accept and not _is_after(_last(session, "payouts.allow"), restored):
        _require_file(report, restored.at)
    for name in STOPS:
        jobs.allow(session, name=name)
    facts = {**report.facts(), "accepted": accept}
    staff.audit(session, actor=actor, brand_id=None, action="payouts.allow", subject="payouts", facts=facts, now=now)


def _require_file(report: Report, restored_at: datetime) -> None:
    if not _covers(report.files_until, restored_at):
        raise FilesPending(day=str(report.files_until))


def require_compared(session: Session) -> None:
    """Raises NotCompared while the last restore has not been followed by a comparison, from the backup on and with the
    file of the day of the restore, that found no difference, or by somebody's ``let_go_on``. Whoever lifts a single
    stop asks this first."""
    restored = _last(session, "database.restore")
    if restored is None or _is_after(_last(session, "payouts.allow"), restored):
        return
    made_at = datetime.fromisoformat(json.loads(restored.facts)["made_at"])
    compared = _last(session, "payouts.reconcile")
    if compared is not None and _is_after(compared, restored):
        found = json.loads(compared.facts)
        until = date.fromisoformat(found["files_until"]) if found.get("files_until") else None
        whole = datetime.fromisoformat(found["since"]) <= made_at and _covers(until, restored.at)
        if found["open"] == 0 and whole:
            return
    raise NotCompared(moment=f"{made_at:%Y-%m-%d %H:%M}")


def _covers(files_until: date | None, moment: datetime) -> bool:
    """Whether the files that were read hold the day of that moment."""
    return files_until is None or files_until > moment.astimezone(DAYS_IN).date()


def _last(session: Session, action: str) -> AuditRow | None:
    rows = staff.list_audit(session, brand_id=None, chosen=staff.AuditFilter(action=action), limit=1)
    return rows[0] if rows else None


def _is_after(row: AuditRow | None, other: AuditRow) -> bool:
    return row is not None and row.seq > other.seq
