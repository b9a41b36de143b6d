"""One more turn of the wheel for a code that won one: same code, same owner, the next turn.

The row of the claim is what changes, by a guarded UPDATE: however often the button is pressed, a turn is made once, and
the code still rewards once in all. The form says which turn it asks for, so that a second tap on the first one is no
second turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from scancode.campaigns.rules import Offer, Phase, PrizeFacts, draw, phase
from scancode.claims.models import Claim
from scancode.claims.rules import ClaimAnswer, ClaimFacts, ClaimState, owns
from scancode.claims.service.asking import Request
from scancode.claims.service.fitting import boosted
from scancode.claims.service.holding import keep_back
from scancode.claims.service.limits import Exhausted, counted_so_far, take_prize
from scancode.claims.service.reading import find_facts, view
from scancode.claims.service.rewards import reward
from scancode.claims.service.row import THANKS
from scancode.db import affected


def turn_again(
    session: Session, about: Request, offers: Sequence[Offer], found: ClaimFacts, turn: int
) -> ClaimAnswer | None:
    """Makes the turn that is asked for, where it is the next one of this owner. None where it is not, or somebody was
    quicker: the claim as it is answers then."""
    offer = next((one for one in offers if one.campaign_id == found.campaign_id), None)
    if not found.is_again or turn != found.turns_done + 1 or offer is None or not owns(about.claimant, found):
        return None
    if phase(offer, about.now) is not Phase.RUNNING:
        return None
    prize = draw(offer, about.code.serial, turn)
    prize = boosted(prize, offer=offer, brand=about.brand, attribution=about.attribution, now=about.now)
    for one, is_free in _outcomes(offer, prize):
        with suppress(Exhausted), session.begin_nested():
            if not _move(session, found, one, turn, about):
                return None
            _settle(session, about, offer)
            if not is_free:
                take_prize(session, offer=offer, prize=one, code_id=found.code_id, day=about.day)
            made = find_facts(session, code_id=found.code_id)
            assert made is not None
            return ClaimAnswer(view(session, made, claimant=about.claimant, now=about.now), is_new=True)
    raise AssertionError("thanks ran out")


def _outcomes(offer: Offer, prize: PrizeFacts) -> Iterator[tuple[PrizeFacts, bool]]:
    """What the turn may come to, the best first, and whether nothing has to be taken for it."""
    yield prize, not prize.wins
    if prize.wins:
        yield offer.thanks, True


def _move(session: Session, found: ClaimFacts, prize: PrizeFacts, turn: int, about: Request) -> bool:
    """A reservation keeps its time; what wins nothing needs nobody to collect it."""
    nobody_needed = found.state == ClaimState.RESERVED and prize.kind == THANKS
    guarded = update(Claim).where(
        Claim.code_id == found.code_id,
        Claim.prize_kind == found.prize_kind,
        func.coalesce(Claim.turn, 1) == turn - 1,
        Claim.state == found.state.value,
        Claim.account_id.is_not_distinct_from(found.account_id),
        Claim.visitor_id.is_not_distinct_from(found.visitor_id),
    )
    if found.state == ClaimState.RESERVED:
        guarded = guarded.where(Claim.reserved_until > about.now)
    values = {
        "prize_id": prize.id,
        "prize_kind": str(prize.kind),
        "amount": prize.amount,
        "turn": turn,
        "claimed_at": about.now,
        "state": (ClaimState.CLAIMED if nobody_needed else found.state).value,
        "reserved_until": None if nobody_needed else found.reserved_until,
    }
    return affected(session, guarded.values(values)) == 1


def _settle(session: Session, about: Request, offer: Offer) -> None:
    """What it earns, or a place among those that staff look at first: as of how many its owner has claimed that day."""
    made = find_facts(session, code_id=about.code.code_id)
    assert made is not None
    if made.state not in (ClaimState.CLAIMED, ClaimState.RESERVED):
        return
    people = (made.account_id, made.visitor_id)
    counted = counted_so_far(session, campaign_id=offer.campaign_id, people=people, day=made.day)
    is_held = keep_back(
        session,
        made,
        limits=offer.conditions,
        counted=counted,
        claimant=about.claimant,
        glimpse=about.glimpse,
        now=about.now,
    )
    if made.state == ClaimState.CLAIMED and not is_held:
        reward(session, made, claimant=about.claimant, prefix=about.prefix, now=about.now)
