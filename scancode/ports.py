"""Everything that the program asks of the outside world, one Protocol each; ``wiring`` connects them.

Adapters raise ``OutsideError`` (temporary or permanent) and log no personal value. None of these calls is ever made
while a database transaction is open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
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


class PayoutGateway(Protocol):
    """Sends money to an openid. Any error says nothing about the bill: only a query does."""

    def send(self, bill: Bill) -> BillState:
        """Places the bill; the same number and content may be sent again. Raises OutsideError."""

    def query(self, out_bill_no: str) -> BillState | None:
        """What became of a bill; None where the provider does not know the number. Raises OutsideError."""

    def cancel(self, out_bill_no: str) -> BillState:
        """Asks to cancel an unconfirmed bill; poll to the end. Raises OutsideError."""

    def bills(self, *, since: datetime) -> Iterable[BillState]:
        """Every bill placed since then: the provider's own book, for reconciliation. Raises OutsideError."""

    def confirmation(self, *, package: str) -> Confirmation:
        """What the page hands to WeChat for a bill that waits for its person."""

    def confirm_url(self, *, package: str, return_url: str) -> str | None:
        """A page where the person confirms, where the provider has one outside its own app; else None."""


class SmsGateway(Protocol):
    """Sends text messages. Not idempotent at the providers: the caller keeps its own key."""

    def send(self, *, phone: str, purpose: str, password: str, language: str, key: str) -> None:
        """Sends a one-time password to an E.164 number. Raises OutsideError."""


@dataclass(frozen=True)
class Ports:
    """The outside world of one process. A port is None where the settings say ``none``."""

    identity: IdentityGateway | None
    payout: PayoutGateway | None
    sms: SmsGateway | None
    scripts: PageScripts | None = None
