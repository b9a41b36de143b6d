"""Writing a campaign: the draft itself and its prize pools. What is published is frozen; a new pool may still be added.

Each verb takes the campaign's row first, so that editing and publishing take turns. A draft may be incomplete; only
what could not be kept at all is refused here, the rest is for publication to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from scancode.campaigns import planning
from scancode.campaigns.chance import WHOLE_PPM
from scancode.campaigns.conditions import NONE, Conditions, problems, to_text
from scancode.campaigns.models import (
    Campaign,
    CampaignReview,
    CampaignState,
    CampaignTester,
    Mode,
    Prize,
    PrizeKind,
    Tranche,
    TrancheRange,
)
from scancode.campaigns.planning import PrizeLine, RangeLine
from scancode.campaigns.rules import Phase, phase_of
from scancode.campaigns.service.reading import find_review, get_campaign, get_tranche
from scancode.campaigns.service.refusals import CampaignNotFound, Frozen, InReview, TooMany
from scancode.catalog import revision
from scancode.catalog.models import Brand
from scancode.db import affected, new_id
from scancode.errors import Invalid, NotFound
from scancode.i18n import N_
from scancode.staff import service as staff

THANKS_ZH, THANKS_EN = "谢谢参与", "Thank you for taking part"
SERIAL_MAX = 2**25 - 1
RULES_CHARS_MAX = 20_000
AUDITED_MAX = 1500
"""Characters of conditions that an audit row holds as they are."""


@dataclass(frozen=True)
class Terms:
    """What marketing says of a campaign as a whole; the window in UTC, money in fen."""

    name_zh: str
    name_en: str
    starts_at: datetime
    ends_at: datetime
    budget_fen: int
    budget_points: int
    rules_zh: str = ""
    rules_en: str = ""
    priority: int = 0
    is_exclusive: bool = True
    """Nothing else may be published over its codes while it has not ended."""


def create(
    session: Session,
    *,
    brand_id: UUID,
    terms: Terms,
    staff_id: UUID | None,
    actor: str,
    now: datetime,
    conditions: Conditions = NONE,
) -> Campaign:
    """A new draft. Raises Invalid, NotFound for a brand that is not there."""
    _check_terms(terms)
    if session.get(Brand, brand_id) is None:
        raise NotFound
    campaign = Campaign(
        id=new_id(now),
        brand_id=brand_id,
        state=CampaignState.DRAFT,
        created_at=now,
        created_by=staff_id,
        conditions=to_text(conditions),
        **vars(terms),
    )
    session.add(campaign)
    session.flush()
    _audit(session, campaign, "campaign.create", {}, actor, now)
    return campaign


def change(session: Session, *, campaign_id: UUID, terms: Terms, actor: str, now: datetime) -> Campaign:
    """New terms for a draft. Raises CampaignNotFound, Frozen, Invalid."""
    _check_terms(terms)
    campaign = lock(session, campaign_id=campaign_id)
    if campaign.state != CampaignState.DRAFT:
        raise Frozen(state=campaign.state)
    check_no_review(session, campaign_id)
    session.execute(update(Campaign).where(Campaign.id == campaign_id).values(**vars(terms)))
    _audit(session, campaign, "campaign.change", {}, actor, now)
    return get_campaign(session, campaign_id=campaign_id)


def set_conditions(session: Session, *, campaign_id: UUID, conditions: Conditions, actor: str, now: datetime) -> None:
    """How often and how much a draft will give. Raises CampaignNotFound, Frozen, InReview, Invalid."""
    for field, problem in problems(conditions):
        raise Invalid(field=field, problem=problem)
    campaign = lock(session, campaign_id=campaign_id)
    if campaign.state != CampaignState.DRAFT:
        raise Frozen(state=campaign.state)
    check_no_review(session, campaign_id)
    text = to_text(conditions)
    affected(session, update(Campaign).where(Campaign.id == campaign_id).values(conditions=text))
    facts: dict[str, object] = {"conditions": text}
    if len(text) > AUDITED_MAX:  # hundreds of places: how many of each, and what tells one choice from another
        chosen = {name: len(value) for name, value in vars(conditions).items() if isinstance(value, tuple)}
        facts = {"chosen": chosen, "sha256": sha256(text.encode()).hexdigest()}
    _audit(session, campaign, "campaign.set_conditions", facts, actor, now)


def discard(session: Session, *, campaign_id: UUID, actor: str, now: datetime) -> None:
    """Deletes a draft with its prize pools. Raises CampaignNotFound, Frozen."""
    campaign = lock(session, campaign_id=campaign_id)
    if campaign.state != CampaignState.DRAFT:
        raise Frozen(state=campaign.state)
    check_no_review(session, campaign_id)
    ids = session.scalars(select(Tranche.id).where(Tranche.campaign_id == campaign_id)).all()
    for tranche_id in ids:
        _empty(session, tranche_id)
    for table in (Tranche, CampaignReview, CampaignTester):
        session.execute(delete(table).where(table.campaign_id == campaign_id))
    session.execute(delete(Campaign).where(Campaign.id == campaign_id))
    _audit(session, campaign, "campaign.discard", {"tranches": len(ids)}, actor, now)


def add_tranche(
    session: Session,
    *,
    campaign_id: UUID,
    ranges: Sequence[RangeLine],
    prizes: Sequence[PrizeLine],
    thanks_zh: str = THANKS_ZH,
    thanks_en: str = THANKS_EN,
    mode: str = Mode.EXACT,
    actor: str,
    now: datetime,
) -> Tranche:
    """A prize pool over ranges of codes, waiting to be published. A campaign that has not ended takes new ones.

    Raises CampaignNotFound, Frozen, TooMany, Invalid.
    """
    _check_tranche(ranges, prizes, mode)
    campaign = lock(session, campaign_id=campaign_id)
    _check_open(campaign, now)
    check_no_review(session, campaign_id)
    held = select(func.count()).select_from(Tranche).where(Tranche.campaign_id == campaign_id)
    if (session.scalar(held) or 0) >= planning.TRANCHES_MAX:
        raise TooMany(most=planning.TRANCHES_MAX)
    tranche = Tranche(
        id=new_id(now), campaign_id=campaign_id, mode=mode, size=0, secret=None, created_at=now, published_at=None
    )
    session.add(tranche)
    session.flush()
    _fill(session, tranche, ranges, prizes, (thanks_zh, thanks_en), now)
    _audit(session, campaign, "tranche.add", {"tranche": str(tranche.id), "size": tranche.size}, actor, now)
    return tranche


def change_tranche(
    session: Session,
    *,
    tranche_id: UUID,
    ranges: Sequence[RangeLine],
    prizes: Sequence[PrizeLine],
    thanks_zh: str = THANKS_ZH,
    thanks_en: str = THANKS_EN,
    mode: str = Mode.EXACT,
    actor: str,
    now: datetime,
) -> Tranche:
    """Other ranges and another table for a pool that is not published. Raises TrancheNotFound, Frozen, Invalid."""
    _check_tranche(ranges, prizes, mode)
    campaign, tranche = _lock_waiting(session, tranche_id, now)
    _empty(session, tranche_id)
    tranche.mode = mode
    _fill(session, tranche, ranges, prizes, (thanks_zh, thanks_en), now)
    _audit(session, campaign, "tranche.change", {"tranche": str(tranche_id), "size": tranche.size}, actor, now)
    return tranche


def remove_tranche(session: Session, *, tranche_id: UUID, actor: str, now: datetime) -> None:
    """Deletes a prize pool that is not published. Raises TrancheNotFound, Frozen."""
    campaign, tranche = _lock_waiting(session, tranche_id, now)
    _empty(session, tranche_id)
    session.expunge(tranche)
    session.execute(delete(Tranche).where(Tranche.id == tranche_id))
    _audit(session, campaign, "tranche.remove", {"tranche": str(tranche_id)}, actor, now)


def lock(session: Session, *, campaign_id: UUID) -> Campaign:
    """The campaign as it is now, with its row taken until the transaction ends. Raises CampaignNotFound.

    FOR NO KEY UPDATE: claims that name the campaign in a foreign key do not wait for this. SQLite's writers take
    turns anyway, and its SELECT knows no such clause.
    """
    campaign = session.scalar(
        select(Campaign)
        .where(Campaign.id == campaign_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if campaign is None:
        raise CampaignNotFound
    return campaign


def _lock_waiting(session: Session, tranche_id: UUID, now: datetime) -> tuple[Campaign, Tranche]:
    campaign = lock(session, campaign_id=get_tranche(session, tranche_id=tranche_id).campaign_id)
    tranche = get_tranche(session, tranche_id=tranche_id)  # again: it may have been published while we waited
    if tranche.published_at is not None:
        raise Frozen(state=campaign.state)
    check_no_review(session, campaign.id)
    return campaign, tranche


def check_no_review(session: Session, campaign_id: UUID) -> None:
    """What a second person looks at stays as it is. Ask while the campaign is locked. Raises InReview."""
    review = find_review(session, campaign_id=campaign_id)
    if review is not None and review.is_open:
        raise InReview


def _check_open(campaign: Campaign, now: datetime) -> None:
    at = phase_of(state=campaign.state, starts_at=campaign.starts_at, ends_at=campaign.ends_at, now=now)
    if at is Phase.ENDED:
        raise Frozen(state=CampaignState.ENDED)


def _fill(
    session: Session,
    tranche: Tranche,
    ranges: Sequence[RangeLine],
    prizes: Sequence[PrizeLine],
    thanks: tuple[str, str],
    now: datetime,
) -> None:
    """Writes ranges and table. Thanks stand last, with a count of 0 that publication turns into what is left."""
    offset, rows = 0, []
    for line in ranges:
        rows.append({"tranche_id": tranche.id, **vars(line), "offset": offset})
        offset += line.count
    if rows:
        session.execute(insert(TrancheRange), rows)
    table = [*prizes, PrizeLine(PrizeKind.THANKS, 0, 0, *thanks)]
    session.execute(
        insert(Prize),
        [
            {"id": new_id(now), "tranche_id": tranche.id, "position": position, **vars(prize)}
            for position, prize in enumerate(table)
        ],
    )
    tranche.size = offset
    session.flush()


def _empty(session: Session, tranche_id: UUID) -> None:
    for table in (TrancheRange, Prize):
        affected(session, delete(table).where(table.tranche_id == tranche_id))


def _check_terms(terms: Terms) -> None:
    for field, value, most in (("name_zh", terms.name_zh, 80), ("name_en", terms.name_en, 80)):
        if not value.strip():
            raise Invalid(field=field, problem=N_("A name is needed in both languages."))
        if len(value) > most:
            raise Invalid(field=field, problem=N_("This is too long."))
    if max(len(terms.rules_zh), len(terms.rules_en)) > RULES_CHARS_MAX:
        raise Invalid(field="rules", problem=N_("This is too long."))
    if terms.ends_at <= terms.starts_at:
        raise Invalid(field="ends_at", problem=N_("The campaign must end after it starts."))
    if not 0 <= terms.priority <= planning.PRIORITY_MAX:
        raise Invalid(field="priority", problem=N_("A priority is 0 to 9."))
    for field, budget in (("budget_fen", terms.budget_fen), ("budget_points", terms.budget_points)):
        if not 0 <= budget <= planning.BUDGET_MAX:
            raise Invalid(field=field, problem=N_("This budget is out of reach."))


def _check_tranche(ranges: Sequence[RangeLine], prizes: Sequence[PrizeLine], mode: str) -> None:
    if mode not in list(Mode):
        raise Invalid(field="mode", problem=N_("Choose an exact table or odds."))
    if len(ranges) > planning.RANGES_MAX or len(prizes) > planning.PRIZES_MAX:
        raise Invalid(field="tranche", problem=N_("There are too many lines."))
    if any(not 0 <= line.first <= line.last <= SERIAL_MAX for line in ranges):
        raise Invalid(field="ranges", problem=N_("A range goes from a lower number to a higher one."))
    if planning.repeated(ranges):
        raise Invalid(field="ranges", problem=N_("The same codes are named twice."))
    for prize in prizes:
        if prize.kind not in (PrizeKind.RED_PACKET, PrizeKind.POINTS, PrizeKind.AGAIN):
            raise Invalid(field="prizes", problem=N_("Choose red packet, points or one more turn."))
        if prize.kind == PrizeKind.AGAIN and prize.most:
            raise Invalid(field="prizes", problem=N_("One more turn has no amount."))
        if (prize.chance_ppm is not None) != (mode == Mode.ODDS):
            raise Invalid(field="prizes", problem=N_("Only the prizes of a pool with odds have odds."))
        if not 0 <= (prize.chance_ppm or 0) <= WHOLE_PPM:
            raise Invalid(field="prizes", problem=N_("This number is out of reach."))
        if not (
            0 <= prize.amount <= planning.BUDGET_MAX
            and 0 <= prize.most <= planning.BUDGET_MAX
            and 0 <= prize.count <= planning.BUDGET_MAX
        ):
            raise Invalid(field="prizes", problem=N_("This number is out of reach."))
        if max(len(prize.name_zh), len(prize.name_en)) > 60:
            raise Invalid(field="prizes", problem=N_("This is too long."))


def _audit(
    session: Session, campaign: Campaign, action: str, facts: dict[str, object], actor: str, now: datetime
) -> None:
    if session.scalar(select(CampaignTester.person_id).where(CampaignTester.campaign_id == campaign.id).limit(1)):
        revision.bump(session)  # what testers see is kept in memory
    staff.audit(
        session,
        actor=actor,
        brand_id=campaign.brand_id,
        action=action,
        subject=f"campaign:{campaign.id}",
        facts=facts,
        now=now,
    )
