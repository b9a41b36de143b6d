"""A member's points, for staff: what they hold and how it came to that, corrections with a reason, freezing, export."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.campaigns.planning import whole_of
from scancode.catalog.rules import BrandFacts
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.ledger import service as ledger
from scancode.ledger.rules import EntryFacts, HoldState, cause_text
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.stories import points, roster
from scancode.stories.points import Account, Outcome
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff, visible
from scancode.web.console.moments import end_of, find_day
from scancode.web.console.pages import turned
from scancode.web.csv_files import csv_file
from scancode.web.runtime import runtime

ROWS_SHOWN = 50
EXPORT_MAX = 50_000
HEADER = ("time", "points", "cause", "reason", "entry_id")
SAID = {
    Outcome.DONE: N_("Entered."),
    Outcome.PENDING: N_("Noted: it is pending until that day."),
    Outcome.REPEATED: N_("This was entered before; nothing was changed."),
}
marketing = allow(Role.MARKETING)


@console.get("/members/<uuid:member_id>/points", endpoint="member_points")
@marketing
def show_points(member_id: UUID) -> ResponseReturnValue:
    return _page(member_id)


def _page(member_id: UUID, status: int = 200) -> ResponseReturnValue:
    """With 422 the fields hold what was sent with it, so that nothing has to be typed again."""
    before, chosen = _uuid(request.args.get("before")), _uuid(request.args.get("entry"))
    day = find_day(request.args.get("day", ""))
    with runtime().db.reading() as session:
        row, account = _account(session, member_id)
        facts = ledger.account(session, account_id=member_id)
        lots = ledger.list_lots(session, account_id=member_id, limit=ROWS_SHOWN)
        holds = ledger.list_holds(session, account_id=member_id, limit=ROWS_SHOWN)
        entries = ledger.entries(session, account_id=member_id, limit=ROWS_SHOWN + 1, before=before)
        past = ledger.balance_at(session, account_id=member_id, moment=end_of(day)) if day else None
    entries, pages = turned(entries, ROWS_SHOWN, lambda one: one.id)
    page = render_template(
        "console/members/points.html",
        row=row,
        brand=account.brand,
        facts=facts,
        lots=lots,
        holds=holds,
        entries=entries,
        words=lambda entry: gettext(cause_text(entry.cause)),
        may_reverse=lambda entry: _may_reverse(account.brand, entry),
        chosen=next((one for one in entries if one.id == chosen), None),
        day=day,
        past=past,
        pages=pages,
        form_id=_uuid(request.form.get("form_id")) or uuid4(),
        typed=request.form,
        states={
            HoldState.PENDING: gettext("Pending"),
            HoldState.POSTED: gettext("Posted"),
            HoldState.VOIDED: gettext("Voided"),
        },
    )
    return page, status


@console.post("/members/<uuid:member_id>/points")
@marketing
def adjust_points(member_id: UUID) -> ResponseReturnValue:
    now, form_id = runtime().now(), _uuid(request.form.get("form_id"))
    if form_id is None:
        raise NotFound
    typed = request.form.get("until", "").strip()
    day = find_day(typed)

    def work(session: Session, account: Account) -> str:
        if typed and day is None:
            raise points.BadUntil
        done = points.adjust(
            session,
            account=account,
            form_id=form_id,
            points=_number(request.form.get("points", "")),
            note=request.form.get("note", ""),
            until=end_of(day) if day else None,
            now=now,
        )
        return str(gettext(SAID[done]))

    return _do(member_id, work)


@console.post("/members/<uuid:member_id>/points/reverse")
@marketing
def reverse_points(member_id: UUID) -> ResponseReturnValue:
    now, entry_id = runtime().now(), _uuid(request.form.get("entry"))
    if entry_id is None:
        raise NotFound

    def work(session: Session, account: Account) -> str:
        note = request.form.get("note", "")
        points.reverse(session, account=account, entry_id=entry_id, note=note, now=now)
        return str(gettext("Taken back."))

    return _do(member_id, work)


@console.post("/members/<uuid:member_id>/points/<uuid:hold_id>")
@marketing
def settle_points(member_id: UUID, hold_id: UUID) -> ResponseReturnValue:
    """Ends what is pending: ``takes=1`` moves the points now, anything else voids it."""
    now, takes = runtime().now(), request.form.get("takes") == "1"

    def work(session: Session, account: Account) -> str:
        points.settle(session, account=account, hold_id=hold_id, takes=takes, now=now)
        return str(gettext("Posted.") if takes else gettext("Voided."))

    return _do(member_id, work)


@console.post("/members/<uuid:member_id>/points/freeze")
@marketing
def freeze_points(member_id: UUID) -> ResponseReturnValue:
    """Freezes with a reason; with ``free=1`` unfreezes."""
    now = runtime().now()

    def work(session: Session, account: Account) -> str:
        if request.form.get("free") == "1":
            points.unfreeze(session, account=account, now=now)
            return str(gettext("The points can move again."))
        points.freeze(session, account=account, note=request.form.get("note", ""), now=now)
        return str(gettext("Frozen: nothing goes out until somebody frees them."))

    return _do(member_id, work)


@console.post("/members/<uuid:member_id>/points/export")
@marketing
def export_points(member_id: UUID) -> ResponseReturnValue:
    """Every entry as CSV; leaves an audit row."""
    now = runtime().now()
    with runtime().db.transaction() as session:
        _, account = _account(session, member_id)
        entries = ledger.entries(session, account_id=member_id, limit=EXPORT_MAX)
        staff.audit(
            session,
            actor=account.actor,
            brand_id=account.brand.id,
            action="points.export",
            subject=f"account:{member_id}",
            facts={"rows": len(entries)},
            now=now,
        )
    local = account.brand.local
    cells = (
        (f"{local(one.occurred_at):%Y-%m-%d %H:%M:%S}", one.points, one.cause, one.note, one.id) for one in entries
    )
    return csv_file(f"points-{member_id}-{account.brand.day(now)}.csv", HEADER, cells)


def _do(member_id: UUID, work: Callable[[Session, Account], str]) -> ResponseReturnValue:
    """Runs it on a member who is still one; says what was done, or why it was not."""

    def run(session: Session) -> str:
        row, account = _account(session, member_id)
        if row.left_at is not None:
            raise NotFound
        return work(session, account)

    try:
        flash(runtime().db.retrying(run), "success")
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.sentence(gettext), "danger")
        return _page(member_id, 422)
    return redirect(url_for("console.member_points", member_id=member_id))


def _account(session: Session, member_id: UUID) -> tuple[roster.RosterRow, Account]:
    """Raises NotFound, also for another brand's member."""
    row = roster.get_row(session, member_id=member_id)
    visible(row.brand_id)
    brand = runtime().brands.get(row.brand_id)
    if brand is None:
        raise NotFound
    return row, Account(member_id, brand, current_staff().actor)


def _may_reverse(brand: BrandFacts, entry: EntryFacts) -> bool:
    systems = {ledger.issuer_id(brand.id), ledger.sink_id(brand.id)}
    return entry.is_reversible and entry.counter_account_id in systems


def _number(typed: str) -> int:
    """0, which is refused, for what is no number."""
    plain = typed.strip().replace("−", "-").replace("－", "-")
    is_taken = plain.startswith("-")
    try:
        return (-1 if is_taken else 1) * whole_of(plain[1:] if is_taken else plain)
    except ValueError:
        return 0


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
