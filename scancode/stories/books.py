"""What a comparison of the books comes to, and the part of it that needs nobody outside: claims against the payouts and
the points that they earned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from scancode.claims.models import Claim
from scancode.claims.numbers import cause_of
from scancode.claims.rules import ClaimState
from scancode.ledger import service as ledger
from scancode.ledger.models import Entry
from scancode.payouts.models import Payout

DIFFERENCES_MAX = 1000
DAYS_IN = ZoneInfo("Asia/Shanghai")
"""Whose days the provider's files are of."""
PAGE = 500


class Gap(StrEnum):
    """How two books differ over one code's money or points."""

    FOUND = "found"
    """Only the provider had it; it is in our book now, and its code is out of play."""
    UNPLACEABLE = "unplaceable"
    """Our number, but for a batch that the book does not know."""
    DISAGREES = "disagrees"
    """Both have it, with another amount, openid or end."""
    MISSING = "missing"
    """Our book says that it was placed or paid; the provider does not know it."""
    UNFILED = "unfiled"
    """Paid, as a query confirms, but in none of the provider's daily files that were read."""
    UNPAID = "unpaid"
    """A claim that won money, and no payout was promised for it."""
    UNCLAIMED = "unclaimed"
    """A payout without a claim that earned it."""
    UNEQUAL = "unequal"
    """Claim and payout, or claim and points, are of another amount."""
    UNPOSTED = "unposted"
    """A claim that won points, and the ledger has no entry for it."""


@dataclass(frozen=True)
class Difference:
    gap: Gap
    out_bill_no: str
    code_id: int
    provider_state: str | None
    provider_fen: int | None
    our_state: str | None
    our_fen: int | None


@dataclass
class Report:
    """What the comparison came to. Sums are of bills that carry our numbers."""

    since: datetime
    bills: int = 0
    foreign: int = 0
    """Movements under other numbers than ours: the merchant account pays for other things as well."""
    moved: int = 0
    """Payouts whose state the provider's word moved on."""
    claims: int = 0
    """Claims that were compared with payouts and points."""
    provider_paid_fen: int = 0
    our_paid_fen: int = 0
    files_until: date | None = None
    """The first day whose file the provider does not have yet; None when it gave them all."""
    differences: list[Difference] = field(default_factory=list)
    is_cut: bool = False
    """There are more differences than are listed."""

    @property
    def found(self) -> int:
        return sum(one.gap == Gap.FOUND for one in self.differences)

    @property
    def open(self) -> list[Difference]:
        """Those that a person has to look at; what was found has been dealt with."""
        return [one for one in self.differences if one.gap != Gap.FOUND]

    @property
    def agrees(self) -> bool:
        return not self.open and not self.is_cut

    def add(self, difference: Difference) -> None:
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(difference)
        else:
            self.is_cut = True

    def facts(self) -> dict[str, object]:
        """Counts and sums for the audit."""
        return {
            "since": self.since.isoformat(),
            "bills": self.bills,
            "claims": self.claims,
            "moved": self.moved,
            "found": self.found,
            "open": len(self.open),
            "provider_paid_fen": self.provider_paid_fen,
            "our_paid_fen": self.our_paid_fen,
            "files_until": self.files_until.isoformat() if self.files_until else None,
        }


def compare_claims(session: Session, *, report: Report, since: datetime) -> None:
    """Adds every claim since then whose money was not promised or whose points were not posted, to the fen and the
    point, and every payout since then without a claim."""
    for page in _pages(session, since):
        report.claims += len(page)
        _compare_money(session, page, report)
        _compare_points(session, page, report)
    lost = (
        select(Payout.code_id, Payout.out_bill_no, Payout.state, Payout.amount_fen)
        .outerjoin(Claim, Claim.code_id == Payout.code_id)
        .where(Payout.created_at >= since, Claim.code_id.is_(None))
        .limit(DIFFERENCES_MAX)
    )
    for row in session.execute(lost):
        report.add(Difference(Gap.UNCLAIMED, row.out_bill_no, row.code_id, None, None, row.state, row.amount_fen))


def _pages(session: Session, since: datetime) -> Iterator[list[Row[tuple[int, str, int, object]]]]:
    after = -1
    while True:
        rows = session.execute(
            select(Claim.code_id, Claim.prize_kind, Claim.amount, Claim.brand_id, Claim.account_id, Claim.nth)
            .where(
                Claim.code_id > after,
                Claim.claimed_at >= since,
                Claim.state == ClaimState.CLAIMED.value,
                Claim.is_test.is_(False),
            )
            .order_by(Claim.code_id)
            .limit(PAGE)
        ).all()
        if rows:
            yield list(rows)  # type: ignore[arg-type]
        if len(rows) < PAGE:
            return
        after = rows[-1].code_id


def _compare_money(session: Session, page: list[Row[tuple[int, str, int, object]]], report: Report) -> None:
    won = {row.code_id: row.amount for row in page if row.prize_kind == "red_packet"}
    if not won:
        return
    rows = session.execute(
        select(Payout.code_id, Payout.out_bill_no, Payout.state, Payout.amount_fen).where(Payout.code_id.in_(won))
    ).all()
    for row in rows:
        if row.amount_fen != won[row.code_id]:
            report.add(Difference(Gap.UNEQUAL, row.out_bill_no, row.code_id, None, None, row.state, row.amount_fen))
    for code_id in sorted(won.keys() - {row.code_id for row in rows}):
        report.add(Difference(Gap.UNPAID, "", code_id, None, None, None, won[code_id]))


def _compare_points(session: Session, page: list[Row[tuple[int, str, int, object]]], report: Report) -> None:
    """By the side of the brand's own account, which every grant has, whomever the points belong to by now."""
    won = {
        (ledger.issuer_id(row.brand_id), cause_of(row.code_id, row.nth)): row
        for row in page
        if row.prize_kind == "points" and row.account_id is not None
    }
    if not won:
        return
    issuers, causes = {issuer for issuer, _ in won}, [cause for _, cause in won]
    rows = session.execute(
        select(Entry.account_id, Entry.cause, Entry.points).where(
            Entry.account_id.in_(issuers), Entry.cause.in_(causes)
        )
    ).all()
    posted = {(row.account_id, row.cause): -row.points for row in rows}
    for key, row in won.items():
        if key not in posted:
            report.add(Difference(Gap.UNPOSTED, "", row.code_id, None, None, None, row.amount))
        elif posted[key] != row.amount:
            report.add(Difference(Gap.UNEQUAL, "", row.code_id, None, posted[key], None, row.amount))
