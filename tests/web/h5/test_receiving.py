"""The page on which a person agrees to be paid without confirming, and ends it; and where it is offered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from scancode.adapters.sandbox import Person
from scancode.claims.rules import Claimant
from scancode.members import service as members
from scancode.payouts import service as payouts
from scancode.payouts.authorisation import AuthorisationState
from scancode.stories import own_data
from scancode.web import people
from scancode.wiring import Wired, connect
from tests.bank import Town, open_bank
from tests.claims.shop import open_shop, visitor
from tests.kept import web_app
from tests.payouts.scene import Scene

S = AuthorisationState
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture(scope="module")
def _server() -> Iterator[Town]:
    with open_bank() as town:
        yield town


@pytest.fixture
def scene(wired: Wired, _server: Town) -> Iterator[Scene]:
    _server.bank.book.reset()
    _server.bank.faults.clear()
    settings = _server.settings(database_url="sqlite://")
    ports = connect(settings).ports
    paying = replace(
        wired,
        settings=wired.settings.model_copy(update={"wechatpay_no_confirm": "*", "wechatpay_rate": 1000}),
        ports=replace(
            wired.ports, payout=ports.payout, authorisations=ports.authorisations, person=Person(_server.url)
        ),
    )
    with paying.db.transaction() as session:
        shop = open_shop(session, paying)
        alice = Claimant(visitor().visitor_id, shop.openid(session))
    yield Scene(paying, _server, shop, alice, datetime.now(UTC))
    ports.payout.close()  # type: ignore[union-attr]


def browser(scene: Scene, monkeypatch: pytest.MonkeyPatch, app: Flask, who: Claimant) -> FlaskClient:
    """A browser that WeChat has told us is this person's."""
    person = people.Person(identity_id=who.identity_id, member_id=who.member_id)
    monkeypatch.setattr("scancode.web.h5.here.current_person", lambda brand_id: person)
    return app.test_client()


def csrf(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_person_agrees_sees_it_and_ends_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser(scene, monkeypatch, web_app(scene.wired), scene.alice)
    slug = scene.shop.brand.slug
    page = client.get(f"/me/receiving?brand={slug}", headers=ENGLISH).text
    assert "Set it up in WeChat" in page
    asked = client.post("/me/receiving", data={"brand": slug, "token": csrf(page)})
    assert asked.status_code == 303
    assert "We are asking WeChat" in client.get(f"/me/receiving/state?brand={slug}", headers=ENGLISH).text
    scene.now = datetime.now(UTC)
    scene.work()
    page = client.get(f"/me/receiving?brand={slug}", headers=ENGLISH).text
    assert "Agree in WeChat" in page
    with scene.wired.db.reading() as session:
        (found,) = payouts.list_authorisations(session, identity_ids=[scene.alice.identity_id])  # type: ignore[list-item]
    pay = client.get(f"/sandbox/pay?package={found.package}", headers=ENGLISH).text
    assert "A shop asks to pay you" in pay
    client.post("/sandbox/pay", data={"package": found.package, "receive": "1", "token": csrf(pay)})
    client.get(f"/me/receiving?brand={slug}&back=1")
    scene.now = datetime.now(UTC)
    scene.work()
    page = client.get(f"/me/receiving?brand={slug}", headers=ENGLISH).text
    assert "your red packets come in by themselves" in page
    ended = client.post("/me/receiving/end", data={"brand": slug, "number": found.number, "token": csrf(page)})
    assert ended.status_code == 303
    assert scene.find(found.number).is_closing
    scene.now = datetime.now(UTC)
    scene.work()
    assert scene.find(found.number).state is S.CLOSED
    page = client.get(f"/me/receiving?brand={slug}", headers=ENGLISH).text
    assert "ended on" in page
    assert "Set it up in WeChat" in page


def test_another_persons_is_not_there(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    number = scene.grant().number
    with scene.wired.db.transaction() as session:
        mallory = Claimant(visitor().visitor_id, scene.shop.openid(session, "openid-mallory"))
    client = browser(scene, monkeypatch, web_app(scene.wired), mallory)
    slug = scene.shop.brand.slug
    page = client.get(f"/me/receiving?brand={slug}", headers=ENGLISH).text
    assert number not in page
    elsewhere = client.get(f"/sandbox/wechat?brand={slug}").text if 'name="token"' not in page else page
    answer = client.post("/me/receiving/end", data={"brand": slug, "number": number, "token": csrf(elsewhere)})
    assert answer.status_code == 404
    assert scene.find(number).is_usable


def test_it_is_not_offered_where_it_is_off(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    off = replace(scene.wired, settings=scene.wired.settings.model_copy(update={"wechatpay_no_confirm": ""}))
    client = browser(scene, monkeypatch, web_app(off), scene.alice)
    page = client.get(f"/me/receiving?brand={scene.shop.brand.slug}", headers=ENGLISH).text
    assert "Set it up in WeChat" not in page
    with off.db.reading() as session:
        assert payouts.list_authorisations(session, identity_ids=[scene.alice.identity_id]) == []  # type: ignore[list-item]


def test_a_reward_offers_it_until_it_is_open(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    code_id = scene.claim()
    client = browser(scene, monkeypatch, web_app(scene.wired), scene.alice)
    assert "Next time without a tap" in client.get(f"/me/rewards/{code_id}", headers=ENGLISH).text
    scene.ask()
    assert "Next time without a tap" not in client.get(f"/me/rewards/{code_id}", headers=ENGLISH).text


def test_the_copy_of_a_members_data_shows_it_and_leaving_ends_it(scene: Scene) -> None:
    with scene.wired.db.transaction() as session:
        _, member_id = scene.shop.member(session)
        members.claim_identity(session, identity_id=scene.alice.identity_id, member_id=member_id)  # type: ignore[arg-type]
    number = scene.grant().number
    with scene.wired.db.reading() as session:
        found = own_data.copy(
            session, brand=scene.shop.brand, member_id=member_id, sealer=scene.wired.sealer, now=scene.now
        )
    json.dumps(found)
    assert [(one["number"], one["state"]) for one in found["authorisations"]] == [(number, "granted")]
    with scene.wired.db.transaction() as session:
        own_data.leave(session, brand_id=scene.shop.brand.id, member_id=member_id, now=scene.now)
    assert not scene.find(number).is_usable
    scene.work()
    assert scene.find(number).state is S.CLOSED
    grant = scene.town.bank.grants.find("number", number)
    assert grant is not None
    assert grant.reason == "CLOSE_VIA_MCH_API"


def test_what_is_unclear_and_cannot_be_confirmed_reads_as_on_its_way(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.grant()
    code_id = scene.claim()
    scene.town.bank.faults.script({"send:unclear": 1})
    scene.work(after_s=1)
    client = browser(scene, monkeypatch, web_app(scene.wired), scene.alice)
    for path in (f"/me/rewards/{code_id}", f"/me/rewards/{code_id}/state"):
        page = client.get(path, headers=ENGLISH).text
        assert "We are sending it" in page
        assert "Open this page in WeChat" not in page
        assert "within 24 hours" not in page
    assert "On its way" in client.get(f"/me/rewards?brand={scene.shop.brand.slug}", headers=ENGLISH).text


@pytest.mark.parametrize(("language", "words"), [("en", "It could not be set up"), ("zh", "未能开通")])
def test_what_wechat_refuses_is_told_with_what_follows(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    scene.town.bank.faults.script({"grant:no_auth": 1, "grant_query:no_auth": 1})
    scene.ask()
    scene.work()
    scene.work(after_s=5)
    client = browser(scene, monkeypatch, web_app(scene.wired), scene.alice)
    page = client.get(f"/me/receiving?brand={scene.shop.brand.slug}", headers={"Accept-Language": language}).text
    assert words in page
    assert "NO_AUTH" in page
