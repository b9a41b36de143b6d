"""Coming over into WeChat with what another browser holds: the right number moves it to the openid that is here.

The other browser may belong to somebody who is not known at all; the number that it shows is the only proof, and it is
asked for a few times at most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.claims import service as claims
from scancode.claims.rules import Claimant, ClaimsStopped, CrossingOver
from scancode.jobs import service as jobs
from scancode.sealing import Sealer
from scancode.stories.join import gather


@dataclass(frozen=True)
class Crossed:
    """``tries_left`` where the number was wrong, else how many prizes came over."""

    prizes_bound: int
    tries_left: int | None = None


def cross(
    session: Session,
    *,
    crossing_id: UUID,
    number: str,
    claimant: Claimant,
    sealer: Sealer,
    prefix: str,
    now: datetime,
) -> Crossed:
    """``claimant`` is who stands in WeChat, with their openid. A wrong number comes back as an answer, so that the try
    that it cost is committed. Raises CrossingOver, and ClaimsStopped before any try is spent.
    """
    if claimant.identity_id is None:
        raise ValueError("only an openid can take over what a browser holds")
    if jobs.is_stopped(session, "claims") is not None:
        raise ClaimsStopped
    crossing = claims.find_crossing(session, crossing_id=crossing_id)
    if crossing is not None and crossing.identity_id == claimant.identity_id:
        return Crossed(0)  # they are over already: the answer was lost, or the button pressed twice
    if crossing is None or not crossing.is_open(now):
        raise CrossingOver
    is_right = claims.spend_try(
        session, crossing_id=crossing_id, number=number, identity_id=claimant.identity_id, sealer=sealer, now=now
    )
    if not is_right:
        return Crossed(0, tries_left=crossing.tries_left - 1)
    there = replace(claimant, visitor_id=crossing.visitor_id)
    brand_id = crossing.brand_id
    if claimant.member_id is None:
        return Crossed(len(claims.bind(session, claimant=there, brand_id=brand_id, prefix=prefix, now=now)))
    _, bound = gather(session, brand_id=brand_id, claimant=there, prefix=prefix, now=now)
    return Crossed(bound)
