"""Our books against the provider's: every day, after a restore before claims and payouts go on, and whenever one likes.

A database restored from a backup has forgotten what was claimed and paid after it. The provider has not: every bill
carries our number, and the number carries the code. Bills that we know move our payouts on; bills that we lost take
their code out of play, so that it never pays again. What does not agree is listed to the fen. Points claimed after
the backup are forgotten together with their claims, so those codes may simply be claimed again.

The provider's book is its daily files. Today's comes tomorrow: until then what was lost today is not found. Nobody is
paid twice by that, since a code that is claimed once more makes the same bill number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from batches.codes import Kind, UnknownKind, split_code_id
from scancode.campaigns import service as campaigns
from scancode.campaigns.chance import TURNS_MAX
from scancode.campaigns.rules import Offer, PrizeFacts, draw
from scancode.catalog import service as catalog
from scancode.claims import service as claims
from scancode.codes import service as codes
from scancode.db import Database
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.members import service as members
from scancode.members.models import IdentityKind
from scancode.payouts import service as payouts
from scancode.payouts.rules import PayoutFacts, PayoutState, meaning_of, number_of, parse_number
from scancode.ports import BillState, Flow, PayoutGateway
from scancode.sealing import Sealer
from scancode.staff import service as staff
from scancode.stories import books
from scancode.stories.books import DAYS_IN, Difference, Gap, Report

BILLS_MAX = 500_000
DAYS_MAX = 400
PAGE = 100
FILES_AT = time(10, 30)
"""A day's file is there by ten the next morning."""
TRANSFER = "转账"
MARGIN = timedelta(hours=1)
"""Two clocks never agree: bills are asked for from somewhat earlier than the book is compared."""


class TooLongAgo(Refusal):
    """Facts: ``limit``."""

    code = "reconcile_too_long"
    text = N_("Books are compared over at most {limit} days. Choose a later day to begin with.")
    status = 422


class TooManyBills(Refusal):
    """Facts: ``limit``."""

    code = "reconcile_too_many"
    text = N_("There are more than {limit} bills since then. Choose a later day to begin with.")
    status = 422


@dataclass(frozen=True)
class _Keys:
    sealer: Sealer
    draw_sealer: Sealer
    prefix: str
    wait: Callable[[], None]


@dataclass
class _Moved:
    """What the provider's files say of one bill: fen that went out and did not come back."""

    net_fen: int = 0


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
    wait: Callable[[], None] = lambda: None,
) -> Report:
    """Compares claims, points, payouts and the provider's daily files since then; where file and book differ the
    provider is queried, and its answer moves the book on. It may be interrupted and run again, and run while others
    work.

    ``progress`` hears how many bills were compared; ``wait`` is called before each query. Raises TooLongAgo,
    TooManyBills, PayoutError; each page of bills is one transaction, and none is open while the provider is asked.
    """
    if clock() - since > timedelta(days=DAYS_MAX + 1):
        raise TooLongAgo(limit=DAYS_MAX)
    report, keys = Report(since=since), _Keys(sealer, draw_sealer, prefix, wait)
    moved = _read_files(gateway, keys, report, clock())
    seen: set[tuple[int, int]] = set()
    for page in _pages(moved):
        _compare_page(db, gateway, page, moved, keys, report, clock)
        seen.update(page)
        progress(report.bills)
    _ask_about_the_rest(db, gateway, seen, keys, report, clock)
    with db.reading() as session:
        books.compare_claims(session, report=report, since=since)
    with db.transaction() as session:
        _keep(session, report, actor, clock())
    return report


def _read_files(gateway: PayoutGateway, keys: _Keys, report: Report, now: datetime) -> dict[tuple[int, int], _Moved]:
    """Every day's file from somewhat before then, by the place that a bill's number names."""
    found: dict[tuple[int, int], _Moved] = {}
    day, today = (report.since - MARGIN).astimezone(DAYS_IN).date(), now.astimezone(DAYS_IN)
    while day <= today.date():
        flows = gateway.flows(day)
        is_due = datetime.combine(day + timedelta(days=1), FILES_AT, DAYS_IN) <= today
        if flows is None and not is_due:
            report.files_until = day
            break
        for flow in flows or ():
            place = parse_number(flow.out_bill_no, prefix=keys.prefix) or _place_of(gateway, flow, keys)
            if place is None:
                report.foreign += 1
                continue
            found.setdefault(place, _Moved()).net_fen += flow.amount_fen
            if len(found) > BILLS_MAX:
                raise TooManyBills(limit=BILLS_MAX)
        day += timedelta(days=1)
    return found


def _place_of(gateway: PayoutGateway, flow: Flow, keys: _Keys) -> tuple[int, int] | None:
    """By the provider's own number, should its file not name ours."""
    if TRANSFER not in flow.kind or flow.out_bill_no:
        return None
    keys.wait()
    bill = gateway.query_provider_no(flow.provider_bill_no)
    return parse_number(bill.out_bill_no, prefix=keys.prefix) if bill else None


def _pages(places: Iterable[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    ordered = sorted(places)
    for start in range(0, len(ordered), PAGE):
        yield ordered[start : start + PAGE]


def _compare_page(
    db: Database,
    gateway: PayoutGateway,
    page: list[tuple[int, int]],
    moved: dict[tuple[int, int], _Moved],
    keys: _Keys,
    report: Report,
    clock: Callable[[], datetime],
) -> None:
    """Bills that file and book agree on are done with; about the others the provider is asked."""
    with db.reading() as session:
        known = {place: payouts.find(session, code_id=place[0], attempt=place[1]) for place in page}
    asked: list[tuple[tuple[int, int], BillState]] = []
    for place in page:
        report.bills += 1
        payout, net_fen = known[place], moved[place].net_fen
        if payout is not None and payout.state == PayoutState.PAID and payout.amount_fen == net_fen:
            report.provider_paid_fen += net_fen
            report.our_paid_fen += net_fen
            continue
        keys.wait()
        bill = gateway.query(number_of(prefix=keys.prefix, code_id=place[0], attempt=place[1]))
        asked.append((place, bill or _gone(place, net_fen, keys)))
    with db.transaction() as session:
        for place, bill in asked:
            _compare(session, bill, place, keys, report, clock(), filed_fen=moved[place].net_fen)


def _gone(place: tuple[int, int], net_fen: int, keys: _Keys) -> BillState:
    """The file has it, the query no more: as after the 30 days for which the provider answers. The file counts."""
    number = number_of(prefix=keys.prefix, code_id=place[0], attempt=place[1])
    return BillState(out_bill_no=number, state="SUCCESS" if net_fen > 0 else "FAIL", amount_fen=net_fen)


def _ask_about_the_rest(
    db: Database,
    gateway: PayoutGateway,
    seen: set[tuple[int, int]],
    keys: _Keys,
    report: Report,
    clock: Callable[[], datetime],
) -> None:
    """Payouts that our book has placed or paid since then and that are in no file: on their way, or not true."""
    after: tuple[int, int] | None = (-1, 0)
    while after is not None:
        with db.reading() as session:
            rows = payouts.placed_since(session, since=report.since, after=after, limit=PAGE)
        after = (rows[-1].code_id, rows[-1].attempt) if len(rows) == PAGE else None
        for payout in rows:
            if (payout.code_id, payout.attempt) not in seen:
                _ask_about(db, gateway, payout, keys, report, clock)


def _ask_about(
    db: Database,
    gateway: PayoutGateway,
    payout: PayoutFacts,
    keys: _Keys,
    report: Report,
    clock: Callable[[], datetime],
) -> None:
    keys.wait()
    bill = gateway.query(payout.out_bill_no)
    with db.transaction() as session:
        if bill is not None:
            _compare(session, bill, (payout.code_id, payout.attempt), keys, report, clock())
            filed_by = payout.changed_at.astimezone(DAYS_IN).date() + timedelta(days=1)
            is_late = filed_by < (report.files_until or clock().astimezone(DAYS_IN).date())
            if is_late and bill.state == "SUCCESS" and payout.state == PayoutState.PAID:
                report.add(_difference(Gap.UNFILED, bill, payout.code_id, payout))
            return
        after = payouts.apply_absence(session, payout=payout, now=clock())
        if payout.state in {PayoutState.SENDING, PayoutState.UNKNOWN}:
            return  # the worker sends it again; nobody has been promised an answer yet
        if payout.state == PayoutState.PAID:
            report.our_paid_fen += payout.amount_fen
        number, state = payout.out_bill_no, after.state.value
        report.add(Difference(Gap.MISSING, number, payout.code_id, None, None, state, payout.amount_fen))


def _keep(session: Session, report: Report, actor: str, now: datetime) -> None:
    payouts.keep_comparison(
        session,
        actor=actor,
        since=report.since,
        facts=report.facts(),
        differences=[asdict(one) for one in report.differences],
        now=now,
    )
    staff.audit(
        session,
        actor=actor,
        brand_id=None,
        action="payouts.reconcile",
        subject="payouts",
        facts=report.facts(),
        now=now,
    )


def _compare(
    session: Session,
    bill: BillState,
    place: tuple[int, int],
    keys: _Keys,
    report: Report,
    now: datetime,
    *,
    filed_fen: int | None = None,
) -> None:
    """``filed_fen`` is what the files say went out for it; None where it is in none."""
    code_id, attempt = place
    told_fen = bill.amount_fen if bill.state == "SUCCESS" else 0
    report.provider_paid_fen += told_fen if filed_fen is None else filed_fen
    before = payouts.find(session, code_id=code_id, attempt=attempt)
    if before is None:
        after = _take_over(session, bill, code_id, attempt, keys, now)
        report.add(_difference(Gap.FOUND if after else Gap.UNPLACEABLE, bill, code_id, after))
    else:
        after = payouts.apply_state(
            session, code_id=code_id, attempt=attempt, bill=bill, source="query", sealer=keys.sealer, now=now
        )
        report.moved += after.state != before.state
        if not _agree(bill, after) or filed_fen not in (None, told_fen):
            report.add(_difference(Gap.DISAGREES, bill, code_id, after, filed_fen))
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
        number, kind, serial = split_code_id(code_id)
    except UnknownKind:
        return None
    batch = codes.find_batch(session, number=number)
    brand = catalog.load_brand(session, brand_id=batch.brand_id) if batch else None
    if batch is None or brand is None:
        return None
    offer = campaigns.find_offer(session, batch_number=number, serial=serial, sealer=keys.draw_sealer)
    is_second = kind == Kind.OUTER
    offer, prize = _earned(offer, bill.amount_fen, serial, is_second=is_second)
    campaign_id = offer.campaign_id if offer else None
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
        prize_id=prize.id if prize else None,
        is_test=batch.is_test,
        nth=(offer.conditions.nth if offer else None) or 0 if is_second else None,
        now=bill.created_at or now,
    )
    if campaign_id and is_second and identity_id:
        claims.mark_second(session, campaign_id=campaign_id, identity_id=identity_id)
    if offer and prize:
        claims.charge(session, offer=offer, prize=prize, code_id=code_id, day=brand.day(bill.created_at or now))
    try:
        return payouts.adopt(
            session,
            code_id=code_id,
            attempt=attempt,
            brand_id=batch.brand_id,
            campaign_id=campaign_id,
            identity_id=identity_id,
            cause=claims.cause_of(code_id, 0 if is_second else None),
            bill=bill,
            now=now,
        )
    except ValueError:
        return None


def _earned(
    offer: Offer | None, amount_fen: int, serial: int, *, is_second: bool
) -> tuple[Offer | None, PrizeFacts | None]:
    """Which campaign a bill was for, and with which prize (None for a second prize). Where several campaigns share the
    code, it was the one whose prize is what was paid."""
    for one in (offer, *offer.others) if offer else ():
        if is_second and amount_fen == one.conditions.nth_fen:
            return one, None
        for turn in range(1, 1 if is_second else TURNS_MAX + 1 if one.mode == "odds" else 2):
            prize = draw(one, serial, turn)
            if prize.amount_fen == amount_fen:
                return one, prize
            if not prize.is_again:
                break
    return None, None


def _identity(session: Session, bill: BillState, brand_id: UUID, sealer: Sealer, now: datetime) -> UUID | None:
    """Whose money it is: the openid that claimed, so that they still see it as theirs."""
    if not bill.openid:
        return None
    kind = IdentityKind.OPENID
    return members.identify(session, brand_id=brand_id, kind=kind, value=bill.openid, sealer=sealer, now=now).id


def _difference(
    gap: Gap, bill: BillState, code_id: int, payout: PayoutFacts | None, filed_fen: int | None = None
) -> Difference:
    return Difference(
        gap=gap,
        out_bill_no=bill.out_bill_no,
        code_id=code_id,
        provider_state=bill.state,
        provider_fen=filed_fen or bill.amount_fen,
        our_state=payout.state.value if payout else None,
        our_fen=payout.amount_fen if payout else None,
    )
