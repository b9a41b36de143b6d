"""What a phone number is, how a person's value is shown to others, and when a password may be sent to a phone.

Pure: no session, no clock. A number is kept as E.164 (``+8613812348000``); people write it in many other ways.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from scancode.errors import Refusal
from scancode.i18n import N_

PHONE_TEXT_MAX = 40
PASSWORD_DIGITS = 6
TRIES_MAX = 5

MEMBERSHIP = "membership"
MARKETING = "marketing"
LINKING = "linking"
PREFERENCES = "preferences"
PURPOSES = (MEMBERSHIP, MARKETING, LINKING, PREFERENCES)
"""What a person may consent to. Membership is what joining is; marketing is theirs to give or not, and so are linking
(being known as the same person in the company's other WeChat services) and preferences (what they open is kept)."""

_EDITIONS = {MARKETING: 2}
"""Which edition of the program's own sentence is agreed to, where it has changed. Marketing: the second names WeChat
beside text messages, and says that reminders are among what is sent."""


def consent_version(purpose: str, privacy_version: str) -> str:
    """What is kept as the version of a consent: that of the brand's privacy notice, and behind a stroke the edition of
    the sentence where it is not the first."""
    edition = _EDITIONS.get(purpose, 1)
    return privacy_version if edition == 1 else f"{privacy_version}/{edition}"


def covers_wechat(version: str) -> bool:
    """Whether a consent to marketing in this version reaches beyond text messages."""
    _, _, edition = version.partition("/")
    return edition.isdecimal() and int(edition) >= 2


_MAINLAND = re.compile(r"1[3-9]\d{9}")
_ABROAD = re.compile(r"[1-9]\d{6,14}")
_BETWEEN = re.compile(r"[\s\-\u2010-\u2015().\u00b7/]+")
_WIDE = {ord("＋"): "+", ord("（"): "(", ord("）"): ")", ord("－"): "-"} | {0xFF10 + n: str(n) for n in range(10)}


class BadPhone(Refusal):
    code = "bad_phone"
    text = N_(
        "This is not a phone number we can reach. Enter the 11 digits of a mobile phone, or + and the country code."
    )
    status = 422


class SendTooSoon(Refusal):
    """Facts: ``seconds`` until the next message may be asked for."""

    code = "sms_too_soon"
    text = N_("A message is on its way. You can ask for another one in {seconds} seconds.")
    status = 429


class SendTooMany(Refusal):
    """Facts: ``minutes`` until the next message may be asked for."""

    code = "sms_too_many"
    text = N_("Too many messages were asked for. Please try again in {minutes} minutes.")
    status = 429


class WrongPassword(Refusal):
    """One answer for wrong, expired, used up and never sent: it tells a guesser nothing."""

    code = "wrong_password"
    text = N_("This verification code is wrong or no longer valid. Check the newest message, or ask for a new one.")
    status = 422


class SmsUnavailable(Refusal):
    code = "sms_unavailable"
    text = N_("Text messages cannot be sent at the moment. Nothing was stored; please try again later.")
    status = 503


class ConsentMissing(Refusal):
    code = "consent_missing"
    text = N_("Please read and accept the membership terms and the privacy notice first.")
    status = 422


class NotAMember(Refusal):
    code = "not_a_member"
    text = N_("This membership has ended. You can join again at any time.")
    status = 404


def normalise_phone(text: str) -> str:
    """The E.164 form of a number as people write it: ``138 1234 8000`` -> ``+8613812348000``. Raises BadPhone.

    Without a country code it must be a mobile number of mainland China; with one, any 7 to 15 digits.
    """
    if len(text) > PHONE_TEXT_MAX:
        raise BadPhone
    plain = _BETWEEN.sub("", text.translate(_WIDE).strip())
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    digits = plain.removeprefix("+")
    if not digits.isascii() or not digits.isdigit():
        raise BadPhone
    national = digits.removeprefix("86")
    if digits.startswith("86") and _MAINLAND.fullmatch(national):
        return "+86" + national
    if plain.startswith("+"):
        if digits.startswith("86") or not _ABROAD.fullmatch(digits):
            raise BadPhone
        return plain
    if not _MAINLAND.fullmatch(digits):
        raise BadPhone
    return "+86" + digits


def mask_phone(phone: str) -> str:
    """What may be shown of an E.164 number: ``138****8000``, ``+852****4567``."""
    if phone.startswith("+86"):
        return f"{phone[3:6]}****{phone[-4:]}"
    if len(phone) >= 12:
        return f"{phone[:4]}****{phone[-4:]}"
    return f"{phone[:3]}****{phone[-2:]}"


def mask_openid(openid: str) -> str:
    """What may be shown of an openid: its last four characters, of a long one only."""
    return "****" + (openid[-4:] if len(openid) >= 12 else "")


@dataclass(frozen=True)
class SendLimits:
    """How often a password may be sent, and how long it lives. Counted over every purpose and brand of a phone."""

    minutes: int = 5
    resend_s: int = 60
    per_hour: int = 5
    per_day: int = 10
    per_address_hour: int = 20


@dataclass(frozen=True)
class Sent:
    """Messages of the last rolling 24 hours: to the phone (newest first), and how many of the last hour by address."""

    to_phone: tuple[datetime, ...]
    from_address: tuple[datetime, ...]


def check_sending(sent: Sent, limits: SendLimits, now: datetime) -> None:
    """Whether one more message may go out. Raises SendTooSoon or SendTooMany with the time to wait."""
    hour, day = timedelta(hours=1), timedelta(hours=24)
    phone = sorted(sent.to_phone, reverse=True)
    if phone and now < (free_at := phone[0] + timedelta(seconds=limits.resend_s)):
        raise SendTooSoon(seconds=_up(free_at - now, 1))
    waits = [
        free_at - now
        for times, span, most in (
            (phone, hour, limits.per_hour),
            (phone, day, limits.per_day),
            (sorted(sent.from_address, reverse=True), hour, limits.per_address_hour),
        )
        if len(times) >= most and (free_at := times[most - 1] + span) > now
    ]
    if waits:
        raise SendTooMany(minutes=_up(max(waits), 60))


def _up(span: timedelta, unit_s: int) -> int:
    """The span in whole units, rounded up: nobody is told to come back too early."""
    return max(1, -(-int(span.total_seconds() * 1000) // (unit_s * 1000)))


@dataclass(frozen=True)
class IdentityFacts:
    """An identity without its value. ``id`` is the blind index, so it may be kept and compared, never shown."""

    id: UUID
    brand_id: UUID
    kind: str
    hint: str
    member_id: UUID | None
    is_snapshot: bool


@dataclass(frozen=True)
class MemberFacts:
    id: UUID
    brand_id: UUID
    language: str
    joined_at: datetime
    left_at: datetime | None
    phone_hint: str
    """The masked phone; empty once the member has left."""

    @property
    def is_here(self) -> bool:
        return self.left_at is None


@dataclass(frozen=True)
class ConsentFacts:
    purpose: str
    version: str
    language: str
    granted_at: datetime
    withdrawn_at: datetime | None

    @property
    def stands(self) -> bool:
        return self.withdrawn_at is None
