"""The page's own confirmation: a browser has shown the page of a scan, so the scan counts.

A preview may send exactly what a browser sends. Who keeps no cookie yet is therefore believed only once the page that
was sent has been shown (``web.h5.seen``); until then their scan is kept and counts for nothing. What the scan says of
the code, whether it is one of a crowd or shows a copy, is looked at here once more, with all that count by now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from scancode.db import Sender, as_uuid, send
from scancode.scans.past import COLUMNS, Marked, Past, examine, read_earlier
from scancode.scans.rules import LIVE, USUAL_TERMS, CopyTerms, Risk, is_crowd


@dataclass(frozen=True)
class Confirmation:
    """A browser has shown its visitor's page of a code."""

    visitor_id: UUID
    about: Marked
    is_test: bool
    copy_terms: CopyTerms = USUAL_TERMS

    @property
    def code_id(self) -> int:
        return self.about.code_id


Rows = Callable[[], list[Any]]


def unconfirmed_of(sender: Sender, confirmations: Sequence[Confirmation]) -> Rows:
    """The rows that wait for these: asked for now, fetched with whatever is asked next."""
    if not confirmations:
        return list
    codes, visitors = [one.code_id for one in confirmations], [one.visitor_id for one in confirmations]
    return send(sender, _unconfirmed_text(len(confirmations)), [*codes, *visitors])


def confirm(sender: Sender, confirmations: Sequence[Confirmation], waiting: Rows, pasts: Mapping[int, Past]) -> None:
    """Confirms what waits, one after the other, in the caller's transaction. What does not wait is left alone."""
    rows = {(row[0], as_uuid(row[1])): row for row in waiting()}
    for one in confirmations:
        row = rows.pop((one.code_id, one.visitor_id), None)
        if row is not None:
            _confirm(sender, one, row, pasts[one.code_id])


def _confirm(sender: Sender, one: Confirmation, row: Sequence[Any], past: Past) -> None:
    scan, risk, scan_id, verdict = replace(read_earlier(row), is_confirmed=True), row[4], as_uuid(row[7]), row[8]
    if not scan.is_crowd and is_crowd(past.earlier, visitor_id=scan.visitor_id, address=scan.address):
        scan, risk = replace(scan, is_crowd=True), ",".join(filter(None, (risk, Risk.CROWD)))
    send(sender, _CONFIRM, [risk, one.code_id, scan_id])
    if verdict in LIVE:
        if not one.is_test and not past.is_settled:
            examine(sender, past, scan, about=one.about, terms=one.copy_terms)
        past.confirm(scan)


_CONFIRM = "UPDATE scans SET is_confirmed = true, risk = ? WHERE code_id = ? AND id = ?"


@lru_cache(maxsize=512)
def _unconfirmed_text(count: int) -> str:
    places = ", ".join("?" * count)
    return (
        f"SELECT {COLUMNS}, s.id, s.verdict FROM scans s "
        f"WHERE s.code_id IN ({places}) AND s.visitor_id IN ({places}) AND NOT s.is_confirmed"
    )
