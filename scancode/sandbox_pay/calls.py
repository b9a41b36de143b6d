"""The signed calls under ``/v3``: which door an address is, and what it answers. None of it knows of connections."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from scancode.sandbox_pay.authorisations import CLOSED, WAITING, Grant
from scancode.sandbox_pay.bank import Bank
from scancode.sandbox_pay.book import BillRow, moment
from scancode.sandbox_pay.keys import APP_ID, MCH_ID
from scancode.sandbox_pay.rules import Refused, read_body, read_order, read_wish

TRANSFER = "/v3/fund-app/mch-transfer/transfer-bills"
GRANT = "/v3/fund-app/mch-transfer/user-confirm-authorization"
Call = Callable[[], dict[str, Any] | str]


@dataclass(frozen=True)
class Request:
    """One call. ``target`` is path and query as they were sent; ``host`` is under which name the server was called."""

    method: str
    target: str
    body: bytes
    serial: str | None
    host: str


class Calls:
    """The doors of one bank. Whatever is refused is raised as Refused."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank

    def find(self, request: Request) -> tuple[str, Call | None]:
        """The door's name, empty where there is none, and what to do."""
        bank, parts = self.bank, urlsplit(request.target)
        path, method = parts.path, request.method
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if (method, path) == ("POST", TRANSFER):
            return "send", lambda: self._send(request)
        if (method, path) == ("POST", f"{TRANSFER}/transfer"):
            return "send", lambda: self._send_granted(request)
        if (method, path) == ("POST", GRANT):
            return "grant", lambda: _granted(bank.grants.ask(read_wish(read_body(request.body), app_id=APP_ID)))
        if found := re.fullmatch(rf"{GRANT}/out-authorization-no/(\w+)", path):
            return "grant_query", lambda: self._query_grant(found[1], query)
        if method == "POST" and (found := re.fullmatch(rf"{GRANT}/out-authorization-no/(\w+)/close", path)):
            return "grant_close", lambda: bank.grants.close(found[1]).told()
        if found := re.fullmatch(rf"{TRANSFER}/(out-bill-no|transfer-bill-no)/(\w+)", path):
            column = found[1].replace("-", "_")
            return "query", lambda: self._query(column, found[2])
        if method == "POST" and (found := re.fullmatch(rf"{TRANSFER}/out-bill-no/(\w+)/cancel", path)):
            return "cancel", lambda: self._cancel(found[1])
        if path == "/v3/bill/fundflowbill":
            return "bill", lambda: bank.statements.announce(query, f"http://{request.host}")
        if path == "/v3/billdownload/file":
            return "file", lambda: bank.statements.fetch(query.get("token", ""))
        if re.fullmatch(r"/v3/merchant/fund/balance/(BASIC|OPERATION)", path):
            return "balance", lambda: {"available_amount": bank.book.balance_fen(), "pending_amount": 0}
        if path == "/v3/certificates":
            return "certificates", self._certificates
        return "", None

    def _send(self, request: Request) -> dict[str, Any]:
        order = read_order(read_body(request.body), app_id=APP_ID)
        if order.sealed_name is not None and not self.bank.keys.open_name(order.sealed_name, request.serial):
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

    def _send_granted(self, request: Request) -> dict[str, Any]:
        """An order that names an authorisation is paid at once."""
        bank, body = self.bank, read_body(request.body)
        named = bank.grants.find("authorization_id", str(body.get("authorization_id")))
        if named and bank.faults.take("send:closed"):
            bank.grants.settle(named.number, CLOSED, "USER_CLOSE")
        known = bank.book.find("out_bill_no", str(body.get("out_bill_no")), sees_hidden=True)
        openid = known.openid if known else bank.grants.in_effect(str(body.get("authorization_id"))).openid
        order = read_order(body, app_id=APP_ID, openid=openid)
        row = bank.book.place(order, is_late=bank.faults.take("send:late"))
        is_unclear = bank.faults.take("send:unclear")
        if not is_unclear:
            bank.book.settle(row.out_bill_no, "SUCCESS")
        again = bank.book.find("out_bill_no", row.out_bill_no, sees_hidden=True) or row
        return {
            "mch_id": MCH_ID,
            "out_bill_no": again.out_bill_no,
            "transfer_bill_no": again.transfer_bill_no,
            "create_time": moment(again.created_at),
            "state": "TRANSFERING" if is_unclear else again.state,
            "transfer_amount": again.amount_fen + (1 if bank.faults.take("send:amount") else 0),
            "transfer_remark": again.remark,
            "openid": "openid-of-somebody-else" if bank.faults.take("send:openid") else again.openid,
        }

    def _query_grant(self, number: str, query: dict[str, str]) -> dict[str, Any]:
        take = self.bank.faults.take
        grant = self.bank.grants.find("number", number)
        if grant is None or take("grant_query:404"):
            raise Refused(404, "NOT_FOUND", "记录不存在")
        found = _granted(grant) if query.get("is_display_authorization") == "true" else grant.told()
        if take("grant_query:no_id"):
            found.pop("authorization_id", None)
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


def _granted(grant: Grant) -> dict[str, Any]:
    return grant.told() | ({"package_info": grant.package} if grant.state == WAITING else {})


def _package(row: BillRow) -> dict[str, str]:
    return {"package_info": row.package} if row.state == "WAIT_USER_CONFIRM" else {}
