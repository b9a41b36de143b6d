"""A phone meets a package: the code is read, the visitor known again, the scan attributed and recorded.

Everything here works on the WSGI environment alone, so that ``front`` can do it before Flask has looked at the request
and the view can do it after. Where the database has to write, a step is yielded instead of made, so that whoever has
many requests in hand can make their steps together; ``alone`` makes them for one.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from scancode.catalog.rules import BrandFacts
from scancode.channels.rules import Attribution, ItemFacts, Seen, attribute, channel_of_region
from scancode.claims import service as claims
from scancode.db import new_id
from scancode.scans.blocklist import Blocked
from scancode.scans.rules import History, judge
from scancode.scans.writer import Deed, Recorded, Sighting, Written
from scancode.web.clients import client_of, is_bot
from scancode.web.limits import address_of
from scancode.web.reading import ReadCode
from scancode.web.runtime import Runtime
from scancode.web.visitor import Visitor

KNOWN = "scancode.meeting"
"""Under this name the WSGI environment carries a Meeting, or the exception that was met instead."""

T = TypeVar("T")
Step = Deed | claims.Request
"""To be written. What is written of it comes back: ``writer.Written`` or a ClaimAnswer, or the refusal is raised."""
Steps = Generator[Step, Any, T]


@dataclass(frozen=True)
class Meeting:
    """A genuine code, who met it, and what was recorded of that."""

    code: ReadCode
    visitor: Visitor
    now: datetime
    recorded: Recorded


def alone(shared: Runtime, steps: Steps[T], *, left: Step | None = None) -> T:
    """Makes all steps, each by itself, and returns what they lead to. ``left`` is one that was taken already, and that
    a group left out. Raises what they raise."""
    try:
        step = left or next(steps)
        while True:
            try:
                outcome = _make(shared, step, is_left=step is left)
            except Exception as error:
                step = steps.throw(error)
            else:
                step = steps.send(outcome)
    except StopIteration as end:
        led_to: T = end.value
        return led_to


def _make(shared: Runtime, step: Step, *, is_left: bool) -> Written | claims.ClaimAnswer:
    if isinstance(step, claims.Request):
        return shared.desk.serve_singly(step) if is_left else shared.desk.serve(step)
    return shared.writer.write(step)


def meet(
    shared: Runtime,
    environ: Mapping[str, Any],
    code: ReadCode,
    visitor: Visitor,
    now: datetime,
    *,
    is_trial: bool = False,
) -> Steps[Meeting]:
    """Records the scan and returns once it is committed. What a robot looks at is judged and not recorded; a tester's
    scan counts in no report.

    Raises Stalled, Blocked, TooFast.
    """
    if is_bot(environ):
        recorded = Recorded(judge(code.batch.life_of(code.serial).state, History()), History())
    else:
        require_welcome(shared, environ, visitor, now)
        known = None if visitor.is_new else visitor.id
        attribution = attribution_of(shared, environ, code, visitor, now)
        # What it needs is there: it can count.
        sighting = _sighting(shared, environ, code, visitor, attribution, now, is_trial)
        risks = shared.guard.scan(environ, visitor_id=known, code_id=code.code_id, now=now)
        recorded = yield replace(sighting, risks=risks) if risks else sighting
    return Meeting(code, visitor, now, recorded)


def is_welcome(shared: Runtime, environ: Mapping[str, Any], visitor: Visitor, now: datetime) -> bool:
    """Whether staff hold off neither the address nor the browser. No query."""
    return not shared.blocks.get(None).holds(address_of(environ), visitor.id, now)


def require_welcome(shared: Runtime, environ: Mapping[str, Any], visitor: Visitor, now: datetime) -> None:
    """Raises Blocked for an address or a browser that staff hold off."""
    if not is_welcome(shared, environ, visitor, now):
        raise Blocked


def attribution_of(
    shared: Runtime, environ: Mapping[str, Any], code: ReadCode, visitor: Visitor, now: datetime
) -> Attribution:
    """Where this meeting of code and visitor came from. All of it lies in memory: no query."""
    return attribute(
        touches=seen_by(shared, visitor),
        item=_item_facts(shared, environ, code),
        brand_id=code.brand.id,
        now=now,
        touch_days=touch_days_of(shared, code.brand),
    )


def seen_by(shared: Runtime, visitor: Visitor) -> list[Seen]:
    """The placed codes that the browser remembers and that are still there, the oldest first."""
    found = ((shared.touchpoints.get(touch.token), touch) for touch in visitor.touches)
    return [Seen(point, touch.at, touch.guide_id) for point, touch in found if point is not None]


def touch_days_of(shared: Runtime, brand: BrandFacts) -> int:
    return shared.settings.touch_days if brand.touch_days is None else brand.touch_days


def _item_facts(shared: Runtime, environ: Mapping[str, Any], code: ReadCode) -> ItemFacts:
    regions = shared.ports.regions
    region = regions.region_of(address_of(environ)) if regions else None
    span = shared.shipped.get(code.batch.number).find(code.serial)
    if span is not None:
        return ItemFacts(span.value, region=region)
    batch_channel_id = shared.batch_channels.get(code.batch.number)
    sole = shared.sole_channels.get(code.brand.id) if region is not None and batch_channel_id is None else {}
    return ItemFacts(None, batch_channel_id, region, channel_of_region(sole, region))


def _sighting(
    shared: Runtime,
    environ: Mapping[str, Any],
    code: ReadCode,
    visitor: Visitor,
    attribution: Attribution,
    now: datetime,
    is_trial: bool,
) -> Sighting:
    keeps_address = shared.settings.address_days > 0
    return Sighting(
        code_id=code.code_id,
        scan_id=new_id(now),
        scanned_at=now,
        day=code.brand.day(now),
        visitor_id=visitor.id,
        brand_id=code.brand.id,
        product_id=code.product.id,
        batch_number=code.batch.number,
        life=code.batch.life_of(code.serial).state,
        attribution=attribution,
        client=client_of(environ),
        address_digest=shared.sealer.digest(address_of(environ), purpose="address") if keeps_address else None,
        is_test=code.batch.is_test or is_trial,
        copy_terms=shared.copy_terms.get(code.brand.id),
        is_confirmed=not visitor.is_new,  # who brings our cookie has shown a page of ours before
    )
