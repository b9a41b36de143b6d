"""The connections of the payment server: signed calls under ``/v3``, and unsigned ones under ``/sandbox`` by which
whoever runs it scripts faults, tops up the balance, and plays the person who receives the money.

It is built on the standard library's server because it must do what a web framework keeps one from doing: hang, cut a
connection, answer nonsense.
"""

from __future__ import annotations

import json
import secrets
import socket
import struct
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from scancode.sandbox_pay.bank import Bank
from scancode.sandbox_pay.calls import Calls, Request
from scancode.sandbox_pay.control import control
from scancode.sandbox_pay.faults import DOORS
from scancode.sandbox_pay.rules import Refused

BODY_BYTES_MAX = 1 << 20


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
        path = urlsplit(self.path).path
        if path.startswith("/sandbox/"):
            found = control(self.bank, path, json.loads(self._body or b"{}"))
            self._raw(404 if found is None else 200, json.dumps(found or {}).encode(), {})
            return
        serial, host = self.headers.get("Wechatpay-Serial"), self.headers.get("Host", "")
        door, call = Calls(self.bank).find(Request(self.command, self.path, self._body, serial, host))
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
            answer = call()
        except Refused as refused:
            self._answer(refused.status, {"code": refused.code, "message": refused.message})
            return
        if isinstance(answer, str):
            self._raw(200, answer.encode(), {"Content-Type": "text/plain"})
        elif not self._misbehaves_after(door):
            self._answer(200, answer, door=door)

    def _read(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        return self.rfile.read(min(int(length) if length.isdigit() else 0, BODY_BYTES_MAX))

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
        elif take(f"{door}:no_auth"):
            self._answer(403, {"code": "NO_AUTH", "message": "商户无权限"})
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


class _Nowhere:
    closed = False

    def write(self, _: bytes) -> int:
        return 0

    def flush(self) -> None: ...

    def close(self) -> None: ...


class Server(ThreadingHTTPServer):
    """Quiet about connections that break: breaking them is what it is for."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None: ...


def listen(bank: Bank, host: str, port: int) -> Server:
    """A bound server that has not begun; port 0 finds a free one. Start ``bank.postman`` beside it."""
    return Server((host, port), type("BoundDoor", (Door,), {"bank": bank}))
