"""The unsigned addresses under ``/sandbox``: whoever runs the payment server scripts its faults and tops up its balance
there, and plays the person who receives the money."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scancode.sandbox_pay.authorisations import CLOSED, IN_EFFECT, WAITING
from scancode.sandbox_pay.bank import Bank

Asked = Mapping[str, Any]
Found = dict[str, Any]


def control(bank: Bank, path: str, asked: Asked) -> Found | None:
    """None for an address that does not exist. Raises KeyError where something is missing."""
    act = ACTS.get(path)
    return act(bank, asked) if act else None


def _waiting(bank: Bank, asked: Asked) -> Found:
    row = bank.book.find("package", str(asked["package"]), sees_hidden=True)
    found: Found = {"amount_fen": row.amount_fen} if row and row.state == "WAIT_USER_CONFIRM" else {}
    grant = bank.grants.find("package", str(asked["package"]))
    return found | ({"is_authorisation": True} if grant and grant.state == WAITING else {})


def _confirm(bank: Bank, asked: Asked) -> Found:
    grant = bank.grants.find("package", str(asked["package"]))
    if grant is not None:
        return {"done": bank.grants.settle(grant.number, IN_EFFECT)}
    return _settle(bank, asked, "SUCCESS", None)


def _decline(bank: Bank, asked: Asked) -> Found:
    return _settle(bank, asked, "FAIL", "OVERDUE_CLOSE")


def _settle(bank: Bank, asked: Asked, state: str, reason: str | None) -> Found:
    row = bank.book.find("package", str(asked["package"]), sees_hidden=True)
    return {"done": row is not None and bank.book.settle(row.out_bill_no, state, reason)}


def _close(bank: Bank, asked: Asked) -> Found:
    grant = bank.grants.find("openid", str(asked["openid"]))
    return {"done": grant is not None and bank.grants.settle(grant.number, CLOSED, "USER_CLOSE")}


def _packages(bank: Bank, _: Asked) -> Found:
    return {"packages": [row.package for row in bank.book.waiting(200)]}


def _script(bank: Bank, asked: Asked) -> Found:
    bank.faults.script(asked)
    return {}


def _chances(bank: Bank, asked: Asked) -> Found:
    bank.faults.chances(asked)
    return {}


def _set(bank: Bank, asked: Asked) -> Found:
    for name, value in asked.items():
        bank.book.set(name, float(value))
    return {}


def _state(bank: Bank, asked: Asked) -> Found:
    bills = [vars(row) for row in bank.book.bills()] if asked.get("bills") else []
    return {"balance_fen": bank.book.balance_fen(), "happened": bank.faults.happened, "bills": bills}


ACTS: dict[str, Callable[[Bank, Asked], Found]] = {
    "/sandbox/waiting": _waiting,
    "/sandbox/confirm": _confirm,
    "/sandbox/decline": _decline,
    "/sandbox/close": _close,
    "/sandbox/packages": _packages,
    "/sandbox/script": _script,
    "/sandbox/chances": _chances,
    "/sandbox/set": _set,
    "/sandbox/state": _state,
}
