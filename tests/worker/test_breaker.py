"""The breaker: money that goes faster than it may stops, for that campaign alone, until a person has looked."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from scancode.campaigns import service as campaigns
from scancode.claims.rules import Claimant
from scancode.payouts.rules import PayoutState
from scancode.wiring import Wired
from scancode.worker import breaker
from scancode.worker.loop import run
from tests.claims.shop import Shop, open_shop, visitor
from tests.factories import NOW
from tests.payouts.conftest import Till, open_till

MOST_FEN = 300


@pytest.fixture
def shop(wired: Wired) -> Shop:
    with wired.db.transaction() as session:
        shop = open_shop(session, wired)
        campaigns.set_breaker(session, campaign_id=shop.campaign_id, hour_fen=MOST_FEN, actor="dave", now=NOW)
    return shop


def win(shop: Shop, serials: range, now: datetime) -> Claimant:
    with shop.wired.db.transaction() as session:
        alice = Claimant(visitor().visitor_id, shop.openid(session))
        for serial in serials:
            shop.claim(session, alice, serial, now=now)
    return alice


def look(wired: Wired, now: datetime) -> None:
    run(wired, stop_event=threading.Event(), once=True, clock=lambda: now, kinds={breaker.KEY})


def state(shop: Shop) -> tuple[str, bool]:
    with shop.wired.db.reading() as session:
        found = campaigns.get_campaign(session, campaign_id=shop.campaign_id)
        return found.state, found.tripped_at is not None


def test_it_trips_beyond_the_limit_and_not_at_it(wired: Wired, shop: Shop) -> None:
    win(shop, range(3), NOW)
    look(wired, NOW + timedelta(minutes=1))
    assert state(shop) == ("published", False)
    win(shop, range(3, 4), NOW + timedelta(minutes=2))
    look(wired, NOW + timedelta(minutes=3))
    assert state(shop) == ("paused", True)


def test_what_was_won_an_hour_ago_counts_no_more(wired: Wired, shop: Shop) -> None:
    win(shop, range(3), NOW)
    later = NOW + timedelta(minutes=61)
    win(shop, range(3, 6), later)
    look(wired, later)
    assert state(shop) == ("published", False)


def test_payouts_of_that_campaign_wait_for_a_person_and_those_of_others_go_on(wired: Wired, shop: Shop) -> None:
    with wired.db.transaction() as session:
        calm = open_shop(session, wired)
    tills: list[Till] = [open_till(wired, one, win(one, range(1), NOW)) for one in (shop, calm)]
    win(shop, range(1, 4), NOW)
    look(wired, NOW)
    for _ in range(6):
        tills[0].work()
    assert [till.find().state for till in tills] == [PayoutState.CREATED, PayoutState.AWAITING_USER]
    with wired.db.transaction() as session:
        with pytest.raises(campaigns.WrongState):
            campaigns.resume(session, campaign_id=shop.campaign_id, actor="dave", now=NOW)
        campaigns.release(session, campaign_id=shop.campaign_id, actor="dave", now=NOW)
    with wired.db.transaction() as session:
        with pytest.raises(campaigns.WrongState):
            campaigns.release(session, campaign_id=shop.campaign_id, actor="dave", now=NOW)
        campaigns.resume(session, campaign_id=shop.campaign_id, actor="dave", now=NOW)
    for _ in range(6):
        tills[0].work(after_s=61)
    assert tills[0].find().state == PayoutState.AWAITING_USER
