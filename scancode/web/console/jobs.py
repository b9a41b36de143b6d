"""The outbox and the workers, for the operator: what waits, what runs, what gave up; and what is stopped."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.codes import service as codes
from scancode.errors import NotFound
from scancode.handover import service as handover
from scancode.i18n import N_
from scancode.jobs import service as outbox
from scancode.jobs.rules import JobFacts, JobState
from scancode.staff import service as staff
from scancode.stories.going_on import NotCompared, require_compared
from scancode.uploads import service as uploads
from scancode.uploads.rules import UploadMoved
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff, operator_only
from scancode.web.console.pages import turned
from scancode.web.runtime import runtime

PAGE_ROWS = 50
CANCELLED_WHILE_RUNNING = ("check", "seal", "upload")
"""Long jobs that may be stopped in the middle. Making codes is stopped by cancelling the order, money never."""
STOPPABLE = {"claims": N_("Claims"), "payouts": N_("Payouts")}
KIND_WORDS = {
    "mint": N_("Make codes"),
    "check": N_("Check a pack"),
    "capture": N_("Carry out EPCIS events"),
    "life": N_("Change codes at a set time"),
    "upload": N_("Work off uploaded files"),
    "seal": N_("Encrypt a pack"),
    "watch": N_("Watch over packs"),
    "books": N_("Balance and daily books"),
    "breaker": N_("Breakers of campaigns"),
    "held": N_("Held rewards whose time is over"),
    "diversion": N_("Look for diversion"),
    "payout": N_("Pay a red packet"),
    "points": N_("Points that come in or expire"),
    "tiers": N_("Tiers of members"),
    "untag": N_("Take a deleted tag off its members"),
    "remind": N_("Reminders of points that expire"),
    "welcome": N_("Welcomes to new members"),
    "authorisation": N_("Authorisations to pay without confirmation"),
    "reconcile": N_("Compare the books"),
    "sms": N_("Send a message"),
    "tidy": N_("Tidy up"),
}


@console.get("/jobs")
@allow()
def jobs() -> ResponseReturnValue:
    operator_only()
    shared = runtime()
    now = shared.now()
    state = _state(request.args.get("state"))
    before = request.args.get("before", type=_uuid)
    with shared.db.reading() as session:
        rows = outbox.list_jobs(session, state=state, limit=PAGE_ROWS + 1, before=before)
        counts = outbox.counts(session, now=now)
        workers = outbox.workers(session, now=now)
        stops = {stop.name: stop for stop in outbox.list_stops(session)}
    rows, pages = turned(rows, PAGE_ROWS, lambda row: row.id)
    # The page asks for its own moving part every few seconds.
    template = "console/jobs/_board.html" if request.args.get("part") else "console/jobs/list.html"
    return render_template(
        template,
        rows=rows,
        counts=counts,
        workers=workers,
        stops=stops,
        stoppable=STOPPABLE,
        kind_words=KIND_WORDS,
        cancellable=(*CANCELLED_WHILE_RUNNING, "mint"),
        state=state,
        pages=pages,
        now=now,
        part_url=url_for("console.jobs", state=state and state.value, before=before, part=1),
    )


def _uuid(text: str) -> UUID:
    return UUID(text)


def _state(text: str | None) -> JobState | None:
    return JobState(text) if text in list(JobState) else None


@console.post("/jobs/<uuid:job_id>/<any(cancel, revive):verb>")
@allow()
def change_job(job_id: UUID, verb: str) -> ResponseReturnValue:
    operator_only()
    change = {"cancel": _cancel, "revive": outbox.revive}[verb]
    try:
        with runtime().db.transaction() as session:
            job = change(session, job_id=job_id, now=runtime().now())
            _audit(session, f"job.{verb}", job)
    except (outbox.JobBusy, codes.BatchStateRefusal, handover.NotSealing, UploadMoved) as refusal:
        flash(refusal.sentence(gettext), "warning")
    else:
        said = gettext("The job is cancelled.") if verb == "cancel" else gettext("The job will run again now.")
        flash(said, "success")
    return redirect(url_for("console.jobs", state=request.form.get("state") or None))


def _cancel(session: Session, *, job_id: UUID, now: datetime) -> JobFacts:
    """Making codes is cancelled as the order that it is for, so that the batch knows of it."""
    job = outbox.get_job(session, job_id=job_id)
    number = int(job.key.partition(":")[2]) if job.kind == "mint" else -1
    if codes.find_batch(session, number=number) is not None:
        codes.cancel(session, number=number, actor=current_staff().actor, now=now)
        return job
    if job.kind == "seal":
        sealed_id = UUID(job.key.partition(":")[2])
        handover.cancel_seal(session, sealed_id=sealed_id, actor=current_staff().actor, now=now)
        return job
    if job.kind == uploads.JOB:
        upload_id = UUID(job.key.partition(":")[2])
        uploads.cancel(session, upload_id=upload_id, actor=current_staff().actor, now=now)
        return job
    return outbox.cancel(session, job_id=job_id, now=now, running_kinds=CANCELLED_WHILE_RUNNING)


def _audit(session: Session, action: str, job: JobFacts) -> None:
    staff.audit(
        session,
        actor=current_staff().actor,
        brand_id=None,
        action=action,
        subject=f"job:{job.id}",
        facts={"kind": job.kind, "key": job.key},
        now=runtime().now(),
    )


@console.post("/jobs/stops/<name>/<any(stop, allow):verb>")
@allow()
def change_stop(name: str, verb: str) -> ResponseReturnValue:
    """Halts claims or payouts, or lets them go on."""
    operator_only()
    if name not in STOPPABLE:
        raise NotFound
    now = runtime().now()
    reason = request.form.get("reason", "").strip()[:200] or gettext("Stopped by an administrator.")
    try:
        with runtime().db.transaction() as session:
            if verb == "stop":
                changed = outbox.stop(session, name=name, reason=reason, now=now)
            else:
                require_compared(session)
                changed = outbox.allow(session, name=name)
            if changed:
                actor = current_staff().actor
                action, subject = f"{name}.{verb}", f"stop:{name}"
                staff.audit(session, actor=actor, brand_id=None, action=action, subject=subject, facts={}, now=now)
    except NotCompared as refusal:
        flash(refusal.sentence(gettext), "danger")
        return redirect(url_for("console.payouts"))
    words = gettext("%(what)s: stopped.") if verb == "stop" else gettext("%(what)s: going on.")
    flash(words % {"what": gettext(STOPPABLE[name])}, "success")
    return redirect(url_for("console.jobs"))
