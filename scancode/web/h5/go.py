"""What people do beside looking: opening a link of a product's page, and telling the city where they are.

What is opened is counted of nobody, and kept of a member alone who agreed to it. Robots change nothing.
"""

from __future__ import annotations

from uuid import UUID

from flask import jsonify, redirect, request
from werkzeug.wrappers import Response

from scancode.channels import regions
from scancode.channels.rules import LINK_PAGES, channel_of_region
from scancode.channels.service.liking import Opened
from scancode.errors import NotFound
from scancode.resolver import service as resolver
from scancode.scans import service as scans
from scancode.stories import liking
from scancode.web.clients import is_bot
from scancode.web.h5 import h5
from scancode.web.language import current_locale
from scancode.web.limits import limiter
from scancode.web.people import current_person
from scancode.web.reading import read_code
from scancode.web.runtime import runtime
from scancode.web.visitor import current_visitor


@h5.get("/go/<uuid:link_id>")
@limiter.limit("600 per minute")
def go(link_id: UUID) -> Response:
    """On to a link that staff put on a product's page, and nowhere else."""
    shared = runtime()
    with shared.db.reading() as session:
        link = resolver.get_link(session, link_id=link_id)
    product = shared.products.get(link.product_id)
    brand = shared.brands.get(product.brand_id) if product else None
    if product is not None and brand is not None and not is_bot(request.environ):
        page = request.args.get("from", "")
        opened = Opened(brand.id, product.id, link.id, link.link_type, page if page in LINK_PAGES else "")
        member_id, now = current_person(brand.id).member_id, shared.now()
        shared.db.retrying(
            lambda session: liking.note_opened(session, opened=opened, member_id=member_id, day=brand.day(now), now=now)
        )
    return redirect(link.href)


@h5.post("/<text>/where")
@limiter.limit("30 per minute")
def where(text: str) -> Response:
    """A person shares where they scanned this code. The point becomes a city at once; the point is not kept."""
    shared = runtime()
    code = read_code(shared, text)
    try:
        latitude, longitude = (float(request.form.get(name, "")) for name in ("latitude", "longitude"))
    except ValueError as error:
        raise NotFound from error
    region = regions.nearest(latitude, longitude)
    if region is None:
        raise NotFound
    with shared.db.transaction(durable=False) as session:
        is_kept = scans.locate(
            session,
            code_id=code.code_id,
            visitor_id=current_visitor().id,
            region=region,
            region_channel_id=channel_of_region(shared.sole_channels.get(code.brand.id), region),
            now=shared.now(),
        )
    return jsonify(kept=is_kept, name=regions.name_of(region, current_locale()))
