"""Who was told that points expire, and what became of a message about it: one line for each lot."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue

from scancode.ledger import service as ledger
from scancode.ledger.rules import TermKind
from scancode.letters import REASONS
from scancode.members import service as members
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow
from scancode.web.console.chosen import brand_choices, chosen_brand
from scancode.web.console.pages import mark_of, read_mark, turned
from scancode.web.runtime import runtime

ROWS_SHOWN = 50


@console.get("/points/reminders", endpoint="point_reminders")
@allow(Role.MARKETING)
def list_reminders() -> ResponseReturnValue:
    before = read_mark(request.args.get("before", ""), UUID)
    with runtime().db.reading() as session:
        brand = chosen_brand(session)
        found = ledger.list_reminders(session, brand_id=brand.id, limit=ROWS_SHOWN + 1, before=before)
        rows, pages = turned(found, ROWS_SHOWN, lambda row: mark_of(row.made_at, row.lot_id))
        hints = members.phone_hints(session, member_ids=[row.account_id for row in rows])
        brands = brand_choices(session)
    return render_template(
        "console/members/reminders.html",
        brand=brand,
        brands=brands,
        rows=rows,
        hints=hints,
        pages=pages,
        reasons=REASONS,
        expires=brand.points.kind is not TermKind.NEVER,
    )
