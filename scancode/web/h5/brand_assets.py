"""What consumer pages are dressed in: a brand's colours, the pictures of its products, and a preview of a page.

Pictures are named by the hash of what they hold and a brand's stylesheet by its colour, so browsers keep both for ever.
"""

from __future__ import annotations

from types import SimpleNamespace

from flask import Response, render_template, request, url_for

from batches.codes import Kind
from scancode.catalog import service as catalog
from scancode.catalog.colours import palette
from scancode.catalog.rules import BrandFacts
from scancode.errors import NotFound
from scancode.resolver.rules import links_for_people
from scancode.scans.rules import History
from scancode.web import preview
from scancode.web.h5 import h5
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

FOREVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=300"


@h5.get("/media/<sha256>")
def media(sha256: str) -> Response:
    """A picture of a product's page."""
    if len(sha256) != 64:
        raise NotFound
    if request.if_none_match.contains(sha256):
        return _kept(Response(status=304), sha256)
    with runtime().db.reading() as session:
        picture = catalog.find_picture(session, sha256=sha256)
    if picture is None:
        raise NotFound
    return _kept(Response(picture.content, mimetype=picture.mime), sha256)


def _kept(response: Response, etag: str) -> Response:
    response.headers["Cache-Control"] = FOREVER
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    response.set_etag(etag)
    return response


@h5.get("/brand/<slug>.css")
def brand_css(slug: str) -> Response:
    """Three custom properties; text on the brand's colour is readable whatever the colour."""
    with runtime().db.reading() as session:
        brand = catalog.find_brand(session, slug=slug)
    if brand is None:
        raise NotFound
    colours = palette(brand.colour)
    sheet = f":root {{ --brand: {colours.brand}; --brand-ink: {colours.ink}; --brand-soft: {colours.soft} }}\n"
    response = Response(sheet, mimetype="text/css")
    response.headers["Cache-Control"] = FOREVER if request.args.get("v") == brand.colour[1:] else BRIEFLY
    return response


@h5.app_template_global("brand_css_url")
def brand_css_url(brand: BrandFacts) -> str:
    return url_for("h5.brand_css", slug=brand.slug, v=brand.colour[1:])


@h5.get("/preview/<token>")
def preview_product(token: str) -> str:
    """A product's page as the first person to scan an item will see it. It records nothing."""
    shared = runtime()
    product_id = preview.read(shared.settings, token)
    with shared.db.reading() as session:
        product = catalog.load_page(session, product_id=product_id)
        brand = catalog.load_brand(session, brand_id=product.brand_id) if product else None
    if product is None or brand is None:
        raise preview.PreviewOver
    sample = SimpleNamespace(text="0" * 20, kind=Kind.INNER, batch=SimpleNamespace(is_test=False, lot=""))
    return render_template(
        "h5/preview.html",
        code=sample,
        brand=brand,
        product=product,
        links=links_for_people(shared.links.get(product.id), locale=current_locale()),
        life=None,
        verdict="first",
        history=History(),
        prize=SimpleNamespace(phase="none", offer=None, claim=None, can_claim=False),
        now=shared.now(),
        differs="",
        text="0" * 20,
        grouped=" ".join(["00000"] * 4),
    )
