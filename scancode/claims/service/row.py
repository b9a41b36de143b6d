"""The row of a claim, as it is written and read back without asking the database."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from scancode.campaigns.rules import Offer, PrizeFacts
from scancode.channels.rules import UNKNOWN, Attribution
from scancode.claims.rules import Claimant, ClaimCode, ClaimFacts, ClaimState
from scancode.codes.rules import BatchFacts

THANKS = "thanks"
FACTS = tuple(field.name for field in fields(ClaimFacts))


def make_row(
    *,
    code: ClaimCode,
    batch: BatchFacts,
    day: str,
    offer: Offer,
    prize: PrizeFacts,
    claimant: Claimant,
    now: datetime,
    reservation_hours: int,
) -> dict[str, Any]:
    """A claim of a known claimant is theirs at once, as is one that wins nothing; others hold a reservation."""
    holds = claimant.is_known or prize.kind == THANKS
    return {
        "code_id": code.code_id,
        "state": (ClaimState.CLAIMED if holds else ClaimState.RESERVED).value,
        "brand_id": batch.brand_id,
        "product_id": batch.product_id,
        "batch_number": batch.number,
        "campaign_id": offer.campaign_id,
        "prize_id": prize.id,
        "prize_kind": str(prize.kind),
        "amount": prize.amount,
        "visitor_id": claimant.visitor_id,
        "subject_id": claimant.subject_id,
        "account_id": claimant.account_id,
        "day": day,
        "reserved_until": None if holds else now + timedelta(hours=reservation_hours),
        "claimed_at": now,
        "is_test": batch.is_test,
    }


def origin_of(attribution: Attribution | None) -> dict[str, Any]:
    """The columns that say where a claim came from."""
    return {**vars(attribution or UNKNOWN)}


def facts_from(row: dict[str, Any]) -> ClaimFacts:
    """What the row says."""
    return ClaimFacts(**{**{name: row[name] for name in FACTS if name in row}, "state": ClaimState(row["state"])})
