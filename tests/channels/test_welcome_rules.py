"""Which welcome a new member gets, and what may be written in one. No database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from scancode.channels.rules import UNKNOWN, Attribution
from scancode.channels.welcomes import (
    BadWelcomeDays,
    GivenFacts,
    Target,
    Terms,
    WelcomeDraft,
    WelcomeFacts,
    choose,
)
from scancode.errors import Invalid
from scancode.letters import BadTemplate, LetterState
from tests.factories import NOW

BRAND, OTHER, CHANNEL, STORE, GUIDE, CODE = (UUID(int=number) for number in range(1, 7))
DRAFT = WelcomeDraft("欢迎", "Welcome")
PLACES = {
    Target.CODE: CODE, Target.GUIDE: GUIDE, Target.STORE: STORE, Target.CHANNEL: CHANNEL, Target.BRAND: BRAND,
}  # fmt: skip
CREDITED = Attribution("touch", CHANNEL, STORE, GUIDE, CODE)


def welcome(target: Target, **over: object) -> WelcomeFacts:
    made = WelcomeFacts(UUID(int=9), BRAND, target, PLACES[target], **vars(DRAFT), made_at=NOW)
    return replace(made, **over)  # type: ignore[arg-type]


def chosen(attribution: Attribution, *welcomes: WelcomeFacts) -> Target | None:
    found = choose(attribution, BRAND, welcomes)
    return found.target if found else None


def test_the_nearest_place_that_has_one_greets() -> None:
    left = [welcome(target) for target in Target]
    for target in Target:
        assert chosen(CREDITED, *reversed(left)) is target
        left.pop(0)
    assert chosen(CREDITED) is None


@pytest.mark.parametrize(
    ("attribution", "target"),
    [
        (UNKNOWN, Target.BRAND),
        (Attribution("region", CHANNEL), Target.CHANNEL),
        (Attribution("shipment", CHANNEL, STORE), Target.STORE),
        (Attribution("touch", CHANNEL, STORE, None, CODE), Target.CODE),
        (Attribution("touch", CHANNEL, None, GUIDE, OTHER), Target.GUIDE),
        (Attribution("touch", OTHER, OTHER, OTHER, OTHER), Target.BRAND),
        # What was touched first, and where the item was sent, get no credit: they greet nobody either.
        (Attribution("unknown", first_touchpoint_id=CODE, item_store_id=STORE), Target.BRAND),
    ],
)
def test_it_follows_the_attribution(attribution: Attribution, target: Target) -> None:
    assert chosen(attribution, *map(welcome, Target)) is target


def test_what_is_not_in_use_or_another_brands_is_passed_over() -> None:
    code, store = welcome(Target.CODE, is_on=False), welcome(Target.STORE)
    assert chosen(CREDITED, code, store) is Target.STORE
    assert chosen(CREDITED, code) is None
    assert chosen(CREDITED, welcome(Target.STORE, brand_id=OTHER)) is None


def test_a_draft_is_tidied() -> None:
    draft = WelcomeDraft(
        "  欢迎\n来到 ",
        "Welcome\x00 to\u202e us",
        " 一\t二 ",
        "one\r\ntwo 👩‍🌾",
        " /me/points ",
        "看积分",
        "See points",
    ).checked()
    assert draft == WelcomeDraft(
        "欢迎 来到", "Welcome to us", "一 二", "one two 👩‍🌾", "/me/points", "看积分", "See points"
    )
    assert draft.checked() == draft
    assert WelcomeDraft("好" * 40, "x" * 40, "好" * 200, "x" * 200).checked()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title_zh": " "}, "title_zh"),
        ({"title_en": "\u200b"}, "title_en"),
        ({"title_zh": "好" * 41}, "title_zh"),
        ({"text_zh": "好" * 201, "text_en": "x"}, "text_zh"),
        ({"text_zh": "好"}, "text_en"),
        ({"text_en": "x"}, "text_zh"),
        ({"link": "/me"}, "button_zh"),
        ({"link": "/me", "button_zh": "好"}, "button_en"),
        ({"button_zh": "好", "button_en": "x"}, "link"),
        ({"link": "/me", "button_zh": "好" * 21, "button_en": "x"}, "button_zh"),
    ],
)
def test_what_is_missing_or_too_long_is_named(change: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        replace(DRAFT, **change).checked()
    assert caught.value.facts["field"] == field


@pytest.mark.parametrize(
    "link",
    [
        "http://example.com", "//evil.example", "/\\evil.example", "javascript:alert(1)", "https://", "me/points",
        "https://good.example@evil.example/", "/a b", "/\x00", "data:text/html,x", "https://x.example/" + "y" * 500,
        "/" + "y" * 500, "HTTP://example.com", "/网页",
    ],
)  # fmt: skip
def test_a_button_leads_to_https_or_to_a_path(link: str) -> None:
    with pytest.raises(Invalid) as caught:
        replace(DRAFT, link=link, button_zh="好", button_en="x").checked()
    assert caught.value.facts["field"] == "link"


@pytest.mark.parametrize("link", ["https://shop.example/a?b=c#d", "/me/points?brand=tea", "/", "HTTPS://Shop.example"])
def test_good_addresses_are_kept(link: str) -> None:
    assert replace(DRAFT, link=link, button_zh="好", button_en="x").checked().link == link


def test_terms_are_checked() -> None:
    assert Terms(0, "  ").checked() == Terms(0, "")
    assert Terms(90, "tpl-0123456789-0123456789  title=thing1 ").checked().template.endswith("9 title=thing1")
    for days in (-1, 91):
        with pytest.raises(BadWelcomeDays):
            Terms(days).checked()
    for template in ("tpl-0123456789-0123456789 text=thing1", "tpl-0123456789-0123456789 title=thing1 points=number2"):
        with pytest.raises(BadTemplate):
            Terms(1, template).checked()


def test_it_stands_for_so_many_days_or_until_it_is_put_away() -> None:
    given = GivenFacts(
        UUID(int=8), welcome(Target.BRAND), "unknown", None, NOW, None, None, LetterState.WAITING, "", None
    )
    almost = NOW + timedelta(days=3) - timedelta(seconds=1)
    assert given.stands(almost, 3)
    assert not given.stands(NOW + timedelta(days=3), 3)
    assert not given.stands(NOW, 0)
    assert not replace(given, dismissed_at=NOW).stands(NOW, 3)
