"""GTINs, drafts, colours and times, without a database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scancode.catalog.colours import CONTRAST_MIN, contrast, palette
from scancode.catalog.rules import (
    BadCheckDigit,
    BadColour,
    BadGtin,
    BadLink,
    BadSlug,
    BadTimezone,
    BrandDraft,
    BrandFacts,
    ProductDraft,
    TextMissing,
    TextTooLong,
    check_gtin,
    check_slug,
    next_privacy_version,
)

BRAND = BrandFacts(
    id=UUID(int=1), slug="b", name_zh="山泉", name_en="", timezone="Asia/Shanghai", colour="#000000", company_zh="",
    company_en="", support_phone="", support_url="", privacy_zh="", privacy_en="Text", privacy_version="1",
)  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "gtin"),
    [
        ("96385074", "00000096385074"),
        ("036000291452", "00036000291452"),
        ("6901234567892", "06901234567892"),
        ("06901234567892", "06901234567892"),
        (" 690 1234-567892 ", "06901234567892"),
    ],
)
def test_it_takes_every_length_of_gtin(typed: str, gtin: str) -> None:
    assert check_gtin(typed) == gtin


@pytest.mark.parametrize(
    "typed", ["", "690123456789X", "690123456789", "69012345678921", "９６３８５０７４x", "0" * 13]
)
def test_it_refuses_what_is_no_gtin(typed: str) -> None:
    with pytest.raises((BadGtin, BadCheckDigit)):
        check_gtin(typed)


@given(st.integers(1, 10**12 - 1), st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(number: int, place: int, off: int) -> None:
    digits = str(number).zfill(12)
    full = digits + str(-sum(int(d) * (1, 3)[i % 2] for i, d in enumerate(digits)) % 10)
    assert check_gtin(full) == "0" + full
    wrong = full[:place] + str((int(full[place]) + off) % 10) + full[place + 1 :]
    with pytest.raises((BadCheckDigit, BadGtin)):
        check_gtin(wrong)


@pytest.mark.parametrize(
    ("over", "refusal"),
    [
        ({"timezone": "Mars/Base"}, BadTimezone),
        ({"timezone": "../etc/passwd"}, BadTimezone),
        ({"colour": "green"}, BadColour),
        ({"colour": "#12345"}, BadColour),
        ({"support_url": "javascript:alert(1)"}, BadLink),
        ({"name_en": "  "}, TextMissing),
        ({"name_zh": "字" * 81}, TextTooLong),
    ],
)
def test_a_brand_is_refused(over: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        BrandDraft(**({"name_zh": "山泉", "name_en": "Spring"} | over)).checked()


def test_a_brand_is_tidied() -> None:
    draft = BrandDraft(name_zh=" 山泉\n水 ", name_en="字" * 80, colour="#ABCDEF", privacy_zh="一\r\n二 ").checked()
    assert (draft.name_zh, draft.colour, draft.privacy_zh) == ("山泉 水", "#abcdef", "一\n二")


def test_a_product_keeps_the_lines_of_its_story_and_no_control_characters_in_its_name() -> None:
    draft = ProductDraft(gtin="96385074", name_zh="水\x07 杯", name_en="Cup", story_zh="一\n\n二").checked()
    assert (draft.name_zh, draft.story_zh, draft.gtin) == ("水 杯", "一\n\n二", "00000096385074")


@pytest.mark.parametrize("text", ["ab", "mountain-spring-2", "a" * 40])
def test_a_short_name_is_taken(text: str) -> None:
    assert check_slug(text) == text


@pytest.mark.parametrize("text", ["a", "a" * 41, "1a", "A-b", "a--b", "a-", "山泉", "a/b"])
def test_a_short_name_is_refused(text: str) -> None:
    with pytest.raises(BadSlug):
        check_slug(text)


def test_a_brands_day_is_that_of_its_clocks() -> None:
    assert BRAND.day(datetime(2026, 11, 21, 15, 59, tzinfo=UTC)) == "2026-11-21"
    assert BRAND.day(datetime(2026, 11, 21, 16, 0, tzinfo=UTC)) == "2026-11-22"
    assert BRAND.moment(datetime(2026, 11, 21, 16, 5, tzinfo=UTC), "zh") == "2026年11月22日 00:05"
    assert BRAND.moment(datetime(2026, 11, 21, 16, 5, tzinfo=UTC), "en") == "22 Nov 2026, 00:05"


def test_a_missing_language_falls_back_to_the_other() -> None:
    assert (BRAND.name("en"), BRAND.privacy("zh")) == ("山泉", "Text")


def test_a_changed_privacy_text_gets_the_next_version() -> None:
    versions = ["2026-11-21"]
    for day in ("2026-11-22", "2026-11-22", "2026-11-22", "2026-12-01"):
        versions.append(next_privacy_version(day=day, version=versions[-1]))
    assert versions[1:] == ["2026-11-22", "2026-11-22.2", "2026-11-22.3", "2026-12-01"]


@given(st.integers(0, 0xFFFFFF))
def test_text_on_any_colour_can_be_read(value: int) -> None:
    made = palette(f"#{value:06x}")
    rgb = [tuple(int(text[i : i + 2], 16) for i in (1, 3, 5)) for text in (made.brand, made.ink)]
    assert made.brand == f"#{value:06x}"
    assert contrast(rgb[0], rgb[1]) >= CONTRAST_MIN  # type: ignore[arg-type]
