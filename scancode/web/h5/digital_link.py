"""``GET /01/GTIN…``: the resolver of GS1 Digital Links. A person gets the page of the item or the product at once; a
program is sent to the link that fits its wishes, or gets the list of all.

The address is read strictly; only a slash at its end, and what may stand between the characters of a typed code, are
forgiven. Why a browser is answered in place and not redirected: decision 0019.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.wrappers import Response

from scancode.catalog.rules import BadCheckDigit, BadGtin, BrandFacts, ProductPage, check_gtin
from scancode.errors import NotFound, Refusal
from scancode.i18n import LOCALES, N_
from scancode.resolver.digital_link import NO_KEY, DigitalLink, NotDigitalLink, parse
from scancode.resolver.link_types import LINK_TYPES, read_link_type
from scancode.resolver.rules import Level, Wish, find_links, links_for_people, linkset, with_own_page
from scancode.web.clients import cookie_of
from scancode.web.guard import WorkNeeded
from scancode.web.h5 import h5
from scancode.web.h5.meeting import KNOWN
from scancode.web.h5.scan import answer as answer_scan
from scancode.web.language import COOKIE, current_locale
from scancode.web.problems import problem
from scancode.web.reading import NotOurs, ReadCode, brand_of, read_code
from scancode.web.runtime import Runtime, runtime

LINKSET, LD_JSON, JSON, HTML = "application/linkset+json", "application/ld+json", "application/json", "text/html"
LISTS = frozenset({"linkset", "all"})
"""Link types that ask for the list of all; ``all`` is how they asked before 2024."""
CONTEXT_PATH = "/linkset-context.jsonld"
OPEN_HEADERS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"),
    ("Access-Control-Allow-Headers", "Accept, Accept-Language, Content-Type"),
    ("Access-Control-Expose-Headers", "Link, Location, Content-Location"),
    ("Access-Control-Max-Age", "86400"),
)
"""For scripts of other hosts; never with their cookies."""
_IN_QUERY = "%/:=&?~#+!$,;'@()*[]-._"


class UnknownProduct(Refusal):
    code = "product_unknown"
    text = N_("We do not know a product of this number.")
    status = 404


class NoSuchLink(Refusal):
    code = "link_unknown"
    text = N_("There is no link of this type here.")
    status = 404


class NoSuchItem(Refusal):
    """The code is genuine, and belongs to another product or lot than the address says."""

    code = "item_unknown"
    text = N_("There is no such item: the code belongs to another product or lot than the address says.")
    status = 404


@dataclass(frozen=True)
class Asked:
    """A request as the resolver reads it."""

    link: DigitalLink
    base: str
    """The host that it was sent to, if it is one of ours."""
    link_type: str | None
    form: str | None
    """The media type of the list of all links, if that is wanted."""
    is_person: bool
    """Wants a page, by what the browser sends."""

    @property
    def anchor(self) -> str:
        return self.link.address(self.base)

    @property
    def wants_page(self) -> bool:
        return self.is_person and self.link_type is None and self.form is None


@h5.get("/01/<path:rest>")
def digital_link(rest: str) -> ResponseReturnValue:
    """A GTIN, alone or with lot, serial and the like; see GS1-Conformant Resolver."""
    is_person = _is_named(HTML) or _is_named("application/xhtml+xml")
    try:
        asked = _read(is_person)
        serial = asked.link.qualifier("21")
        return _of_product(asked) if serial is None else _of_item(asked, serial)
    except Refusal as refusal:
        if not is_person:
            return problem(refusal, refusal.sentence(gettext))
        last = rest.rstrip("/").rsplit("/", 1)[-1]
        typed = last if len(last) >= 20 else ""
        page = render_template(
            "h5/not_resolved.html", refusal=refusal, sentence=refusal.sentence(gettext), typed=typed[:40]
        )
        return page, refusal.status


@h5.get("/products/<gtin>")
def product_page(gtin: str) -> ResponseReturnValue:
    """About a product, for whoever has its number but no code."""
    try:
        product, brand = _product(runtime(), check_gtin(gtin))
    except (BadGtin, BadCheckDigit, UnknownProduct) as refusal:
        raise NotFound from refusal
    return _product_page(product, brand, lot="")


def _read(is_person: bool) -> Asked:
    """Raises NotDigitalLink."""
    base = base_of(runtime(), request.host)
    # As it was sent: in the path that WSGI hands over, an escaped slash within a value looks like any other.
    raw = str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or "")
    way = _forgiven(raw.partition("?")[0] if raw.startswith("/01/") else quote(request.path))
    query = quote(request.query_string.decode("latin-1"), safe=_IN_QUERY, encoding="latin-1")
    link = parse(f"{base}{way}{'?' if query else ''}{query}")
    if link.key[0] != "01":
        raise NotDigitalLink(problem=NO_KEY)
    link_type = request.args.get("linkType")
    return Asked(link, base, None if link_type in LISTS else link_type, _form(link_type, is_person), is_person)


def _forgiven(path: str) -> str:
    """Without slashes at the end; a typed code without spaces and hyphens."""
    segments = path.rstrip("/").split("/")
    last = segments[-1].replace("%20", "").replace("+", "").replace("-", "")
    if len(segments) > 2 and segments[-2] == "21" and len(segments[-1]) > 20 and len(last) == 20:
        segments[-1] = last
    return "/".join(segments)


def _form(link_type: str | None, is_person: bool) -> str | None:
    if _is_named(LINKSET):
        return LINKSET
    if link_type in LISTS:
        return HTML if is_person else LD_JSON if _is_named(LD_JSON) else JSON if _is_named(JSON) else LINKSET
    if link_type is None and not is_person:
        return next((form for form in (LD_JSON, JSON) if _is_named(form)), None)
    return None


def _is_named(mime: str) -> bool:
    """By its own name: what a program says that takes anything does not count."""
    return any(value.split(";")[0].strip().lower() == mime and quality for value, quality in request.accept_mimetypes)


def base_of(shared: Runtime, host: str) -> str:
    """The scan host that was asked; the usual one where the request names a host that is not ours."""
    bases = [base.lower() for base in shared.settings.scan_bases]
    return next((base for base in bases if base.partition("://")[2] == host.lower()), bases[0])


def _of_item(asked: Asked, serial: str) -> ResponseReturnValue:
    shared, gtin = runtime(), asked.link.key[1]
    known = request.environ.get(KNOWN)  # what the front has found out already
    try:
        if isinstance(known, NotOurs | WorkNeeded):
            raise known
        code = read_code(shared, serial, met_in=request.environ if asked.wants_page else None)
    except (NotOurs, WorkNeeded) as refusal:
        if not asked.wants_page:
            raise
        request.environ[KNOWN] = refusal
        return _headed(asked, answer_scan(serial))
    lot = asked.link.qualifier("10")
    differs = "gtin" if code.product.gtin != gtin else "lot" if _is_other_lot(code, lot) else ""
    if differs and (asked.link_type or asked.form):
        raise NoSuchItem
    place = f"{asked.base}/{code.text}"
    if asked.wants_page or differs:
        return _headed(asked, answer_scan(serial, differs=differs), place=place)
    locale = current_locale()
    links = shared.links.get(code.product.id)
    name = code.product.name(locale)
    item = gettext("%(name)s, item %(code)s", name=name, code=code.text)
    levels = [
        Level(asked.anchor, item, links.of_batches.get(code.batch.number, ())),
        Level(f"{asked.base}/01/{gtin}", name, links.own),
    ]
    title = gettext("Is it genuine? %(name)s", name=name)
    levels = with_own_page(levels, 0, href=place, title=title, languages=LOCALES, is_verdict=True)
    return _follow(asked, levels, code.brand)


def _is_other_lot(code: ReadCode, lot: str | None) -> bool:
    return bool(lot and code.batch.lot) and lot is not None and lot.casefold() != code.batch.lot.casefold()


def _of_product(asked: Asked) -> ResponseReturnValue:
    shared, gtin = runtime(), asked.link.key[1]
    product, brand = _product(shared, gtin)
    links, lot = shared.links.get(product.id), asked.link.qualifier("10")
    name = product.name(current_locale())
    levels = [Level(f"{asked.base}/01/{gtin}", name, links.own)]
    of_lot = links.of_lots.get(lot or "", ())
    if of_lot:
        described = gettext("%(name)s, lot %(lot)s", name=name, lot=lot)
        levels.insert(0, Level(asked.anchor, described, of_lot))
    href = f"{asked.base}{url_for('h5.product_page', gtin=gtin)}"
    levels = with_own_page(levels, len(levels) - 1, href=href, title=name, languages=LOCALES, is_verdict=False)
    default = next(level.default for level in levels if level.default is not None)
    if asked.wants_page and default is not None and default.id is None:
        return _headed(asked, _product_page(product, brand, lot=lot or ""), place=href)
    return _follow(asked, levels, brand)


def _product(shared: Runtime, gtin: str) -> tuple[ProductPage, BrandFacts]:
    """Raises UnknownProduct."""
    product_id = shared.gtins.get(None).get(gtin)
    product = shared.products.get(product_id) if product_id else None
    if product is None:
        raise UnknownProduct
    return product, brand_of(shared, product.brand_id)


def _product_page(product: ProductPage, brand: BrandFacts, *, lot: str) -> str:
    return render_template(
        "h5/product.html",
        product=product,
        brand=brand,
        lot=lot,
        links=links_for_people(runtime().links.get(product.id), locale=current_locale()),
    )


def _follow(asked: Asked, levels: list[Level], brand: BrandFacts) -> ResponseReturnValue:
    """To the link that fits, to a choice of several, or the list of all."""
    if asked.form is not None:
        return _list(asked, levels, brand, form=asked.form)
    link_type = None if asked.link_type is None else read_link_type(asked.link_type) or "?"
    found = find_links(levels, link_type, _wish())
    if not found:
        raise NoSuchLink
    if len(found) > 1:
        choice = [Level(levels[0].anchor, levels[0].description, found)]
        return _list(asked, choice, brand, form=HTML if asked.is_person else LINKSET, status=300)
    response = Response(status=307)
    response.headers["Location"] = _with_query(found[0].href)
    return _headed(asked, response)


def _with_query(href: str) -> str:
    """The whole query goes on to where the request is sent."""
    query = quote(request.query_string.decode("latin-1"), safe=_IN_QUERY, encoding="latin-1")
    if not query:
        return href
    place, hash_, fragment = href.partition("#")
    return f"{place}{'&' if '?' in place else '?'}{query}{hash_}{fragment}"


def _wish() -> Wish:
    """A language that the person chose here counts more than what the browser says."""
    chosen = request.args.get("lang") or cookie_of(request.environ, COOKIE)
    languages: tuple[tuple[str, float], ...] = tuple(request.accept_languages)
    if chosen in LOCALES:
        languages = ((str(chosen), 1.0), *((language, quality * 0.5) for language, quality in languages))
    if all(language == "*" for language, _ in languages):
        languages = ()
    accepted = request.accept_mimetypes
    return Wish(languages, (lambda mime: float(accepted.quality(mime))) if accepted else (lambda _: 1.0))


def _list(asked: Asked, levels: list[Level], brand: BrandFacts, *, form: str, status: int = 200) -> ResponseReturnValue:
    shown = [level for level in levels if level.links]
    if form == HTML:
        names = {name: gettext(text) for name, text in LINK_TYPES.items()}
        body = render_template("h5/link_list.html", levels=shown, brand=brand, names=names, is_choice=status == 300)
        return _headed(asked, Response(body, status, mimetype=HTML))
    found: dict[str, Any] = linkset(shown)
    if form == LD_JSON:
        found = {"@context": context_url(asked.base), **found}
    response = Response(json.dumps(found, ensure_ascii=False), status, content_type=form)
    return _headed(asked, response)


def context_url(base: str) -> str:
    return f"{base}{CONTEXT_PATH}"


def _headed(
    asked: Asked, answer: str | Response | tuple[str | Response, int], *, place: str = ""
) -> ResponseReturnValue:
    """The answer with what a resolver says about it. ``place``: where the page that it holds stands by itself."""
    body, status = answer if isinstance(answer, tuple) else (answer, None)
    response = Response(body, status or 200, mimetype=HTML) if isinstance(body, str) else body
    response.headers.extend(headers_of(asked.base, asked.anchor, place))
    return response


def headers_of(base: str, anchor: str, place: str = "") -> list[tuple[str, str]]:
    """What every answer of the resolver says: where the list of all links is, what the answer depends on, and
    ``place``, where the page that it holds stands by itself."""
    relations = (
        f'<{anchor}?linkType=linkset>; rel="linkset"; type="{LINKSET}", '
        f'<{context_url(base)}>; rel="http://www.w3.org/ns/json-ld#context"; type="{LD_JSON}"'
    )
    found = [("Link", relations), ("Vary", "Accept, Accept-Language")]
    return [*found, ("Content-Location", place)] if place else found
