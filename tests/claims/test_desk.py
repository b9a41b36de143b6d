"""Claims of one process that share a transaction: each as if it were alone, whatever happens to the others."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from batches.codes import Kind
from scancode.campaigns import service as campaigns
from scancode.campaigns.planning import PrizeLine
from scancode.channels.rules import UNKNOWN
from scancode.claims import service as claims
from scancode.claims.desk import Desk
from scancode.claims.models import Claim
from scancode.claims.rules import ClaimAnswer, Claimant, Standing
from scancode.claims.service import Request
from scancode.codes.models import LifeRange
from scancode.db import Database
from scancode.errors import Refusal
from scancode.jobs import service as jobs
from scancode.jobs.models import Job
from scancode.ledger import service as ledger
from scancode.ledger.models import Account, Entry
from scancode.members import service as members
from scancode.payouts.models import Payout
from scancode.wiring import Wired
from tests.claims.shop import PREFIX, Shop, mark, open_shop, points, visitor
from tests.factories import NOW

MIXED = (
    PrizeLine("red_packet", 88, 300, "红包", "Red packet"),
    PrizeLine("points", 5, 300, "积分", "Points"),
)


def asking(shop: Shop, claimant: Claimant, serial: int = 0, kind: Kind = Kind.INNER) -> Request:
    return Request(
        code=shop.code(serial, kind),
        batch=shop.batch,
        brand=shop.brand,
        offer=shop.offer,
        claimant=claimant,
        attribution=UNKNOWN,
        now=NOW,
        reservation_hours=72,
        prefix=PREFIX,
        draw_sealer=shop.wired.draw_sealer,
    )


def together(session: Session, requests: list[Request]) -> list[ClaimAnswer | None]:
    return claims.claim_many(session, requests=requests, now=NOW)


def count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_group_gives_what_each_alone_would_get(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired, prizes=MIXED)
    people = [Claimant(visitor().visitor_id, shop.openid(session, f"o{n}")) for n in range(10)]
    people += [visitor() for _ in range(10)]
    answers = together(session, [asking(shop, who, serial) for serial, who in enumerate(people)])
    assert all(answer is not None and answer.is_new for answer in answers)
    for serial, (who, answer) in enumerate(zip(people, answers, strict=True)):
        assert answer is not None
        again = shop.claim(session, who, serial)
        assert not again.is_new
        assert again.view.claim == answer.view.claim
        assert again.view.payout == answer.view.payout
        assert answer.view.standing in (Standing.CLAIMED, Standing.RESERVED)
    known = [answer for answer in answers[:10] if answer]
    money = [one for one in known if one.view.claim.prize_kind == "red_packet"]
    assert count(session, Payout) == count(session, Job) == len(money)
    given = sum(one.view.claim.amount for one in known if one.view.claim.prize_kind == "points")
    assert ledger.total(session, account_id=ledger.issuer_id(shop.brand.id)) == -given
    assert ledger.find_unbalanced(session) == []


def test_one_person_with_many_codes_in_a_group_gets_every_point(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired, prizes=points(7))
    alice = Claimant(visitor().visitor_id, shop.openid(session))
    for _ in range(2):
        first = count(session, Claim)
        together(session, [asking(shop, alice, first + serial) for serial in range(5)])
    assert alice.identity_id is not None
    assert ledger.balance(session, account_id=alice.identity_id) == 70
    assert (count(session, Entry), count(session, Account)) == (20, 1)


def test_what_speaks_against_one_leaves_the_others_alone(session: Session, shop: Shop, wired: Wired) -> None:
    other = open_shop(session, wired)
    campaigns.pause(session, campaign_id=other.campaign_id, actor="dave", now=NOW)
    session.add(LifeRange(batch_number=shop.batch.number, first=1000, last=1000, state="void", changed_at=NOW))
    mark(session, shop, shop.code(8).code_id)
    phone, member = shop.member(session)
    snapshot = shop.openid(session, "snap", is_snapshot=True)
    requests = [
        asking(shop, visitor(), 0),
        asking(shop, visitor(), 0),  # the same code once more
        asking(shop, visitor(), 1, Kind.OUTER),
        asking(shop, visitor(), 1000),
        asking(other, visitor(), 0),
        asking(shop, Claimant(visitor().visitor_id, None, phone, member), 2),
        asking(shop, Claimant(visitor().visitor_id, snapshot), 3),
        asking(shop, Claimant(visitor().visitor_id, other.openid(session)), 4),
        replace(asking(shop, visitor(), 5), offer=None),
        replace(asking(shop, visitor(), 6), attribution=None),
        asking(shop, Claimant(visitor().visitor_id, shop.openid(session)), 7),
        asking(shop, visitor(), 8),  # looks copied
    ]
    made = [place for place, answer in enumerate(together(session, requests)) if answer]
    assert made == [0, 10]
    assert count(session, Claim) == 2


def test_nobody_is_served_while_claims_are_stopped(session: Session, shop: Shop) -> None:
    jobs.stop(session, name="claims", reason="restored", now=NOW)
    assert together(session, [asking(shop, visitor())]) == [None]


@pytest.mark.parametrize("seconds", [-1, 0])
def test_the_end_of_a_campaign_is_the_same_for_a_group(session: Session, shop: Shop, seconds: int) -> None:
    from datetime import timedelta

    assert shop.offer is not None
    now = shop.offer.ends_at + timedelta(seconds=seconds)
    (answer,) = claims.claim_many(session, requests=[replace(asking(shop, visitor()), now=now)], now=now)
    assert (answer is not None) == (seconds < 0)


def test_a_member_claims_in_a_group_as_a_member(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired, prizes=points(7))
    openid = shop.openid(session)
    phone, member = shop.member(session)
    members.claim_identity(session, identity_id=openid, member_id=member)
    requests = [
        asking(shop, Claimant(visitor().visitor_id, openid, phone, member), 0),
        asking(shop, Claimant(visitor().visitor_id, openid), 1),
    ]
    assert all(together(session, requests))
    assert ledger.balance(session, account_id=member) == 14


# The desk itself: threads, commits, failures


def at_once(works: list[Callable[[], object]]) -> Counter[object]:
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        gate.wait()
        try:
            return work()
        except Refusal as refusal:
            return refusal.code

    with ThreadPoolExecutor(len(works)) as pool:
        return Counter(pool.map(run, works))


def serving(desk: Desk, request: Request) -> Callable[[], object]:
    return lambda: "new" if desk.serve(request).is_new else "same"


def test_64_requests_of_one_subject_reward_once(db: Database, open_day: Shop) -> None:
    desk = Desk(db, stall_s=30)
    with db.transaction() as session:
        alice = Claimant(visitor().visitor_id, open_day.openid(session))
    assert at_once([serving(desk, asking(open_day, alice))] * 64) == {"new": 1, "same": 63}
    with db.reading() as session:
        assert (count(session, Claim), count(session, Payout)) == (1, 1)


def test_64_subjects_of_one_code_over_two_processes_reward_one(db: Database, open_day: Shop) -> None:
    desks = [Desk(db, stall_s=30), Desk(db, stall_s=30)]  # two processes have a desk each
    with db.transaction() as session:
        people = [Claimant(visitor().visitor_id, open_day.openid(session, f"o{n}")) for n in range(64)]
    works = [serving(desks[n % 2], asking(open_day, who)) for n, who in enumerate(people)]
    assert at_once(works) == {"new": 1, "claimed_by_another": 63}
    with db.reading() as session:
        assert (count(session, Claim), count(session, Payout)) == (1, 1)


def test_a_code_that_is_taken_harms_nobody_in_its_group(db: Database, open_day: Shop) -> None:
    desk = Desk(db, stall_s=30)
    with db.transaction() as session:
        open_day.claim(session, visitor(), 3)
    found = at_once([serving(desk, asking(open_day, visitor(), serial)) for serial in range(32)])
    assert found == {"new": 31, "claimed_by_another": 1}
    with db.reading() as session:
        assert count(session, Claim) == 32


def test_each_of_a_group_hears_its_own_reason(db: Database, open_day: Shop) -> None:
    desk = Desk(db, stall_s=30)
    requests = [asking(open_day, visitor(), serial) for serial in range(8)]
    requests += [asking(open_day, visitor(), serial, Kind.OUTER) for serial in range(8)]
    requests += [asking(open_day, visitor(), 2000 + serial) for serial in range(8)]
    found = at_once([serving(desk, request) for request in requests])
    assert found == {"new": 8, "claim_outer": 8, "claim_inactive": 8}


def test_two_desks_with_the_same_codes_and_people_never_lock_up(db: Database, wired: Wired) -> None:
    with db.transaction() as session:
        shop = open_shop(session, wired, prizes=points(3))
        people = [Claimant(visitor().visitor_id, shop.openid(session, f"o{n}")) for n in range(4)]
    desks = [Desk(db, stall_s=30), Desk(db, stall_s=30)]
    requests = [asking(shop, people[serial % 4], serial) for serial in range(48)]
    works = [serving(desks[0], request) for request in requests[:24]]
    works += [serving(desks[1], request) for request in reversed(requests[12:36])]
    found = at_once(works)
    assert found == {"new": 36, "same": 12}
    with db.reading() as session:
        balances = [ledger.balance(session, account_id=who.identity_id) for who in people if who.identity_id]
        assert sum(balances) == 36 * 3
        assert ledger.find_unbalanced(session) == []
