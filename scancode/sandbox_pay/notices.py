"""Posts what became of bills to the merchant: sealed, signed, repeated until it is taken; and all that may go wrong."""

from __future__ import annotations

import http.client
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from scancode.sandbox_pay.authorisations import Grant, Grants, notice_of
from scancode.sandbox_pay.book import BillRow, Book, moment
from scancode.sandbox_pay.faults import Faults
from scancode.sandbox_pay.keys import MCH_ID, Keys

SCHEDULE_S = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
PATIENCE_S = 5.0
PAUSE_S = 0.05
Send = Callable[[str, dict[str, str], bytes], int]
"""URL, headers, body: the status of the answer. Raises OSError where there is none."""
FORGED, STALE, PROBE = "forged", "stale", "probe"


class Postman:
    """A thread for as long as the server runs. ``hurry`` divides the waits between two tries."""

    def __init__(self, book: Book, keys: Keys, faults: Faults, *, hurry: float = 1.0, send: Send | None = None) -> None:
        self._grants = Grants(book)
        self._echoes: list[tuple[Grant, str]] = []
        self._book, self._keys, self._faults, self._hurry = book, keys, faults, hurry
        self._send = send or _send
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="postman", daemon=True)
        self.posted: list[tuple[str, int]] = []
        """What was posted lately and how it was answered, for tests: kind and status (0: no answer)."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(timeout=PATIENCE_S + 1)

    def deliver_due(self) -> int:
        """Posts what is due now; returns how many notices were tried."""
        due = self._book.due_notices()
        for notice_id, bill, state, tries in due:
            self.deliver(notice_id, bill, state, tries)
        granted = self._grants.due_notices()
        for notice_id, grant, state, tries in granted:
            self._tell(notice_id, grant, state, tries)
        return len(due) + len(granted)

    def _tell(self, notice_id: str, grant: Grant, state: str, tries: int) -> None:
        """One notice of an authorisation with whatever is to go wrong before it, and what was kept back after it."""
        take = self._faults.take
        if take("notice:lost"):
            self._grants.notice_done(notice_id)
            return
        if tries == 0 and take("notice:late"):
            self._grants.notice_again(notice_id, 3.0)
            return
        plain = notice_of(grant, state)
        if take("grant:no_id"):
            del plain["authorization_id"]
        for name, changes in (
            ("notice:openid", {"openid": "openid-of-somebody-else"}),
            ("notice:stranger", {"out_authorization_no": "SCA" + secrets.token_hex(12).upper()}),
        ):
            if take(name):
                self._post(name, grant, self.content_of_grant(secrets.token_hex(16), state, {**plain, **changes}))
        content = self.content_of_grant(notice_id, state, plain)
        for kind in (FORGED, STALE, PROBE):
            if take(f"notice:{kind}"):
                self._post(f"notice:{kind}", grant, content, spoiled=kind)
        if take("notice:twice"):
            self._post("notice:twice", grant, content)
        if 200 <= self._post("notice", grant, content) < 300 or tries >= len(SCHEDULE_S):
            self._grants.notice_done(notice_id)
        else:
            self._grants.notice_again(notice_id, SCHEDULE_S[tries] / self._hurry)
        while self._echoes:
            earlier, told = self._echoes.pop()
            again = self.content_of_grant(secrets.token_hex(16), told, notice_of(earlier, told))
            self._post("notice:echo", earlier, again)
        if take("notice:echo"):
            self._echoes.append((grant, state))

    def content_of_grant(self, notice_id: str, state: str, plain: Mapping[str, object]) -> bytes:
        """The body of a notice about an authorisation."""
        event = "CLOSED" if state == "CLOSED" else "CONFIRMED"
        return self._enveloped(notice_id, f"MCHTRANSFER.AUTHORIZATION.{event}", "商家转账用户免确认收款授权通知", plain)

    def _run(self) -> None:
        looked_at = 0.0
        while not self._over.wait(PAUSE_S):
            if time.monotonic() - looked_at > 1:
                looked_at = time.monotonic()
                self._book.overdue()
            self.deliver_due()

    def deliver(self, notice_id: str, bill: BillRow, state: str, tries: int) -> None:
        """One notice with whatever is to go wrong before it."""
        take = self._faults.take
        if take("notice:lost"):
            self._book.notice_done(notice_id)
            return
        if tries == 0 and take("notice:late"):
            self._book.notice_again(notice_id, 3.0)
            return
        for name, changes in (
            ("notice:amount", {"transfer_amount": bill.amount_fen + 1}),
            ("notice:openid", {"openid": "openid-of-somebody-else"}),
            ("notice:stranger", {"out_bill_no": "SC" + secrets.token_hex(8).upper()}),
        ):
            if take(name):
                self._post(name, bill, self.content(secrets.token_hex(16), bill, state, **changes))
        content = self.content(notice_id, bill, state)
        for kind in (FORGED, STALE, PROBE):
            if take(f"notice:{kind}"):
                self._post(f"notice:{kind}", bill, self.content(secrets.token_hex(16), bill, state), spoiled=kind)
        if take("notice:twice"):
            self._post("notice:twice", bill, content)
        if 200 <= self._post("notice", bill, content) < 300 or tries >= len(SCHEDULE_S):
            self._book.notice_done(notice_id)
        else:
            self._book.notice_again(notice_id, SCHEDULE_S[tries] / self._hurry)

    def content(self, notice_id: str, bill: BillRow, state: str, **changes: object) -> bytes:
        """The body of a notice: an envelope in clear around what only the merchant can open."""
        plain = {
            "mch_id": MCH_ID,
            "out_bill_no": bill.out_bill_no,
            "transfer_bill_no": bill.transfer_bill_no,
            "state": state,
            "transfer_amount": bill.amount_fen,
            "openid": bill.openid,
            "create_time": moment(bill.created_at),
            "update_time": moment(bill.updated_at),
            **({"fail_reason": bill.fail_reason} if bill.fail_reason else {}),
            **changes,
        }
        return self._enveloped(notice_id, "MCHTRANSFER.BILL.FINISHED", "商家转账单据终态通知", plain)

    def _enveloped(self, notice_id: str, event: str, summary: str, plain: Mapping[str, object]) -> bytes:
        sealed = self._keys.seal(json.dumps(plain, ensure_ascii=False), "mch_payment")
        return json.dumps(
            {
                "id": notice_id,
                "create_time": moment(self._book.now()),
                "resource_type": "encrypt-resource",
                "event_type": event,
                "summary": summary,
                "resource": {**sealed, "original_type": "mch_payment"},
            },
            ensure_ascii=False,
        ).encode()

    def _post(self, kind: str, bill: BillRow | Grant, body: bytes, *, spoiled: str = "") -> int:
        status = 0
        with suppress(OSError, http.client.HTTPException):
            status = self._send(bill.notify_url, self.headers(body, spoiled=spoiled), body)
        self.posted = [*self.posted[-200:], (kind, status)]
        return status

    def headers(self, body: bytes, *, spoiled: str = "") -> dict[str, str]:
        """Signed now, or spoiled: ``forged``, ``stale``, ``probe``."""
        signer = self._keys.signer(self._keys.platform[-1].serial)
        stamp = str(int(self._book.now()) - (3600 if spoiled == STALE else 0))
        nonce = secrets.token_hex(16)
        signature = self._keys.sign(signer, f"{stamp}\n{nonce}\n".encode() + body + b"\n")
        if spoiled == FORGED:
            signature = self._keys.sign(signer, b"something else")
        if spoiled == PROBE:
            signature = "WECHATPAY/SIGNTEST/" + signature
        return {
            "Content-Type": "application/json",
            "Wechatpay-Signature": signature,
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": signer.serial,
        }


def _send(url: str, headers: dict[str, str], body: bytes) -> int:
    parts = urlsplit(url)
    maker = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = maker(parts.netloc, timeout=PATIENCE_S)
    try:
        connection.request("POST", parts.path or "/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()
