"""``GET /CODE`` as people, robots and forgers meet it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from batches import codes as press
from scancode.catalog import revision
from scancode.catalog.models import Brand
from scancode.channels import service as channels
from scancode.codes import service as codes
from scancode.codes.rules import Recall, Void, VoidReason
from scancode.scans.models import Scan, ScanMiss
from scancode.wiring import Wired
from tests import factories
from tests.kept import web_app

NOW = factories.NOW
ENGLISH = {"Accept-Language": "en"}
PAGE = {"Accept": "text/html"}


@dataclass(frozen=True)
class Shelf:
    """A batch of a thousand codes; 0 to 899 are live."""

    wired: Wired
    number: int
    brand_id: UUID
    key: bytes

    def code(self, serial: int, kind: press.Kind = press.Kind.INNER) -> str:
        return press.mint_one(self.key, self.number, kind, serial)


@pytest.fixture
def shelf(wired: Wired) -> Shelf:
    with wired.db.transaction() as session:
        brand = factories.make_brand(session)
        product = factories.make_product(session, brand_id=brand.id, gtin="06901234567892")
        batch = factories.make_batch(session, brand_id=brand.id, product_id=product.id, kinds="outer,inner")
        factories.make_life(session, batch_number=batch.number, first=0, last=899)
        revision.bump(session)
    return Shelf(wired, batch.number, brand.id, wired.keyring.derive(batch.kid, batch.salt))


def scans(shelf: Shelf) -> list[Scan]:
    with shelf.wired.db.reading() as session:
        return list(session.scalars(select(Scan).order_by(Scan.id)))


def words(body: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body.decode()))


def test_it_says_genuine_and_records_the_scan(client: FlaskClient, shelf: Shelf) -> None:
    answer = client.get(f"/{shelf.code(3)}")
    assert answer.status_code == 200
    assert "正品验证通过" in words(answer.data)
    (scan,) = scans(shelf)
    assert (scan.verdict, scan.batch_number, scan.source) == ("first", shelf.number, "unknown")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_second_person_is_told_when_it_was_scanned_first(app: Flask, shelf: Shelf) -> None:
    app.test_client().get(f"/{shelf.code(3)}")
    answer = app.test_client().get(f"/{shelf.code(3)}", headers=ENGLISH)
    assert "Genuine code, scanned before" in words(answer.data)
    assert "First scan" in words(answer.data)


def test_the_same_person_may_look_again(client: FlaskClient, shelf: Shelf) -> None:
    client.get(f"/{shelf.code(3)}")
    assert "正品验证通过" in words(client.get(f"/{shelf.code(3)}").data)
    first, second = scans(shelf)
    assert first.visitor_id == second.visitor_id


@pytest.mark.parametrize(
    "typed",
    [
        lambda code: code.lower(),
        lambda code: f"{code[:5]} {code[5:10]}-{code[10:15]} {code[15:]}",
        lambda code: code.replace("0", "O").replace("1", "l"),
        lambda code: f"{code}/",
        lambda code: f"01/06901234567892/21/{code}",
    ],
    ids=["lower case", "spaces and hyphens", "O and l", "a slash", "GS1 Digital Link"],
)
def test_it_reads_every_form_of_a_code(client: FlaskClient, shelf: Shelf, typed: Callable[[str], str]) -> None:
    assert client.get(f"/{typed(shelf.code(7))}", headers=PAGE).status_code == 200
    assert len(scans(shelf)) == 1


def test_a_gtin_that_is_not_the_codes_own_gets_a_warning(client: FlaskClient, shelf: Shelf) -> None:
    answer = client.get(f"/01/09506000134352/21/{shelf.code(7)}", headers=ENGLISH)
    assert answer.status_code == 200
    assert "not this product's" in words(answer.data)


def test_a_code_that_is_not_activated_says_so(client: FlaskClient, shelf: Shelf) -> None:
    assert "Not yet released" in words(client.get(f"/{shelf.code(950)}", headers=ENGLISH).data)
    assert scans(shelf)[0].verdict == "inactive"


def test_void_and_recall_show_within_a_second(app: Flask, client: FlaskClient, shelf: Shelf) -> None:
    client.get(f"/{shelf.code(3)}")
    with shelf.wired.db.transaction() as session:
        codes.change(
            session, batch_number=shelf.number, ranges=[(3, 3)], what=Void(VoidReason.STOLEN), actor="t", now=NOW
        )
        codes.change(
            session,
            batch_number=shelf.number,
            ranges=[(4, 4)],
            what=Recall("请退回门店", "Bring it back"),
            actor="t",
            now=NOW,
        )
    app.extensions["scancode"].watch.look()
    assert "no longer valid" in words(client.get(f"/{shelf.code(3)}", headers=ENGLISH).data)
    assert "Bring it back" in words(client.get(f"/{shelf.code(4)}", headers=ENGLISH).data)
    assert "请退回门店" in words(client.get(f"/{shelf.code(4)}").data)


def forged(shelf: Shelf) -> str:
    return press.mint_one(bytes(32), shelf.number, press.Kind.INNER, 3)


def foreign(shelf: Shelf) -> str:
    return press.mint_one(bytes(32), (shelf.number + 1) % (1 << 25), press.Kind.INNER, 3)


def slip(shelf: Shelf) -> str:
    code = shelf.code(3)
    return code[:-1] + ("2" if code[-1] != "2" else "3")


@pytest.mark.parametrize(
    ("text", "verdict", "en", "zh"),
    [
        (forged, "forged", "not made by the brand", "不是品牌方发出的"),
        (foreign, "unknown", "do not know this code", "未查到此码"),
        (slip, "mistyped", "One or two characters seem to be wrong", "一两个字符输错"),
        (lambda shelf: shelf.code(3)[:19], "malformed", "not a complete code", "编码不完整"),
        (lambda shelf: shelf.code(3)[:19] + "U", "malformed", "not a complete code", "编码不完整"),
        (lambda shelf: f"{forged(shelf)}/", "forged", "not made by the brand", "不是品牌方发出的"),
    ],
    ids=["forged", "foreign", "mistyped", "short", "wrong letter", "a slash"],
)
def test_what_is_no_code_of_ours_is_explained_and_counted(
    client: FlaskClient, shelf: Shelf, text: Callable[[Shelf], str], verdict: str, en: str, zh: str
) -> None:
    english = client.get(f"/{text(shelf)}", headers=ENGLISH)
    assert english.status_code == 404
    assert en in words(english.data)
    assert zh in words(client.get(f"/{text(shelf)}").data)
    assert scans(shelf) == []
    client.application.extensions["scancode"].misses.flush()
    with shelf.wired.db.reading() as session:
        assert session.scalar(select(ScanMiss.count).where(ScanMiss.verdict == verdict)) == 2


def test_a_serial_beyond_the_batch_is_unknown(client: FlaskClient, shelf: Shelf) -> None:
    assert client.get(f"/{shelf.code(1000)}").status_code == 404
    assert client.get(f"/{shelf.code(0, press.Kind.CASE)}").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        {"User-Agent": "Mozilla/5.0 (compatible; Baiduspider/2.0)"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Purpose": "preview"},
    ],
)
def test_robots_and_prefetches_are_no_scans(client: FlaskClient, shelf: Shelf, headers: dict[str, str]) -> None:
    assert client.get(f"/{shelf.code(3)}", headers=headers).status_code == 200
    assert client.head(f"/{shelf.code(3)}").status_code == 200
    assert scans(shelf) == []


def test_the_outer_code_sends_people_to_the_inner_one(client: FlaskClient, shelf: Shelf) -> None:
    answer = client.get(f"/{shelf.code(3, press.Kind.OUTER)}", headers=ENGLISH)
    assert "outer code" in words(answer.data)


def test_the_front_door_of_a_house_of_one_brand_is_the_brands(client: FlaskClient, shelf: Shelf) -> None:
    door = client.get("/").get_data(as_text=True)
    with shelf.wired.db.transaction() as session:
        brand = session.get_one(Brand, shelf.brand_id)
        assert f">{brand.name_zh}</span>" in door
        assert f"/brand/{brand.slug}.css" in door
        factories.make_brand(session)
        revision.bump(session)
    client.application.extensions["scancode"].watch.look()
    assert ">产品查验</span>" in client.get("/").get_data(as_text=True)


def test_a_typed_code_goes_to_its_page(client: FlaskClient, shelf: Shelf) -> None:
    code = shelf.code(3)
    pasted = (f"“{code}”。", f"\u200e{code}\u200e.", f"https://q.example/{code}。")
    for typed in (code.lower(), f" {code} ", f"https://q.example/01/06901234567892/21/{code}/?17=271231", *pasted):
        assert client.get("/check", query_string={"code": typed}).headers["Location"].upper().endswith(code)
    assert client.get("/check", query_string={"code": " "}).headers["Location"] == "/"


@pytest.mark.parametrize(
    "path", ["/%00", "/" + "A" * 3000, "/<script>alert(1)</script>", "/%E7%A0%81", "/..%2f..%2fetc"]
)
def test_hostile_paths_get_a_page(client: FlaskClient, shelf: Shelf, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert b"<script>alert" not in answer.data


def test_every_answer_is_hardened(client: FlaskClient, shelf: Shelf) -> None:
    headers = client.get(f"/{shelf.code(3)}").headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_visitors_cookie_cannot_be_made_up(app: Flask, shelf: Shelf) -> None:
    client = app.test_client()
    client.set_cookie("sv", "AAAAAAAAAAAAAAAAAAAAAA.forged")
    answer = client.get(f"/{shelf.code(3)}")
    assert answer.status_code == 200
    assert "sv=" in answer.headers["Set-Cookie"]
    with shelf.wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Scan)) == 1


class Shenzhen:
    """Everybody is there."""

    def region_of(self, address: str) -> int:
        return 440300


def test_without_touch_and_shipment_the_batch_speaks_and_else_the_region(wired: Wired, shelf: Shelf) -> None:
    app = web_app(replace(wired, ports=replace(wired.ports, regions=Shenzhen())))
    with wired.db.transaction() as session:
        south, north = (factories.make_channel(session, brand_id=shelf.brand_id) for _ in range(2))
        factories.make_store(session, channel_id=south.id, province="广东", city="深圳")
        revision.bump(session)
    app.test_client().get(f"/{shelf.code(1)}")
    with wired.db.transaction() as session:
        channels.set_batch_channel(
            session, batch_number=shelf.number, brand_id=shelf.brand_id, channel_id=north.id, actor="staff:d", now=NOW
        )
    app.extensions["scancode"].watch.look()
    app.test_client().get(f"/{shelf.code(2)}")
    by_region, by_batch = scans(shelf)
    assert (by_region.source, by_region.channel_id, by_region.region) == ("region", south.id, 440300)
    assert (by_batch.source, by_batch.channel_id, by_batch.region) == ("batch", north.id, 440300)


def test_how_often_and_roughly_where_others_scanned_it_is_told(wired: Wired, shelf: Shelf) -> None:
    app = web_app(replace(wired, ports=replace(wired.ports, regions=Shenzhen())))
    first, second = app.test_client(), app.test_client()
    for client in (first, first, second):
        client.get(f"/{shelf.code(1)}")
    read = app.test_client().get(f"/{shelf.code(1)}", headers=ENGLISH).data
    assert "People 2 Times scanned 3 First scan" in words(read)
    assert "Shenzhen,\xa0Guangdong" in read.decode()  # a line never ends within the name of a place


def test_a_brand_says_for_how_many_days_a_touch_counts(app: Flask, shelf: Shelf) -> None:
    with shelf.wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=shelf.brand_id)
        point = factories.make_touchpoint(session, brand_id=shelf.brand_id, channel_id=channel.id)
        revision.bump(session)
    client = app.test_client()
    client.get(f"/t/{point.token}")
    client.get(f"/{shelf.code(1)}")
    with shelf.wired.db.transaction() as session:
        session.get_one(Brand, shelf.brand_id).touch_days = 0
        revision.bump(session)
    app.extensions["scancode"].watch.look()
    client.get(f"/{shelf.code(2)}")
    assert [scan.source for scan in scans(shelf)] == ["touch", "unknown"]


def test_a_link_with_a_placed_code_explains_the_scan_that_it_opens(app: Flask, shelf: Shelf) -> None:
    with shelf.wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=shelf.brand_id)
        point = factories.make_touchpoint(session, brand_id=shelf.brand_id, channel_id=channel.id)
        revision.bump(session)
    app.test_client().get(f"/{shelf.code(1)}?s={point.token}")
    (scan,) = scans(shelf)
    assert (scan.source, scan.touchpoint_id) == ("touch", point.id)
