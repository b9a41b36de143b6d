"""Publishing a campaign and what may happen to it afterwards: pause, resume, a later end, an early end.

Two people may publish campaigns over the same codes at the same moment. Whoever publishes takes the rows of the
batches in the order of their numbers, and only then asks who else holds the ranges: the second one waits, then sees
the first one's campaign and is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from scancode.campaigns.faults import faults
from scancode.campaigns.models import Campaign, CampaignState, CampaignTester, Prize, PrizeKind, Tranche
from scancode.campaigns.planning import CampaignPlan, Fault, TranchePlan, totals
from scancode.campaigns.proof import commitment
from scancode.campaigns.rules import Phase, phase_of
from scancode.campaigns.service.archiving import archive
from scancode.campaigns.service.counters import (
    BUDGET_FEN,
    BUDGET_POINTS,
    SECONDS,
    STOCK,
    find_left,
    open_counter,
    put,
    take,
)
from scancode.campaigns.service.drafting import lock
from scancode.campaigns.service.offers import PURPOSE
from scancode.campaigns.service.proving import table_of
from scancode.campaigns.service.reading import (
    Claimed,
    find_faults,
    find_taken,
    get_campaign,
    load_plan,
)
from scancode.campaigns.service.refusals import CannotPublish, NotLonger, WrongState
from scancode.catalog import revision
from scancode.codes.models import Batch
from scancode.db import affected
from scancode.i18n import N_
from scancode.sealing import Sealer
from scancode.staff import service as staff

ARCHIVED = ("publish", "extend", "end")
"""What changes the rules that people were told."""


def publish(
    session: Session,
    *,
    campaign_id: UUID,
    new_secret: Callable[[], str],
    sealer: Sealer,
    claimed: Claimed,
    actor: str,
    now: datetime,
) -> tuple[UUID, ...]:
    """Freezes every waiting prize pool of a draft, or of a campaign that was published before; returns their ids.

    ``new_secret`` is the edge's: 32 fresh random bytes in hexadecimal, called once a pool; ``sealer`` seals draws.
    ``claimed`` counts claims within this transaction. Whether a second person has agreed is for ``reviewing`` to see.
    Raises CampaignNotFound, WrongState when the campaign has ended, CannotPublish with every fault.
    """
    campaign = lock(session, campaign_id=campaign_id)
    if _phase(campaign, now) is Phase.ENDED:
        raise WrongState(state=CampaignState.ENDED)
    plan = load_plan(session, campaign_id=campaign_id)
    _take_batches(session, (line.batch_number for tranche in plan.waiting for line in tranche.ranges))
    found = find_faults(session, campaign_id=campaign_id, claimed=claimed, now=now)
    if found:
        raise CannotPublish(found)
    for tranche in plan.waiting:
        _freeze(session, tranche, new_secret(), sealer, now)
        if tranche.has_odds:
            _open_stock(session, tranche)
    _reserve(session, plan)
    left = 0
    if campaign.state == CampaignState.DRAFT:
        _move(session, campaign, CampaignState.PUBLISHED, published_at=now)
        testers = delete(CampaignTester).where(CampaignTester.campaign_id == campaign.id)
        left = 0 if campaign.keeps_testers else affected(session, testers)  # their trial is over
    whole = totals(plan.waiting)
    facts = {
        "tranches": [str(tranche.id) for tranche in plan.waiting],
        "codes": whole.size,
        "testers_left": left,
        "prizes": whole.prize_count,
        "sum_fen": whole.sum_fen,
        "sum_points": whole.sum_points,
    }
    _close(session, campaign, "campaign.publish", facts, actor, now)
    return tuple(tranche.id for tranche in plan.waiting if tranche.id is not None)


def _freeze(session: Session, tranche: TranchePlan, secret: str, sealer: Sealer, now: datetime) -> None:
    whole = totals([tranche])
    thanks_count = 0 if tranche.has_odds else whole.thanks_count
    thanks = update(Prize).where(Prize.tranche_id == tranche.id, Prize.kind == PrizeKind.THANKS)
    affected(session, thanks.values(count=thanks_count))
    frozen = update(Tranche).where(Tranche.id == tranche.id, Tranche.published_at.is_(None))
    values = {"size": whole.size, "secret": sealer.seal(secret, purpose=PURPOSE), "published_at": now}
    if affected(session, frozen.values(values)) != 1:
        raise WrongState(state=CampaignState.PUBLISHED)
    assert tranche.id is not None
    committed = commitment(bytes.fromhex(secret), table_of(session, tranche_id=tranche.id))
    affected(session, update(Tranche).where(Tranche.id == tranche.id).values(commitment=committed))
    if tranche.has_odds:
        return
    held = session.scalar(select(func.sum(Prize.count)).where(Prize.tranche_id == tranche.id))
    if held != whole.size:
        raise AssertionError(f"the table of tranche {tranche.id} holds {held} prizes for {whole.size} codes")


def _open_stock(session: Session, tranche: TranchePlan) -> None:
    prizes = select(Prize.id, Prize.count).where(Prize.tranche_id == tranche.id, Prize.kind != PrizeKind.THANKS)
    for prize_id, stock in session.execute(prizes.order_by(Prize.position)):
        open_counter(session, owner_id=prize_id, name=STOCK, total=stock)


def _reserve(session: Session, plan: CampaignPlan) -> None:
    """Sets aside what exact tables and n-th codes need; wheels get the rest. A later pool takes its part from what the
    wheels have left. Raises CannotPublish where somebody has won it meanwhile."""
    sure, before = plan.reserved(plan.tranches), plan.reserved(plan.published)
    if sure.seconds > before.seconds:
        counted = find_left(session, owner_id=plan.id, name=SECONDS) is not None  # not where it is older than that
        more = sure.seconds - before.seconds if counted else sure.seconds
        put(session, owner_id=plan.id, name=SECONDS, amount=more)
    if not plan.has_odds:
        return
    is_open = find_left(session, owner_id=plan.id, name=BUDGET_FEN) is not None
    for name, budget, all_, old in (
        (BUDGET_POINTS, plan.budget_points, sure.points, before.points),
        (BUDGET_FEN, plan.budget_fen, sure.fen, before.fen),
    ):
        if not is_open:
            open_counter(session, owner_id=plan.id, name=name, total=budget - all_)
        elif all_ > old and not take(session, owner_id=plan.id, name=name, amount=all_ - old, code_id=0):
            text = N_("People have won meanwhile what this pool would need. Look at the budget again.")
            raise CannotPublish([Fault(f"over_budget_{name}", text)])


def pause(session: Session, *, campaign_id: UUID, actor: str, now: datetime) -> None:
    """Nothing can be claimed until it is resumed. Raises CampaignNotFound, WrongState."""
    campaign = lock(session, campaign_id=campaign_id)
    if _phase(campaign, now) not in (Phase.BEFORE, Phase.RUNNING):
        raise WrongState(state=campaign.state)
    _move(session, campaign, CampaignState.PAUSED)
    _close(session, campaign, "campaign.pause", {}, actor, now)


def resume(session: Session, *, campaign_id: UUID, actor: str, now: datetime) -> None:
    """Ends a pause. Raises CampaignNotFound, WrongState; also where the breaker made it and nobody has looked yet."""
    campaign = lock(session, campaign_id=campaign_id)
    if _phase(campaign, now) is not Phase.PAUSED or campaign.tripped_at is not None:
        raise WrongState(state=campaign.state)
    _move(session, campaign, CampaignState.PUBLISHED)
    _close(session, campaign, "campaign.resume", {}, actor, now)


def end(session: Session, *, campaign_id: UUID, actor: str, now: datetime) -> None:
    """Ends it before its time, for good. Raises CampaignNotFound, WrongState."""
    campaign = lock(session, campaign_id=campaign_id)
    if _phase(campaign, now) not in (Phase.BEFORE, Phase.RUNNING, Phase.PAUSED):
        raise WrongState(state=campaign.state)
    _move(session, campaign, CampaignState.ENDED, ended_at=now)
    _close(session, campaign, "campaign.end", {"promised_until": campaign.ends_at.isoformat()}, actor, now)


def extend(session: Session, *, campaign_id: UUID, ends_at: datetime, actor: str, now: datetime) -> None:
    """A later end, while it has not ended: in the consumers' favour, so the law allows it.

    Raises CampaignNotFound, WrongState, NotLonger, CannotPublish where it would now last too long.
    """
    campaign = lock(session, campaign_id=campaign_id)
    if _phase(campaign, now) not in (Phase.BEFORE, Phase.RUNNING, Phase.PAUSED):
        raise WrongState(state=campaign.state)
    if ends_at <= campaign.ends_at:
        raise NotLonger
    plan = load_plan(session, campaign_id=campaign_id)
    lines = [line for tranche in plan.tranches if tranche.is_published for line in tranche.ranges]
    _take_batches(session, (line.batch_number for line in lines))
    before = campaign.ends_at
    affected(session, update(Campaign).where(Campaign.id == campaign_id).values(ends_at=ends_at))
    found = _window_faults(session, campaign_id, now)
    # Somebody whose clock ran ahead of ours may have published over these codes, thinking that we had ended.
    others = find_taken(session, lines=lines, besides=campaign_id, now=now)
    if any(plan.is_exclusive or other.is_exclusive for other in others):
        raise WrongState(state=campaign.state)
    if found:
        raise CannotPublish(found)
    facts: dict[str, object] = {"from": before.isoformat(), "to": ends_at.isoformat()}
    _close(session, campaign, "campaign.extend", facts, actor, now)


def _window_faults(session: Session, campaign_id: UUID, now: datetime) -> tuple[Fault, ...]:
    plan = load_plan(session, campaign_id=campaign_id)
    found = faults(plan, batches={}, taken=(), claimed={}, now=now)
    return tuple(fault for fault in found if fault.code.startswith("window"))


def _phase(campaign: Campaign, now: datetime) -> Phase:
    return phase_of(state=campaign.state, starts_at=campaign.starts_at, ends_at=campaign.ends_at, now=now)


def _take_batches(session: Session, numbers: Iterable[int]) -> None:
    """Holds the rows of these batches until the transaction ends, lowest number first: no two can wait for each other.

    FOR NO KEY UPDATE, so that scans and claims, which only point at batches, go on. SQLite's writers take turns anyway.
    """
    wanted = sorted(set(numbers))
    session.execute(
        select(Batch.number).where(Batch.number.in_(wanted)).order_by(Batch.number).with_for_update(key_share=True)
    ).all()


def _move(session: Session, campaign: Campaign, state: CampaignState, **values: datetime) -> None:
    guarded = update(Campaign).where(Campaign.id == campaign.id, Campaign.state == campaign.state)
    if affected(session, guarded.values(state=state, **values)) != 1:
        raise WrongState(state=campaign.state)


def _close(
    session: Session, campaign: Campaign, action: str, facts: dict[str, object], actor: str, now: datetime
) -> None:
    """The end of every verb here: other processes hear of it, then the records of it."""
    revision.bump(session)
    if (event := action.removeprefix("campaign.")) in ARCHIVED:
        archive(session, campaign=campaign, event=event, now=now)
    staff.audit(
        session,
        actor=actor,
        brand_id=campaign.brand_id,
        action=action,
        subject=f"campaign:{campaign.id}",
        facts=facts,
        now=now,
    )
    get_campaign(session, campaign_id=campaign.id)  # a caller that holds the row sees what it has become
