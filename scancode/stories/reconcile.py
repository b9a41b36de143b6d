"""Our book of payments against the provider's: after a restore before claims and payouts go on, and whenever one likes.

A database restored from a backup has forgotten what was claimed and paid after it. The provider has not: every bill
carries our number, and the number carries the code. Bills that we know move our payouts on; bills that we lost take
their code out of play, so that it never pays again. What does not agree is listed to the fen. Points claimed after
the backup are forgotten together with their claims, so those codes may simply be claimed again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from batches.codes import UnknownKind, split_code_id
from scancode.campaigns import service as campaigns
from scancode.campaigns.rules import draw
from scancode.catalog import service as catalog
from scancode.claims import service as claims
from scancode.codes import service as codes
from scancode.db import Database
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.members import service as members
from scancode.members.models import IdentityKind
from scancode.payouts import service as payouts
from scancode.payouts.models import Payout
from scancode.payouts.rules import PayoutFacts, PayoutState, meaning_of, parse_number
from scancode.ports import BillState, PayoutGateway
from scancode.sealing import Sealer
from scancode.staff import service as staff
from scancode.staff.models import AuditRow

STOPS = ("claims", "payouts")
BILLS_MAX = 500_000
DIFFERENCES_MAX = 1000
PAGE = 100
MARGIN = timedelta(hours=1)
"""Two clocks never agree: bills are asked for from somewhat earlier than the book is compared."""


class TooManyBills(Refusal):
    """Facts: ``limit``."""

    code = "reconcile_too_many"
    text = N_("There are more than {limit} bills since then. Choose a later day to begin with.")
    status = 422


class NotReconciled(Refusal):
    """Facts: ``count``."""

    code = "not_reconciled"
    text = N_("The books still differ in {count} places. Look at each of them before payments go on.")


class NotCompared(Refusal):
    """Facts: ``moment``, of the backup."""

    code = "not_compared"
    text = N_(
        "The database was restored from the backup of {moment} (UTC): compare the books from that day on first. "
        "Where they cannot agree, `scancode reconcile --accept` lets it go on."
    )


class Gap(StrEnum):
    """How the two books differ over one bill."""

    FOUND = "found"
    """Only the provider had it; it is in our book now, and its code is out of play."""
    UNPLACEABLE = "unplaceable"
    """Our number, but for a batch that the book does not know."""
    DISAGREES = "disagrees"
    """Both have it, with another amount, openid or end."""
    MISSING = "missing"
    """Our book says that it was placed; the provider does not have it."""


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
    """Bills under other numbers than ours: the merchant account pays for other things as well."""
    moved: int = 0
    """Payouts whose state the provider's book moved on."""
    provider_paid_fen: int = 0
    our_paid_fen: int = 0
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
            "moved": self.moved,
            "found": self.found,
            "open": len(self.open),
            "provider_paid_fen": self.provider_paid_fen,
            "our_paid_fen": self.our_paid_fen,
        }


@dataclass(frozen=True)
class _Keys:
    sealer: Sealer
    draw_sealer: Sealer
    prefix: str


def reconcile(
    db: Database,
    gateway: PayoutGateway,
    *,
    sealer: Sealer,
    draw_sealer: Sealer,
    prefix: str,
    since: datetime,
    actor: str,
    clock: Callable[[], datetime],
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Walks the provider's bills since then. It may be interrupted and run again, and run while others work.

    ``progress`` hears how many bills were compared. Raises TooManyBills, OutsideError; each page of bills is one
    transaction, and none is open while the provider is asked.
    """
    keys = _Keys(sealer, draw_sealer, prefix)
    report = Report(since=since)
    seen: set[tuple[int, int]] = set()
    for page in _pages(gateway.bills(since=since - MARGIN)):
        with db.transaction() as session:
            for bill in page:
                _compare(session, bill, keys, report, seen, clock())
        progress(report.bills)
        if report.bills > BILLS_MAX:
            raise TooManyBills(limit=BILLS_MAX)
    with db.reading() as session:
        _find_missing(session, since, seen, report)
    with db.transaction() as session:
        staff.audit(
            session,
            actor=actor,
            brand_id=None,
            action="payouts.reconcile",
            subject="payouts",
            facts=report.facts(),
            now=clock(),
        )
    return report


def let_go_on(session: Session, *, report: Report, accept: bool, actor: str, now: datetime) -> None:
    """Lifts the stops of claims and payouts. Raises NotReconciled while the books differ, unless ``accept``: a person
    has looked at every difference."""
    if not report.agrees and not accept:
        raise NotReconciled(count=len(report.open))
    for name in STOPS:
        jobs.allow(session, name=name)
    facts = {**report.facts(), "accepted": accept}
    staff.audit(session, actor=actor, brand_id=None, action="payouts.allow", subject="payouts", facts=facts, now=now)


def require_compared(session: Session) -> None:
    """Raises NotCompared while the last restore has not been followed by a comparison, from the backup on, that found
    no difference, or by somebody's ``let_go_on``. Whoever lifts a single stop asks this first."""
    restored = _last(session, "database.restore")
    if restored is None or _is_after(_last(session, "payouts.allow"), restored):
        return
    made_at = datetime.fromisoformat(json.loads(restored.facts)["made_at"])
    compared = _last(session, "payouts.reconcile")
    if compared is not None and _is_after(compared, restored):
        found = json.loads(compared.facts)
        if found["open"] == 0 and datetime.fromisoformat(found["since"]) <= made_at:
            return
    raise NotCompared(moment=f"{made_at:%Y-%m-%d %H:%M}")


def _last(session: Session, action: str) -> AuditRow | None:
    rows = staff.list_audit(session, brand_id=None, chosen=staff.AuditFilter(action=action), limit=1)
    return rows[0] if rows else None


def _is_after(row: AuditRow | None, other: AuditRow) -> bool:
    return row is not None and row.seq > other.seq


def _pages(bills: Iterable[BillState]) -> Iterator[list[BillState]]:
    page: list[BillState] = []
    for bill in bills:
        page.append(bill)
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page


def _compare(
    session: Session, bill: BillState, keys: _Keys, report: Report, seen: set[tuple[int, int]], now: datetime
) -> None:
    report.bills += 1
    place = parse_number(bill.out_bill_no, prefix=keys.prefix)
    if place is None:
        report.foreign += 1
        return
    code_id, attempt = place
    seen.add(place)
    if bill.state == "SUCCESS":
        report.provider_paid_fen += bill.amount_fen
    before = payouts.find(session, code_id=code_id, attempt=attempt)
    if before is None:
        after = _take_over(session, bill, code_id, attempt, keys, now)
        report.add(_difference(Gap.FOUND if after else Gap.UNPLACEABLE, bill, code_id, after))
    else:
        after = payouts.apply_state(
            session, code_id=code_id, attempt=attempt, bill=bill, source="bills", sealer=keys.sealer, now=now
        )
        report.moved += after.state != before.state
        if not _agree(bill, after):
            report.add(_difference(Gap.DISAGREES, bill, code_id, after))
    if after is not None and after.state == PayoutState.PAID:
        report.our_paid_fen += after.amount_fen


def _agree(bill: BillState, payout: PayoutFacts) -> bool:
    meaning = meaning_of(bill.state, bill.fail_reason)
    if payout.state == PayoutState.QUARANTINED or payout.amount_fen != bill.amount_fen:
        return False
    ended = payout.is_final or (meaning is not None and meaning.is_final)
    return not ended or meaning == payout.state


def _take_over(
    session: Session, bill: BillState, code_id: int, attempt: int, keys: _Keys, now: datetime
) -> PayoutFacts | None:
    """Enters a bill that the book lost, and takes its code out of play. None where the book lacks its batch too."""
    try:
        number, _, serial = split_code_id(code_id)
    except UnknownKind:
        return None
    batch = codes.find_batch(session, number=number)
    brand = catalog.load_brand(session, brand_id=batch.brand_id) if batch else None
    if batch is None or brand is None:
        return None
    offer = campaigns.find_offer(session, batch_number=number, serial=serial, sealer=keys.draw_sealer)
    prize = draw(offer, serial) if offer else None
    fits = prize is not None and prize.amount_fen == bill.amount_fen
    campaign_id = offer.campaign_id if offer and fits else None
    identity_id = _identity(session, bill, batch.brand_id, keys.sealer, now)
    claims.quarantine(
        session,
        code_id=code_id,
        brand_id=batch.brand_id,
        product_id=batch.product_id,
        batch_number=number,
        day=brand.day(bill.created_at or now),
        subject_id=identity_id,
        amount_fen=bill.amount_fen,
        campaign_id=campaign_id,
        prize_id=prize.id if prize and fits else None,
        is_test=batch.is_test,
        now=bill.created_at or now,
    )
    try:
        return payouts.adopt(
            session,
            code_id=code_id,
            attempt=attempt,
            brand_id=batch.brand_id,
            campaign_id=campaign_id,
            identity_id=identity_id,
            cause=f"claim:{code_id}",
            bill=bill,
            now=now,
        )
    except ValueError:
        return None


def _identity(session: Session, bill: BillState, brand_id: UUID, sealer: Sealer, now: datetime) -> UUID | None:
    """Whose money it is: the openid that claimed, so that they still see it as theirs."""
    if not bill.openid:
        return None
    kind = IdentityKind.OPENID
    return members.identify(session, brand_id=brand_id, kind=kind, value=bill.openid, sealer=sealer, now=now).id


def _find_missing(session: Session, since: datetime, seen: set[tuple[int, int]], report: Report) -> None:
    """Payments that our book has placed since then and the provider's book lacks."""
    placed = (PayoutState.PAID, PayoutState.AWAITING_USER, PayoutState.CANCELLING)
    query = (
        select(Payout.code_id, Payout.attempt, Payout.out_bill_no, Payout.state, Payout.amount_fen)
        .where(Payout.created_at >= since, Payout.state.in_([state.value for state in placed]))
        .execution_options(yield_per=PAGE)
    )
    for row in session.execute(query):
        if (row.code_id, row.attempt) in seen:
            continue
        if row.state == PayoutState.PAID:
            report.our_paid_fen += row.amount_fen
        report.add(Difference(Gap.MISSING, row.out_bill_no, row.code_id, None, None, row.state, row.amount_fen))


def _difference(gap: Gap, bill: BillState, code_id: int, payout: PayoutFacts | None) -> Difference:
    return Difference(
        gap=gap,
        out_bill_no=bill.out_bill_no,
        code_id=code_id,
        provider_state=bill.state,
        provider_fen=bill.amount_fen,
        our_state=payout.state.value if payout else None,
        our_fen=payout.amount_fen if payout else None,
    )
