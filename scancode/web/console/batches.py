"""Batches of codes: the list, the order form, and the page of one batch with its progress, files, life and history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.catalog import service as catalog
from scancode.channels import service as channels
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.orders import kinds_of
from scancode.codes.rules import BatchState
from scancode.handover import service as handover
from scancode.handover.rules import Terms
from scancode.jobs import service as jobs
from scancode.staff.rules import Role
from scancode.web.console import bars, console, steps
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.console.pages import Page, page_number
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

PAGE_SIZE = 50
RANGES_SHOWN = 200
UNDER_WAY = (BatchState.ORDERED, BatchState.MINTING)


@console.get("/batches")
@allow(Role.FACTORY, Role.MARKETING)
def batches() -> ResponseReturnValue:
    query, number = request.args.get("q", "")[:80], page_number()
    wish = request.args.get("state", "")
    state = BatchState(wish) if wish in set(BatchState) else None
    scope = brand_scope()
    with runtime().db.reading() as session:
        total = codes.count_batches(session, brand_id=scope, query=query, state=state)
        rows = codes.list_batches(
            session, brand_id=scope, query=query, state=state, offset=(number - 1) * PAGE_SIZE, limit=PAGE_SIZE
        )
    return render_template(
        "console/batches/list.html",
        rows=rows,
        query=query,
        state=state,
        states=list(BatchState),
        may_order=may_order(),
        page=Page(number, PAGE_SIZE, len(rows), total),
    )


@console.get("/batches/<int:number>")
@allow(Role.FACTORY, Role.MARKETING)
def batch(number: int) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        row = visible_batch(session, number)
        product = catalog.get_product(session, product_id=row.product_id)
        spans = codes.load_life(session, batch_number=number)
        return render_template(
            "console/batches/batch.html",
            row=row,
            product=product,
            product_name=_name(product),
            kinds=kinds_of(row.kinds),
            progress=_progress(session, row),
            approval=codes.find_approval(session, number=number),
            leaves_at=_leaves_at(session, row),
            is_mine=row.ordered_by == current_staff().id,
            check=checking(session, number),
            files=codes.list_files(session, batch_number=number),
            spans=spans[:RANGES_SHOWN],
            spans_total=len(spans),
            tally=bars.tally(spans, row.count),
            bar=bars.segments(spans, row.count),
            events=codes.history(session, batch_number=number, limit=50),
            may_order=may_order(),
            may_credit=current_staff().may((Role.MARKETING,)),
            credited=channels.load_batch_channel(session, batch_number=number),
            channels=channels.list_channels(session, brand_id=row.brand_id, active_only=True),
        )


@console.post("/batches/<int:number>/channel")
@allow(Role.MARKETING)
def credit_batch(number: int) -> ResponseReturnValue:
    """Which channel explains the items of a batch that were shipped nowhere; none when the choice is empty."""
    shared = runtime()
    with shared.db.transaction() as session:
        row = visible_batch(session, number)
        channels.set_batch_channel(
            session,
            batch_number=number,
            brand_id=row.brand_id,
            channel_id=request.form.get("channel", type=UUID),
            actor=current_staff().actor,
            now=shared.now(),
        )
    flash(gettext("Saved."), "success")
    return redirect(url_for("console.batch", number=number))


@console.get("/batches/<int:number>/progress")
@allow(Role.FACTORY, Role.MARKETING)
def batch_progress(number: int) -> ResponseReturnValue:
    """The part of the page that is fetched every second while the press is at work."""
    with runtime().db.reading() as session:
        row = visible_batch(session, number)
        progress = _progress(session, row)
    if not progress.is_under_way:
        # What follows (files, activation) is elsewhere on the page: it is loaded anew, once.
        return Response(headers={"HX-Refresh": "true"})
    return render_template("console/batches/_progress.html", row=row, progress=progress, may_order=may_order())


@console.post("/batches/<int:number>/<any(cancel, retry):verb>")
@allow(Role.FACTORY)
def change_order(number: int, verb: str) -> ResponseReturnValue:
    act = {"cancel": codes.cancel, "retry": codes.retry}[verb]
    said = {
        "cancel": gettext("The order is cancelled. Its codes will never be live."),
        "retry": gettext("The files are being made again; those that are whole are kept."),
    }
    actor, now = current_staff().actor, runtime().now()

    def step(session: Session) -> None:
        visible_batch(session, number)
        act(session, number=number, actor=actor, now=now)

    steps.take(step, said[verb])
    return redirect(url_for("console.batch", number=number))


@dataclass(frozen=True)
class Progress:
    """How far the press is, as the page tells it."""

    is_under_way: bool
    is_failed: bool
    is_waiting: bool
    done: int
    total: int
    stage: str
    problem: str | None
    rows_a_second: float | None
    left_s: int | None


def _progress(session: Session, row: Batch) -> Progress:
    job = jobs.find(session, key=codes.mint_key(row.number))
    failed = row.state == BatchState.FAILED or (row.state in UNDER_WAY and codes.has_given_up(job))
    return Progress(
        is_under_way=row.state in UNDER_WAY and not failed and not row.is_offline,
        is_failed=failed,
        is_waiting=job is None or job.state is not jobs.JobState.LEASED,
        done=job.done_rows if job else 0,
        total=job.total_rows if job else 0,
        stage=job.stage if job else "",
        problem=_problem(job.error) if job and job.error else None,
        rows_a_second=job.rows_a_second if job else None,
        left_s=job.left_s if job else None,
    )


def _leaves_at(session: Session, row: Batch) -> datetime | None:
    """When the plain files leave the disk."""
    if row.ready_at is None:
        return None
    settings = runtime().settings
    otherwise = Terms(settings.pack_days, settings.download_days, settings.activate_days)
    return handover.terms_of(session, brand_id=row.brand_id, otherwise=otherwise).leaves_at(row.ready_at)


@dataclass(frozen=True)
class Checking:
    """The check of a pack that is under way, and what the last one found."""

    job: jobs.JobFacts | None
    found: codes.CheckFacts | None

    @property
    def is_under_way(self) -> bool:
        return self.job is not None and self.job.state in (jobs.JobState.QUEUED, jobs.JobState.LEASED)


def checking(session: Session, number: int) -> Checking:
    return Checking(jobs.find(session, key=codes.check_key(number)), codes.find_check(session, number=number))


def _problem(error: str) -> str:
    """The press speaks both languages in one line, Chinese first; a bare code stands for the unforeseen."""
    zh, slash, en = error.partition(" / ")
    if slash:
        return zh if current_locale() == "zh" else en
    return str(gettext("The press met an unexpected error (%(code)s). It is tried again by itself.", code=error))


def visible_batch(session: Session, number: int) -> Batch:
    """The batch. Raises NotFound, also where it is another brand's."""
    row = codes.get_batch(session, number=number)
    visible(row.brand_id)
    return row


def may_order() -> bool:
    """Whether the person may order codes and change their life."""
    return current_staff().may((Role.FACTORY,))


def _name(product: object) -> str:
    return str(getattr(product, "name_zh" if current_locale() == "zh" else "name_en"))
