"""Welcomes at the console: written beside a phone that shows them, changed, removed; never another brand's places."""

from __future__ import annotations

import re
from html import unescape
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from scancode.catalog import revision
from scancode.channels import service as channels
from scancode.channels.rules import UNKNOWN
from scancode.channels.welcomes import Terms
from scancode.staff.models import AuditRow
from scancode.wiring import Wired
from tests import factories
from tests.factories import NOW
from tests.web.console.office import Browser, Office, open_office, words
from tests.web.console.test_tags import join

GOOD = {"title_zh": "欢迎", "title_en": "Welcome"}


@pytest.fixture
def office(app: Flask, wired: Wired) -> Office:
    return open_office(app, wired)


@pytest.fixture
def places(office: Office) -> dict[str, UUID]:
    with office.wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=office.brand_id, name="Fresh shops")
        store = channels.create_store(session, channel_id=channel.id, name="Jing'an shop", actor="test", now=NOW)
        guide = channels.create_guide(session, store_id=store.id, name="Xiaoman", actor="test", now=NOW)
        point = channels.create_scene(
            session, channel_id=channel.id, store_id=store.id, scene="shelf", placement="", name="Cold shelf",
            actor="test", now=NOW,
        )  # fmt: skip
        revision.bump(session)
        return {
            "channel": channel.id, "store": store.id, "guide": guide.id, "code": point.id, "brand": office.brand_id,
        }  # fmt: skip


def page_of(target: str, places: dict[str, UUID]) -> str:
    return f"/console/welcomes/{target}/{places[target]}"


def csrf(dave: Browser, path: str) -> dict[str, str]:
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', dave.get(path).get_data(as_text=True))
    assert found is not None
    return {"csrf_token": found[1]}


def test_a_welcome_is_written_for_each_place_found_and_removed(office: Office, places: dict[str, UUID]) -> None:
    dave = office.browser("dave")
    assert "No welcomes yet" in dave.read("/console/welcomes")
    for target in places:
        chosen = dave.get(f"/console/welcomes/new?place={target}:{places[target]}")
        assert str(chosen.location).endswith(page_of(target, places))
        assert dave.send(page_of(target, places), title_zh="欢迎", title_en=f"Hi <{target}>").status_code == 302
    listed = dave.read("/console/welcomes")
    spots = [listed.index(f"Hi &lt;{target}") for target in ("code", "guide", "store", "channel", "brand")]
    assert spots == sorted(spots)
    assert "Hi &lt;code&gt;" in dave.get("/console/welcomes").get_data(as_text=True)
    assert "Another welcome" not in listed
    found = dave.read("/console/welcomes?q=xiaoman")
    assert "Hi &lt;guide" in found
    assert "Hi &lt;store" not in found
    assert "Hi &lt;store" in dave.read("/console/welcomes?target=store")
    assert "Nothing found" in dave.read("/console/welcomes?q=nobody")
    dave.client.post(f"{page_of('store', places)}/remove", data=csrf(dave, page_of("store", places)))
    listed = dave.read("/console/welcomes")
    assert "Hi &lt;store" not in listed
    assert "Another welcome" in listed
    assert dave.client.post(
        f"{page_of('store', places)}/remove", data=csrf(dave, page_of("guide", places))
    ).status_code == 404  # fmt: skip
    with office.wired.db.reading() as session:
        actions = session.scalars(select(AuditRow.action).where(AuditRow.action.like("welcome.%"))).all()
    assert sorted(actions) == ["welcome.create"] * 5 + ["welcome.remove"]


def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost(office: Office, places: dict[str, UUID]) -> None:
    dave, page = office.browser("dave"), page_of("store", places)
    for wrong, sentence in (
        ({"title_en": ""}, "This field is required"),
        ({"title_zh": "好" * 41}, "At most 40 characters are possible."),
        ({"text_zh": "好"}, "Write it in both languages, or in none."),
        ({"link": "javascript:alert(1)"}, "An address begins with https://"),
        ({"link": "/me"}, "Write what the button says."),
        ({"button_zh": "好"}, "Say where the button leads."),
    ):
        answer = dave.send(page, **{**GOOD, "text_en": "", **wrong})
        assert answer.status_code == 422, wrong
        assert sentence in words(answer)
    assert 'value="欢迎"' in answer.get_data(as_text=True)
    with office.wired.db.reading() as session:
        assert channels.list_welcomes(session, brand_id=office.brand_id, limit=9) == []


def test_the_phone_shows_what_is_typed_in_both_languages(office: Office, places: dict[str, UUID]) -> None:
    dave, page = office.browser("dave"), page_of("code", places)

    def frame(query: str) -> str:
        body = dave.get(f"{page}/trial?{query}").get_data(as_text=True)
        found = re.search(r'<iframe[^>]+src="([^"]+)"', body)
        assert found is not None
        return unescape(words(dave.get(unescape(found[1]))))

    typed = "title_zh=你好&title_en=Hello+<b>you</b>&text_zh=一&text_en=one&button_zh=去&button_en=Go"
    assert "Hello <b>you</b> one Go" in frame(f"{typed}&shown=en")
    assert "你好 一 去" in frame(f"{typed}&shown=zh")
    assert "The title stands here" in frame("shown=en")
    assert len(frame(f"title_zh=x&shown=zh&title_en={'y' * 5000}")) < 2000


def test_only_marketing_of_the_brand_sees_and_writes_them(office: Office, places: dict[str, UUID]) -> None:
    carol, mallory, olga = office.browser("carol"), office.browser("mallory"), office.browser("olga")
    for page in ("/console/welcomes", "/console/welcomes/terms", page_of("store", places)):
        assert carol.get(page).status_code == 403
    for target in places:
        assert mallory.get(page_of(target, places)).status_code == 404
        assert mallory.get(f"{page_of(target, places)}/trial").status_code == 404
    token = csrf(mallory, "/console/welcomes/terms")
    assert mallory.client.post(page_of("store", places), data={**token, **GOOD}).status_code == 404
    assert mallory.client.post(f"{page_of('store', places)}/remove", data=token).status_code == 404
    assert olga.send(page_of("store", places), **GOOD).status_code == 302
    assert "Jing'an" not in mallory.read("/console/welcomes")
    dave = office.browser("dave")
    with office.wired.db.reading() as session:
        own = channels.find_touchpoint_of(session, store_id=places["store"])
    assert own is not None
    assert dave.get(f"/console/welcomes/code/{own.id}").status_code == 404
    assert dave.get(f"/console/welcomes/tag/{own.id}").status_code == 404
    assert dave.get("/console/welcomes/new?place=x:y").status_code == 302
    for path in (
        f"/console/channels/codes/{places['code']}",
        f"/console/channels/stores/{places['store']}",
        f"/console/channels/{places['channel']}",
    ):
        assert "/console/welcomes/" in dave.get(path).get_data(as_text=True)
        assert "/console/welcomes/" not in carol.get(path).get_data(as_text=True)
    assert page_of("store", places) in dave.get(f"/console/channels/codes/{own.id}").get_data(as_text=True)


def test_the_terms_are_kept_and_checked(office: Office) -> None:
    dave = office.browser("dave")
    page = "/console/welcomes/terms"
    assert "0 to 90 days" in words(dave.send(page, days="91"))
    assert "Write the template's id" in words(dave.send(page, days="3", template="x title=thing1"))
    template = "tpl-0123456789-0123456789 title=thing1 brand=thing2"
    assert dave.send(page, days="0", template=template).status_code == 302
    with office.wired.db.reading() as session:
        assert channels.load_welcome_terms(session, brand_id=office.brand_id) == Terms(0, template)
        assert channels.load_welcome_terms(session, brand_id=office.other_brand_id) == Terms()


def test_the_page_of_a_member_says_what_they_were_greeted_with(office: Office, places: dict[str, UUID]) -> None:
    dave = office.browser("dave")
    dave.send(page_of("brand", places), **GOOD)
    member_id = join(office, "+8613800000001")
    with office.wired.db.transaction() as session:
        channels.give_welcome(session, member_id=member_id, brand_id=office.brand_id, attribution=UNKNOWN, now=NOW)
        channels.acquire(
            session, member_id=member_id, brand_id=office.brand_id, attribution=UNKNOWN, product_id=None,
            batch_number=None, code_id=None, day="2026-11-22", now=NOW,
        )  # fmt: skip
    assert "Welcome Welcome Message about it Waiting" in dave.read(f"/console/members/{member_id}")
    assert "Greeted" in dave.read("/console/welcomes")
