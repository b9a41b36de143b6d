"""What may happen to an authorisation to pay without confirmation: its number, its states and their order. Pure.

The number follows from the person's identity and the attempt alone, as a bill's follows from its code: a database
restored from an old backup asks under the same number again, and hears what became of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.payouts.rules import DIGITS, POLL_MAX_S, POLL_MIN_S
from scancode.ports import AuthorisationSaid

ASK_HOURS = 24
"""How long a person has to agree before the provider closes it."""
LOST_AFTER = timedelta(hours=2 * ASK_HOURS)
"""When one that the provider does not know counts as never agreed to."""
LOOK_AGAIN_S = 7 * 86_400
"""How often a granted one is asked about: the provider tells of its end, and so does a payment that is refused."""
NUMBER_DIGITS = 24


class AuthorisationState(StrEnum):
    ASKED = "asked"
    GRANTED = "granted"
    CLOSED = "closed"
    EXPIRED = "expired"

    @property
    def is_open(self) -> bool:
        return self in (AuthorisationState.ASKED, AuthorisationState.GRANTED)


State = AuthorisationState
PROVIDER = {"WAIT_USER_CONFIRM": State.ASKED, "TAKING_EFFECT": State.GRANTED, "CLOSED": State.CLOSED}
OVERDUE = "USER_OVERDUE_UNCONFIRMED"
STEPS = {
    State.ASKED: frozenset({State.GRANTED, State.CLOSED, State.EXPIRED}),
    State.GRANTED: frozenset({State.CLOSED, State.EXPIRED}),
}
"""The steps forward; what has ended stays so, whatever comes late."""


class NotOffered(Refusal):
    code = "authorisation_not_offered"
    text = N_("Being paid without confirming each time is not offered here.")
    status = 404


@dataclass(frozen=True)
class AuthorisationFacts:
    """One authorisation, as the book has it."""

    identity_id: UUID
    attempt: int
    number: str
    brand_id: UUID
    state: State
    provider_id: str | None
    package: str | None
    reason: str | None
    asked_at: datetime
    granted_at: datetime | None
    closing_at: datetime | None
    ended_at: datetime | None

    @property
    def is_usable(self) -> bool:
        """Whether a payment may name it."""
        return self.state is State.GRANTED and self.closing_at is None and self.provider_id is not None

    @property
    def is_open(self) -> bool:
        return self.state.is_open

    @property
    def is_closing(self) -> bool:
        """Its person wished it to end, and the provider has not said yet that it has."""
        return self.is_open and self.closing_at is not None

    @property
    def is_moving(self) -> bool:
        """Something happens without the person."""
        return self.state is State.ASKED or self.is_closing


def number_of(*, prefix: str, identity_id: UUID, attempt: int) -> str:
    """Prefix, an ``A``, and 24 digits in base 36: at most 31 of 0-9A-Z. Never a bill's, which is shorter."""
    digest = hashlib.sha256(f"authorisation|{identity_id}|{attempt}".encode()).digest()
    left, digits = int.from_bytes(digest[:20]), ""
    for _ in range(NUMBER_DIGITS):
        left, digit = divmod(left, 36)
        digits = DIGITS[digit] + digits
    return f"{prefix}A{digits}"


def next_state(*, facts: AuthorisationFacts, openid: str | None, said: AuthorisationSaid) -> State | None:
    """The state that follows from the provider's words; None where nothing does. Raises ValueError where they are
    about another number or person. ``openid`` None means that ours is not kept (any more)."""
    if said.number != facts.number or (openid and said.openid and said.openid != openid):
        raise ValueError("number_differs" if said.number != facts.number else "openid_differs")
    meaning = PROVIDER.get(said.state)
    if meaning is State.CLOSED and said.reason == OVERDUE:
        meaning = State.EXPIRED
    return meaning if meaning in STEPS.get(facts.state, ()) else None


def wait_s(facts: AuthorisationFacts, now: datetime) -> int:
    """Seconds until the next look: soon at first, then ever more rarely; once granted, weekly."""
    if facts.state is State.GRANTED and not facts.is_closing:
        return LOOK_AGAIN_S
    age = now - (facts.closing_at or facts.asked_at)
    return max(POLL_MIN_S, min(POLL_MAX_S, int(age.total_seconds() / 3)))
