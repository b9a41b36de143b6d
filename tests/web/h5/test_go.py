"""Links of a product's page that people open, and the city that they share."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from scancode.catalog import revision
from scancode.channels import service as channels
from scancode.channels.models import Liking, LinkDay
from scancode.channels.service.liking import Opened
from scancode.codes.models import Batch
from scancode.members.models import Member
from scancode.resolver import service as resolver
from scancode.resolver.rules import LinkDraft
from scancode.scans.models import Scan
from scancode.stories import liking
from tests import factories
from tests.web.h5.phone import Phone, Shop

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


def days(shop: Shop) -> list[LinkDay]:
    with shop.wired.db.reading() as session:
        return list(session.scalars(select(LinkDay).order_by(LinkDay.page)))


def likings(shop: Shop) -> list[Liking]:
    with shop.wired.db.reading() as session:
        return list(session.scalars(select(Liking)))


def wish(phone: Phone, wants: str) -> None:
    assert phone.send("/me/preferences", page="/me/privacy", wants=wants).status_code == 302


def last_scan(shop: Shop) -> Scan:
    with shop.wired.db.reading() as session:
        return session.scalars(select(Scan).order_by(Scan.id.desc())).first()  # type: ignore[return-value]


def test_a_link_of_the_page_leads_on_and_is_counted_without_saying_who(shop: Shop, link_id: UUID) -> None:
    phone = shop.phone()
    page = phone.get(f"/{shop.code(1)}").get_data(as_text=True)
    assert f'href="/go/{link_id}?from=scan"' in page
    for _ in range(2):
        answer = phone.get(f"/go/{link_id}?from=scan")
        assert (answer.status_code, answer.headers["Location"]) == (302, TARGET)
    phone.get(f"/go/{link_id}?from=<b>{'x' * 500}")
    other, scan = days(shop)
    assert (scan.opened, scan.page, scan.link_type, scan.brand_id) == (2, "scan", "recipeInfo", shop.brand_id)
    assert (other.opened, other.page) == (1, "")
    assert likings(shop) == []


def test_what_a_member_opens_is_kept_while_they_agree(shop: Shop, link_id: UUID) -> None:
    alice = shop.phone()
    alice.join()
    alice.get(f"/go/{link_id}?from=scan")
    assert likings(shop) == []  # joining alone is no consent to this
    wish(alice, "1")
    for _ in range(2):
        alice.get(f"/go/{link_id}?from=product")
    shop.phone().get(f"/go/{link_id}?from=product")  # a stranger's
    (kept,) = likings(shop)
    assert (kept.opened, kept.page, kept.link_type) == (2, "product", "recipeInfo")
    assert "opened 2×" in alice.read("/me/privacy")
    found = alice.get("/me/data.json").get_json()
    assert [(one["link_id"], one["page"], one["opened"]) for one in found["preferences"]] == [
        (str(link_id), "product", 2)
    ]
    wish(alice, "0")
    alice.get(f"/go/{link_id}?from=product")
    assert likings(shop) == []
    assert "opened 2×" not in alice.read("/me/privacy")
    assert {one.page: one.opened for one in days(shop)} == {"product": 4, "scan": 1}


def test_the_box_of_the_form_is_off_and_gives_the_consent(shop: Shop, link_id: UUID) -> None:
    alice = shop.phone()
    assert not re.search(r'name="preferences"[^>]*checked', alice.get("/join").get_data(as_text=True))
    alice.join(preferences="y")
    alice.get(f"/go/{link_id}?from=scan")
    assert len(likings(shop)) == 1
    assert alice.send("/me/leave", sure="1").status_code == 302
    assert likings(shop) == []


def test_what_was_opened_long_ago_is_forgotten(shop: Shop, link_id: UUID) -> None:
    alice = shop.phone()
    alice.join(preferences="y")
    alice.get(f"/go/{link_id}?from=scan")
    last = likings(shop)[0].last_at
    with shop.wired.db.transaction() as session:
        assert channels.sweep_likings(session, before=last) == 0
        assert channels.sweep_likings(session, before=last + timedelta(seconds=1)) == 1
        assert channels.sweep_likings(session, before=last + timedelta(seconds=1)) == 0
    assert likings(shop) == []


def test_nothing_is_kept_after_the_consent_was_taken_back_however_they_meet(shop: Shop, link_id: UUID) -> None:
    alice = shop.phone()
    alice.join(preferences="y")
    with shop.wired.db.reading() as session:
        member_id = session.scalars(select(Member.id)).one()
        product_id = session.get_one(Batch, shop.batch_number).product_id
    opened = Opened(shop.brand_id, product_id, link_id, "recipeInfo", "scan")
    gate, now = threading.Barrier(6), datetime.now(UTC)

    def act(number: int) -> None:
        gate.wait(10)
        for _ in range(5):
            if number == 3:
                shop.wired.db.retrying(lambda session: liking.forget(session, member_id=member_id, now=now))
            else:
                shop.wired.db.retrying(
                    lambda session: liking.note_opened(
                        session, opened=opened, member_id=member_id, day="2026-11-29", now=now
                    )
                )

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(act, range(6)))
    assert likings(shop) == []
    assert [one.opened for one in days(shop)] == [25]  # no opening is lost


def test_robots_and_unknown_links_leave_nothing(shop: Shop, link_id: UUID) -> None:
    for headers in (ROBOT, {"Sec-Purpose": "prefetch"}):
        assert shop.phone().client.get(f"/go/{link_id}", headers=headers).status_code == 302
    assert shop.phone().client.head(f"/go/{link_id}").status_code == 302
    assert shop.phone().get(f"/go/{uuid4()}").status_code == 404
    assert days(shop) == []


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
