"""A payment provider in memory, for tests of what lies above the port. What lies below is tested against
``scancode sandbox-pay``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from scancode.errors import OutsideError, PayoutError
from scancode.ports import Balance, Bill, BillState, Confirmation, Flow, Notice


class FakePay:
    """Both ends: the gateway, and the person who receives. ``book`` is to be tampered with."""

    def __init__(self) -> None:
        self.book: dict[str, BillState] = {}
        self.paid_at: dict[str, datetime] = {}
        self.faults: dict[str, int] = {}
        self.orders: list[str] = []
        self.balance_fen = 1_000_000
        self.clock = lambda: datetime.now(UTC)
        self.has_today = True

    def fail_next(self, name: str, times: int = 1) -> None:
        """The next calls of ``send``, ``send_after`` (booked, then silence) or ``query`` fail."""
        self.faults[name] = times

    def _fault(self, name: str) -> bool:
        left = self.faults.get(name, 0)
        self.faults[name] = max(0, left - 1)
        return left > 0

    def tamper(self, **changes: object) -> None:
        """Changes every bill behind everybody's back."""
        self.book = {bill.out_bill_no: bill for bill in (replace(one, **changes) for one in self.book.values())}  # type: ignore[arg-type]

    def forget(self) -> None:
        self.book.clear()
        self.paid_at.clear()

    def confirm(self, package: str) -> None:
        self._end(package, "SUCCESS", None)

    def decline(self, package: str) -> None:
        self._end(package, "FAIL", "OVERDUE_CLOSE")

    def _end(self, package: str, state: str, reason: str | None) -> None:
        for number, bill in self.book.items():
            if bill.package == package and bill.state == "WAIT_USER_CONFIRM":
                self.book[number] = replace(bill, state=state, fail_reason=reason)
                if state == "SUCCESS":
                    self.paid_at[number] = self.clock()

    def waiting_fen(self, package: str) -> int | None:
        found = [bill for bill in self.book.values() if bill.package == package]
        return found[0].amount_fen if found and found[0].state == "WAIT_USER_CONFIRM" else None

    @staticmethod
    def is_asked(package: str) -> bool:
        """Nobody is asked to be spared the confirmation here."""
        return False

    def compose(self, bill: Bill) -> str:
        return json.dumps(asdict(bill), ensure_ascii=False)

    def send(self, order: str) -> BillState:
        bill = Bill(**json.loads(order))
        if self._fault("send"):
            raise PayoutError("pay_no_answer", "unknown")
        self.orders.append(order)
        known = self.book.setdefault(
            bill.out_bill_no,
            BillState(
                bill.out_bill_no,
                "WAIT_USER_CONFIRM",
                bill.amount_fen,
                openid=bill.openid,
                provider_bill_no=f"FAKE{len(self.book):08}",
                package=f"package-{bill.out_bill_no}",
                created_at=self.clock(),
            ),
        )
        if (known.amount_fen, known.openid) != (bill.amount_fen, bill.openid):
            raise PayoutError("INVALID_REQUEST", "permanent", status=400)
        if self._fault("send_after"):
            raise PayoutError("pay_no_answer", "unknown")
        return known

    def query(self, out_bill_no: str) -> BillState | None:
        if self._fault("query"):
            raise PayoutError("pay_unreachable", "temporary")
        found = self.book.get(out_bill_no)
        return replace(found, package=None) if found else None

    def query_provider_no(self, provider_bill_no: str) -> BillState | None:
        return next((bill for bill in self.book.values() if bill.provider_bill_no == provider_bill_no), None)

    def cancel(self, out_bill_no: str) -> None:
        bill = self.book[out_bill_no]
        if bill.state == "WAIT_USER_CONFIRM":
            self.book[out_bill_no] = replace(bill, state="CANCELLED")

    def confirmation(self, *, package: str) -> Confirmation:
        return Confirmation("1900000001", "wxfake", package)

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        raise OutsideError("signature_missing", permanent=False)

    def balance(self) -> Balance:
        return Balance(self.balance_fen, 0)

    def flows(self, day: date) -> Iterator[Flow] | None:
        zone = ZoneInfo("Asia/Shanghai")
        if not self.has_today and day >= self.clock().astimezone(zone).date():
            return None
        paid = [
            Flow(number, bill.provider_bill_no or "", "商家转账", bill.amount_fen, None, self.paid_at[number])
            for number, bill in self.book.items()
            if bill.state == "SUCCESS" and self.paid_at[number].astimezone(zone).date() == day
        ]
        return iter(paid) if paid else None
