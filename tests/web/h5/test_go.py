"""Links of a product's page that people open, and the city that they share."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from scancode.catalog import revision
from scancode.channels.models import Click
from scancode.codes.models import Batch
from scancode.resolver import service as resolver
from scancode.resolver.rules import LinkDraft
from scancode.scans.models import Scan
from tests import factories
from tests.web.h5.phone import Shop

ROBOT = {"User-Agent": "Baiduspider/2.0"}
TARGET = "https://brand.example/recipes"


@pytest.fixture
def link_id(shop: Shop) -> UUID:
    with shop.wired.db.transaction() as session:
        product_id = session.get_one(Batch, shop.batch_number).product_id
        draft = LinkDraft(link_type="recipeInfo", href=TARGET, title="Recipes")
        made = resolver.save_link(
            session, link_id=None, product_id=product_id, batch_number=None, draft=draft, own_hosts=(),
            actor="staff:dave", now=datetime.now(UTC),
        )  # fmt: skip
        revision.bump(session)
    assert made is not None
    return made if isinstance(made, UUID) else made.id


def clicks(shop: Shop) -> list[Click]:
    with shop.wired.db.reading() as session:
        return list(session.scalars(select(Click)))


def last_scan(shop: Shop) -> Scan:
    with shop.wired.db.reading() as session:
        return session.scalars(select(Scan).order_by(Scan.id.desc())).first()  # type: ignore[return-value]


def test_a_link_of_the_page_leads_on_and_is_kept_as_a_liking(shop: Shop, link_id: UUID) -> None:
    phone = shop.phone()
    page = phone.get(f"/{shop.code(1)}").get_data(as_text=True)
    assert f'href="/go/{link_id}"' in page
    answer = phone.get(f"/go/{link_id}")
    assert (answer.status_code, answer.headers["Location"]) == (302, TARGET)
    (click,) = clicks(shop)
    assert (click.visitor_id, click.link_type) == (last_scan(shop).visitor_id, "recipeInfo")


def test_robots_and_unknown_links_leave_nothing(shop: Shop, link_id: UUID) -> None:
    assert shop.phone().client.get(f"/go/{link_id}", headers=ROBOT).status_code == 302
    assert shop.phone().get(f"/go/{uuid4()}").status_code == 404
    assert clicks(shop) == []


def test_a_shared_place_becomes_a_city_of_the_newest_scan(shop: Shop) -> None:
    phone, path = shop.phone(), f"/{shop.code(1)}"
    before = phone.get(path)
    assert before.status_code == 200
    answer = phone.send(f"{path}/where", page=path, latitude="22.54", longitude="114.06")
    assert answer.json == {"kept": True, "name": "Shenzhen, Guangdong"}
    assert last_scan(shop).region == 440300


def test_a_place_explains_a_scan_that_nothing_else_does(shop: Shop) -> None:
    with shop.wired.db.transaction() as session:
        south = factories.make_channel(session, brand_id=shop.brand_id)
        factories.make_store(session, channel_id=south.id, province="广东", city="深圳")
        revision.bump(session)
    phone, path = shop.phone(), f"/{shop.code(1)}"
    for source in ("unknown", "shipment"):
        page = phone.get(path).status_code
        assert page == 200
        with shop.wired.db.transaction() as session:
            scan = session.scalars(select(Scan).order_by(Scan.id.desc())).first()
            assert scan is not None
            scan.source, scan.channel_id = source, None
        token = phone.token(f"{path}/report")
        point = {"token": token, "latitude": "22.54", "longitude": "114.06"}
        assert phone.client.post(f"{path}/where", data=point).status_code == 200
        found = last_scan(shop)
        assert found.region == 440300
        if source == "unknown":
            assert (found.source, found.channel_id, found.item_channel_id) == ("region", south.id, south.id)
        else:
            assert (found.source, found.channel_id) == ("shipment", None)


@pytest.mark.parametrize("point", [("x", "1"), ("91", "1"), ("nan", "1"), ("", "")])
def test_what_is_no_place_is_refused(shop: Shop, point: tuple[str, str]) -> None:
    phone, path = shop.phone(), f"/{shop.code(1)}"
    answer = phone.send(f"{path}/where", page=path, latitude=point[0], longitude=point[1])
    assert answer.status_code == 404
    assert last_scan(shop).region is None


def test_nobody_tells_for_somebody_else(shop: Shop) -> None:
    path = f"/{shop.code(1)}"
    shop.phone().get(path)
    other = shop.phone()
    answer = other.send(f"{path}/where", page=f"/{shop.code(2)}", latitude="22.54", longitude="114.06")
    assert answer.json is not None
    assert answer.json["kept"] is False
    assert other.client.post(f"{path}/where", data={"latitude": "1", "longitude": "1"}).status_code == 400
