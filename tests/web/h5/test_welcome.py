"""The welcome on a member's phone: first on the page after joining, then on their own until it is put away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from scancode.channels import service as channels
from scancode.channels.models import GivenWelcome, Welcome
from scancode.channels.welcomes import Target, Terms, WelcomeDraft
from scancode.web import preview
from tests.web.console.office import words
from tests.web.h5.phone import Phone, Shop, place

ROBOT = {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
DRAFT = WelcomeDraft(
    "欢迎来到茶社",
    "Welcome <i>home</i>",
    "第一杯我们请",
    "The first cup is on us",
    "/me/points",
    "看积分",
    "See points",
)


@pytest.fixture
def greeting(shop: Shop) -> Shop:
    write(shop, DRAFT)
    return shop


def write(shop: Shop, draft: WelcomeDraft) -> None:
    with shop.wired.db.transaction() as session:
        channels.write_welcome(
            session, brand_id=shop.brand_id, target=Target.BRAND, target_id=shop.brand_id, draft=draft,
            actor="dave", now=shop.app.extensions["scancode"].now(),
        )  # fmt: skip


def terms(shop: Shop, days: int) -> None:
    with shop.wired.db.transaction() as session:
        channels.set_welcome_terms(
            session, brand_id=shop.brand_id, terms=Terms(days), actor="dave",
            now=shop.app.extensions["scancode"].now(),
        )  # fmt: skip


def row(shop: Shop) -> GivenWelcome:
    with shop.wired.db.reading() as session:
        return session.scalars(select(GivenWelcome)).one()


def opened(shop: Shop) -> int:
    with shop.wired.db.reading() as session:
        return session.scalars(select(Welcome.opened)).one()


def shown(phone: Phone, path: str = "/me") -> int:
    return phone.get(path).get_data(as_text=True).count('class="welcome"')


def test_it_is_the_first_thing_after_joining_and_stays_until_it_is_put_away(greeting: Shop) -> None:
    alice = greeting.phone()
    alice.join()
    assert row(greeting).seen_at is None
    page = alice.get("/me").get_data(as_text=True)
    assert page.count('class="welcome"') == 1
    assert "Welcome &lt;i&gt;home&lt;/i&gt;" in page
    assert page.index("The first cup is on us") < page.index("138****8000")
    assert "Welcome to" not in page
    seen = row(greeting).seen_at
    assert seen is not None
    assert shown(alice) == 1
    assert row(greeting).seen_at == seen
    assert place(alice.send("/me/welcome", page="/me")) == "/me"
    assert shown(alice) == 0
    away = row(greeting).dismissed_at
    assert alice.send("/me/welcome", page="/me").status_code == 302
    assert row(greeting).dismissed_at == away


def test_it_follows_the_page_that_they_joined_for(greeting: Shop) -> None:
    """The verdict and the reward stay in full below it; the page that others see is not touched by it."""
    alice, code = greeting.phone(), greeting.code(1)
    alice.get(f"/{code}")
    alice.join(next=f"/{code}")
    page = alice.get(f"/{code}").get_data(as_text=True)
    assert page.index('class="welcome"') < page.index("genuine")
    assert "Put the welcome away" not in page
    assert shown(alice, f"/{code}") == 0
    assert shown(greeting.phone(), f"/{code}") == 0
    assert shown(alice) == 1


@pytest.mark.parametrize("days", [0, 2])
def test_it_stands_for_the_brands_days(greeting: Shop, days: int) -> None:
    terms(greeting, days)
    alice = greeting.phone()
    alice.join()
    assert shown(alice) == 1
    assert shown(alice) == (1 if days else 0)
    with greeting.wired.db.transaction() as session:
        session.execute(update(GivenWelcome).values(given_at=row(greeting).given_at - timedelta(days=days)))
    assert shown(alice) == 0


def test_the_button_leads_where_it_says_and_is_counted_of_nobody(greeting: Shop) -> None:
    alice = greeting.phone()
    alice.join()
    assert place(alice.get("/me/welcome")) == "/me/points"
    assert opened(greeting) == 1
    alice.client.get("/me/welcome", headers=ROBOT)
    alice.client.head("/me/welcome")
    assert opened(greeting) == 1
    assert place(greeting.phone().get("/me/welcome")) == "/me"
    assert alice.get("/me/welcome?brand=nobody").status_code == 404
    write(greeting, WelcomeDraft("别的", "Other", link="https://evil.example/", button_zh="去", button_en="Go"))
    assert place(alice.get("/me/welcome")) == "/me/points"  # theirs is as it was given


def test_robots_see_nothing_and_strangers_have_none(greeting: Shop) -> None:
    alice = greeting.phone()
    alice.join()
    alice.client.get("/me", headers=ROBOT)
    alice.client.head("/me")
    assert row(greeting).seen_at is None
    guest = greeting.phone()
    assert shown(guest) == 0
    assert guest.client.post("/me/welcome", data={}).status_code == 400
    alice.client.post("/me/welcome", data={"token": "x"})
    assert row(greeting).dismissed_at is None


def test_a_member_who_comes_back_on_another_device_finds_it_once_on_their_page(greeting: Shop) -> None:
    phone, tablet = greeting.phone(), greeting.phone()
    phone.join()
    phone.show_wechat()
    tablet.show_wechat()
    assert shown(tablet) == 1
    assert tablet.send("/me/leave", sure="1").status_code == 302
    assert shown(tablet) == 0
    assert shown(phone) == 0


def test_without_one_the_page_says_welcome_all_the_same(shop: Shop) -> None:
    alice = shop.phone()
    alice.join()
    assert "Welcome to" in alice.read("/me")
    assert shown(alice) == 0
    assert place(alice.get("/me/welcome")) == "/me"


def test_the_preview_shows_what_was_signed_and_nothing_else(greeting: Shop) -> None:
    settings, visitor = greeting.wired.settings, greeting.phone()
    token = preview.sign_welcome(settings, greeting.brand_id, "zh", vars(DRAFT))
    answer = visitor.get(f"/preview/welcome/{token}")
    assert answer.status_code == 200
    assert "第一杯我们请" in words(answer)
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert visitor.get(f"/preview/welcome/{token}x").status_code == 404
    assert visitor.get(f"/preview/welcome/{preview.sign_brand(settings, greeting.brand_id)}").status_code == 404
