"""What may happen to money on its way: bill numbers, the states and their order, when to look again. Pure.

Our number is fixed before the first call and follows from code and attempt alone, so that a database restored from an
old backup makes the same number again instead of a second payment. Whatever the provider says is either a step
forward, nothing new, or a reason to stop and ask a person; money never goes back to an earlier state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from scancode.errors import Refusal
from scancode.i18n import N_


class PayoutState(StrEnum):
    CREATED = "created"
    SENDING = "sending"
    UNKNOWN = "unknown"
    AWAITING_USER = "awaiting_user"
    PAID = "paid"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    QUARANTINED = "quarantined"

    @property
    def is_final(self) -> bool:
        """Nothing changes it any more."""
        return self in FINAL


State = PayoutState

CODE_DIGITS = 11
"""36^11 > 2^52: a code id always fits."""
ATTEMPT_DIGITS = 2
ATTEMPTS_MAX = 9
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

AMOUNT_MIN_FEN = 10
AMOUNT_MAX_FEN = 20_000
REMARK_MAX = 32

CONFIRM_HOURS = 24
"""How long a person has to tap «receive» before the provider closes the bill."""
POLL_MIN_S = 4
POLL_MAX_S = 3600
LOST_AFTER = timedelta(days=1)
"""How long a bill that is being cancelled may be unknown to the provider before it is taken for lost."""
ALERT_DAYS = 25
"""The provider answers queries for 30 days; before that somebody must have looked."""

SHORT = "NOT_ENOUGH"
"""The provider's word for an account that is too empty for a bill."""
STUCK_AFTER = timedelta(hours=1)
"""A bill that is still unknown after so long needs a person: settings, limits or the balance."""

FINAL = frozenset({State.PAID, State.FAILED, State.CANCELLED, State.EXPIRED})
REISSUABLE = frozenset({State.FAILED, State.CANCELLED, State.EXPIRED})
STOP = "payouts"
"""The stop under which nothing is sent."""
REPEATABLE = frozenset({State.SENDING, State.UNKNOWN})
"""Where the stored order may go out again if the provider does not know its number: it never confirmed the bill."""
OPEN = frozenset({State.CREATED, State.SENDING, State.UNKNOWN, State.AWAITING_USER, State.CANCELLING})

Source = Literal["send", "query", "callback"]

STEPS: dict[State, frozenset[State]] = {
    State.CREATED: frozenset({State.SENDING, State.CANCELLED}),
    State.SENDING: frozenset({State.UNKNOWN, State.AWAITING_USER, State.CANCELLING}) | FINAL,
    State.UNKNOWN: frozenset({State.SENDING, State.AWAITING_USER, State.CANCELLING}) | FINAL,
    State.AWAITING_USER: frozenset({State.CANCELLING}) | FINAL,
    State.CANCELLING: FINAL,
}
"""The steps forward. Quarantine may follow any state that is not final; only a person leads out of it."""

PROVIDER: dict[str, State] = {
    "ACCEPTED": State.SENDING,
    "PROCESSING": State.SENDING,
    "WAIT_USER_CONFIRM": State.AWAITING_USER,
    "TRANSFERING": State.AWAITING_USER,
    "SUCCESS": State.PAID,
    "FAIL": State.FAILED,
    "CANCELING": State.CANCELLING,
    "CANCELLED": State.CANCELLED,
}


class AmountNotAllowed(Refusal):
    """Facts: ``amount_fen``."""

    code = "payout_amount"
    text = N_("A red packet can hold between 0.10 and 200.00 yuan.")
    status = 422


class NotReissuable(Refusal):
    """Facts: ``state``."""

    code = "payout_not_reissuable"
    text = N_("This payment cannot be sent again: only one that failed, expired or was cancelled can.")


class Contradicted(Refusal):
    code = "payout_contradicted"
    text = N_(
        "WeChat Pay has contradicted itself about this payment: it may have been paid. It is not sent again; "
        "look it up in WeChat Pay's console."
    )


class PayoutsStopped(Refusal):
    code = "payouts_stopped"
    text = N_("Payments are stopped while they are being checked. Nothing is lost: please ask again later.")
    status = 503


class TooManyAttempts(Refusal):
    code = "payout_attempts"
    text = N_("This payment was tried too often. Look into the reason, then pay the person in another way.")


class NotCancellable(Refusal):
    """Facts: ``state``."""

    code = "payout_not_cancellable"
    text = N_("This payment can no longer be cancelled.")


@dataclass(frozen=True)
class PayoutFacts:
    """One attempt to pay one code's reward, as the book has it."""

    code_id: int
    attempt: int
    out_bill_no: str
    brand_id: UUID
    campaign_id: UUID | None
    identity_id: UUID | None
    amount_fen: int
    state: State
    provider_bill_no: str | None
    package: str | None
    fail_reason: str | None
    created_at: datetime
    changed_at: datetime

    @property
    def is_final(self) -> bool:
        return self.state.is_final

    @property
    def waits_for_identity(self) -> bool:
        """Nobody has shown the openid that is to be paid."""
        return self.state == State.CREATED and self.identity_id is None

    @property
    def is_receivable(self) -> bool:
        """There is something to confirm with. Without it the provider works on it by itself, or has yet to tell."""
        return self.state == State.AWAITING_USER and self.package is not None

    @property
    def is_short(self) -> bool:
        """It waits until there is money to pay it with."""
        return self.state == State.UNKNOWN and self.fail_reason == SHORT

    @property
    def confirm_until(self) -> datetime | None:
        """Until when the person can confirm; the provider may close the bill somewhat later than this."""
        return self.changed_at + timedelta(hours=CONFIRM_HOURS) if self.state == State.AWAITING_USER else None


def number_of(*, prefix: str, code_id: int, attempt: int) -> str:
    """The bill's number: prefix, 11 digits of code id and 2 of attempt in base 36. At most 19 of 0-9A-Z."""
    if not 0 <= code_id < 1 << 52 or not 1 <= attempt < 36**ATTEMPT_DIGITS:
        raise ValueError(f"code {code_id}, attempt {attempt} make no bill number")
    return prefix + _base36(code_id, CODE_DIGITS) + _base36(attempt, ATTEMPT_DIGITS)


def parse_number(text: str, *, prefix: str) -> tuple[int, int] | None:
    """Code id and attempt of a number of ours; None for any other text."""
    body = text[len(prefix) :]
    if not text.startswith(prefix) or len(body) != CODE_DIGITS + ATTEMPT_DIGITS or set(body) - set(DIGITS):
        return None
    code_id, attempt = int(body[:CODE_DIGITS], 36), int(body[CODE_DIGITS:], 36)
    return (code_id, attempt) if code_id < 1 << 52 and attempt else None


def _base36(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return digits


def plain_text(text: str, limit: int = REMARK_MAX) -> str:
    """A text as the provider takes it: no characters beyond the basic plane (no emoji), one line, cut to size."""
    kept = "".join(char for char in text if char.isprintable() and ord(char) < 0x10000)
    return kept.strip()[:limit].strip()


def meaning_of(provider_state: str, fail_reason: str | None) -> State | None:
    """Our state for the provider's words; None for words that we do not know."""
    state = PROVIDER.get(provider_state)
    if state == State.FAILED and fail_reason == "OVERDUE_CLOSE":
        return State.EXPIRED
    return state


class Outcome(StrEnum):
    """What to do with what the provider said."""

    STEP = "step"
    SAME = "same"
    QUARANTINE = "quarantine"
    CONTRADICTION = "contradiction"
    """A final state is contradicted: it stays, and a person is told."""


@dataclass(frozen=True)
class Decision:
    outcome: Outcome
    state: State
    note: str


@dataclass(frozen=True)
class Heard:
    """What the provider says of a bill, with who is to be paid as its words have it (None: it did not say)."""

    out_bill_no: str
    state: str
    amount_fen: int
    openid: str | None
    fail_reason: str | None = None


def decide(
    *, state: State, out_bill_no: str, amount_fen: int, openid: str | None, heard: Heard, source: Source
) -> Decision:
    """What follows when the provider says this of a payout that is in ``state``.

    Neither a send's answer nor a callback ends an attempt without money: whether a bill failed is for a query to say,
    since a new attempt may follow. ``openid`` None means that ours is not known (nothing was sent yet).
    """
    meaning = meaning_of(heard.state, heard.fail_reason)
    wrong = _mismatch(out_bill_no, amount_fen, openid, heard)
    if state in FINAL:
        if wrong or (meaning in FINAL and meaning != state):
            return Decision(Outcome.CONTRADICTION, state, f"{source}: {wrong or heard.state}")
        return Decision(Outcome.SAME, state, heard.state)
    if state == State.QUARANTINED:
        return Decision(Outcome.SAME, state, heard.state)
    if wrong:
        return Decision(Outcome.QUARANTINE, State.QUARANTINED, f"{source}: {wrong}")
    if meaning is None:
        return Decision(Outcome.SAME, state, heard.state)
    if source in ("send", "callback") and meaning in REISSUABLE:
        meaning = State.UNKNOWN if source == "send" else state
    if meaning != state and (meaning in STEPS[state] or (state == State.CREATED and source != "send")):
        # A bill of ours that the book has not sent: the book is older than the bill (a restore). It is real.
        return Decision(Outcome.STEP, meaning, f"{source}: {heard.state}")
    return Decision(Outcome.SAME, state, heard.state)


def release(*, out_bill_no: str, amount_fen: int, openid: str | None, heard: Heard) -> Decision:
    """Where a quarantined payout goes when a person has it queried again: on, if nothing is wrong any more."""
    wrong = _mismatch(out_bill_no, amount_fen, openid, heard)
    meaning = meaning_of(heard.state, heard.fail_reason)
    if wrong or meaning is None:
        return Decision(Outcome.SAME, State.QUARANTINED, f"query: {wrong or heard.state}")
    return Decision(Outcome.STEP, meaning, f"release: {heard.state}")


def _mismatch(out_bill_no: str, amount_fen: int, openid: str | None, heard: Heard) -> str | None:
    if heard.out_bill_no != out_bill_no:
        return "number_differs"
    if heard.amount_fen != amount_fen:
        return "amount_differs"
    if openid is not None and heard.openid is not None and heard.openid != openid:
        return "openid_differs"
    return None


def wait_s(age: timedelta) -> int:
    """Seconds until the next look at a bill of this age: soon at first, then ever more rarely, at least hourly."""
    return max(POLL_MIN_S, min(POLL_MAX_S, int(age.total_seconds() / 3)))


def is_lost(*, state: State, changed_at: datetime, now: datetime) -> bool:
    """Whether a bill that the provider does not know is one that it had confirmed: a person must decide."""
    return state == State.AWAITING_USER or (state == State.CANCELLING and now - changed_at > LOST_AFTER)


def needs_person(*, created_at: datetime, state: State, now: datetime) -> bool:
    """Whether the provider will soon stop answering for a bill whose end we do not know."""
    return state not in FINAL and state != State.CREATED and now - created_at > timedelta(days=ALERT_DAYS)
