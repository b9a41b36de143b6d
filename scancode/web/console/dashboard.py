"""The first page after signing in: what each role wants to know before anything else, and the ways on from there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import jsonify, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.catalog import service as catalog
from scancode.codes import service as codes
from scancode.codes.rules import BatchState
from scancode.handover import service as handover
from scancode.jobs import service as outbox
from scancode.ledger import service as ledger
from scancode.reports import service as reports
from scancode.reports.rules import DayFigures
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, anybody, brand_scope, current_staff
from scancode.web.console.moments import today
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

RECENT_BATCHES = 6
DAYS = 7


@dataclass(frozen=True)
class CodesBoard:
    """What the factory looks at: batches under way and ready, and the newest ones."""

    alerts: int
    waiting: int
    under_way: int
    ready: int
    failed: int
    recent: list[codes.BatchRow]


@dataclass(frozen=True)
class SystemBoard:
    """Whether the machinery runs. ``is_stuck``: work is late and no worker is alive to do it."""

    counts: outbox.QueueCounts
    workers_alive: int
    stops: dict[str, str]

    @property
    def is_stuck(self) -> bool:
        return self.workers_alive == 0 and self.counts.late > 0


@console.get("/")
@anybody
def home() -> ResponseReturnValue:
    shared, person = runtime(), current_staff()
    now, scope = shared.now(), brand_scope()
    sees_codes, sees_people = person.may((Role.FACTORY,)), person.may((Role.MARKETING,))
    with shared.db.reading() as session:
        board = _codes_board(session, scope) if sees_codes else None
        week = _week(session, scope, now) if sees_people else ()
        system = _system_board(session, now)
        tripped = campaigns.list_tripped(session, brand_id=scope) if sees_people else ()
        proofs = list(ledger.last_proofs(session, brand_id=scope)) if sees_people else []
        products = catalog.count_products(session, brand_id=scope)
        brands = len(catalog.list_brands(session, brand_id=scope))
    return render_template(
        "console/home/home.html",
        person=person,
        board=board,
        week=week,
        totals=_totals(week),
        system=system,
        tripped=tripped,
        points_wrong=[(proof, wrong) for proof, wrong in proofs if proof.wrong_count],
        is_operator=scope is None,
        is_admin=person.role is Role.ADMIN,
        is_empty=not products or not brands,
        brands=brands,
        products=products,
        locale=current_locale(),
    )


def _codes_board(session: Session, scope: UUID | None) -> CodesBoard:
    number = {state: codes.count_batches(session, brand_id=scope, state=state) for state in BatchState}
    for_kits = codes.count_offline(session, brand_id=scope)
    return CodesBoard(
        alerts=handover.count_alerts(session, brand_id=scope),
        waiting=number[BatchState.WAITING],
        under_way=number[BatchState.MINTING] + number[BatchState.ORDERED] - for_kits,
        ready=number[BatchState.READY],
        failed=number[BatchState.FAILED],
        recent=codes.list_batches(session, brand_id=scope, limit=RECENT_BATCHES),
    )


def _week(session: Session, scope: UUID | None, now: datetime) -> tuple[DayFigures, ...]:
    return reports.overview(session, brand_id=scope, today=today(now).isoformat(), days=DAYS)


def _totals(week: tuple[DayFigures, ...]) -> dict[str, int]:
    """The sums that may be summed: a visitor of two days would count twice."""
    return {name: sum(getattr(day, name) for day in week) for name in ("scans", "claims", "members", "paid_fen")}


def _system_board(session: Session, now: datetime) -> SystemBoard:
    return SystemBoard(
        counts=outbox.counts(session, now=now),
        workers_alive=sum(worker.is_alive for worker in outbox.workers(session, now=now)),
        stops={stop.name: stop.reason for stop in outbox.list_stops(session)},
    )


@console.get("/week.json")
@allow(Role.MARKETING)
def week_figures() -> ResponseReturnValue:
    """The chart of the week, as ``charts.js`` takes it."""
    shared = runtime()
    with shared.db.reading() as session:
        week = _week(session, brand_scope(), shared.now())
    series = (
        (gettext("Scans"), [day.scans for day in week]),
        (gettext("Claims"), [day.claims for day in week]),
        (gettext("New members"), [day.members for day in week]),
    )
    return jsonify(
        kind="line",
        categories=[day.day[5:] for day in week],
        series=[{"name": name, "values": values} for name, values in series],
        unit="",
    )
