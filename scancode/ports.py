"""Everything that the program asks of the outside world, one Protocol each; ``wiring`` connects them.

Adapters raise ``OutsideError`` (temporary or permanent) and log no personal value. None of these calls is ever made
while a database transaction is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True)
class Login:
    """Who came back from a login: the person's id with the platform."""

    openid: str
    is_snapshot: bool = False
    """A virtual account that the platform shows before consent; it gets no money."""
    unionid: str | None = None
    """The same person in all of the company's services with the platform; told only where the person agreed."""


class IdentityGateway(Protocol):
    """WeChat login, or what stands for it."""

    @property
    def needs_app(self) -> bool:
        """The login opens inside WeChat only: in any other browser there is nothing to send somebody to."""

    def authorize_url(self, *, redirect_uri: str, state: str, with_consent: bool = False) -> str:
        """Where to send the browser; it comes back to ``redirect_uri`` with ``code`` and ``state``.

        Silent inside WeChat and good for the openid; ``with_consent`` asks the person there, for the unionid too.
        """

    def exchange(self, *, code: str) -> Login:
        """Turns the single-use code into a person. Raises OutsideError("login_code", permanent=True) on a bad code."""


@dataclass(frozen=True)
class PageSignature:
    """What ``wx.config`` takes, for one page and moment."""

    app_id: str
    timestamp_s: int
    nonce: str
    signature: str


class PageScripts(Protocol):
    """WeChat's own JavaScript in our pages: what it can do there is signed for each page."""

    @property
    def script_url(self) -> str:
        """Where WeChat's script is loaded from."""

    def sign_page(self, *, url: str) -> PageSignature:
        """For a page under its whole address, without what follows ``#``. Raises OutsideError."""

    def check(self) -> None:
        """Whether WeChat accepts the account's id, secret and the address that this computer calls from.

        Raises OutsideError, whose ``errcode`` (where it has one) is WeChat's own number.
        """


@dataclass(frozen=True)
class Bill:
    """One order to pay. ``out_bill_no`` is ours, fixed before the first call, at most 32 of 0-9A-Za-z."""

    out_bill_no: str
    openid: str
    amount_fen: int
    remark: str
    campaign: str
    reward: str
    user_name: str | None = None
    """The person's real name, which the provider then compares; sealed on its way."""
    authorisation: str | None = None
    """The provider's id of what the person granted: the money then needs no confirmation."""


@dataclass(frozen=True)
class BillState:
    """What the provider says of a bill, in its own words (WeChat Pay v3 merchant transfer).

    ``state``: ACCEPTED, PROCESSING, WAIT_USER_CONFIRM, TRANSFERING, SUCCESS, FAIL, CANCELING or CANCELLED.
    """

    out_bill_no: str
    state: str
    amount_fen: int
    openid: str | None = None
    provider_bill_no: str | None = None
    package: str | None = None
    fail_reason: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True)
class Confirmation:
    """What WeChat's ``requestMerchantTransfer`` takes to show a person the page on which they receive their money."""

    mch_id: str
    app_id: str
    package: str


@dataclass(frozen=True)
class Ask:
    """What a person is asked to grant: that money comes in without a confirmation each time. ``number`` is ours."""

    number: str
    openid: str
    display_name: str
    """By which the person recognises it in WeChat's list."""


@dataclass(frozen=True)
class AuthorisationSaid:
    """What the provider says of an authorisation. ``state``: WAIT_USER_CONFIRM, TAKING_EFFECT or CLOSED."""

    number: str
    state: str
    openid: str | None = None
    provider_id: str | None = None
    package: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Notice:
    """A call of the provider's, verified and opened. Neither is there where it is about something else."""

    id: str
    bill: BillState | None
    authorisation: AuthorisationSaid | None = None


@dataclass(frozen=True)
class Balance:
    """What lies in the merchant's account, and what of it is spoken for or not there yet."""

    available_fen: int
    pending_fen: int


@dataclass(frozen=True)
class Flow:
    """One movement in the provider's book of a day: fen that went out, or (negative) came in."""

    out_bill_no: str
    provider_bill_no: str
    kind: str
    """The provider's word for the business, as 商家转账."""
    amount_fen: int
    balance_fen: int | None
    at: datetime


class PayoutGateway(Protocol):
    """Sends money to an openid. Every method that calls the provider raises PayoutError, and any error says nothing
    about the bill: only a query does."""

    def compose(self, bill: Bill) -> str:
        """The exact order as it will be sent, to be kept before the first call. Calls nobody."""

    def send(self, order: str) -> BillState:
        """Places a composed order; the same one may be sent again, and brings a fresh package."""

    def query(self, out_bill_no: str) -> BillState | None:
        """What became of a bill; None where the provider does not know the number (or not yet)."""

    def query_provider_no(self, provider_bill_no: str) -> BillState | None:
        """The same by the provider's own number."""

    def cancel(self, out_bill_no: str) -> None:
        """Asks to cancel an unconfirmed bill; query to the end."""

    def confirmation(self, *, package: str) -> Confirmation:
        """What the page hands to WeChat for a bill that waits for its person. Calls nobody."""

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verifies and opens what was posted to us; nothing is read before. Raises OutsideError where it is not
        believed."""

    def balance(self) -> Balance:
        """What is left to pay with. Not every merchant may ask (``NO_AUTH``)."""

    def flows(self, day: date) -> Iterator[Flow] | None:
        """The provider's book of one of its days (Beijing time); None while or where it has none."""


class AuthorisationGateway(Protocol):
    """Authorisations to pay without confirmation. Every method that calls the provider raises PayoutError, which says
    nothing about the authorisation."""

    def compose(self, ask: Ask) -> str:
        """The exact request, to be kept before the first call. Calls nobody."""

    def ask(self, order: str) -> AuthorisationSaid:
        """Places a composed request; the same one may be sent again."""

    def query(self, number: str) -> AuthorisationSaid | None:
        """What became of it, with a package while it waits; None where the provider does not know the number."""

    def close(self, number: str) -> None:
        """Ends it; query what became of it."""


class PayingPerson(Protocol):
    """The make-believe WeChat in which a person confirms, for the demo and for tests."""

    def is_asked(self, package: str) -> bool:
        """Whether an authorisation waits for the person under this package."""

    def waiting_fen(self, package: str) -> int | None:
        """What waits for the person; None when nothing does any more."""

    def confirm(self, package: str) -> None:
        """The person taps «receive», or agrees to be paid without confirmation."""


class SmsGateway(Protocol):
    """Sends text messages. Not idempotent at the providers: the caller keeps its own key."""

    def send(self, *, phone: str, purpose: str, password: str, language: str, key: str) -> None:
        """Sends a one-time password to an E.164 number. Raises OutsideError."""


class TemplateSender(Protocol):
    """Sends a person a message of the official account, by a template that its owner has chosen at WeChat."""

    def send_template(self, *, openid: str, template_id: str, url: str, fields: Mapping[str, str], key: str) -> None:
        """``fields``: what stands in each field of the template. Sent again within ten minutes under the same ``key``
        (32 of 0-9A-Za-z at most) it is sent once. Raises OutsideError; permanent where this person is not reached."""


class RegionFinder(Protocol):
    """Says from which province or city a network address comes. Answers from memory: it is asked at every scan."""

    def region_of(self, address: str) -> int | None:
        """A number of ``channels.regions``, or None for an address of which nothing is known. Raises nothing."""


@dataclass(frozen=True)
class Ports:
    """The outside world of one process. A port is None where the settings say ``none``."""

    identity: IdentityGateway | None
    payout: PayoutGateway | None
    sms: SmsGateway | None
    scripts: PageScripts | None = None
    person: PayingPerson | None = None
    regions: RegionFinder | None = None
    templates: TemplateSender | None = None
    authorisations: AuthorisationGateway | None = None
