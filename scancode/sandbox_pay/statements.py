"""The payment server's daily files: what moved in the account, as the provider writes it, behind an address that is
good for one fetch within five minutes."""

from __future__ import annotations

import hashlib
import secrets
import time
from datetime import datetime
from typing import Any

from scancode.sandbox_pay.book import ZONE, Book
from scancode.sandbox_pay.rules import Refused

HEAD = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号"
)
TOTALS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"
VALID_S = 300.0


class Statements:
    """``today_too`` gives the running day's file as well, which the real provider has only the next morning."""

    def __init__(self, book: Book, *, today_too: bool) -> None:
        self._book, self._today_too = book, today_too
        self._kept: dict[str, tuple[float, str]] = {}

    def announce(self, query: dict[str, str], origin: str) -> dict[str, Any]:
        """Where the file of a day can be fetched. Raises Refused."""
        day = query.get("bill_date", "")
        today = datetime.fromtimestamp(self._book.now(), ZONE).date().isoformat()
        try:
            datetime.fromisoformat(day)
        except ValueError as error:
            raise Refused(400, "PARAM_ERROR", "bill_date") from error
        if day > today or (day == today and not self._today_too):
            raise Refused(400, "STATEMENT_CREATING", "账单生成中")
        text = self._text(day)
        if text is None:
            raise Refused(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        token = secrets.token_urlsafe(24)
        self._kept = {key: kept for key, kept in self._kept.items() if kept[0] > time.monotonic() - VALID_S}
        self._kept[token] = (time.monotonic(), text)
        return {
            "hash_type": "SHA1",
            "hash_value": hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
            "download_url": f"{origin}/v3/billdownload/file?token={token}",
        }

    def fetch(self, token: str) -> str:
        begun, text = self._kept.pop(token, (0.0, ""))
        if not text or begun < time.monotonic() - VALID_S:
            raise Refused(403, "NO_AUTH", "the address is not valid any more")
        return text

    def _text(self, day: str) -> str | None:
        rows = self._book.flows(day)
        if not rows:
            return None
        lines = [HEAD]
        for row in rows:
            at = datetime.fromtimestamp(row["at"], ZONE).strftime("%Y-%m-%d %H:%M:%S")
            way = "支出" if row["amount_fen"] >= 0 else "收入"
            values = (
                at,
                row["transfer_bill_no"],
                f"{row['id']:028}",
                row["kind"],
                row["kind"],
                way,
                _yuan(abs(row["amount_fen"])),
                _yuan(int(row["balance_fen"])),
                "system",
                "",
                row["out_bill_no"],
            )
            lines.append(",".join(f"`{value}" for value in values))
        out = [row["amount_fen"] for row in rows if row["amount_fen"] >= 0]
        back = [-row["amount_fen"] for row in rows if row["amount_fen"] < 0]
        totals = (len(rows), len(back), _yuan(sum(back)), len(out), _yuan(sum(out)))
        return "\n".join([*lines, TOTALS, ",".join(f"`{value}" for value in totals)]) + "\n"


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"
