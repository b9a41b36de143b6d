"""Packing item by item, on a phone with its camera or at a table with a keyboard-wedge scanner.

The page sends one scan at a time and waits for the answer, so what is refused is refused before the next one; each
answer says how full the case is now. The same scan sent twice (after a lost answer) is "scanned twice", not a second
item.
"""

from __future__ import annotations

from typing import Any

from flask import jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.errors import Refusal
from scancode.packing import service as packing
from scancode.packing.rules import CAPACITY_MAX, BadCapacity, Level, Unit
from scancode.packing.service import Filled
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff
from scancode.web.console.code_reading import find_code
from scancode.web.runtime import runtime
from scancode.web.security import with_camera


@console.get("/packing/hand")
@allow(Role.FACTORY)
def pack_by_hand() -> ResponseReturnValue:
    return with_camera(render_template("console/packing/hand.html"))


@console.post("/packing/hand/<any(open, add, undo, close):verb>")
@allow(Role.FACTORY)
def pack_scan(verb: str) -> ResponseReturnValue:
    """JSON: ``ok``, the words to show, and the case as it is now; a refusal is 200 with ``ok`` false, since the page
    shows it as a colour and a sound."""
    try:
        answer = runtime().db.retrying(lambda session: _done(session, verb))
    except Refusal as refusal:
        return jsonify(ok=False, code=refusal.code, text=refusal.sentence(gettext), facts=_plain(refusal.facts))
    return jsonify(ok=True, **answer)


def _done(session: Session, verb: str) -> dict[str, Any]:
    person, now = current_staff(), runtime().now()
    by: dict[str, Any] = {"brand_id": brand_scope(), "actor": person.actor, "staff_id": person.id, "now": now}
    parent, printed = _scanned(session, request.form.get("parent", ""))
    if verb == "open":
        return _told(packing.open_container(session, parent=parent, capacity=_capacity(), **by), parent, printed)
    if verb == "close":
        differs = request.form.get("differs") == "1"
        return _told(packing.close(session, parent=parent, may_differ=differs, **by), parent, printed)
    child, printed = _scanned(session, request.form.get("code", ""))
    if verb == "undo":
        packing.unpack(session, children=[child], **by)
        return _told(packing.find_container(session, unit=parent), child, printed)
    move = request.form.get("move") == "1"
    return _told(packing.pack(session, parent=parent, children=[child], move=move, **by), child, printed)


def _scanned(session: Session, typed: str) -> tuple[Unit, str]:
    """What the code stands for, and the code in groups of five as it is printed. Raises UnreadableCode, NotOurCode."""
    found = find_code(session, typed[:300])
    assert found.kind is not None
    assert found.text is not None
    printed = " ".join(found.text[place : place + 5] for place in range(0, len(found.text), 5))
    return Unit(found.batch.number, Level.of(found.kind), found.serial), printed


def _capacity() -> int | None:
    text = request.form.get("capacity", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise BadCapacity(limit=CAPACITY_MAX)
    return int(text)


def _told(filled: Filled, unit: Unit, printed: str) -> dict[str, Any]:
    return {
        "count": filled.count,
        "capacity": filled.capacity,
        "closed": filled.is_closed,
        "level": unit.level.label,
        "name": f"{unit.batch}:{unit.serial}",
        "printed": printed,
    }


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int) else str(value) for name, value in facts.items()}
