"""Brands and products in the console: the forms, the pictures, and who may change them."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from scancode.catalog import service as catalog
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests import factories

BRAND = {"name_zh": "新牌", "name_en": "New", "timezone": "Asia/Tokyo", "colour": "#112233"}
PRODUCT = {"gtin": "6901234567892", "name_zh": "柠檬水", "name_en": "Lemon water", "story_zh": "高山\n泉水"}


@dataclass(frozen=True)
class Shop:
    wired: Wired
    brand_id: UUID
    product_id: UUID
    other_product_id: UUID


@pytest.fixture
def shop(wired: Wired) -> Shop:
    with wired.db.transaction() as session:
        brand, other = factories.make_brand(session, slug="ours"), factories.make_brand(session, slug="theirs")
        return Shop(
            wired,
            brand.id,
            factories.make_product(session, brand_id=brand.id, name_zh="气泡水").id,
            factories.make_product(session, brand_id=other.id, name_zh="别家水").id,
        )


def browser(app: Flask, shop: Shop, role: Role, brand_id: UUID | None) -> FlaskClient:
    with shop.wired.db.transaction() as session:
        person = factories.add_staff(session, login="who", name="Who", role=role, brand_id=brand_id)
    client = app.test_client()
    factories.sign_in(client, shop.wired.db, person.id)
    return client


def token(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def post(client: FlaskClient, path: str, form: str | None = None, **fields: Any) -> TestResponse:
    return client.post(path, data={"csrf_token": token(client, form or path), **fields})


def picture(colour: str) -> tuple[io.BytesIO, str]:
    file = io.BytesIO()
    Image.new("RGB", (90, 60), colour).save(file, "PNG")
    file.seek(0)
    return file, "p.png"


def pictures_of(shop: Shop) -> list[Any]:
    with shop.wired.db.reading() as session:
        page = catalog.load_page(session, product_id=shop.product_id)
    assert page is not None
    return list(page.pictures)


def test_marketing_makes_a_product_and_fills_its_page(app: Flask, shop: Shop) -> None:
    dave = browser(app, shop, Role.MARKETING, shop.brand_id)
    wrong = post(dave, "/console/products/new", **PRODUCT | {"gtin": "6901234567893", "brand": str(shop.brand_id)})
    assert (wrong.status_code, "校验位不正确" in wrong.text) == (422, True)
    made = post(dave, "/console/products/new", **PRODUCT, brand=str(shop.brand_id))
    path = made.headers["Location"]
    shown = dave.get(path).text
    assert "06901234567892" in shown
    assert "data:image/png;base64," in shown
    assert post(dave, path, **PRODUCT | {"name_en": "Lemonade"}).status_code == 302
    assert "Lemonade" in dave.get(path).text
    again = post(dave, "/console/products/new", **PRODUCT, brand=str(shop.brand_id))
    assert (again.status_code, "已被其他产品使用" in again.text) == (422, True)


def test_pictures_are_put_up_moved_and_taken_down(app: Flask, shop: Shop) -> None:
    dave = browser(app, shop, Role.MARKETING, shop.brand_id)
    path = f"/console/products/{shop.product_id}"
    for colour in ("red", "blue"):
        assert post(dave, f"{path}/pictures", path, file=picture(colour), alt_zh=colour).status_code == 302
    first, second = pictures_of(shop)
    assert (first.alt_zh, second.alt_zh) == ("red", "blue")
    assert dave.get(f"/media/{first.sha256}").content_type == "image/webp"
    post(dave, f"{path}/pictures/{second.id}/earlier", path)
    assert [each.alt_zh for each in pictures_of(shop)] == ["blue", "red"]
    post(dave, f"{path}/pictures/{second.id}/remove", path)
    assert [each.alt_zh for each in pictures_of(shop)] == ["red"]
    post(dave, f"{path}/pictures", path, file=(io.BytesIO(b"<svg/>"), "x.png"))
    assert "无法识别这个图片文件" in dave.get(path).text
    post(dave, f"{path}/pictures", path)
    assert "请先选择一张图片" in dave.get(path).text
    assert len(pictures_of(shop)) == 1


def test_another_brands_product_is_not_there(app: Flask, shop: Shop) -> None:
    dave = browser(app, shop, Role.MARKETING, shop.brand_id)
    path, own = f"/console/products/{shop.other_product_id}", f"/console/products/{shop.product_id}"
    assert dave.get(path).status_code == 404
    assert "别家水" not in dave.get("/console/products").text
    for action in ("", "/archive", "/pictures", f"/pictures/{UUID(int=1)}/remove"):
        assert post(dave, path + action, own, **PRODUCT, file=picture("red")).status_code == 404
    stolen = post(dave, "/console/products/new", **PRODUCT, brand=str(UUID(int=1)))
    assert stolen.status_code == 422


def test_the_factory_looks_and_changes_nothing(app: Flask, shop: Shop) -> None:
    carol = browser(app, shop, Role.FACTORY, shop.brand_id)
    path = f"/console/products/{shop.product_id}"
    assert "气泡水" in carol.get(path).text
    assert "气泡水" in carol.get("/console/products?q=气泡").text
    token_from = "/console/batches/order"
    for action in ("", "/archive", "/pictures"):
        assert post(carol, path + action, token_from, **PRODUCT).status_code == 403


def test_an_archived_product_leaves_the_list_and_the_order_form(app: Flask, shop: Shop) -> None:
    ada = browser(app, shop, Role.ADMIN, shop.brand_id)
    path = f"/console/products/{shop.product_id}"
    post(ada, f"{path}/archive", path)
    assert "气泡水" not in ada.get("/console/products").text
    assert "气泡水" in ada.get("/console/products?archived=1").text
    assert "气泡水" not in ada.get("/console/batches/order").text
    post(ada, f"{path}/unarchive", path)
    assert "气泡水" in ada.get("/console/products").text


def test_the_operator_makes_brands_and_changes_all(app: Flask, shop: Shop) -> None:
    ada = browser(app, shop, Role.ADMIN, None)
    wrong = post(ada, "/console/brands/new", **BRAND, slug="Not good")
    assert (wrong.status_code, "短名称为" in wrong.text) == (422, True)
    taken = post(ada, "/console/brands/new", **BRAND, slug="ours")
    assert (taken.status_code, "已被其他品牌使用" in taken.text) == (422, True)
    bad_zone = post(ada, "/console/brands/new", **BRAND | {"timezone": "Mars/Base"}, slug="new-brand")
    assert bad_zone.status_code == 422
    path = post(ada, "/console/brands/new", **BRAND, slug="new-brand").headers["Location"]
    assert post(ada, path, **BRAND | {"support_url": "javascript:alert(1)"}).status_code == 422
    assert post(ada, path, **BRAND | {"privacy_zh": "新隐私"}).status_code == 302
    assert post(ada, f"{path}/look", colour="#ffffff", accent="", font="").status_code == 302
    assert "新牌" in ada.get("/console/brands").text
    assert "--brand: #ffffff" in ada.get("/brand/new-brand.css").text


def test_a_brands_administrator_changes_her_brand_only(app: Flask, shop: Shop) -> None:
    ada = browser(app, shop, Role.ADMIN, shop.brand_id)
    with shop.wired.db.reading() as session:
        theirs = catalog.find_brand(session, slug="theirs")
    assert theirs is not None
    assert ada.get(f"/console/brands/{theirs.id}").status_code == 404
    assert ada.get("/console/brands/new").status_code == 403
    assert "theirs" not in ada.get("/console/brands").text
    assert post(ada, f"/console/brands/{shop.brand_id}", **BRAND).status_code == 302
