"""The provider's own book of a day: the file of everything that went out of the merchant's account or came into it.

A file is text: a head line, a line for each movement, a head and a line of totals. Every value has a backquote before
it, so that spreadsheets leave long numbers alone. The file is checked by its hash and by its totals before any of it
counts.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from scancode.errors import PayoutError
from scancode.ports import Flow

ZONE = ZoneInfo("Asia/Shanghai")
BYTES_MAX = 500_000_000
TIME, PROVIDER_NO, KIND, WAY, AMOUNT, BALANCE, OUR_NO = (
    "记账时间",
    "微信支付业务单号",
    "业务类型",
    "收支类型",
    "收支金额(元)",
    "账户结余(元)",
    "业务凭证号",
)
OUT, TOTAL = "支出", "资金流水总笔数"


def checked(pieces: Iterable[bytes], *, sha1: str) -> str:
    """The whole text. Raises PayoutError where it is not what was announced."""
    digest, parts, size = hashlib.sha1(usedforsecurity=False), [], 0
    for piece in pieces:
        size += len(piece)
        if size > BYTES_MAX:
            raise PayoutError("bill_too_large", "permanent")
        digest.update(piece)
        parts.append(piece)
    if digest.hexdigest() != sha1.lower():
        raise PayoutError("bill_hash", "unknown")
    try:
        return b"".join(parts).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PayoutError("bill_unreadable", "unknown") from error


def flows(text: str) -> Iterator[Flow]:
    """The movements of one file in its order. Raises PayoutError where lines or totals do not fit together."""
    lines = csv.reader(text.replace("`", "").splitlines())
    head = [name.replace("（", "(").replace("）", ")").strip() for name in next(lines, [])]
    if not {TIME, PROVIDER_NO, WAY, AMOUNT, OUR_NO} <= set(head):
        raise PayoutError("bill_unreadable", "unknown")
    count = total_fen = 0
    for line in lines:
        if line and line[0].strip() == TOTAL:
            _require_totals(next(lines, []), count, total_fen)
            return
        if not "".join(line).strip():
            continue
        row = dict(zip(head, (value.strip() for value in line), strict=False))
        try:
            amount_fen = fen(row[AMOUNT])
            at = datetime.strptime(row[TIME], "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZONE)
            balance_fen = fen(row[BALANCE]) if row.get(BALANCE) else None
            count, total_fen = count + 1, total_fen + amount_fen
            yield Flow(
                out_bill_no=row[OUR_NO],
                provider_bill_no=row[PROVIDER_NO],
                kind=row.get(KIND, ""),
                amount_fen=amount_fen if row[WAY] == OUT else -amount_fen,
                balance_fen=balance_fen,
                at=at,
            )
        except (KeyError, ValueError, InvalidOperation) as error:
            raise PayoutError("bill_unreadable", "unknown") from error
    raise PayoutError("bill_cut", "unknown")


def fen(yuan: str) -> int:
    """``12.34`` as 1234. Raises ValueError or InvalidOperation for what is no amount of whole fen."""
    amount = Decimal(yuan) * 100
    if amount != amount.to_integral_value():
        raise ValueError(yuan)
    return int(amount)


def _require_totals(line: list[str], count: int, total_fen: int) -> None:
    try:
        told, told_fen = int(Decimal(line[0])), fen(line[2]) + fen(line[4])
    except (IndexError, ValueError, InvalidOperation) as error:
        raise PayoutError("bill_unreadable", "unknown") from error
    if (told, told_fen) != (count, total_fen):
        raise PayoutError("bill_totals", "unknown")
