"""Whether what people were given is what the draw says: every claim of a campaign against tables, stock and payouts.

For whoever runs the installation: it opens the secrets of draws, at any time, and tells nothing of them but where a
claim differs. What anybody can check is ``campaigns.proof``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from batches.codes import split_code_id
from scancode.campaigns import service as campaigns
from scancode.campaigns.planning import CampaignPlan
from scancode.claims.models import Claim
from scancode.claims.rules import ClaimState
from scancode.payouts.models import Payout
from scancode.sealing import Sealer

PAGE = 500
SHOWN_MAX = 1000
Found = Row[tuple[int, str, UUID | None, str, int, int | None, int | None, bool]]


class Slip(StrEnum):
    """How a claim differs from the draw."""

    STRANGER = "stranger"
    """Its code is of no pool of the campaign."""
    PRIZE = "prize"
    """The draw gives this code another prize."""
    AMOUNT = "amount"
    """The prize, with another amount."""
    TOO_MANY = "too_many"
    """More of a prize were given than there are."""
    PAYOUT = "payout"
    """What was promised to be paid is not what was won."""


@dataclass(frozen=True)
class Difference:
    """``place`` is batch and serial, or the name of a prize where there are too many."""

    slip: Slip
    place: str
    expected: int
    found: int


@dataclass
class Compared:
    claims: int = 0
    ran_out: int = 0
    """Turns of a wheel that gave thanks although it stopped at a prize: stock, budget or day were used up."""
    differences: list[Difference] = field(default_factory=list)
    is_cut: bool = False

    def add(self, slip: Slip, place: str, expected: int, found: int) -> None:
        if len(self.differences) < SHOWN_MAX:
            self.differences.append(Difference(slip, place, expected, found))
        else:
            self.is_cut = True


def compare_draw(session: Session, *, campaign_id: UUID, sealer: Sealer) -> Compared:
    """Compares every claim, page by page. Raises CampaignNotFound, SealBroken."""
    plan = campaigns.load_plan(session, campaign_id=campaign_id)
    pools = campaigns.list_pools(session, campaign_id=campaign_id, sealer=sealer)
    told, given = Compared(), Counter[UUID]()
    for page in _pages(session, campaign_id):
        for row in page:
            told.claims += 1
            _compare(row, plan, pools, told)
            given[row.prize_id or campaign_id] += 1
        _compare_money(session, page, told)
    counts: dict[UUID, int] = {campaign_id: plan.most.seconds}
    names = {campaign_id: "n-th"}
    for prize in campaigns.list_prizes(session, campaign_id=campaign_id):
        if prize.kind != "thanks":
            counts[prize.id], names[prize.id] = prize.count, prize.name_zh
    for prize_id, count in counts.items():
        if given[prize_id] > count:
            told.add(Slip.TOO_MANY, names[prize_id], count, given[prize_id])
    return told


def _pages(session: Session, campaign_id: UUID) -> Iterator[list[Found]]:
    """What a restore took over without a prize is for the comparison of the books."""
    columns = (Claim.code_id, Claim.state, Claim.prize_id, Claim.prize_kind, Claim.amount, Claim.nth, Claim.turn)
    query = select(*columns, Claim.is_test).where(
        Claim.campaign_id == campaign_id, Claim.state != ClaimState.QUARANTINED.value
    )
    after = -1
    while rows := session.execute(query.where(Claim.code_id > after).order_by(Claim.code_id).limit(PAGE)).all():
        yield list(rows)  # type: ignore[arg-type]
        after = rows[-1].code_id


def _compare(row: Found, plan: CampaignPlan, pools: Sequence[campaigns.Pool], told: Compared) -> None:
    number, _, serial = split_code_id(row.code_id)
    place, conditions = f"{number}:{serial}", plan.conditions
    if row.nth is not None:
        expected = conditions.nth_fen or conditions.nth_points or 0
        if row.amount != expected:
            told.add(Slip.AMOUNT, place, expected, row.amount)
        return
    found = next(
        ((pool, at) for pool in pools if (at := pool.table.index_of(number, serial)) is not None),
        None,
    )
    if found is None:
        told.add(Slip.STRANGER, place, 0, row.amount)
        return
    pool, index = found
    prize_id, amount = pool.draw(index, row.turn or 1)
    thanks = pool.prize_ids[-1]
    if pool.table.mode == "odds" and row.prize_id == thanks != prize_id:
        told.ran_out += 1
    elif row.prize_id != prize_id:
        told.add(Slip.PRIZE, place, amount, row.amount)
    elif not _is_amount(row, amount, conditions.factor_most):
        told.add(Slip.AMOUNT, place, amount, row.amount)


def _is_amount(row: Found, amount: int, factor_most: int) -> bool:
    """Points may have been given several times over."""
    factors = range(1, factor_most + 1) if row.prize_kind == "points" else (1,)
    return any(row.amount == amount * factor for factor in factors)


def _compare_money(session: Session, page: Sequence[Found], told: Compared) -> None:
    won: Mapping[int, int] = {
        row.code_id: row.amount
        for row in page
        if row.prize_kind == "red_packet" and row.state == ClaimState.CLAIMED.value and not row.is_test
    }
    promised = select(Payout.code_id, Payout.amount_fen).where(Payout.code_id.in_([row.code_id for row in page]))
    paid: dict[int, int] = {}
    for code_id, amount_fen in session.execute(promised):
        paid[code_id] = amount_fen
    for code_id in sorted(won.keys() | paid.keys()):
        if won.get(code_id, 0) != paid.get(code_id, 0):
            number, _, serial = split_code_id(code_id)
            told.add(Slip.PAYOUT, f"{number}:{serial}", won.get(code_id, 0), paid.get(code_id, 0))
