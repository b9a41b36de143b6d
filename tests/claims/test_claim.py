"""The claim: what is written, for whom, and every reason to refuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from batches.codes import Kind
from scancode.campaigns import service as campaigns
from scancode.campaigns.planning import PrizeLine
from scancode.channels.rules import Attribution
from scancode.claims import rules
from scancode.claims.models import Claim
from scancode.claims.rules import Claimant, Standing
from scancode.codes import service as codes
from scancode.codes.models import LifeRange
from scancode.codes.rules import Change, Recall, Restore, Void, VoidReason
from scancode.jobs import service as jobs
from scancode.jobs.models import Job
from scancode.ledger import service as ledger
from scancode.ledger.models import Entry
from scancode.payouts.models import Payout
from scancode.payouts.rules import PayoutState, parse_number
from scancode.scans import service as scans
from scancode.wiring import Wired
from tests.claims.shop import PREFIX, Shop, mark, open_shop, points, visitor
from tests.factories import NOW


def count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def live(session: Session, shop: Shop, state: str) -> None:
    session.execute(update(LifeRange).where(LifeRange.batch_number == shop.batch.number).values(state=state))


def test_it_pays_an_openid_at_once(session: Session, shop: Shop) -> None:
    alice = Claimant(visitor().visitor_id, shop.openid(session))
    answer = shop.claim(session, alice)
    assert answer.is_new
    assert answer.view.standing == Standing.CLAIMED
    assert answer.view.payout is not None
    assert answer.view.payout.state == PayoutState.CREATED
    payout = session.execute(select(Payout)).scalar_one()
    assert (payout.amount_fen, payout.identity_id) == (100, alice.identity_id)
    assert parse_number(payout.out_bill_no, prefix=PREFIX) == (shop.code().code_id, 1)
    assert session.execute(select(Job.kind)).scalar_one() == "payout"


def test_it_posts_points_to_the_openid_until_there_is_a_member(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired, prizes=points(50))
    alice = Claimant(visitor().visitor_id, shop.openid(session))
    shop.claim(session, alice)
    assert alice.identity_id is not None
    assert ledger.balance(session, account_id=alice.identity_id) == 50
    assert ledger.total(session, account_id=ledger.issuer_id(shop.brand.id)) == -50
    assert count(session, Payout) == 0


def test_it_posts_points_to_the_member_whom_the_openid_joined_meanwhile(session: Session, wired: Wired) -> None:
    from scancode.members import service as members

    shop = open_shop(session, wired, prizes=points(50))
    openid = shop.openid(session)
    _, member_id = shop.member(session)
    members.claim_identity(session, identity_id=openid, member_id=member_id)
    shop.claim(session, Claimant(visitor().visitor_id, openid))  # the session does not know of it
    assert ledger.balance(session, account_id=member_id) == 50


def test_it_keeps_money_for_a_member_without_an_openid(session: Session, shop: Shop) -> None:
    phone, member = shop.member(session)
    answer = shop.claim(session, Claimant(visitor().visitor_id, None, phone, member))
    assert answer.view.standing == Standing.CLAIMED
    assert answer.view.needs_openid
    assert count(session, Job) == 0  # nobody to pay yet


def test_it_reserves_for_a_stranger(session: Session, shop: Shop) -> None:
    bob = visitor()
    answer = shop.claim(session, bob)
    assert answer.view.standing == Standing.RESERVED
    assert answer.view.claim.reserved_until == NOW + timedelta(hours=72)
    assert answer.view.needs_subject
    assert count(session, Payout) == count(session, Entry) == 0


def test_thanks_need_nobody(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired, prizes=[PrizeLine("red_packet", 100, 1, "红包", "Red packet")])
    answers = [shop.claim(session, visitor(), serial) for serial in range(3)]
    thanks = next(answer for answer in answers if answer.view.claim.prize_kind == "thanks")
    assert thanks.view.standing == Standing.CLAIMED
    assert not thanks.view.wins


def test_it_gives_the_same_answer_again(session: Session, shop: Shop) -> None:
    alice = Claimant(visitor().visitor_id, shop.openid(session))
    first, second = shop.claim(session, alice), shop.claim(session, alice)
    assert first.view.claim == second.view.claim
    assert second.view.payout is not None
    assert not second.is_new
    assert count(session, Payout) == 1


def test_it_gives_the_same_answer_after_the_campaign(session: Session, shop: Shop) -> None:
    alice = Claimant(visitor().visitor_id, shop.openid(session))
    shop.claim(session, alice)
    answer = shop.claim(session, alice, now=NOW + timedelta(days=31))
    assert answer.view.standing == Standing.CLAIMED


def test_it_tells_anybody_else_only_when(session: Session, shop: Shop) -> None:
    shop.claim(session, Claimant(visitor().visitor_id, shop.openid(session)))
    with pytest.raises(rules.ClaimedByAnother) as caught:
        shop.claim(session, Claimant(visitor().visitor_id, shop.openid(session, "openid-bob")))
    assert caught.value.facts == {"day": "2026-11-22"}


def test_a_reservation_is_bound_when_its_visitor_comes_back_known(session: Session, shop: Shop) -> None:
    bob = visitor()
    shop.claim(session, bob)
    answer = shop.claim(session, replace(bob, identity_id=shop.openid(session)))
    assert answer.is_new
    assert answer.view.standing == Standing.CLAIMED
    assert count(session, Payout) == 1


def test_a_reservation_is_nobody_elses(session: Session, shop: Shop) -> None:
    shop.claim(session, visitor())
    with pytest.raises(rules.ClaimedByAnother):
        shop.claim(session, Claimant(visitor().visitor_id, shop.openid(session)))


def test_a_reservation_holds_to_the_last_moment(session: Session, shop: Shop) -> None:
    shop.claim(session, visitor())
    with pytest.raises(rules.ClaimedByAnother):
        shop.claim(session, visitor(), now=NOW + timedelta(hours=72) - timedelta(microseconds=1))


def test_a_lapsed_reservation_is_taken_over(session: Session, shop: Shop) -> None:
    shop.claim(session, visitor())
    carol = visitor()
    answer = shop.claim(session, carol, now=NOW + timedelta(hours=72))
    assert answer.is_new
    assert answer.view.claim.visitor_id == carol.visitor_id
    assert count(session, Claim) == 1


def test_a_lapsed_reservation_of_an_ended_campaign_is_gone(session: Session, shop: Shop) -> None:
    bob = visitor()
    shop.claim(session, bob)
    with pytest.raises(rules.CampaignEnded):
        shop.claim(session, bob, now=NOW + timedelta(days=31))


def test_it_records_where_the_claim_came_from(session: Session, shop: Shop) -> None:
    shop.claim(session, visitor(), attribution=Attribution("touch"))
    shop.claim(session, visitor(), 1)
    assert session.scalars(select(Claim.source).order_by(Claim.code_id)).all() == ["touch", "unknown"]


def test_a_test_batch_pays_nothing(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired)
    shop = replace(shop, batch=replace(shop.batch, is_test=True))
    answer = shop.claim(session, Claimant(visitor().visitor_id, shop.openid(session)))
    assert answer.view.standing == Standing.CLAIMED
    assert answer.view.claim.is_test
    assert count(session, Payout) == count(session, Entry) == 0


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [(Kind.OUTER, rules.NotARewardCode), (Kind.CASE, rules.CartonCode), (Kind.PALLET, rules.CartonCode)],
)
def test_it_refuses_codes_that_never_pay(session: Session, shop: Shop, kind: Kind, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        shop.claim(session, visitor(), code=shop.code(0, kind))
    assert count(session, Claim) == 0


@pytest.mark.parametrize(
    ("state", "refusal"), [("void", rules.CodeVoid), ("recalled", rules.CodeRecalled), ("inactive", rules.CodeInactive)]
)
def test_it_refuses_codes_that_are_not_live_now(
    session: Session, shop: Shop, state: str, refusal: type[Exception]
) -> None:
    live(session, shop, state)  # the cached batch still says active
    with pytest.raises(refusal):
        shop.claim(session, visitor())


def test_it_refuses_a_suspect_code_until_somebody_clears_it(session: Session, shop: Shop) -> None:
    alice = Claimant(visitor().visitor_id, shop.openid(session))
    mark(session, shop, shop.code().code_id)
    with pytest.raises(rules.CodeSuspect):
        shop.claim(session, alice)
    with pytest.raises(rules.NotARewardCode):  # an outer code never pays, suspect or not
        shop.claim(session, alice, code=shop.code(0, Kind.OUTER))
    assert shop.claim(session, alice, 1).is_new
    settled = {"code_id": shop.code().code_id, "comment": "a sample", "actor": "staff:x", "now": NOW}
    scans.settle_suspicion(session, verb="clear", **settled)
    assert shop.claim(session, alice).is_new


def test_what_was_claimed_before_it_turned_suspect_stays_claimed(session: Session, shop: Shop) -> None:
    alice = Claimant(visitor().visitor_id, shop.openid(session))
    first = shop.claim(session, alice)
    mark(session, shop, shop.code().code_id)
    assert shop.claim(session, alice).view == first.view


@pytest.mark.parametrize(
    "kill", [Void(VoidReason.STOLEN), Recall("请退回", "Bring it back")], ids=lambda what: what.verb
)
def test_a_claimed_code_that_is_killed_and_restored_stays_claimed(session: Session, shop: Shop, kill: Change) -> None:
    alice = Claimant(visitor().visitor_id, shop.openid(session))
    bob = Claimant(visitor().visitor_id, shop.openid(session, "openid-bob"))
    first = shop.claim(session, alice)
    for what in (kill, Restore("found again")):
        codes.change(session, batch_number=shop.batch.number, ranges=[(0, 1)], what=what, actor="t", now=NOW)
    with pytest.raises(rules.ClaimedByAnother):
        shop.claim(session, bob)
    assert shop.claim(session, alice).view.claim == first.view.claim
    assert count(session, Payout) == 1
    assert shop.claim(session, bob, 1).is_new  # its neighbour, killed and restored with it, was nobody's


def test_a_voided_code_still_shows_its_owner_the_answer(session: Session, shop: Shop) -> None:
    alice = Claimant(visitor().visitor_id, shop.openid(session))
    shop.claim(session, alice)
    live(session, shop, "void")
    assert shop.claim(session, alice).view.standing == Standing.CLAIMED


def test_a_voided_reservation_is_not_bound(session: Session, shop: Shop) -> None:
    bob = visitor()
    shop.claim(session, bob)
    live(session, shop, "void")
    with pytest.raises(rules.CodeVoid):
        shop.claim(session, replace(bob, identity_id=shop.openid(session)))
    assert shop.claim(session, bob).view.standing == Standing.RESERVED
    assert count(session, Payout) == 0


def test_it_refuses_where_no_campaign_is(session: Session, shop: Shop) -> None:
    session.execute(update(LifeRange).where(LifeRange.batch_number == shop.batch.number).values(last=5000))
    with pytest.raises(rules.NoCampaign):
        shop.claim(session, visitor(), code=shop.code(5000), offer=None)


def test_it_refuses_before_the_campaign(session: Session, shop: Shop) -> None:
    with pytest.raises(rules.NotStarted) as caught:
        shop.claim(session, visitor(), now=NOW - timedelta(hours=2))
    assert caught.value.facts["day"] == "2026-11-22"


def test_it_refuses_from_the_end_on(session: Session, shop: Shop) -> None:
    assert shop.offer is not None
    with pytest.raises(rules.CampaignEnded):
        shop.claim(session, visitor(), now=shop.offer.ends_at)
    assert shop.claim(session, visitor(), now=shop.offer.ends_at - timedelta(microseconds=1)).is_new


def test_it_refuses_a_campaign_that_was_paused_after_the_cache_was_filled(session: Session, shop: Shop) -> None:
    campaigns.pause(session, campaign_id=shop.campaign_id, actor="dave", now=NOW)
    with pytest.raises(rules.CampaignPaused):
        shop.claim(session, visitor())
    campaigns.resume(session, campaign_id=shop.campaign_id, actor="dave", now=NOW)
    assert shop.claim(session, visitor()).is_new


def test_it_sees_a_campaign_that_the_cache_does_not_know_yet(session: Session, shop: Shop) -> None:
    assert shop.claim(session, visitor(), offer=None).is_new


def test_it_refuses_while_claims_are_stopped(session: Session, shop: Shop) -> None:
    jobs.stop(session, name="claims", reason="restored", now=NOW)
    with pytest.raises(rules.ClaimsStopped):
        shop.claim(session, visitor())


def test_a_reservation_is_not_bound_while_claims_are_stopped(session: Session, shop: Shop) -> None:
    bob = visitor()
    shop.claim(session, bob)
    jobs.stop(session, name="claims", reason="restored", now=NOW)
    answer = shop.claim(session, replace(bob, identity_id=shop.openid(session)))
    assert answer.view.standing == Standing.RESERVED


def test_it_refuses_money_to_a_snapshot_account(session: Session, shop: Shop) -> None:
    with pytest.raises(rules.SnapshotAccount):
        shop.claim(session, Claimant(visitor().visitor_id, shop.openid(session, is_snapshot=True)))
    assert count(session, Claim) == 0


def test_an_openid_of_another_brand_is_a_stranger(session: Session, shop: Shop, wired: Wired) -> None:
    other = open_shop(session, wired)
    answer = shop.claim(session, Claimant(visitor().visitor_id, other.openid(session)))
    assert answer.view.standing == Standing.RESERVED


def test_the_prize_is_the_drawn_one_whatever_the_client_says(session: Session, wired: Wired) -> None:
    prizes = [PrizeLine("red_packet", 88, 3, "小", "Small"), PrizeLine("points", 5, 7, "分", "Points")]
    shop = open_shop(session, wired, prizes=prizes, count=10)
    kinds = [shop.claim(session, visitor(), serial).view.claim.prize_kind for serial in range(10)]
    assert sorted(kinds) == ["points"] * 7 + ["red_packet"] * 3
