"""Whose a claim is, and when a reservation has lapsed."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from scancode.claims.rules import Claimant, ClaimFacts, ClaimState, owns
from tests.factories import NOW

V, W, OPENID, PHONE, MEMBER, OTHER = (uuid4() for _ in range(6))


def claim(
    *,
    visitor: UUID | None = V,
    subject: UUID | None = None,
    account: UUID | None = None,
    state: ClaimState = ClaimState.CLAIMED,
    until: datetime | None = None,
) -> ClaimFacts:
    return ClaimFacts(
        code_id=1,
        state=state,
        brand_id=OTHER,
        product_id=OTHER,
        batch_number=1,
        campaign_id=None,
        prize_id=None,
        prize_kind="points",
        amount=1,
        visitor_id=visitor,
        subject_id=subject,
        account_id=account,
        day="2026-11-22",
        reserved_until=until,
        claimed_at=NOW,
        is_test=False,
    )


@pytest.mark.parametrize(
    ("held", "asker", "mine"),
    [
        (claim(), Claimant(V), True),
        (claim(), Claimant(W), False),
        (claim(), Claimant(V, OPENID), True),
        (claim(visitor=None), Claimant(None), False),
        (claim(subject=OPENID, account=OPENID), Claimant(W, OPENID), True),
        (claim(subject=OPENID, account=OPENID), Claimant(V), True),
        (claim(subject=OPENID, account=OPENID), Claimant(V, OTHER), False),
        (claim(subject=OPENID, account=MEMBER), Claimant(W, None, PHONE, MEMBER), True),
        (claim(subject=OPENID, account=OPENID), Claimant(W, None, PHONE, MEMBER), False),
        (claim(subject=PHONE, account=PHONE), Claimant(W, OTHER, PHONE), True),
    ],
)
def test_ids_decide_before_the_browser_does(held: ClaimFacts, asker: Claimant, *, mine: bool) -> None:
    assert owns(asker, held) is mine


def test_only_a_reservation_lapses() -> None:
    reserved = claim(state=ClaimState.RESERVED, until=NOW)
    assert reserved.has_lapsed(NOW)
    assert not reserved.has_lapsed(NOW - timedelta(microseconds=1))
    assert not claim().has_lapsed(NOW)


def test_points_go_to_the_member_then_the_openid_then_the_phone() -> None:
    assert Claimant(V, OPENID, PHONE, MEMBER).account_id == MEMBER
    assert Claimant(V, OPENID, PHONE).account_id == OPENID
    assert Claimant(V, None, PHONE).account_id == PHONE
    assert Claimant(V).account_id is None
    assert Claimant(V, OPENID, PHONE, MEMBER).subject_id == OPENID
