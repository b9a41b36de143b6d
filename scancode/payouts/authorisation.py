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
UNHEARD_AFTER = timedelta(days=7)
"""When a wish to end it that the provider does not answer counts as done: no payment names it since the wish."""
A_DAY_MAX = 5
"""So often a person may ask within a day."""
NOT_FOUND = "not_found"
"""Why a granted one is doubted: the provider said once that it does not know the number."""
OWN_WISH = frozenset({"CLOSE_VIA_MCH_API", "USER_CLOSE", "never_asked", "identity_gone", "unheard", NOT_FOUND})
"""Ends that are nobody's refusal."""
DOUBT_S = 3600
"""After so long a doubted one is asked about again; still unknown, it has ended."""
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


class AskedTooOften(Refusal):
    code = "authorisation_too_often"
    text = N_(
        "You have asked for this several times today. Please try again tomorrow; until then you are paid as before."
    )
    status = 429


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
        is_granted = self.state is State.GRANTED and self.provider_id is not None
        return is_granted and self.closing_at is None and not self.is_doubted

    @property
    def is_doubted(self) -> bool:
        """Granted, and the provider did not know it when it was asked last."""
        return self.state is State.GRANTED and self.reason == NOT_FOUND

    @property
    def is_open(self) -> bool:
        return self.state.is_open

    @property
    def was_refused(self) -> bool:
        """The provider did not take it, for the reason that it gave."""
        is_ended = self.state is State.CLOSED and self.granted_at is None
        return is_ended and self.reason is not None and self.reason not in OWN_WISH

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
    if meaning is State.GRANTED and said.provider_id is None:
        return None  # without the provider's number no payment can name it
    if meaning is State.CLOSED and said.reason == OVERDUE:
        meaning = State.EXPIRED
    return meaning if meaning in STEPS.get(facts.state, ()) else None


def wait_s(facts: AuthorisationFacts, now: datetime) -> int:
    """Seconds until the next look: soon at first, then ever more rarely; once granted, weekly."""
    if facts.is_doubted and not facts.is_closing:
        return DOUBT_S
    if facts.state is State.GRANTED and not facts.is_closing:
        return LOOK_AGAIN_S
    age = now - (facts.closing_at or facts.asked_at)
    return max(POLL_MIN_S, min(POLL_MAX_S, int(age.total_seconds() / 3)))
