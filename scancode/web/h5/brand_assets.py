"""What consumer pages are dressed in: a brand's colours, the pictures of its products, and a preview of a page.

Pictures and stylesheets are named by the hash of what they hold, so browsers keep both for ever.
"""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

from flask import Response, render_template, request, url_for
from flask_babel import gettext

from batches.codes import Kind
from scancode.catalog import service as catalog
from scancode.catalog.looks import Look, read_look, stylesheet, version
from scancode.catalog.rules import BrandFacts, ProductPage
from scancode.errors import NotFound
from scancode.resolver.rules import links_for_people
from scancode.scans.rules import History
from scancode.web import preview
from scancode.web.h5 import h5
from scancode.web.language import current_locale
from scancode.web.runtime import runtime
from scancode.web.security import policy_of

FOREVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=300"
SAMPLE = UUID(int=0)


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
    """The look of a brand as custom properties. With ``colour``, ``accent`` and ``font``: one that is tried out."""
    with runtime().db.reading() as session:
        brand = catalog.find_brand(session, slug=slug)
    if brand is None:
        raise NotFound
    look = _tried(brand.look)
    response = Response(stylesheet(look), mimetype="text/css")
    response.headers["Cache-Control"] = FOREVER if request.args.get("v") == version(look) else BRIEFLY
    return response


def _tried(saved: Look) -> Look:
    given = request.args
    return read_look(
        given.get("colour", saved.colour),
        given.get("accent", saved.accent),
        given.get("font", saved.font),
        otherwise=saved,
    )


@h5.app_template_global("brand_css_url")
def brand_css_url(brand: BrandFacts) -> str:
    """The address of the brand's stylesheet, which carries the hash of what it says."""
    return url_for("h5.brand_css", slug=brand.slug, v=version(brand.look))


@h5.get("/preview/look/<token>")
def preview_look(token: str) -> Response:
    """A page in a look that is being tried out, for the frame beside the console's form. It records nothing."""
    shared = runtime()
    brand = shared.brands.get(preview.read_brand(shared.settings, token))
    if brand is None:
        raise preview.PreviewOver
    look = _tried(brand.look)
    sample = SimpleNamespace(name=lambda locale: gettext("Your campaign"), campaign_id=SAMPLE, ends_at=shared.now())
    page = _sample_page(
        brand,
        _sample_product(brand),
        prize=SimpleNamespace(phase="running", offer=sample, claim=None, can_claim=True, is_member=False),
        look_url=url_for(
            "h5.brand_css", slug=brand.slug, colour=look.colour, accent=look.accent, font=look.font, v=version(look)
        ),
    )
    response = Response(page, mimetype="text/html")
    policy = policy_of(shared.settings).replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    response.headers["Content-Security-Policy"] = policy
    return response


def _sample_product(brand: BrandFacts) -> ProductPage:
    """The brand's newest product, or one that is made up."""
    with runtime().db.reading() as session:
        rows = catalog.list_products(session, brand_id=brand.id, limit=1)
        found = catalog.load_page(session, product_id=rows[0].id) if rows else None
    name_zh, name_en = "您的产品", "Your product"
    return found or ProductPage(SAMPLE, brand.id, "0" * 14, name_zh, name_en, "", "", "", "", False, ())


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
    prize = SimpleNamespace(
        phase="none", offer=None, claim=None, can_claim=False, is_member=False, others=(), trial_of=None
    )
    return _sample_page(
        brand,
        product,
        prize=prize,
        links=links_for_people(shared.links.get(product.id), locale=current_locale()),
    )


def _sample_page(brand: BrandFacts, product: ProductPage, **more: object) -> str:
    """The page of a first scan, of a code that is none."""
    code = SimpleNamespace(text="0" * 20, kind=Kind.INNER, batch=SimpleNamespace(is_test=False, lot=""))
    return render_template(
        "h5/preview.html",
        code=code,
        brand=brand,
        product=product,
        life=None,
        verdict="first",
        history=History(),
        now=runtime().now(),
        differs="",
        text="0" * 20,
        grouped=" ".join(["00000"] * 4),
        **more,
    )
