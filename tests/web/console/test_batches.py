"""Batches in the console: who may see and do what, ordering, progress, files, the life of codes, looking one up."""

from __future__ import annotations

import hashlib
import re
import threading
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from batches import codes as press
from scancode.catalog import revision
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.rules import Life
from scancode.staff.models import AuditRow
from scancode.staff.rules import Role
from scancode.wiring import Wired
from scancode.worker import loop
from tests import factories

PEOPLE = {
    "carol": (Role.FACTORY, True),
    "dave": (Role.MARKETING, True),
    "mallory": (Role.FACTORY, False),
}


@dataclass(frozen=True)
class Works:
    """Alice's brand with a ready batch of 1000; Mallory works for another brand."""

    wired: Wired
    product_id: UUID
    batch: int
    other_batch: int
    key: bytes

    def code(self, serial: int, kind: press.Kind = press.Kind.INNER) -> str:
        return press.mint_one(self.key, self.batch, kind, serial)

    def life(self, serial: int) -> Life:
        with self.wired.db.reading() as session:
            return codes.life_of(session, batch_number=self.batch, serial=serial).state

    def audited(self, action: str) -> list[AuditRow]:
        with self.wired.db.reading() as session:
            return list(session.scalars(select(AuditRow).where(AuditRow.action == action)))


@pytest.fixture
def works(wired: Wired) -> Works:
    with wired.db.transaction() as session:
        brand, other = factories.make_brand(session), factories.make_brand(session)
        product = factories.make_product(session, brand_id=brand.id)
        batch = factories.make_batch(
            session, brand_id=brand.id, product_id=product.id, order_no="PO-SPRING", manifest="{}"
        )
        foreign = factories.make_product(session, brand_id=other.id)
        other_batch = factories.make_batch(session, brand_id=other.id, product_id=foreign.id)
        revision.bump(session)
        key = wired.keyring.derive(batch.kid, batch.salt)
        return Works(wired, product.id, batch.number, other_batch.number, key)


def browser(app: Flask, works: Works, name: str) -> FlaskClient:
    """Somebody at the console, signed in."""
    role, is_ours = PEOPLE[name]
    with works.wired.db.transaction() as session:
        number = works.batch if is_ours else works.other_batch
        brand_id = codes.get_batch(session, number=number).brand_id
        person = factories.add_staff(session, login=name, name=name, role=role, brand_id=brand_id)
    client = app.test_client()
    factories.sign_in(client, works.wired.db, person.id)
    return client


@pytest.fixture
def carol(app: Flask, works: Works) -> FlaskClient:
    return browser(app, works, "carol")


def token(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def post(client: FlaskClient, path: str, form: str | None = None, **fields: Any) -> TestResponse:
    return client.post(path, data={"csrf_token": token(client, form or path), **fields})


def words(answer: TestResponse) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def order_of(works: Works, **over: Any) -> dict[str, Any]:
    return {
        "product": str(works.product_id),
        "count": "500",
        "kinds": ["inner", "outer"],
        "formats": ["csv"],
        "order_no": "PO-8",
        "base_url": "https://q.example",
    } | over


WRONG_ORDERS: tuple[dict[str, Any], ...] = (
    {"count": "0"},
    {"count": "1073741825"},
    {"count": "many"},
    {"kinds": []},
    {"formats": []},
    {"kinds": ["gold"]},
    {"order_no": " "},
    {"base_url": "https://a.example/path"},
    {"formats": ["pdf"], "count": "200001"},
    {"product": str(UUID(int=1))},
)
SENSELESS = (
    ("activate", {"ranges": ""}, "请填写哪些码"),
    ("activate", {"ranges": "0-1000"}, "超出本批次"),
    ("activate", {"ranges": "9-0"}, "写反了"),
    ("activate", {"ranges": "1,1"}, "重复出现"),
    ("activate", {"ranges": "0000000000000000000U"}, "不是完整的码"),
    ("activate", {"ranges": "00000000000000000000"}, "不是您的码"),
    ("void", {"ranges": "1"}, "请选择原因"),
    ("void", {"ranges": "1", "reason": "other"}, "请选择原因"),
    ("void", {"ranges": "1", "reason": "nonsense"}, "请选择原因"),
    ("recall", {"ranges": "1", "message_zh": "停"}, "中文和英文"),
    ("deactivate", {"ranges": "1"}, "没有码被更改"),
)


class TestWhoSeesWhat:
    def test_nobody_sees_anything_without_signing_in(self, client: FlaskClient, works: Works) -> None:
        for path in ("/console/batches", f"/console/batches/{works.batch}", "/console/lookup?q=x", "/console/products"):
            assert client.get(path).status_code == 302

    def test_another_brands_batch_is_not_there(self, app: Flask, works: Works) -> None:
        mallory = browser(app, works, "mallory")
        assert "PO-SPRING" not in mallory.get("/console/batches").text
        here = f"/console/batches/{works.batch}"
        for path in (here, f"{here}/progress", f"{here}/life/void", f"{here}/files/manifest.json"):
            assert mallory.get(path).status_code == 404
        own = f"/console/batches/{works.other_batch}/life/void"
        assert post(mallory, f"{here}/life/activate", own, ranges="all").status_code == 404
        assert post(mallory, f"{here}/cancel", own).status_code == 404
        assert mallory.get(f"/console/lookup?q={works.code(3)}").status_code == 422
        assert mallory.get(f"/console/lookup?q={works.batch}:3").status_code == 422
        assert works.life(3) is Life.INACTIVE

    def test_marketing_looks_but_does_not_order_print_or_kill(self, app: Flask, works: Works) -> None:
        dave = browser(app, works, "dave")
        page = dave.get(f"/console/batches/{works.batch}")
        assert page.status_code == 200
        assert "/life/void" not in page.text
        here = f"/console/batches/{works.batch}"
        for path in ("/console/batches/order", f"{here}/life/void", f"{here}/files/manifest.json"):
            assert dave.get(path).status_code == 403
        assert post(dave, f"{here}/cancel", "/console/products/new").status_code == 403

    def test_the_factory_does_not_see_campaigns_or_brands(self, carol: FlaskClient) -> None:
        assert carol.get("/console/campaigns").status_code == 403
        assert carol.get("/console/brands").status_code == 403
        assert carol.get("/console/products/new").status_code == 403

    def test_a_post_without_the_forms_token_does_nothing(self, carol: FlaskClient, works: Works) -> None:
        assert carol.post(f"/console/batches/{works.batch}/life/activate", data={"ranges": "all"}).status_code == 400
        assert works.life(0) is Life.INACTIVE


class TestOrder:
    def test_it_is_made_and_downloaded(self, carol: FlaskClient, works: Works) -> None:
        answer = post(carol, "/console/batches/order", **order_of(works))
        assert answer.status_code == 302
        path = answer.headers["Location"]
        assert "等待后台处理" in words(carol.get(path))
        assert "hx-trigger" in carol.get(f"{path}/progress").text
        loop.run(works.wired, stop_event=threading.Event(), kinds={"mint"}, once=True)
        assert carol.get(f"{path}/progress").headers["HX-Refresh"] == "true"
        number = int(path.rsplit("/", 1)[1])
        with works.wired.db.reading() as session:
            (file,) = codes.list_files(session, batch_number=number)
        with carol.get(f"{path}/files/{file.name}") as got:
            content = got.data
        assert got.status_code == 200
        assert hashlib.sha256(content).hexdigest() == file.sha256
        assert got.headers["Content-Disposition"].startswith("attachment")
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in got.headers["Cache-Control"]
        assert file.sha256 in carol.get(path).text
        with carol.get(f"{path}/files/{file.name}", headers={"Range": "bytes=10-19"}) as part:
            assert (part.status_code, part.data) == (206, content[10:20])
        (row,) = works.audited("batch.download")
        assert file.name in row.facts

    def test_the_same_form_twice_orders_once(self, carol: FlaskClient, works: Works) -> None:
        first = post(carol, "/console/batches/order", **order_of(works))
        assert post(carol, "/console/batches/order", **order_of(works)).headers["Location"] == first.headers["Location"]
        again = post(carol, "/console/batches/order", **order_of(works, count="501"))
        assert again.status_code == 422
        assert "已用于另一份订单" in words(again)

    def test_a_wrong_field_is_told_and_nothing_is_ordered(self, carol: FlaskClient, works: Works) -> None:
        for over in WRONG_ORDERS:
            answer = post(carol, "/console/batches/order", **order_of(works, **over))
            assert (answer.status_code, "invalid-feedback" in answer.text) == (422, True), over
        with works.wired.db.reading() as session:
            assert session.scalar(select(Batch).where(Batch.order_no == "PO-8")) is None

    def test_it_is_cancelled(self, carol: FlaskClient, works: Works) -> None:
        path = post(carol, "/console/batches/order", **order_of(works)).headers["Location"]
        assert post(carol, f"{path}/cancel", path).status_code == 302
        assert "已取消" in words(carol.get(path))
        assert carol.get(f"{path}/files/manifest.json").status_code == 404


class TestFiles:
    def test_the_manifest_is_downloaded(self, carol: FlaskClient, works: Works) -> None:
        got = carol.get(f"/console/batches/{works.batch}/files/manifest.json")
        assert (got.status_code, got.data) == (200, b"{}")

    def test_nothing_else_is(self, carol: FlaskClient, works: Works) -> None:
        for name in ("other.csv", "..%2F..%2Fscancode.sqlite", "%2Fetc%2Fpasswd", "..", "."):
            answer = carol.get(f"/console/batches/{works.batch}/files/{name}")
            assert answer.status_code in (404, 308), name


class TestLife:
    def test_activation_is_done_at_once(self, carol: FlaskClient, works: Works) -> None:
        path = f"/console/batches/{works.batch}/life/activate"
        assert post(carol, path, ranges="0-9, 20").status_code == 302
        assert [works.life(serial) for serial in (9, 10, 20)] == [Life.ACTIVE, Life.INACTIVE, Life.ACTIVE]
        page = words(carol.get(f"/console/batches/{works.batch}"))
        assert "11 件的码已激活" in page
        assert "carol" in page

    def test_a_void_tells_the_count_before_it_kills(self, carol: FlaskClient, works: Works) -> None:
        path = f"/console/batches/{works.batch}/life/void"
        fields = {"ranges": f"0-9\n{works.code(500)}", "reason": "stolen"}
        asked = post(carol, path, **fields)
        assert asked.status_code == 200
        assert "将作废 11 件的码" in words(asked)
        assert works.life(0) is Life.INACTIVE
        assert post(carol, path, expected="10", **fields).status_code == 200
        assert works.life(0) is Life.INACTIVE
        assert post(carol, path, expected="11", **fields).status_code == 302
        assert (works.life(0), works.life(500), works.life(499)) == (Life.VOID, Life.VOID, Life.INACTIVE)

    def test_recall_and_restore(self, carol: FlaskClient, works: Works) -> None:
        here = f"/console/batches/{works.batch}/life"
        message = {"ranges": "全部", "message_zh": "请勿食用", "message_en": "Do not eat"}
        assert "将召回 1,000 件的码" in words(post(carol, f"{here}/recall", **message))
        post(carol, f"{here}/recall", expected="1000", **message)
        assert works.life(999) is Life.RECALLED
        assert "请勿食用" in words(carol.get(f"/console/batches/{works.batch}"))
        assert post(carol, f"{here}/restore", ranges="0-4").status_code == 422
        post(carol, f"{here}/restore", ranges="0-4", note="mistake", expected="5")
        assert (works.life(4), works.life(5)) == (Life.INACTIVE, Life.RECALLED)

    def test_what_makes_no_sense_is_told(self, carol: FlaskClient, works: Works) -> None:
        for verb, fields, told in SENSELESS:
            answer = post(carol, f"/console/batches/{works.batch}/life/{verb}", **fields)
            assert (answer.status_code, told in words(answer)) == (422, True), (verb, fields)
        assert works.life(1) is Life.INACTIVE

    def test_a_batch_that_is_not_ready_stays_dead(self, carol: FlaskClient, works: Works) -> None:
        with works.wired.db.transaction() as session:
            batch = session.get(Batch, works.batch)
            assert batch is not None
            batch.state = "minting"
        answer = post(carol, f"/console/batches/{works.batch}/life/activate", ranges="all")
        assert answer.status_code == 422
        assert "尚未就绪" in words(answer)

    def test_there_is_no_other_verb(self, carol: FlaskClient, works: Works) -> None:
        assert carol.get(f"/console/batches/{works.batch}/life/burn").status_code == 404


class TestLookup:
    def test_it_finds_a_code_however_it_is_given(self, carol: FlaskClient, works: Works) -> None:
        code = works.code(42)
        post(carol, f"/console/batches/{works.batch}/life/activate", ranges="40-49", note="第一箱")
        for typed in (code, f"https://q.example/{code}", f" {code.lower()} ", f"{works.batch}:42"):
            answer = carol.get("/console/lookup", query_string={"q": typed})
            assert answer.status_code == 200
            for told in ("PO-SPRING", "40–49", "第一箱", "从未被扫描"):
                assert told in words(answer), (typed, told)

    def test_it_does_not_tell_the_code_of_a_serial(self, carol: FlaskClient, works: Works) -> None:
        assert works.code(42) not in carol.get(f"/console/lookup?q={works.batch}:42").text

    def test_it_shows_the_scans(self, app: Flask, carol: FlaskClient, works: Works) -> None:
        post(carol, f"/console/batches/{works.batch}/life/activate", ranges="all")
        app.test_client().get(f"/{works.code(42)}")
        assert "从未被扫描" not in words(carol.get(f"/console/lookup?q={works.code(42)}"))

    def test_it_says_what_is_no_code(self, carol: FlaskClient, works: Works) -> None:
        for typed in ("hello", "0000000000000000000U", "1:1", "999999999999"):
            assert carol.get("/console/lookup", query_string={"q": typed}).status_code == 422

    def test_a_serial_beyond_the_end_is_told(self, carol: FlaskClient, works: Works) -> None:
        answer = carol.get(f"/console/lookup?q={works.batch}:1000")
        assert answer.status_code == 422
        assert "0 到 999" in words(answer)
