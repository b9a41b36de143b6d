"""Numbers, states and waiting, without a database."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scancode.payouts.rules import (
    ALERT_DAYS,
    FINAL,
    OPEN,
    POLL_MAX_S,
    POLL_MIN_S,
    STEPS,
    Heard,
    Outcome,
    PayoutState,
    Source,
    decide,
    meaning_of,
    needs_person,
    number_of,
    parse_number,
    plain_text,
    release,
    wait_s,
)
from tests.factories import NOW

S = PayoutState
NUMBER = "SC0000000000101"
CODE_IDS = st.integers(0, (1 << 52) - 1)


def heard(
    state: str, *, number: str = NUMBER, fen: int = 100, openid: str | None = "o", reason: str | None = None
) -> Heard:
    return Heard(number, state, fen, openid, reason)


def on(
    state: PayoutState, words: Heard, source: Source = "query", openid: str | None = "o"
) -> tuple[Outcome, PayoutState]:
    found = decide(state=state, out_bill_no=NUMBER, amount_fen=100, openid=openid, heard=words, source=source)
    return found.outcome, found.state


@given(CODE_IDS, st.integers(1, 1295), st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=6))
def test_a_number_is_short_plain_and_says_its_code(code_id: int, attempt: int, prefix: str) -> None:
    number = number_of(prefix=prefix, code_id=code_id, attempt=attempt)
    assert re.fullmatch(r"[0-9A-Z]{1,32}", number)
    assert parse_number(number, prefix=prefix) == (code_id, attempt)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SC",
        "XX0000000000101",
        "SC000000000010",
        "SC00000000001010",
        "SC00000000001_1",
        "SC0000000000100",
        "SCZZZZZZZZZZZ01",
    ],
)
def test_a_text_that_is_no_number_of_ours_says_nothing(text: str) -> None:
    assert parse_number(text, prefix="SC") is None


@pytest.mark.parametrize(("code_id", "attempt"), [(-1, 1), (1 << 52, 1), (1, 0), (1, 1296)])
def test_no_number_is_made_of_what_does_not_fit(code_id: int, attempt: int) -> None:
    with pytest.raises(ValueError):
        number_of(prefix="SC", code_id=code_id, attempt=attempt)


@pytest.mark.parametrize(
    ("state", "words", "source", "then"),
    [
        (S.SENDING, heard("WAIT_USER_CONFIRM"), "send", S.AWAITING_USER),
        (S.SENDING, heard("SUCCESS"), "send", S.PAID),
        (S.SENDING, heard("FAIL"), "send", S.UNKNOWN),
        (S.UNKNOWN, heard("FAIL"), "query", S.FAILED),
        (S.UNKNOWN, heard("PROCESSING"), "query", S.SENDING),
        (S.AWAITING_USER, heard("FAIL", reason="OVERDUE_CLOSE"), "query", S.EXPIRED),
        (S.AWAITING_USER, heard("SUCCESS"), "callback", S.PAID),
        (S.AWAITING_USER, heard("CANCELING"), "query", S.CANCELLING),
        (S.CANCELLING, heard("CANCELLED"), "query", S.CANCELLED),
        (S.CANCELLING, heard("SUCCESS"), "query", S.PAID),
        (S.CREATED, heard("SUCCESS"), "bills", S.PAID),
    ],
)
def test_it_steps_forward(state: PayoutState, words: Heard, source: Source, then: PayoutState) -> None:
    assert on(state, words, source) == (Outcome.STEP, then)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (S.AWAITING_USER, heard("WAIT_USER_CONFIRM")),
        (S.AWAITING_USER, heard("PROCESSING")),
        (S.AWAITING_USER, heard("TRANSFERING")),
        (S.CANCELLING, heard("WAIT_USER_CONFIRM")),
        (S.SENDING, heard("A_NEW_WORD")),
        (S.PAID, heard("SUCCESS")),
        (S.PAID, heard("WAIT_USER_CONFIRM")),
        (S.QUARANTINED, heard("SUCCESS")),
    ],
)
def test_nothing_new_changes_nothing(state: PayoutState, words: Heard) -> None:
    assert on(state, words) == (Outcome.SAME, state)


@pytest.mark.parametrize(
    "words", [heard("SUCCESS", fen=101), heard("SUCCESS", openid="x"), heard("SUCCESS", number="SC2")]
)
@pytest.mark.parametrize("state", sorted(OPEN))
def test_anything_that_differs_is_quarantined(state: PayoutState, words: Heard) -> None:
    assert on(state, words) == (Outcome.QUARANTINE, S.QUARANTINED)


def test_an_openid_that_one_side_does_not_say_is_not_compared() -> None:
    assert on(S.AWAITING_USER, heard("SUCCESS", openid=None)) == (Outcome.STEP, S.PAID)
    assert on(S.AWAITING_USER, heard("SUCCESS"), openid=None) == (Outcome.STEP, S.PAID)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (S.PAID, heard("FAIL")),
        (S.FAILED, heard("SUCCESS")),
        (S.EXPIRED, heard("FAIL")),
        (S.PAID, heard("SUCCESS", fen=1)),
    ],
)
def test_a_final_state_stays_and_the_contradiction_is_told(state: PayoutState, words: Heard) -> None:
    assert on(state, words) == (Outcome.CONTRADICTION, state)


def test_a_person_lets_a_quarantined_one_go_on_when_all_is_right() -> None:
    right = release(out_bill_no=NUMBER, amount_fen=100, openid="o", heard=heard("WAIT_USER_CONFIRM"))
    wrong = release(out_bill_no=NUMBER, amount_fen=100, openid="o", heard=heard("SUCCESS", fen=1))
    assert (right.outcome, right.state) == (Outcome.STEP, S.AWAITING_USER)
    assert (wrong.outcome, wrong.state) == (Outcome.SAME, S.QUARANTINED)


def test_no_step_leads_back_or_out_of_an_end() -> None:
    assert not FINAL & set(STEPS)
    assert all(S.CREATED not in after for after in STEPS.values())


def test_words_have_one_meaning() -> None:
    assert meaning_of("FAIL", "OVERDUE_CLOSE") == S.EXPIRED
    assert meaning_of("FAIL", "OPENID_INVALID") == S.FAILED
    assert meaning_of("SOMETHING", None) is None


@pytest.mark.parametrize(("age_s", "wait"), [(0, POLL_MIN_S), (12, 4), (13, 4), (60, 20), (86400, POLL_MAX_S)])
def test_it_looks_soon_then_ever_more_rarely(age_s: int, wait: int) -> None:
    assert wait_s(timedelta(seconds=age_s)) == wait


def test_somebody_is_called_before_the_provider_forgets() -> None:
    born = NOW - timedelta(days=ALERT_DAYS)
    assert not needs_person(created_at=born, state=S.UNKNOWN, now=NOW)
    assert needs_person(created_at=born - timedelta(seconds=1), state=S.UNKNOWN, now=NOW)
    assert not needs_person(created_at=born - timedelta(days=9), state=S.PAID, now=NOW)


@pytest.mark.parametrize(
    ("text", "plain"), [("山泉🎉红包", "山泉红包"), ("a\nb", "ab"), ("长" * 40, "长" * 32), ("  ", "")]
)
def test_a_remark_is_what_the_provider_takes(text: str, plain: str) -> None:
    assert plain_text(text) == plain
