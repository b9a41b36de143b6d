"""``/join``: one form with two buttons, from a number to a member."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select

from scancode.app import create_app
from scancode.channels.models import Acquisition
from scancode.jobs.models import Job
from scancode.ledger.models import Account
from scancode.members.models import Consent, Member, OneTimePassword
from scancode.ports import Ports
from scancode.wiring import Wired
from tests.web.console.office import words
from tests.web.h5.phone import Shop, open_shop, place


def count(shop: Shop, table: type) -> int:
    with shop.wired.db.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_password_by_text_message_makes_a_member(shop: Shop) -> None:
    alice = shop.phone()
    answer = alice.ask()
    assert "We have sent a verification code to 138****8000" in words(answer)
    shop.work()
    ((number, password, _),) = shop.inbox()
    assert number == "+8613812348000"
    assert place(alice.enter(password)) == "/me"
    assert "138****8000" in alice.read("/me")
    assert (count(shop, Member), count(shop, Consent), count(shop, Acquisition)) == (1, 1, 1)


def test_marketing_is_agreed_to_only_when_ticked(shop: Shop) -> None:
    shop.phone().join(marketing="y")
    with shop.wired.db.reading() as session:
        assert sorted(session.scalars(select(Consent.purpose))) == ["marketing", "membership"]


def test_a_member_who_joins_again_is_signed_in(shop: Shop) -> None:
    shop.phone().join()
    with shop.wired.db.transaction() as session:
        session.query(OneTimePassword).delete()
    tablet = shop.phone()
    tablet.join()
    assert count(shop, Member) == 1
    assert "Welcome back!" in tablet.read("/me")


def test_the_boxes_are_not_ticked_beforehand(shop: Shop) -> None:
    page = shop.phone().get("/join").get_data(as_text=True)
    assert "checked" not in page
    assert "14" in page


def test_nothing_is_sent_before_the_terms_are_accepted(shop: Shop) -> None:
    answer = shop.phone().ask(terms="")
    assert answer.status_code == 422
    assert "Please read and accept" in words(answer)
    assert (count(shop, OneTimePassword), count(shop, Job)) == (0, 0)


def test_nobody_joins_without_accepting_the_terms(shop: Shop) -> None:
    alice = shop.phone()
    alice.ask()
    shop.work()
    assert alice.enter(shop.inbox()[0][1], terms="").status_code == 422
    assert count(shop, Member) == 0


@pytest.mark.parametrize("number", ["", "12345", "138123480001", "<script>"])
def test_a_wrong_number_is_explained_beside_the_field(shop: Shop, number: str) -> None:
    answer = shop.phone().ask(number)
    assert answer.status_code == 422
    assert "not a phone number we can reach" in words(answer)


def test_wrong_and_missing_passwords_get_one_answer(shop: Shop) -> None:
    alice = shop.phone()
    never = alice.enter("123456")
    alice.ask()
    shop.work()
    right = shop.inbox()[0][1]
    wrong = alice.enter(f"{(int(right) + 1) % 10**6:06}")
    sentence = "This verification code is wrong or no longer valid."
    for answer in (never, wrong):
        assert answer.status_code == 422
        assert sentence in words(answer)


def test_five_wrong_guesses_end_a_password(shop: Shop) -> None:
    alice = shop.phone()
    alice.ask()
    shop.work()
    right = shop.inbox()[0][1]
    for step in range(1, 6):
        assert alice.enter(f"{(int(right) + step) % 10**6:06}").status_code == 422
    assert alice.enter(right).status_code == 422
    assert count(shop, Member) == 0


def test_a_second_message_within_a_minute_is_refused_with_the_time_to_wait(shop: Shop) -> None:
    alice = shop.phone()
    alice.ask()
    answer = alice.ask()
    assert answer.status_code == 429
    assert "You can ask for another one in" in words(answer)
    assert 'data-countdown="' in answer.get_data(as_text=True)
    assert count(shop, OneTimePassword) == 1


def test_a_form_of_another_browser_is_refused(shop: Shop) -> None:
    mallory, alice = shop.phone(), shop.phone()
    alice.get("/join")
    answer = alice.client.post("/join", data={"token": mallory.token("/join"), "phone": "13812348000", "send": "1"})
    assert answer.status_code == 400
    assert count(shop, OneTimePassword) == 0


def test_points_that_were_held_back_are_shown_and_come_along(shop: Shop) -> None:
    alice = shop.phone()
    alice.claim(1)
    assert "You have won 50 points" in alice.read("/join")
    alice.join()
    assert "The reward that we kept for you is yours now." in alice.read("/me")
    with shop.wired.db.reading() as session:
        assert session.scalars(select(Account.balance)).all() == [50]


def test_it_goes_on_to_where_the_person_was_and_nowhere_else(shop: Shop) -> None:
    alice = shop.phone()
    assert 'name="next" value="/me/points"' in alice.get("/join?next=/me/points").get_data(as_text=True)
    for evil in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        page = alice.client.get("/join", query_string={"next": evil}).get_data(as_text=True)
        assert "evil" not in page.split("<main")[1]
    assert place(alice.join(next="/me/points")) == "/me/points"
    assert place(alice.get("/join?next=/me/scans")) == "/me/scans"


def test_an_unknown_brand_is_not_found(shop: Shop) -> None:
    assert shop.phone().get("/join?brand=nobody").status_code == 404


def test_with_two_brands_a_stranger_is_asked_to_scan(shop: Shop, app: Flask, wired: Wired) -> None:
    open_shop(app, wired)
    stranger = shop.phone()
    assert "which brand this is about" in words(stranger.get("/join"))
    stranger.get(f"/{shop.code(1)}")
    assert stranger.get("/join").status_code == 200


def test_the_terms_can_be_read(shop: Shop) -> None:
    page = shop.phone().read("/join/terms")
    assert "Privacy notice" in page
    assert "Version 2026-11" in page


@pytest.fixture
def silent(wired: Wired) -> Shop:
    """A house that can send no messages."""
    mute = replace(wired, ports=Ports(identity=wired.ports.identity, payout=wired.ports.payout, sms=None))
    return open_shop(create_app(wired=mute), mute)


def test_without_a_sender_it_says_so_and_stores_nothing(silent: Shop) -> None:
    alice = silent.phone()
    page = alice.get("/join")
    assert "Text messages cannot be sent at the moment" in words(page)
    token = alice.token(f"/{silent.code(1)}")
    answer = alice.client.post(
        "/join",
        data={"token": token, "phone": "13812348000", "terms": "y", "send": "1"},
        headers={"Accept-Language": "en"},
    )
    assert answer.status_code == 503
    assert count(silent, OneTimePassword) == 0


def test_it_speaks_chinese_unless_asked_otherwise(shop: Shop) -> None:
    page = shop.app.test_client().get("/join").get_data(as_text=True)
    assert "获取验证码" in page
    assert "14 周岁" in page
