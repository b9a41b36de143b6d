"""Looking up one code, by the code, its URL, or batch and serial: what it is, its state, what happened to it.

Only a code that was pasted is shown: nobody learns the inner code of an item from its outer one here.
"""

from __future__ import annotations

import re
from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from batches import codes as press
from scancode.catalog import service as catalog
from scancode.channels import service as channels
from scancode.claims import service as claims
from scancode.codes import service as codes
from scancode.codes.orders import kinds_of
from scancode.codes.typed import RangeOutside
from scancode.errors import NotFound, Refusal
from scancode.packing import service as packing
from scancode.packing.rules import Level, Unit
from scancode.scans import service as scans
from scancode.scans.service import ScanFacts
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.batches import may_order, visible_batch
from scancode.web.console.code_reading import FoundCode, UnreadableCode, find_code
from scancode.web.language import current_locale
from scancode.web.runtime import runtime
from scancode.web.security import with_camera

SCANS_SHOWN = 20


@console.get("/lookup")
@allow(Role.FACTORY, Role.MARKETING)
def lookup() -> ResponseReturnValue:
    typed = request.args.get("q", "").strip()[:300]
    if not typed:
        return with_camera(render_template("console/batches/lookup.html", typed="", problem=None, found=None))
    try:
        with runtime().db.reading() as session:
            found = _find(session, typed)
            shown = _shown(session, found)
    except Refusal as refusal:
        problem = refusal.sentence(gettext)
        page = render_template("console/batches/lookup.html", typed=typed, problem=problem, found=None)
        return with_camera(page), refusal.status
    return with_camera(render_template("console/batches/lookup.html", typed=typed, problem=None, found=found, **shown))


def _find(session: Session, typed: str) -> FoundCode:
    """``1234567:42`` or ``1234567/42`` is a serial of a batch; everything else must be a code."""
    match = re.fullmatch(r"([0-9]{1,8})\s*[:：/#]\s*([0-9]{1,9})", typed)
    if match is None:
        return find_code(session, typed)
    try:
        batch = visible_batch(session, int(match[1]))
    except NotFound as error:
        raise UnreadableCode(typed=typed) from error
    serial = int(match[2])
    if serial >= batch.count:
        raise RangeOutside(first=serial, last=serial, end=batch.count - 1)
    return FoundCode(batch, serial, None, None)


def _shown(session: Session, found: FoundCode) -> dict[str, object]:
    batch, serial = found.batch, found.serial
    product = catalog.get_product(session, product_id=batch.product_id)
    kinds = [found.kind] if found.kind is not None else list(kinds_of(batch.kinds))
    seen = [
        scan
        for kind in kinds
        for scan in scans.of_code(session, code_id=press.code_id(batch.number, kind, serial), limit=SCANS_SHOWN)
    ]
    seen = sorted(seen, key=lambda scan: scan.scanned_at, reverse=True)[:SCANS_SHOWN]
    unit = Unit(batch.number, _level(found), serial)
    found_claims = (claims.find_facts(session, code_id=press.code_id(batch.number, kind, serial)) for kind in kinds)
    claim = next((one for one in found_claims if one is not None and not one.is_second), None)
    return {
        "unit": unit,
        "parents": packing.parents(session, unit=unit),
        "steps": packing.history(session, unit=unit),
        "trail": channels.trail(session, batch_number=batch.number, serial=serial),
        "claim": None if claim is None or claim.has_lapsed(runtime().now()) else claim,
        "may_see_prizes": current_staff().may((Role.MARKETING,)),
        "product": product,
        "product_name": product.name_zh if current_locale() == "zh" else product.name_en,
        "life": codes.life_of(session, batch_number=batch.number, serial=serial),
        "events": codes.history(session, batch_number=batch.number, serial=serial),
        "scans": seen,
        "visitor_numbers": _numbers(seen),
        "may_block": current_staff().may(()) and current_staff().brand_id is None,
        "marks": _marks(session, batch.number, kinds, serial),
        "place": _place(session, batch.number, serial),
        "may_order": may_order(),
    }


def _numbers(seen: list[ScanFacts]) -> dict[UUID, int]:
    """Visitors told apart without telling who they are: 1 scanned first."""
    oldest_first = dict.fromkeys(scan.visitor_id for scan in reversed(seen))
    return {visitor_id: number for number, visitor_id in enumerate(oldest_first, 1)}


def _marks(session: Session, number: int, kinds: list[press.Kind], serial: int) -> list[tuple[object, ...]]:
    """Of each code of the item that looked copied: the mark, the kind of code, what was decided."""
    found: list[tuple[object, ...]] = []
    for kind in kinds:
        mark = scans.find_suspicion(session, code_id=press.code_id(number, kind, serial))
        if mark is not None:
            found.append((mark, kind, scans.steps_of(session, code_id=mark.code_id)))
    return found


def _level(found: FoundCode) -> Level:
    """That of the code; a bare serial is an item where its batch has any."""
    kinds = kinds_of(found.batch.kinds)
    return Level.of(found.kind if found.kind is not None else min(kinds))


def _place(session: Session, number: int, serial: int) -> str | None:
    """Where the item was shipped to."""
    span = channels.load_shipped(session, batch_number=number).find(serial)
    if span is None:
        return None
    if span.value.store_id is not None:
        store, channel = channels.get_store(session, store_id=span.value.store_id)
        return f"{channel.name} · {store.name}"
    return channels.get_channel(session, channel_id=span.value.channel_id).name
