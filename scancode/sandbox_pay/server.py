"""The doors of the payment server: signed calls under ``/v3``, and unsigned ones under ``/sandbox`` by which whoever
runs it scripts faults, tops up the balance, and plays the person who receives the money.

It is built on the standard library's server because it must do what a web framework keeps one from doing: hang, cut a
connection, answer nonsense.
"""

from __future__ import annotations

import json
import re
import secrets
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from scancode.sandbox_pay.authorisations import CLOSED, IN_EFFECT, WAITING, Grant, Grants
from scancode.sandbox_pay.book import BillRow, Book, moment
from scancode.sandbox_pay.faults import DOORS, Faults
from scancode.sandbox_pay.keys import APP_ID, MCH_ID, Keys
from scancode.sandbox_pay.notices import Postman, Send
from scancode.sandbox_pay.rules import Refused, read_body, read_order, read_wish
from scancode.sandbox_pay.statements import Statements

BODY_BYTES_MAX = 1 << 20
CLOCKS_APART_S = 300
TRANSFER = "/v3/fund-app/mch-transfer/transfer-bills"
GRANT = "/v3/fund-app/mch-transfer/user-confirm-authorization"
_AUTHORIZATION = re.compile(r'(\w+)="([^"]*)"')


class Bank:
    """Everything that the doors share. ``hang_s`` is how long a call hangs, ``rate`` how many a second a door takes."""

    def __init__(
        self,
        keys: Keys,
        book: Book,
        *,
        hang_s: float = 15.0,
        rate: int = 100,
        hurry: float = 1.0,
        today_too: bool = True,
        send: Send | None = None,
    ) -> None:
        self.keys, self.book, self.faults = keys, book, Faults()
        self.grants = Grants(book)
        self.postman = Postman(book, keys, self.faults, hurry=hurry, send=send)
        self.statements = Statements(book, today_too=today_too)
        self.hang_s, self.rate = hang_s, rate
        self._calls: dict[str, deque[float]] = {}
        self._nonces: deque[str] = deque(maxlen=100_000)
        self._turn = threading.Lock()

    def count(self, door: str) -> None:
        """Raises Refused when a door was used too often within the last second."""
        now = time.monotonic()
        with self._turn:
            calls = self._calls.setdefault(door, deque())
            while calls and calls[0] < now - 1:
                calls.popleft()
            if len(calls) >= self.rate:
                raise Refused(429, "FREQUENCY_LIMIT_EXCEED", "频率超限")
            calls.append(now)

    def require_merchant(self, authorization: str, signed: Callable[[str, str], bytes]) -> None:
        """Raises Refused unless the merchant signed this call just now, and for the first time."""
        scheme, _, rest = authorization.partition(" ")
        given = dict(_AUTHORIZATION.findall(rest))
        stamp, nonce = given.get("timestamp", ""), given.get("nonce_str", "")
        if scheme != "WECHATPAY2-SHA256-RSA2048" or given.get("mchid") != MCH_ID or not stamp.isdigit():
            raise Refused(401, "SIGN_ERROR", "Authorization")
        if given.get("serial_no") != self.keys.merchant.serial:
            raise Refused(401, "SIGN_ERROR", "serial_no")
        if abs(int(stamp) - self.book.now()) > CLOCKS_APART_S:
            raise Refused(401, "SIGN_ERROR", "timestamp")
        if not nonce or nonce in self._nonces:
            raise Refused(401, "SIGN_ERROR", "nonce_str")
        if not self.keys.is_merchants(signed(stamp, nonce), given.get("signature", "")):
            raise Refused(401, "SIGN_ERROR", "signature")
        with self._turn:
            self._nonces.append(nonce)


class Door(BaseHTTPRequestHandler):
    """One connection. ``bank`` is set by ``serve``."""

    bank: Bank
    protocol_version = "HTTP/1.1"
    server_version = "sandbox-pay"
    timeout = 60

    def do_GET(self) -> None:
        self._meet()

    def do_POST(self) -> None:
        self._meet()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: addresses hold bill numbers, bodies openids."""

    def _meet(self) -> None:
        self._body = self._read()
        parts = urlsplit(self.path)
        if parts.path.startswith("/sandbox/"):
            self._control(parts.path)
            return
        door, call = self._door(parts.path)
        if door and self._misbehaves_before(door):
            return
        try:
            self.bank.require_merchant(
                self.headers.get("Authorization", ""),
                lambda stamp, nonce: f"{self.command}\n{self.path}\n{stamp}\n{nonce}\n".encode() + self._body + b"\n",
            )
            if call is None:
                raise Refused(404, "NOT_FOUND", "no such address")
            self.bank.count(door)
            found = call()
        except Refused as refused:
            self._answer(refused.status, {"code": refused.code, "message": refused.message})
            return
        if isinstance(found, str):
            self._raw(200, found.encode(), {"Content-Type": "text/plain"})
        elif found is not None and not self._misbehaves_after(door):
            self._answer(200, found, door=door)

    def _read(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        return self.rfile.read(min(int(length) if length.isdigit() else 0, BODY_BYTES_MAX))

    def _door(self, path: str) -> tuple[str, Callable[[], dict[str, Any] | str | None] | None]:
        bank = self.bank
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if (self.command, path) == ("POST", TRANSFER):
            return "send", self._send
        if (self.command, path) == ("POST", f"{TRANSFER}/transfer"):
            return "send", self._send_granted
        if (self.command, path) == ("POST", GRANT):
            return "grant", lambda: self._granted(bank.grants.ask(read_wish(read_body(self._body), app_id=APP_ID)))
        if found := re.fullmatch(rf"{GRANT}/out-authorization-no/(\w+)", path):
            return "grant_query", lambda: self._query_grant(found[1], query)
        if self.command == "POST" and (found := re.fullmatch(rf"{GRANT}/out-authorization-no/(\w+)/close", path)):
            return "grant_close", lambda: bank.grants.close(found[1]).told()
        if found := re.fullmatch(rf"{TRANSFER}/(out-bill-no|transfer-bill-no)/(\w+)", path):
            column = found[1].replace("-", "_")
            return "query", lambda: self._query(column, found[2])
        if self.command == "POST" and (found := re.fullmatch(rf"{TRANSFER}/out-bill-no/(\w+)/cancel", path)):
            return "cancel", lambda: self._cancel(found[1])
        if path == "/v3/bill/fundflowbill":
            return "bill", lambda: bank.statements.announce(query, f"http://{self.headers.get('Host')}")
        if path == "/v3/billdownload/file":
            return "file", lambda: bank.statements.fetch(query.get("token", ""))
        if re.fullmatch(r"/v3/merchant/fund/balance/(BASIC|OPERATION)", path):
            return "balance", lambda: {"available_amount": bank.book.balance_fen(), "pending_amount": 0}
        if path == "/v3/certificates":
            return "certificates", self._certificates
        return "", None

    def _send(self) -> dict[str, Any] | None:
        order = read_order(read_body(self._body), app_id=APP_ID)
        if order.sealed_name is not None and not self.bank.keys.open_name(
            order.sealed_name, self.headers.get("Wechatpay-Serial")
        ):
            raise Refused(400, "PARAM_ERROR", "user_name cannot be opened")
        take = self.bank.faults.take
        row = self.bank.book.place(order, is_late=take("send:late"), stays_accepted=take("send:accepted"))
        found = {
            "out_bill_no": row.out_bill_no,
            "transfer_bill_no": row.transfer_bill_no,
            "create_time": moment(row.created_at),
            "state": row.state,
        }
        return found | _package(row)

    def _send_granted(self) -> dict[str, Any] | None:
        """An order that names an authorisation is paid at once."""
        bank, body = self.bank, read_body(self._body)
        named = bank.grants.find("authorization_id", str(body.get("authorization_id")))
        if named and bank.faults.take("send:closed"):
            bank.grants.settle(named.number, CLOSED, "USER_CLOSE")
        known = bank.book.find("out_bill_no", str(body.get("out_bill_no")), sees_hidden=True)
        openid = known.openid if known else bank.grants.in_effect(str(body.get("authorization_id"))).openid
        order = read_order(body, app_id=APP_ID, openid=openid)
        row = bank.book.place(order, is_late=bank.faults.take("send:late"))
        bank.book.settle(row.out_bill_no, "SUCCESS")
        again = bank.book.find("out_bill_no", row.out_bill_no, sees_hidden=True) or row
        return {
            "mch_id": MCH_ID,
            "out_bill_no": again.out_bill_no,
            "transfer_bill_no": again.transfer_bill_no,
            "create_time": moment(again.created_at),
            "state": again.state,
        }

    def _granted(self, grant: Grant) -> dict[str, Any]:
        return grant.told() | ({"package_info": grant.package} if grant.state == WAITING else {})

    def _query_grant(self, number: str, query: dict[str, str]) -> dict[str, Any]:
        take = self.bank.faults.take
        grant = self.bank.grants.find("number", number)
        if grant is None or take("grant_query:404"):
            raise Refused(404, "NOT_FOUND", "记录不存在")
        found = self._granted(grant) if query.get("is_display_authorization") == "true" else grant.told()
        return found | ({"openid": "openid-of-somebody-else"} if take("grant_query:openid") else {})

    def _query(self, column: str, value: str) -> dict[str, Any]:
        take = self.bank.faults.take
        row = self.bank.book.find(column, value)
        if row is None or take("query:404"):
            raise Refused(404, "NOT_FOUND", "记录不存在")
        found = {
            "mch_id": MCH_ID,
            "out_bill_no": row.out_bill_no,
            "transfer_bill_no": row.transfer_bill_no,
            "appid": APP_ID,
            "state": row.state,
            "transfer_amount": row.amount_fen + (1 if take("query:amount") else 0),
            "transfer_remark": row.remark,
            "openid": "openid-of-somebody-else" if take("query:openid") else row.openid,
            "create_time": moment(row.created_at),
            "update_time": moment(row.updated_at),
        }
        return found | ({"fail_reason": row.fail_reason} if row.fail_reason else {})

    def _cancel(self, out_bill_no: str) -> dict[str, Any]:
        row = self.bank.book.cancel(out_bill_no)
        return {
            "out_bill_no": row.out_bill_no,
            "transfer_bill_no": row.transfer_bill_no,
            "state": row.state,
            "update_time": moment(row.updated_at),
        }

    def _certificates(self) -> dict[str, Any]:
        keys = self.bank.keys
        return {
            "data": [
                {
                    "serial_no": one.serial,
                    "effective_time": moment(time.time() - 86400),
                    "expire_time": moment(time.time() + 86400 * 365),
                    "encrypt_certificate": keys.seal(one.certificate_pem, "certificate"),
                }
                for one in keys.platform
                if one.certificate_pem
            ]
        }

    def _misbehaves_before(self, door: str) -> bool:
        """True when the call was answered, or never will be."""
        take = self.bank.faults.take
        if door not in DOORS:
            return False
        if take(f"{door}:hang"):
            self._hang()
        elif take(f"{door}:reset"):
            self._reset()
        elif take(f"{door}:500"):
            self._answer(500, {"code": "SYSTEM_ERROR", "message": "系统异常"})
        elif take(f"{door}:429"):
            self._answer(429, {"code": "FREQUENCY_LIMIT_EXCEED", "message": "频率超限"})
        else:
            return False
        return True

    def _misbehaves_after(self, door: str) -> bool:
        take = self.bank.faults.take
        if door not in ("send", "grant"):
            return False
        if take(f"{door}:hang_after"):
            self._hang()
        elif take(f"{door}:reset_after"):
            self._reset()
        elif take(f"{door}:500_after"):
            self._answer(500, {"code": "SYSTEM_ERROR", "message": "系统异常"})
        else:
            return False
        return True

    def _hang(self) -> None:
        time.sleep(self.bank.hang_s)
        self._reset()

    def _reset(self) -> None:
        """Cuts the connection with an RST, as a broken line does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.wfile = _Nowhere()  # type: ignore[assignment]

    def _answer(self, status: int, found: dict[str, Any], *, door: str = "") -> None:
        take = self.bank.faults.take if door in DOORS else lambda _: False
        body = json.dumps(found, ensure_ascii=False).encode()
        if take(f"{door}:garbage"):
            self._raw(200, b"<html>gateway</html>", {"Content-Type": "text/html"})
            return
        if take(f"{door}:unsigned"):
            self._raw(status, body, {})
            return
        keys = self.bank.keys
        signer = keys.signer(self.headers.get("Wechatpay-Serial"))
        stamp = str(int(self.bank.book.now()) - (7200 if take(f"{door}:skewed") else 0))
        nonce = secrets.token_hex(16)
        signed = b"something else" if take(f"{door}:forged") else f"{stamp}\n{nonce}\n".encode() + body + b"\n"
        headers = {
            "Wechatpay-Signature": keys.sign(signer, signed),
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": signer.serial,
        }
        self._raw(status, body, headers)

    def _raw(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _control(self, path: str) -> None:
        bank, asked = self.bank, json.loads(self._body or b"{}")
        found: dict[str, Any] = {}
        if path == "/sandbox/waiting":
            row = bank.book.find("package", str(asked["package"]), sees_hidden=True)
            found = {"amount_fen": row.amount_fen} if row and row.state == "WAIT_USER_CONFIRM" else {}
            grant = bank.grants.find("package", str(asked["package"]))
            found |= {"is_authorisation": True} if grant and grant.state == WAITING else {}
        elif path in ("/sandbox/confirm", "/sandbox/decline"):
            row = bank.book.find("package", str(asked["package"]), sees_hidden=True)
            state, reason = ("SUCCESS", None) if path.endswith("confirm") else ("FAIL", "OVERDUE_CLOSE")
            found = {"done": row is not None and bank.book.settle(row.out_bill_no, state, reason)}
            grant = bank.grants.find("package", str(asked["package"]))
            if grant and path.endswith("confirm"):
                found = {"done": bank.grants.settle(grant.number, IN_EFFECT)}
        elif path == "/sandbox/close":
            grant = bank.grants.find("openid", str(asked["openid"]))
            found = {"done": grant is not None and bank.grants.settle(grant.number, CLOSED, "USER_CLOSE")}
        elif path == "/sandbox/packages":
            found = {"packages": [row.package for row in bank.book.waiting(200)]}
        elif path == "/sandbox/script":
            bank.faults.script(asked)
        elif path == "/sandbox/chances":
            bank.faults.chances(asked)
        elif path == "/sandbox/set":
            for name, value in asked.items():
                bank.book.set(name, float(value))
        elif path == "/sandbox/state":
            found = {"balance_fen": bank.book.balance_fen(), "happened": bank.faults.happened}
            found["bills"] = [vars(row) for row in bank.book.bills()] if asked.get("bills") else []
        else:
            self._raw(404, b"{}", {})
            return
        self._raw(200, json.dumps(found).encode(), {})


class _Nowhere:
    closed = False

    def write(self, _: bytes) -> int:
        return 0

    def flush(self) -> None: ...

    def close(self) -> None: ...


def _package(row: BillRow) -> dict[str, str]:
    return {"package_info": row.package} if row.state == "WAIT_USER_CONFIRM" else {}


class Server(ThreadingHTTPServer):
    """Quiet about connections that break: breaking them is what it is for."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None: ...


def listen(bank: Bank, host: str, port: int) -> Server:
    """A bound server that has not begun; port 0 finds a free one. Start ``bank.postman`` beside it."""
    return Server((host, port), type("BoundDoor", (Door,), {"bank": bank}))
