"""Somebody opens the code of a store, a guide or a shelf: remembered for people, not for robots."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from scancode.catalog import revision
from scancode.channels import service as channels
from scancode.channels.models import Guide, Store, Touch
from scancode.channels.service import TeamLine
from scancode.scans import service as scans
from scancode.wiring import Wired
from tests import factories

PHONE = {"User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0", "Accept-Language": "en"}
CRAWLER = {"User-Agent": "Mozilla/5.0 (compatible; Baiduspider/2.0)", "Accept-Language": "en"}


@dataclass(frozen=True)
class Place:
    wired: Wired
    store: Store
    guide: Guide
    store_token: str
    guide_token: str
    scene_token: str

    def touches(self) -> list[Touch]:
        with self.wired.db.reading() as session:
            return list(session.scalars(select(Touch).order_by(Touch.touched_at)))


@pytest.fixture
def place(wired: Wired) -> Place:
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        brand = factories.make_brand(session)
        channel = channels.create_channel(session, brand_id=brand.id, name="A", kind="retail", actor="staff:d", now=now)
        store = channels.create_store(session, channel_id=channel.id, name="南京西路店", actor="staff:d", now=now)
        guide = channels.create_guide(session, store_id=store.id, name="Bob", actor="staff:d", now=now)
        scene = channels.create_scene(
            session,
            channel_id=channel.id,
            store_id=None,
            scene="parcel-card",
            placement="",
            name="包裹卡",
            actor="staff:d",
            now=now,
        )
        own = channels.find_touchpoint_of(session, store_id=store.id)
        bobs = channels.find_touchpoint_of(session, guide_id=guide.id)
        assert own is not None
        assert bobs is not None
    return Place(wired, store, guide, own.token, bobs.token, scene.token)


def text(client: FlaskClient, path: str, headers: dict[str, str] = PHONE) -> str:
    return client.get(path, headers=headers).get_data(as_text=True)


def test_a_guides_code_greets_by_name_and_store(client: FlaskClient, place: Place) -> None:
    page = text(client, f"/t/{place.guide_token}")
    assert "Hello, I am Bob" in page
    assert "南京西路店" in page


def test_a_stores_and_a_scenes_code_welcome(client: FlaskClient, place: Place) -> None:
    assert "Welcome to 南京西路店" in text(client, f"/t/{place.store_token}")
    page = text(client, f"/t/{place.scene_token}")
    assert "Welcome to Mountain Spring" in page
    assert "包裹卡" not in page


def test_it_shows_how_to_go_on(client: FlaskClient, place: Place) -> None:
    page = text(client, f"/t/{place.store_token}")
    assert 'action="/check"' in page
    assert 'href="/join?brand=' in page


def test_it_speaks_chinese_unless_asked_otherwise(client: FlaskClient, place: Place) -> None:
    assert "您好，我是Bob" in client.get(f"/t/{place.guide_token}").get_data(as_text=True)


@pytest.mark.parametrize("prefix", ["/t/", "/T/"])
@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_upper_and_lower_case_are_the_same(client: FlaskClient, place: Place, prefix: str, case: object) -> None:
    assert client.get(prefix + case(place.store_token), headers=PHONE).status_code == 200  # type: ignore[operator]
    assert len(place.touches()) == 1


def test_a_touch_is_kept_and_remembered_by_the_browser(client: FlaskClient, place: Place) -> None:
    client.get(f"/t/{place.store_token}", headers=PHONE)
    client.get(f"/t/{place.guide_token}", headers=PHONE)
    first, second = place.touches()
    assert first.visitor_id == second.visitor_id
    cookie = client.get_cookie("sv")
    assert cookie is not None
    assert place.guide_token in cookie.value


def test_two_browsers_are_two_people(app: Flask, place: Place) -> None:
    for _ in range(2):
        app.test_client().get(f"/t/{place.store_token}", headers=PHONE)
    assert len({touch.visitor_id for touch in place.touches()}) == 2


@pytest.mark.parametrize("headers", [CRAWLER, PHONE | {"Sec-Purpose": "prefetch"}])
def test_robots_and_prefetches_see_the_page_and_leave_nothing(
    client: FlaskClient, place: Place, headers: dict[str, str]
) -> None:
    assert "南京西路店" in text(client, f"/t/{place.store_token}", headers)
    assert place.touches() == []
    cookie = client.get_cookie("sv")
    assert cookie is None or place.store_token not in cookie.value


def test_head_leaves_nothing(client: FlaskClient, place: Place) -> None:
    assert client.head(f"/t/{place.store_token}", headers=PHONE).status_code == 200
    assert place.touches() == []


@pytest.mark.parametrize("token", ["ABCDEFGH1234", "x", "--", "A" * 300])
def test_an_unknown_code_is_explained(client: FlaskClient, place: Place, token: str) -> None:
    answer = client.get(f"/t/{token}", headers=PHONE)
    assert answer.status_code == 404
    assert "We do not know this sign" in answer.get_data(as_text=True)
    assert place.touches() == []


def test_the_code_of_somebody_who_left_is_explained_and_credits_nobody(
    app: Flask, client: FlaskClient, place: Place
) -> None:
    now = datetime.now(UTC)
    with place.wired.db.transaction() as session:
        channels.change_guide(
            session,
            guide_id=place.guide.id,
            name="Bob",
            staff_no="",
            shifts="",
            is_on_duty=True,
            is_active=False,
            actor="staff:d",
            now=now,
        )
        revision.bump(session)
    answer = client.get(f"/t/{place.guide_token}", headers=PHONE)
    assert answer.status_code == 410
    assert "This sign has had its day" in answer.get_data(as_text=True)
    assert place.touches() == []


def test_a_live_code_leads_to_the_same_guide_again_and_says_when_nobody_is_there(
    app: Flask, client: FlaskClient, place: Place
) -> None:
    now = datetime.now(UTC)
    with place.wired.db.transaction() as session:
        live = channels.create_live(
            session,
            channel_id=place.store.channel_id,
            store_id=None,
            name="柜台",
            scene="counter",
            placement="",
            rotation="turns",
            team=[TeamLine(place.guide.id, day_max=1)],
            actor="staff:d",
            now=now,
        )
    for _ in range(2):
        page = text(client, f"/t/{live.token}")
        assert "Hello, I am Bob" in page
        assert "Nobody is here to advise you" not in page
    assert [touch.guide_id for touch in place.touches()] == [place.guide.id] * 2
    full = text(app.test_client(), f"/t/{live.token}")
    assert "Nobody is here to advise you" in full
    assert "Welcome to Mountain Spring" in full


def test_a_link_that_names_a_placed_code_is_a_touch(client: FlaskClient, place: Place) -> None:
    assert client.get(f"/?s={place.scene_token.lower()}", headers=PHONE).status_code == 200
    (touch,) = place.touches()
    assert touch.is_link
    cookie = client.get_cookie("sv")
    assert cookie is not None
    assert place.scene_token in cookie.value


@pytest.mark.parametrize("value", ["ABCDEFGH1234", "x", "", "<script>"])
def test_a_link_that_names_nothing_changes_nothing(client: FlaskClient, place: Place, value: str) -> None:
    assert client.get("/", query_string={"s": value}, headers=PHONE).status_code == 200
    assert "Set-Cookie" not in client.get(f"/media/{'0' * 64}?s={place.scene_token}", headers=PHONE).headers
    assert client.get(f"/?s={place.scene_token}", headers=CRAWLER).status_code == 200
    assert place.touches() == []


def test_the_browser_keeps_the_first_touch_and_the_latest(client: FlaskClient, place: Place) -> None:
    for token in (place.scene_token, *[place.store_token, place.guide_token] * 3):
        client.get(f"/t/{token}", headers=PHONE)
    cookie = client.get_cookie("sv")
    assert cookie is not None
    kept = cookie.value.split(",")[1::2]
    assert kept == [place.scene_token, place.guide_token, place.store_token, place.guide_token]
    assert len(place.touches()) == 7


def test_who_is_held_off_may_look_and_leaves_nothing(app: Flask, client: FlaskClient, place: Place) -> None:
    with place.wired.db.transaction() as session:
        scans.block(session, value="127.0.0.1", reason="storm", days=1, actor="staff:d", now=datetime.now(UTC))
    app.extensions["scancode"].watch.look()
    assert "Hello, I am Bob" in text(client, f"/t/{place.guide_token}")
    assert client.get(f"/?s={place.scene_token}", headers=PHONE).status_code == 200
    assert place.touches() == []


def test_links_that_come_too_often_touch_nothing_more(app: Flask, client: FlaskClient, place: Place) -> None:
    guard = app.extensions["scancode"].guard
    guard.caps = replace(guard.caps, scans_of_address=3)
    for _ in range(5):
        assert client.get(f"/?s={place.scene_token}", headers=PHONE).status_code == 200
    assert len(place.touches()) == 3
