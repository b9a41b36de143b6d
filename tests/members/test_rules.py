"""Phones as people write them, masks, and the sending limits. No database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scancode.members.rules import (
    BadPhone,
    SendLimits,
    SendTooMany,
    SendTooSoon,
    Sent,
    check_sending,
    mask_openid,
    mask_phone,
    normalise_phone,
)

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
LIMITS = SendLimits()


@pytest.mark.parametrize(
    "text",
    [
        "13812348000",
        " 138 1234 8000 ",
        "138-1234-8000",
        "+86 138 1234 8000",
        "86 13812348000",
        "0086-138-1234-8000",
        "１３８１２３４８０００",
        "＋８６１３８１２３４８０００",
        "(+86) 138‑1234‑8000",
    ],
)
def test_it_reads_a_mainland_number_however_it_is_written(text: str) -> None:
    assert normalise_phone(text) == "+8613812348000"


@pytest.mark.parametrize(
    ("text", "phone"),
    [("+852 9123 4567", "+85291234567"), ("0044 7911 123456", "+447911123456"), ("+1 (415) 555-0123", "+14155550123")],
)
def test_it_reads_a_number_with_a_country_code(text: str, phone: str) -> None:
    assert normalise_phone(text) == phone


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1381234800",
        "138123480001",
        "12812348000",
        "02112345678",
        "+86 21 1234 5678",
        "+8612812348000",
        "9123 4567",
        "+0123456789",
        "+123456",
        "+1234567890123456",
        "138a2348000",
        "+",
        "１３８123480٠٠",
        "1" * 41,
        "13812348000; DROP TABLE members",
    ],
)
def test_it_refuses_what_cannot_be_reached(text: str) -> None:
    with pytest.raises(BadPhone):
        normalise_phone(text)


@pytest.mark.parametrize(
    ("phone", "hint"),
    [
        ("+8613812348000", "138****8000"),
        ("+85291234567", "+852****4567"),
        ("+14155550123", "+141****0123"),
        ("+4512345678", "+45****78"),
        ("+1234567", "+12****67"),
    ],
)
def test_it_hides_the_middle_of_a_phone(phone: str, hint: str) -> None:
    assert mask_phone(phone) == hint


def test_it_shows_the_end_of_a_long_openid_only() -> None:
    assert mask_openid("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o") == "****eS6o"
    assert mask_openid("short") == "****"


def sent(*seconds_ago: float, address: tuple[float, ...] = ()) -> Sent:
    return Sent(
        tuple(NOW - timedelta(seconds=ago) for ago in seconds_ago),
        tuple(NOW - timedelta(seconds=ago) for ago in address),
    )


def test_a_first_message_goes_out() -> None:
    check_sending(sent(), LIMITS, NOW)


def test_it_waits_sixty_seconds_between_messages() -> None:
    with pytest.raises(SendTooSoon) as refused:
        check_sending(sent(59.5), LIMITS, NOW)
    assert refused.value.facts == {"seconds": 1}
    check_sending(sent(60), LIMITS, NOW)


def test_a_message_from_a_moment_ahead_counts_too() -> None:
    with pytest.raises(SendTooSoon):
        check_sending(sent(-2), LIMITS, NOW)


def test_it_sends_five_in_a_rolling_hour() -> None:
    check_sending(sent(100, 200, 300, 400), LIMITS, NOW)
    with pytest.raises(SendTooMany) as refused:
        check_sending(sent(100, 200, 300, 400, 3599), LIMITS, NOW)
    assert refused.value.facts == {"minutes": 1}
    check_sending(sent(100, 200, 300, 400, 3600), LIMITS, NOW)


def test_it_sends_ten_in_a_rolling_day() -> None:
    hourly = [3600.0 * hour for hour in range(1, 10)]
    check_sending(sent(*hourly), LIMITS, NOW)
    with pytest.raises(SendTooMany):
        check_sending(sent(*hourly, 86399), LIMITS, NOW)
    check_sending(sent(*hourly, 86400), LIMITS, NOW)


def test_it_says_how_long_the_longest_limit_lasts() -> None:
    ten = [100.0, 200, 300, 400, 500, 7200, 7300, 7400, 7500, 43200]
    with pytest.raises(SendTooMany) as refused:
        check_sending(sent(*ten), LIMITS, NOW)
    assert refused.value.facts == {"minutes": 720}


def test_it_caps_an_address() -> None:
    busy = tuple(float(second) for second in range(100, 119))
    check_sending(sent(address=busy), LIMITS, NOW)
    with pytest.raises(SendTooMany):
        check_sending(sent(address=(*busy, 3599)), LIMITS, NOW)
    check_sending(sent(address=(*busy, 3600)), LIMITS, NOW)
