"""Claims against the draw: what agrees, and every way in which it may not."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import update
from sqlalchemy.orm import Session

from scancode.campaigns.conditions import Conditions
from scancode.campaigns.models import Prize
from scancode.campaigns.planning import PrizeLine
from scancode.claims import service as claims
from scancode.claims.models import Claim
from scancode.claims.rules import Claimant
from scancode.payouts.models import Payout
from scancode.stories.draws import Compared, Slip, compare_draw
from scancode.wiring import Wired
from tests.claims.shop import Shop, open_shop

LINES = [PrizeLine("red_packet", 100, 200, "红包", "Red packet", 300), PrizeLine("points", 7, 300, "积分", "Points")]
WHEEL = [
    PrizeLine("again", 0, 500, "再来一次", "One more turn", None, 400_000),
    PrizeLine("red_packet", 100, 5, "红包", "Red packet", 300, 400_000),
]


def played(session: Session, wired: Wired, mode: str = "exact", **over: Any) -> Shop:
    terms = {"mode": mode, "budget_points": 10**6, "budget_fen": 10**6, "conditions": Conditions(nth=9, nth_fen=50)}
    shop = open_shop(session, wired, prizes=LINES if mode == "exact" else WHEEL, campaign=terms | over)
    alice = Claimant(None, shop.openid(session))
    for serial in range(30):
        for turn in (1, 2, 3):
            if not shop.claim(session, alice, serial, turn=turn).view.claim.is_again:
                break
    return shop


def compared(session: Session, shop: Shop) -> Compared:
    return compare_draw(session, campaign_id=shop.campaign_id, sealer=shop.wired.draw_sealer)


def slips(session: Session, shop: Shop) -> list[tuple[Slip, str]]:
    return [(one.slip, one.place) for one in compared(session, shop).differences]


@pytest.mark.parametrize("mode", ["exact", "odds"])
def test_what_was_given_is_what_the_draw_gives(session: Session, wired: Wired, mode: str) -> None:
    shop = played(session, wired, mode)
    found = compared(session, shop)
    assert (found.claims, found.differences) == (31, [])
    assert (found.ran_out > 0) == (mode == "odds")


def first(session: Session, shop: Shop, kind: str) -> tuple[int, str]:
    for serial in range(30):
        facts = claims.find_facts(session, code_id=shop.code(serial).code_id)
        if facts is not None and facts.prize_kind == kind:
            return facts.code_id, f"{shop.batch.number}:{serial}"
    raise AssertionError(kind)


def test_every_slip_is_told_with_its_code(session: Session, wired: Wired) -> None:
    shop = played(session, wired)
    money, place = first(session, shop, "red_packet")
    session.execute(update(Payout).where(Payout.code_id == money).values(amount_fen=Payout.amount_fen + 1))
    assert slips(session, shop) == [(Slip.PAYOUT, place)]
    session.execute(update(Payout).where(Payout.code_id == money).values(amount_fen=Payout.amount_fen - 1))
    session.execute(update(Claim).where(Claim.code_id == money).values(amount=Claim.amount + 1))
    assert slips(session, shop) == [(Slip.AMOUNT, place), (Slip.PAYOUT, place)]
    session.execute(update(Claim).where(Claim.code_id == money).values(amount=Claim.amount - 1))
    points, place = first(session, shop, "points")
    assert shop.offer is not None
    session.execute(update(Claim).where(Claim.code_id == points).values(prize_id=shop.offer.prizes[0].id))
    assert slips(session, shop) == [(Slip.PRIZE, place)]


def test_more_than_there_is_and_money_without_a_claim_for_it(session: Session, wired: Wired) -> None:
    shop = played(session, wired, "odds")
    assert shop.offer is not None
    money, place = first(session, shop, "red_packet")
    session.execute(update(Claim).where(Claim.code_id == money).values(state="reserved"))
    assert slips(session, shop) == [(Slip.PAYOUT, place)]
    session.execute(update(Claim).where(Claim.code_id == money).values(state="claimed"))
    session.execute(update(Prize).where(Prize.id == shop.offer.prizes[1].id).values(count=4))
    assert (Slip.TOO_MANY, "红包") in slips(session, shop)


def test_the_terminal_says_it_and_ends_accordingly(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    from scancode.cli import draws

    with wired.db.transaction() as session:
        shop = played(session, wired)
    monkeypatch.setattr(draws, "wire", lambda: wired)
    good = CliRunner().invoke(draws.draw, ["compare", str(shop.campaign_id)])
    assert good.exit_code == 0, good.output
    assert "31" in good.output
    with wired.db.transaction() as session:
        code_id, place = first(session, shop, "points")
        session.execute(update(Claim).where(Claim.code_id == code_id).values(amount=9))
    bad = CliRunner().invoke(draws.draw, ["compare", str(shop.campaign_id)])
    assert bad.exit_code != 0
    assert place in bad.output
