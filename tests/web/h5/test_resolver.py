"""GS1-Conformant Resolver, clause by clause: what GS1's public test suite asks of a resolver, and what its list of
requirements says beside. ``PROGRAM`` asks as that suite does, without saying what it takes; ``PHONE`` is a browser."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from jsonschema_rs import Draft7Validator
from sqlalchemy import delete, event, func, select
from werkzeug.test import TestResponse

from batches import codes as press
from scancode import config
from scancode.app import create_app
from scancode.catalog import revision
from scancode.resolver import service as resolver
from scancode.resolver.link_types import LINK_TYPES
from scancode.resolver.models import ProductLink
from scancode.resolver.rules import LinkDraft
from scancode.scans.models import Scan, ScanMiss
from scancode.wiring import Wired, connect
from tests import factories
from tests.conftest import SECRETS
from tests.web.console.office import words

GS1 = Path(__file__).parent.parent.parent / "resolver" / "gs1"
VOC = "https://ref.gs1.org/voc/"
HOST = "https://q.example"
GTIN, OTHER_GTIN, NOBODYS = "06901234567892", "09506000134352", "09520123456788"
PROGRAM: dict[str, str] = {}
PHONE = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Language": "en"}
LINKSET = {"Accept": "application/linkset+json"}
MINUTES = itertools.count()


@dataclass(frozen=True)
class Shelf:
    """A product with a batch of lot L-1 and one without a lot; another product without links."""

    wired: Wired
    client: FlaskClient
    product_id: UUID
    batch: int
    lotless: int

    def code(self, serial: int = 7, batch: int | None = None) -> str:
        key = self.wired.keyring.derive("t1", bytes(16))
        return press.mint_one(key, batch or self.batch, press.Kind.INNER, serial)

    def item(self, serial: int = 7) -> str:
        return f"/01/{GTIN}/21/{self.code(serial)}"

    def add(self, link_type: str, href: str, *, batch: int | None = None, **over: Any) -> UUID:
        draft = LinkDraft(**{"link_type": link_type, "href": href, "title": link_type, **over})  # type: ignore[arg-type]
        with self.wired.db.transaction() as session:
            made = resolver.save_link(
                session, link_id=None, product_id=self.product_id, batch_number=batch, draft=draft, own_hosts=(HOST,),
                actor="test", now=factories.NOW + timedelta(minutes=next(MINUTES)),
            )  # fmt: skip
        self.look()
        return made

    def look(self) -> None:
        self.client.application.extensions["scancode"].watch.look()

    def get(self, path: str, headers: dict[str, str] = PROGRAM, method: str = "GET") -> TestResponse:
        return self.client.open(path, method=method, headers=headers, base_url=HOST)

    def linkset(self, path: str) -> list[dict[str, Any]]:
        answer = self.get(path, LINKSET)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found: list[dict[str, Any]] = json.loads(answer.data)["linkset"]
        return found

    def scans(self, table: type[Scan] | type[ScanMiss] = Scan) -> int:
        with self.wired.db.reading() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture(scope="module")
def house(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """One program for all: most of what is asked here changes nothing. The tables have tests on both databases."""
    folder = tmp_path_factory.mktemp("resolver")
    shutil.copy(sqlite_template, folder / "a.sqlite")
    over = {"env": "test", "base_url": "http://127.0.0.1:8000", "scan_hosts": HOST, "var_dir": folder}
    wired = connect(config.load({}, database_url=f"sqlite:///{folder / 'a.sqlite'}", **over, **SECRETS))
    with wired.db.transaction() as session:
        brand = factories.make_brand(session)
        product = factories.make_product(session, brand_id=brand.id, gtin=GTIN, story_en="From the spring.")
        factories.make_product(session, brand_id=brand.id, gtin=OTHER_GTIN, name_en="Other water")
        batch = factories.make_batch(session, brand_id=brand.id, product_id=product.id, lot="L-1")
        lotless = factories.make_batch(session, brand_id=brand.id, product_id=product.id)
        for each in (batch, lotless):
            factories.make_life(session, batch_number=each.number, first=0, last=999)
        revision.bump(session)
    app = create_app(wired=wired)
    yield Shelf(wired, app.test_client(), product.id, batch.number, lotless.number)
    wired.db.close()


@pytest.fixture
def shelf(house: Shelf) -> Iterator[Shelf]:
    """The same without links and scans, and a browser that has been nowhere."""
    yield replace(house, client=house.client.application.test_client())
    with house.wired.db.transaction(durable=False) as session:
        if session.scalar(select(ProductLink.id).limit(1)):
            session.execute(delete(ProductLink))
            revision.bump(session)
        session.execute(delete(Scan))
        session.execute(delete(ScanMiss))
    house.look()


def location(answer: TestResponse) -> str:
    assert answer.status_code == 307, (answer.status_code, answer.get_data(as_text=True)[:300])
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.headers["Location"]


# «SHALL provide a resolver description file at /.well-known/gs1resolver», with the primary keys and the context file.


def test_the_description_file_says_what_it_must(shelf: Shelf) -> None:
    answer = shelf.get("/.well-known/gs1resolver")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    described = answer.get_json()
    assert (described["resolverRoot"], described["supportedPrimaryKeys"]) == (HOST, ["01"])
    assert described["supportedLinkType"][0] == {"namespace": VOC, "prefix": "gs1:"}
    assert described["notSupported"]


def test_the_description_of_an_unknown_host_is_that_of_the_usual_one(shelf: Shelf) -> None:
    described = shelf.client.get("/.well-known/gs1resolver", base_url="https://evil.example").get_json()
    assert described["resolverRoot"] == "http://127.0.0.1:8000"


def test_the_context_file_is_served_as_json_ld(shelf: Shelf) -> None:
    place = shelf.get("/.well-known/gs1resolver").get_json()["jsonLdContextLocation"]
    answer = shelf.get(place.removeprefix(HOST))
    assert (answer.status_code, answer.content_type) == (200, "application/ld+json")
    assert json.loads(answer.data)["@context"]["anchor"] == "@id"


# «SHALL support HTTP 1.1 (or higher) GET, HEAD and OPTIONS requests», «SHALL support CORS»


@pytest.mark.parametrize("path", [f"/01/{GTIN}", f"/01/{GTIN}/10/L-1", "item", f"/01/{GTIN}/foo", f"/01/{NOBODYS}"])
def test_every_answer_may_be_read_by_scripts_of_other_hosts(shelf: Shelf, path: str) -> None:
    answer = shelf.get(shelf.item() if path == "item" else path)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_options_names_the_methods(shelf: Shelf) -> None:
    answer = shelf.get(shelf.item(), method="OPTIONS")
    assert answer.status_code == 200
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("headers", [PROGRAM, PHONE, LINKSET], ids=["program", "phone", "linkset"])
def test_head_answers_as_get_does_and_records_nothing(shelf: Shelf, headers: dict[str, str]) -> None:
    head = shelf.get(shelf.item(), headers, method="HEAD")
    assert shelf.scans() == 0
    get = shelf.get(shelf.item(), headers)
    assert (head.status_code, head.data) == (get.status_code, b"")
    for name in ("Location", "Content-Type", "Link"):
        assert head.headers.get(name) == get.headers.get(name)


# «SHALL extract and syntactically validate the URI and report errors with an HTTP response code of 400»


@pytest.mark.parametrize(
    "path",
    [
        f"/01/{GTIN}/foo", f"/01/{GTIN}/foo/bar", "/01/6901234567892", "/01/06901234567893", f"/01/{GTIN}/21/a/10/b",
        f"/01/{GTIN}/10/", f"/01/{GTIN}/21/123456789012345678901", f"/01/{GTIN}?10=L", f"/01/{GTIN}?123=4",
        f"/01/{GTIN}?17=271331", f"/01/{GTIN}/10/a%20b",
    ],
)  # fmt: skip
@pytest.mark.parametrize("headers", [PROGRAM, PHONE], ids=["program", "phone"])
def test_what_is_no_digital_link_is_answered_with_400(shelf: Shelf, path: str, headers: dict[str, str]) -> None:
    answer = shelf.get(path, headers)
    assert answer.status_code == 400
    if headers is PROGRAM:
        assert answer.content_type == "application/problem+json"
        assert answer.get_json()["code"] == "not_digital_link"
    else:
        shown = words(answer)
        assert "This address is not complete" in shown
        # What to do comes first, what is wrong with the address last.
        assert shown.index("type it below") < shown.index("no valid GS1 Digital Link")


# «SHALL NOT use a 200 OK response code with a resource that indicates an error condition»


@pytest.mark.parametrize("headers", [PROGRAM, PHONE, LINKSET], ids=["program", "phone", "linkset"])
def test_a_product_that_is_nobodys_is_not_found(shelf: Shelf, headers: dict[str, str]) -> None:
    assert shelf.get(f"/01/{NOBODYS}", headers).status_code == 404


@pytest.mark.parametrize("serial", ["0" * 20, "ABC"])
@pytest.mark.parametrize("headers", [PROGRAM, PHONE, LINKSET], ids=["program", "phone", "linkset"])
def test_a_serial_that_is_no_code_of_ours_is_not_found(shelf: Shelf, serial: str, headers: dict[str, str]) -> None:
    """It names no item, whatever the product; walking up to the product's page would vouch for a counterfeit."""
    assert shelf.get(f"/01/{GTIN}/21/{serial}", headers).status_code == 404


# «SHOULD tolerate trailing slashes»


@pytest.mark.parametrize("path", [f"/01/{GTIN}", f"/01/{GTIN}/10/L-1", "item"])
@pytest.mark.parametrize("headers", [PROGRAM, PHONE, LINKSET], ids=["program", "phone", "linkset"])
def test_a_slash_at_the_end_changes_nothing(shelf: Shelf, path: str, headers: dict[str, str]) -> None:
    path = shelf.item() if path == "item" else path
    plain, slashed = shelf.get(path, headers), shelf.get(f"{path}/", headers)
    assert plain.status_code == slashed.status_code
    assert plain.headers.get("Location") == slashed.headers.get("Location")
    assert plain.headers["Link"] == slashed.headers["Link"]


# «For primary keys that have key qualifiers, all key qualifiers SHALL be supported», and walking up the tree


@pytest.mark.parametrize("way", ["10/KL8G", "22/V2", "22/V2/10/KL8G", "235/TPX-9"])
def test_an_unknown_qualifier_walks_up_without_a_detour(shelf: Shelf, way: str) -> None:
    shelf.add("pip", "https://brand.example/water", is_default=True)
    assert location(shelf.get(f"/01/{GTIN}/{way}")) == "https://brand.example/water"
    assert location(shelf.get(f"/01/{GTIN}/{way}?linkType=gs1:pip")).startswith("https://brand.example/water?")


def test_every_qualifier_may_stand_before_a_code(shelf: Shelf) -> None:
    answer = shelf.get(f"/01/{GTIN}/22/V2/10/L-1/21/{shelf.code()}", PHONE)
    assert (answer.status_code, "genuine" in words(answer)) == (200, True)


def test_a_link_is_looked_for_at_the_item_then_at_the_lot_then_at_the_product(shelf: Shelf) -> None:
    shelf.add("instructions", "https://brand.example/manual")
    shelf.add("instructions", "https://brand.example/manual-of-this-lot", batch=shelf.batch)
    assert location(shelf.get(f"{shelf.item()}?linkType=gs1:instructions")).startswith(
        "https://brand.example/manual-of"
    )
    assert location(shelf.get(f"/01/{GTIN}/10/L-1?linkType=gs1:instructions")).startswith(
        "https://brand.example/manual-of"
    )
    assert "manual?" in location(shelf.get(f"/01/{GTIN}?linkType=gs1:instructions"))
    other = f"/01/{GTIN}/21/{shelf.code(7, shelf.lotless)}"
    assert "manual?" in location(shelf.get(f"{other}?linkType=gs1:instructions"))


# Linksets: «SHALL respond to … linkType set to linkset and/or … Accept … application/linkset+json»


@pytest.mark.parametrize("path", [f"/01/{GTIN}", f"/01/{GTIN}/10/L-1", "item"])
@pytest.mark.parametrize(
    ("query", "headers", "form"),
    [
        ("?linkType=linkset", PROGRAM, "application/linkset+json"),
        ("?linkType=all", PROGRAM, "application/linkset+json"),
        ("", LINKSET, "application/linkset+json"),
        ("?linkType=all", LINKSET, "application/linkset+json"),
        ("?linkType=linkset", {"Accept": "application/json"}, "application/json"),
        ("", {"Accept": "application/json"}, "application/json"),
        ("?linkType=linkset", {"Accept": "application/ld+json"}, "application/ld+json"),
        ("?linkType=linkset", PHONE, "text/html; charset=utf-8"),
    ],
)
def test_the_list_of_all_links_is_given_without_a_redirect(
    shelf: Shelf, path: str, query: str, headers: dict[str, str], form: str
) -> None:
    answer = shelf.get((shelf.item() if path == "item" else path) + query, headers)
    assert (answer.status_code, answer.content_type) == (200, form)
    assert shelf.scans() == 0


def filled(shelf: Shelf) -> None:
    """Links as a brand would keep them, at every level."""
    shelf.add("pip", "https://brand.example/water?x=1", title="Water", language="en", is_default=True)
    shelf.add("pip", "https://brand.example/shui", title="水", language="zh", media_type="text/html")
    shelf.add("instructions", "https://brand.example/manual.pdf", media_type="application/pdf", language="zh-CN")
    shelf.add("recyclingInfo", "https://brand.example/recycle#bottle")
    shelf.add("certificationInfo", "https://lab.example/1", title="Lab 1")
    shelf.add("certificationInfo", "https://lab.example/2", title="Lab 2")
    shelf.add("recallStatus", "https://brand.example/lot", batch=shelf.batch, is_default=True)
    shelf.add("traceability", "https://brand.example/spring", batch=shelf.lotless)


@pytest.mark.parametrize("is_filled", [True, False], ids=["filled", "bare"])
@pytest.mark.parametrize("path", [f"/01/{GTIN}", f"/01/{GTIN}/10/L-1", "item"])
def test_a_linkset_fits_the_schema_of_gs1(shelf: Shelf, path: str, is_filled: bool) -> None:
    if is_filled:
        filled(shelf)
    schema = Draft7Validator(json.loads((GS1 / "gs1-linkset-schema.json").read_text("utf-8")))
    assert not list(schema.iter_errors(json.loads((GS1 / "modelLinkset.json").read_text("utf-8"))))
    found = {"linkset": shelf.linkset(shelf.item() if path == "item" else path)}
    assert not list(schema.iter_errors(found))


def test_a_linkset_holds_the_links_of_each_level_up_to_the_key(shelf: Shelf) -> None:
    filled(shelf)
    item, product = shelf.linkset(f"{shelf.item()}/?17=271231&foo=bar")
    assert item["anchor"] == f"{HOST}{shelf.item()}"
    assert f"{VOC}recallStatus" in item
    assert product["anchor"] == f"{HOST}/01/{GTIN}"
    assert f"{VOC}certificationInfo" in product
    lot, product = shelf.linkset(f"/01/{GTIN}/10/L-1")
    assert lot["anchor"] == f"{HOST}/01/{GTIN}/10/L-1"
    assert [target["href"] for target in lot[f"{VOC}recallStatus"]] == ["https://brand.example/lot"]


def test_every_link_has_target_and_title_and_says_what_is_known_of_it(shelf: Shelf) -> None:
    filled(shelf)
    (product,) = shelf.linkset(f"/01/{GTIN}")
    assert product[f"{VOC}instructions"] == [
        {
            "href": "https://brand.example/manual.pdf",
            "title": "instructions",
            "type": "application/pdf",
            "hreflang": ["zh-CN"],
        }
    ]
    assert product["itemDescription"]


@pytest.mark.parametrize("path", [f"/01/{GTIN}", f"/01/{GTIN}/10/L-1", "item"])
@pytest.mark.parametrize("is_filled", [True, False], ids=["filled", "bare"])
def test_there_is_one_default_and_it_is_described_as_well(shelf: Shelf, path: str, is_filled: bool) -> None:
    if is_filled:
        filled(shelf)
    path = shelf.item() if path == "item" else path
    levels = shelf.linkset(path)
    nearest = next(level for level in levels if f"{VOC}defaultLink" in level)
    for level in levels:
        for link in level.get(f"{VOC}defaultLink", []):
            assert set(link) == {"href", "title"}
            others = [links for name, links in level.items() if isinstance(links, list) and "default" not in name]
            assert link["href"] in {target["href"] for links in others for target in links}
    (default,) = nearest[f"{VOC}defaultLink"]
    assert location(shelf.get(path)) == default["href"]


def test_variants_of_the_default_are_told(shelf: Shelf) -> None:
    filled(shelf)
    (product,) = shelf.linkset(f"/01/{GTIN}")
    assert [each["hreflang"] for each in product[f"{VOC}defaultLinkMulti"]] == [["en"], ["zh"]]
    chinese, english = "https://brand.example/shui", "https://brand.example/water?x=1"
    for wished, target in (("zh-CN,zh;q=0.9", chinese), ("en-GB", english)):
        assert location(shelf.get(f"/01/{GTIN}", {"Accept-Language": wished})) == target
    for wished in ({}, {"Accept-Language": "fr"}, {"Accept-Language": "*"}):
        assert location(shelf.get(f"/01/{GTIN}", wished)) == "https://brand.example/water?x=1"


def test_a_single_variant_is_none(shelf: Shelf) -> None:
    assert all(f"{VOC}defaultLinkMulti" not in level for level in shelf.linkset(shelf.item()))


def test_link_types_are_those_of_gs1(shelf: Shelf) -> None:
    filled(shelf)
    for level in shelf.linkset(shelf.item()):
        for name in set(level) - {"anchor", "itemDescription", "describedby"}:
            assert name.removeprefix(VOC) in {*LINK_TYPES, "defaultLink", "defaultLinkMulti"}


def test_json_ld_names_its_context(shelf: Shelf) -> None:
    answer = shelf.get(f"/01/{GTIN}?linkType=linkset", {"Accept": "application/ld+json"})
    assert json.loads(answer.data)["@context"] == f"{HOST}/linkset-context.jsonld"


# «SHOULD include an HTTP Link header pointing to a JSON-LD context file», «SHOULD expose link to the linkset …»


@pytest.mark.parametrize("headers", [PROGRAM, PHONE, LINKSET], ids=["redirect", "page", "linkset"])
def test_the_link_header_names_linkset_and_context_and_no_link_of_the_set(
    shelf: Shelf, headers: dict[str, str]
) -> None:
    parts = shelf.get(f"{shelf.item()}/?foo=bar", headers).headers["Link"].split(", ")
    assert parts[0] == f'<{HOST}{shelf.item()}?linkType=linkset>; rel="linkset"; type="application/linkset+json"'
    assert 'rel="http://www.w3.org/ns/json-ld#context"' in parts[1]
    assert 'type="application/ld+json"' in parts[1]
    assert len(parts) == 2
    assert shelf.get(parts[0].split(">")[0].removeprefix(f"<{HOST}")).status_code == 200


# «SHALL redirect to the default link unless there is information supplied in the request …»


def test_a_program_is_sent_to_the_default_link(shelf: Shelf) -> None:
    assert location(shelf.get(shelf.item())) == f"{HOST}/{shelf.code()}"
    assert location(shelf.get(f"/01/{GTIN}")) == f"{HOST}/products/{GTIN}"
    assert shelf.get(f"/products/{GTIN}").status_code == 200
    assert location(shelf.get(f"{shelf.item()}?linkType=gs1:defaultLink")).startswith(f"{HOST}/{shelf.code()}?")


def test_a_lower_case_code_is_the_same_item(shelf: Shelf) -> None:
    assert location(shelf.get(f"/01/{GTIN}/21/{shelf.code().lower()}")) == f"{HOST}/{shelf.code()}"


def test_the_default_of_an_item_is_its_own_page_whatever_the_brand_has_for_the_product(shelf: Shelf) -> None:
    shelf.add("pip", "https://brand.example/water", is_default=True)
    assert location(shelf.get(shelf.item())) == f"{HOST}/{shelf.code()}"
    assert shelf.get(shelf.item(), PHONE).status_code == 200
    shelf.add("promotion", "https://brand.example/win", batch=shelf.batch, is_default=True)
    assert location(shelf.get(f"/01/{GTIN}/10/L-1")) == "https://brand.example/win"
    assert shelf.get(shelf.item(), PHONE).status_code == 200, "a verdict is never hidden behind an advertisement"
    assert location(shelf.get(shelf.item())) == f"{HOST}/{shelf.code()}"


# «SHALL redirect to the requested type of link if available», else «SHALL return a 404»


@pytest.mark.parametrize("before", ["gs1:", VOC, "https://gs1.org/voc/", "http%3A%2F%2Fgs1.org%2Fvoc%2F"])
@pytest.mark.parametrize("headers", [PROGRAM, PHONE], ids=["program", "phone"])
def test_the_type_asked_for_is_where_it_leads(shelf: Shelf, before: str, headers: dict[str, str]) -> None:
    filled(shelf)
    asked = f"{before}recyclingInfo"
    for path in (f"/01/{GTIN}", shelf.item(), f"/01/{GTIN}/10/L-1"):
        place = location(shelf.get(f"{path}?linkType={asked}", headers))
        assert place == f"https://brand.example/recycle?linkType={asked}#bottle"


@pytest.mark.parametrize(
    "asked", ["gs1:nosuchlt", "gs1:epcis", "pip", "https://schema.org/url", "", "%00x", "gs1:pip'"]
)
def test_a_type_that_is_not_there_is_not_found(shelf: Shelf, asked: str) -> None:
    for path in (f"/01/{GTIN}", shelf.item()):
        answer = shelf.get(f"{path}?linkType={asked}")
        assert answer.status_code == (400 if "%00" in asked else 404), asked


def test_every_link_of_the_set_can_be_reached(shelf: Shelf) -> None:
    filled(shelf)
    for path in (f"/01/{GTIN}", f"/01/{GTIN}/10/L-1", shelf.item()):
        seen: set[str] = set()
        for level in shelf.linkset(path):
            for name, links in level.items():
                if not isinstance(links, list) or "default" in name or name in seen:
                    continue
                seen.add(name)
                for link in links:
                    asked = {"Accept": link.get("type", "*/*"), "Accept-Language": (link.get("hreflang") or ["*"])[0]}
                    relation = name.replace(VOC, "gs1:")
                    answer = shelf.get(f"{path}?linkType={relation}", asked)
                    if "Lab" in link["title"]:
                        assert answer.status_code == 300
                    else:
                        place, _, fragment = location(answer).partition("#")
                        assert place.split("linkType=")[0][:-1] + (f"#{fragment}" if fragment else "") == link["href"]


# «Where it is impossible to determine which of multiple links … is the best match … 300 Multiple Choices»


def test_what_cannot_be_decided_is_a_choice(shelf: Shelf) -> None:
    filled(shelf)
    answer = shelf.get(f"{shelf.item()}?linkType=gs1:certificationInfo")
    assert (answer.status_code, answer.content_type) == (300, "application/linkset+json")
    (level,) = json.loads(answer.data)["linkset"]
    assert [link["title"] for link in level[f"{VOC}certificationInfo"]] == ["Lab 1", "Lab 2"]
    page = shelf.get(f"{shelf.item()}?linkType=gs1:certificationInfo", PHONE)
    assert (page.status_code, "Several pages fit" in words(page), "Lab 2" in words(page)) == (300, True, True)


def test_languages_of_which_none_was_wished_for_are_a_choice_unless_one_is_the_default(shelf: Shelf) -> None:
    shelf.add("faqs", "https://brand.example/fr", language="fr")
    shelf.add("faqs", "https://brand.example/de", language="de")
    assert shelf.get(f"/01/{GTIN}?linkType=gs1:faqs").status_code == 300
    assert "/de?" in location(shelf.get(f"/01/{GTIN}?linkType=gs1:faqs", {"Accept-Language": "fr;q=0.5, de-AT"}))
    shelf.add("faqs", "https://brand.example/ja", language="ja", is_default=True)
    assert "/ja?" in location(shelf.get(f"/01/{GTIN}?linkType=gs1:faqs"))


def test_a_language_chosen_on_our_pages_counts_more_than_the_browsers(shelf: Shelf) -> None:
    filled(shelf)
    shelf.get(f"/products/{GTIN}?lang=zh", PHONE)
    assert "/shui" in location(shelf.get(f"/01/{GTIN}", PHONE))


# «By default, SHALL pass on all key=value pairs in the query string of the request URI … when redirecting»


@pytest.mark.parametrize(
    ("href", "query", "place"),
    [
        ("https://brand.example/a", "foo=bar&17=271231", "https://brand.example/a?foo=bar&17=271231"),
        ("https://brand.example/a?x=1#top", "foo=%E6%B0%B4&linkType=gs1:pip", "https://brand.example/a?x=1&foo=%E6%B0%B4&linkType=gs1:pip#top"),
        ("https://brand.example/a", "foo=a|b%0D%0AX:y&&z", "https://brand.example/a?foo=a%7Cb%0D%0AX:y&&z"),
    ],
)  # fmt: skip
def test_the_whole_query_goes_on(shelf: Shelf, href: str, query: str, place: str) -> None:
    shelf.add("pip", href, is_default=True)
    assert location(shelf.get(f"/01/{GTIN}?{query}")) == place
    assert location(shelf.get(f"{shelf.item()}?{query.replace('linkType=gs1:pip', 'a=b')}")).startswith(
        f"{HOST}/{shelf.code()}?foo="
    )


# What a person sees


def test_a_phone_gets_the_verdict_at_once(shelf: Shelf) -> None:
    answer = shelf.get(f"{shelf.item()}?17=271231", PHONE)
    assert answer.status_code == 200
    assert "This item is genuine" in words(answer)
    assert answer.headers["Content-Location"] == f"{HOST}/{shelf.code()}"
    assert {"Cookie", "Accept", "Accept-Language"} <= set(", ".join(answer.headers.getlist("Vary")).split(", "))
    assert shelf.scans() == 1


def test_a_program_that_follows_records_one_scan(shelf: Shelf) -> None:
    place = location(shelf.get(shelf.item()))
    assert shelf.scans() == 0
    assert shelf.get(place.removeprefix(HOST)).status_code == 200
    assert shelf.scans() == 1


@pytest.mark.parametrize(
    "typed",
    [
        lambda code: f"{code[:5]}-{code[5:10]}-{code[10:15]}-{code[15:]}".lower(),
        lambda code: f"{code[:10]}%20{code[10:]}/",
        lambda code: code.replace("0", "o").replace("1", "L"),
    ],
    ids=["hyphens, lower case", "a space, a slash", "O and L"],
)
def test_a_code_typed_by_hand_is_read(shelf: Shelf, typed: Callable[[str], str]) -> None:
    answer = shelf.get(f"/01/{GTIN}/21/{typed(shelf.code())}", PHONE)
    assert (answer.status_code, "This item is genuine" in words(answer)) == (200, True)


@pytest.mark.parametrize("headers", [PROGRAM, PHONE], ids=["program", "phone"])
@pytest.mark.parametrize("gtin", [OTHER_GTIN, NOBODYS], ids=["another of ours", "nobody's"])
def test_another_gtin_shows_the_codes_own_product_with_a_warning(
    shelf: Shelf, gtin: str, headers: dict[str, str]
) -> None:
    answer = shelf.get(f"/01/{gtin}/21/{shelf.code()}", {"Accept-Language": "en", **headers})
    page = words(answer)
    assert answer.status_code == 200
    assert "not this product's" in page
    assert "Lemon water" in page
    assert GTIN in page
    assert "Other water" not in page
    assert gtin not in page


def test_another_gtin_has_no_links(shelf: Shelf) -> None:
    filled(shelf)
    path = f"/01/{OTHER_GTIN}/21/{shelf.code()}"
    assert shelf.get(path, LINKSET).status_code == 404
    for headers in (PROGRAM, PHONE):
        assert shelf.get(f"{path}?linkType=gs1:recyclingInfo", headers).status_code == 404


@pytest.mark.parametrize(("lot", "is_warned"), [("L-1", False), ("l-1", False), ("L-2", True)])
def test_another_lot_is_told(shelf: Shelf, lot: str, is_warned: bool) -> None:
    page = words(shelf.get(f"/01/{GTIN}/10/{lot}/21/{shelf.code()}", PHONE))
    assert ("The lot in the address is not this item's" in page) is is_warned
    assert "This item is genuine" in page
    lotless = words(shelf.get(f"/01/{GTIN}/10/{lot}/21/{shelf.code(7, shelf.lotless)}", PHONE))
    assert "The lot in the address" not in lotless


def test_the_page_of_a_product_tells_and_asks_for_the_code(shelf: Shelf) -> None:
    filled(shelf)
    page = words(shelf.get(f"/products/{GTIN}", PHONE))
    for told in ("Lemon water", "From the spring.", "scan the code on the item", GTIN, "recyclingInfo", "Water"):
        assert told in page
    assert "水" not in page.replace("山泉水", "")
    assert shelf.scans() == 0


def test_without_a_default_of_the_brand_a_phone_gets_the_products_page_at_once(shelf: Shelf) -> None:
    answer = shelf.get(f"/01/{GTIN}/10/KL8G", PHONE)
    assert (answer.status_code, "KL8G" in words(answer)) == (200, True)
    assert answer.headers["Content-Location"] == f"{HOST}/products/{GTIN}"


@pytest.mark.parametrize("gtin", ["6901234567892", "690-1234567892"])
def test_a_products_page_takes_the_number_as_it_is_printed(shelf: Shelf, gtin: str) -> None:
    assert shelf.get(f"/products/{gtin}", PHONE).status_code == 200


@pytest.mark.parametrize("gtin", [NOBODYS, "abc", "06901234567893"])
def test_a_product_that_is_nobodys_has_no_page(shelf: Shelf, gtin: str) -> None:
    assert shelf.get(f"/products/{gtin}", PHONE).status_code == 404


def test_the_verdict_page_offers_the_links_of_product_and_batch(shelf: Shelf) -> None:
    filled(shelf)
    page = shelf.get(f"/{shelf.code()}", PHONE).get_data(as_text=True)
    led = {shelf.get(path, PHONE).headers["Location"] for path in re.findall(r'href="(/go/[^"]+)"', page)}
    assert {href for href in led if "brand.example" in href} == {
        "https://brand.example/lot",
        "https://brand.example/recycle#bottle",
        "https://brand.example/water?x=1",
    }


def test_a_forged_code_in_a_digital_link_says_so_and_is_counted_once(shelf: Shelf) -> None:
    forged = press.mint_one(bytes(32), shelf.batch, press.Kind.INNER, 3)
    answer = shelf.get(f"/01/{GTIN}/21/{forged}", PHONE)
    assert (answer.status_code, "Not confirmed as genuine" in words(answer)) == (404, True)
    misses = shelf.client.application.extensions["scancode"].misses
    misses.flush()
    with shelf.wired.db.reading() as session:
        assert [row.count for row in session.scalars(select(ScanMiss))] == [1]


def test_a_link_taken_away_is_gone_within_a_second(shelf: Shelf) -> None:
    link_id = shelf.add("faqs", "https://brand.example/faq")
    assert shelf.get(f"/01/{GTIN}?linkType=gs1:faqs").status_code == 307
    with shelf.wired.db.transaction() as session:
        resolver.remove_link(session, link_id=link_id, actor="test", now=factories.NOW)
    shelf.look()
    assert shelf.get(f"/01/{GTIN}?linkType=gs1:faqs").status_code == 404


def test_storms_cost_no_query(shelf: Shelf) -> None:
    paths = [f"/01/{NOBODYS}", f"/01/{GTIN}/21/{'0' * 20}", f"/01/{GTIN}/10/x", "/nothing-here.txt", shelf.item()]
    for path in paths:
        shelf.get(path)
    shelf.look()
    here, asked = threading.get_ident(), []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if threading.get_ident() == here and "revision" not in statement:
            asked.append(statement)

    event.listen(shelf.wired.db.engine, "before_cursor_execute", note)
    try:
        assert {shelf.get(path).status_code for path in paths} == {307, 404}
    finally:
        event.remove(shelf.wired.db.engine, "before_cursor_execute", note)
    assert not asked
