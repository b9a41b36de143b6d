"""Claims that smell: what the book is asked then, what is held for it, and that nothing is asked about others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session

from batches.codes import Kind
from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Conditions
from scancode.channels import regions
from scancode.channels.rules import Attribution
from scancode.claims import rules
from scancode.claims import service as claims
from scancode.claims.models import Claim, HeldClaim
from scancode.claims.risk import Glimpse, Reason
from scancode.claims.rules import Claimant, ClaimState, Standing
from scancode.claims.service.many import claim_many
from scancode.db import Database, new_id
from scancode.diversion import service as diversion
from scancode.jobs import service as jobs
from scancode.ledger import service as ledger
from scancode.packing.models import PackedRange
from scancode.payouts.models import Payout
from scancode.scans import service as scans
from scancode.wiring import Wired
from tests.claims.shop import PREFIX, RED_PACKETS, Shop, open_shop, points, visitor
from tests.claims.test_desk import asking
from tests.claims.test_holding import ERIN, payouts_made, refuse, release
from tests.claims.test_odds import wheel
from tests.claims.test_races import at_once
from tests.factories import NOW, make_channel

SMELL = Glimpse(today=20, run=20)
LIMIT = 60
BOB = new_id(NOW)


def watched(session: Session, wired: Wired, prizes: object = RED_PACKETS, **over: Any) -> Shop:
    conditions = Conditions(**({"hold_score": LIMIT} | over.pop("conditions", {})))
    return open_shop(session, wired, prizes=prizes, campaign={"conditions": conditions} | over)  # type: ignore[arg-type]


def held(session: Session, shop: Shop, serial: int) -> claims.HeldFacts:
    found = claims.find_held(session, code_id=shop.code(serial).code_id)
    assert found is not None
    return found


def many(session: Session, shop: Shop, who: Claimant, serials: range, **over: Any) -> list[Standing]:
    return [shop.claim(session, who, serial, **({"glimpse": SMELL} | over)).view.standing for serial in serials]


def old_friend(session: Session, shop: Shop, name: str = "alice") -> Claimant:
    """Known for ten days: openids tell by their ids when they were made."""
    return Claimant(visitor().visitor_id, shop.openid(session, f"openid-{name}"))


def test_a_run_of_neighbours_is_held_from_where_the_points_say(session: Session, wired: Wired) -> None:
    shop = watched(session, wired)
    alice, later = old_friend(session, shop), NOW + timedelta(hours=2)
    stands = many(session, shop, alice, range(40), now=later)
    assert stands == [Standing.CLAIMED] * 29 + [Standing.HELD] * 11
    found = held(session, shop, 29)
    assert dict(found.score.reasons) == {Reason.TODAY: 30, Reason.RUN: 45}
    assert (found.score.facts.today, found.score.facts.run) == (30, 30)
    assert found.due_at == later + timedelta(days=3)
    assert payouts_made(session) == 29


def test_codes_far_apart_are_no_run(session: Session, wired: Wired) -> None:
    shop = watched(session, wired)
    alice = old_friend(session, shop)
    assert set(many(session, shop, alice, range(0, 930, 60))) == {Standing.CLAIMED}


def test_other_peoples_and_older_claims_are_not_counted(session: Session, wired: Wired) -> None:
    shop = watched(session, wired, conditions={"hold_score": 30})
    many(session, shop, old_friend(session, shop, "bob"), range(9))
    alice = old_friend(session, shop)
    many(session, shop, alice, range(10, 19))
    answer = shop.claim(session, alice, 21, now=NOW + timedelta(hours=25), glimpse=SMELL)
    assert answer.view.standing == Standing.CLAIMED


def test_what_does_not_smell_is_not_looked_up(session: Session, wired: Wired) -> None:
    shop = watched(session, wired, conditions={"hold_score": 1})
    many(session, shop, old_friend(session, shop), range(12), glimpse=Glimpse(today=4, run=2, address_people=99))
    assert claims.count_held(session, brand_id=shop.brand.id) == 0


def test_a_group_asks_no_more_than_before_and_leaves_out_what_smells(session: Session, wired: Wired) -> None:
    plain, watching = open_shop(session, wired), watched(session, wired)

    def group(shop: Shop, smelly: int) -> tuple[list[bool], int]:
        people = [Claimant(None, shop.openid(session, f"openid-{n}")) for n in range(4)]
        requests = [
            replace(asking(shop, who, serial), attribution=Attribution("unknown"), glimpse=glimpse)
            for serial, who in enumerate(people)
            for glimpse in [SMELL if serial == smelly else Glimpse(today=1)]
        ]
        sent: list[object] = []

        def note(*args: object) -> None:
            sent.append(args)

        engine = session.connection().engine
        event.listen(engine, "before_cursor_execute", note)
        answers = claim_many(session, requests=requests, now=NOW)
        event.remove(engine, "before_cursor_execute", note)
        return [answer is not None for answer in answers], len(sent)

    nobody_looks, statements = group(plain, smelly=2)
    assert nobody_looks == [True] * 4
    assert group(watching, smelly=2) == ([True, True, False, True], statements)
    assert claims.count_held(session, brand_id=None) == 0


def test_a_reservation_is_held_when_it_is_bound(session: Session, wired: Wired) -> None:
    shop = watched(session, wired, points(7))
    browser = visitor()
    assert set(many(session, shop, browser, range(32))) == {Standing.RESERVED}
    assert claims.count_held(session, brand_id=shop.brand.id) == 0
    assert claims.list_held(session, brand_id=shop.brand.id) == []
    alice = shop.openid(session)
    shop.bind(session, Claimant(browser.visitor_id, alice))
    waiting = claims.list_held(session, brand_id=shop.brand.id)
    assert {row.claim.code_id for row in waiting} == {shop.code(serial).code_id for serial in range(29, 32)}
    assert ledger.balance(session, account_id=alice) == 29 * 7


def test_what_spoke_against_a_lapsed_reservation_is_nobody_elses(session: Session, wired: Wired) -> None:
    shop = watched(session, wired, conditions={"hold_score": 15})
    browser = visitor()
    many(session, shop, browser, range(10))
    assert session.scalar(select(func.count()).select_from(HeldClaim)) == 1
    bob, later = old_friend(session, shop, "bob"), NOW + timedelta(hours=73)
    assert shop.claim(session, bob, 9, now=later).view.standing == Standing.CLAIMED
    assert session.scalar(select(func.count()).select_from(HeldClaim)) == 0


def test_places_speak_where_they_are_known(session: Session, wired: Wired) -> None:
    shop = watched(session, wired, conditions={"hold_score": 50})
    channel = make_channel(session, brand_id=shop.brand.id)
    far, near = regions.find("广东省", "广州市"), regions.find("浙江省", "杭州市")
    assert far is not None
    assert near is not None
    diversion.set_territory(session, channel_id=channel.id, places=[near], actor="erin", now=NOW)
    alice, later = old_friend(session, shop), NOW + timedelta(days=1)

    def at(serial: int, region: int, minutes: int) -> Standing:
        origin = Attribution("shipment", channel.id, item_channel_id=channel.id, region=region)
        when = later + timedelta(minutes=minutes)
        return shop.claim(session, alice, serial, attribution=origin, glimpse=SMELL, now=when).view.standing

    assert at(0, near, 0) == Standing.CLAIMED
    assert at(60, far, 10) == Standing.HELD
    found = held(session, shop, 60).score
    assert dict(found.reasons) == {Reason.PLACE: 20, Reason.SPEED: 30}
    assert found.facts.outside_km is not None
    assert found.facts.outside_km > 800
    assert found.facts.kmh is not None
    assert found.facts.kmh > 5000


def test_a_place_near_enough_for_the_brand_does_not_speak(session: Session, wired: Wired) -> None:
    shop = watched(session, wired, conditions={"hold_score": 20})
    channel = make_channel(session, brand_id=shop.brand.id)
    far, near = regions.find("广东省", "广州市"), regions.find("浙江省", "杭州市")
    assert far is not None
    assert near is not None
    diversion.set_territory(session, channel_id=channel.id, places=[near], actor="erin", now=NOW)
    alice, later = old_friend(session, shop), NOW + timedelta(days=1)
    origin = Attribution("shipment", channel.id, item_channel_id=channel.id, region=far)

    def at(serial: int) -> Standing:
        return shop.claim(session, alice, serial, attribution=origin, glimpse=SMELL, now=later).view.standing

    assert at(0) == Standing.HELD
    scans.set_terms(session, brand_id=shop.brand.id, values={"diversion_km": 5000}, actor="dave", now=NOW)
    assert at(60) == Standing.CLAIMED


def test_a_carton_emptied_by_several_people_speaks(session: Session, wired: Wired) -> None:
    shop = watched(session, wired, conditions={"hold_score": 20})
    number = shop.batch.number
    session.add(
        PackedRange(
            batch_number=number, level=int(Kind.INNER), first=0, last=23, parent_batch=number,
            parent_level=int(Kind.CASE), parent_first=0, parent_last=0, size=24, offset=0, packed_at=NOW,
        )
    )  # fmt: skip
    session.flush()
    later = NOW + timedelta(hours=1)
    for serial in range(10):
        name = f"p{serial % 3}"
        shop.claim(session, old_friend(session, shop, name), serial * 2, now=later, glimpse=SMELL)
    found = held(session, shop, 18).score
    assert dict(found.reasons) == {Reason.CARTON: 20}
    assert (found.facts.carton_claims, found.facts.carton_people) == (10, 3)


def test_thanks_and_tests_are_nobodys_concern(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired, is_test=True, campaign={"conditions": Conditions(hold_score=1)})
    assert set(many(session, shop, old_friend(session, shop), range(12))) == {Standing.CLAIMED}


def test_what_is_refused_goes_back_to_stock_and_budget_and_is_taken_again(session: Session, wired: Wired) -> None:
    over = {"mode": "odds", "budget_fen": 3000}
    shop = watched(session, wired, wheel(stock=12), conditions={"hold_score": 15, "day_fen_max": 5000}, **over)
    alice = old_friend(session, shop)

    def left() -> tuple[int | None, ...]:
        offer = shop.offer
        assert offer is not None
        own, prize = shop.campaign_id, offer.prizes[0].id
        named = ((prize, "stock"), (own, "fen"), (own, f"f:{shop.brand.day(NOW)}"))
        return tuple(campaigns.find_left(session, owner_id=owner, name=name) for owner, name in named)

    assert many(session, shop, alice, range(10))[-1] == Standing.HELD
    assert left() == (2, 2000, 4000)
    code_id = shop.code(9).code_id
    refuse(session, code_id)
    assert left() == (3, 2100, 4100)
    claims.look_again(session, code_id=code_id, staff_id=BOB, actor="bob", now=NOW, note="they complained")
    assert left() == (2, 2000, 4000)
    refuse_by_bob = {"reason": "no", "staff_id": BOB, "actor": "bob", "now": NOW}
    claims.refuse_held(session, code_id=code_id, **refuse_by_bob)  # type: ignore[arg-type]
    for serial in range(10, 13):
        shop.claim(session, old_friend(session, shop, f"p{serial}"), serial)
    assert left()[0] == 0
    with pytest.raises(rules.PrizeGone):
        claims.look_again(session, code_id=code_id, staff_id=ERIN, actor="erin", now=NOW, note="again")


def test_a_second_look_is_somebody_elses(session: Session, wired: Wired) -> None:
    shop = watched(session, wired, conditions={"hold_score": 15, "hold_days": 5})
    many(session, shop, old_friend(session, shop), range(11))
    one, other = shop.code(9).code_id, shop.code(10).code_id
    with pytest.raises(rules.NotHeld):
        claims.look_again(session, code_id=one, staff_id=BOB, actor="bob", now=NOW, note="x")
    for code_id in (one, other):
        refuse(session, code_id)
    for note in ("", " "):
        with pytest.raises(rules.HeldReasonMissing):
            claims.look_again(session, code_id=one, staff_id=BOB, actor="bob", now=NOW, note=note)
    at = NOW + timedelta(days=1)
    claims.look_again(session, code_id=one, staff_id=BOB, actor="bob", now=at, note="a letter came")
    assert held(session, shop, 9).due_at == at + timedelta(days=5)
    with session.begin_nested(), pytest.raises(rules.HeldSameEyes), session.begin_nested():
        refuse(session, one)
    late = {"actor": "erin", "prefix": PREFIX, "now": at + timedelta(hours=1)}
    claims.release_held(session, code_id=one, staff_id=ERIN, **late)  # type: ignore[arg-type]  # in the person's favour
    assert [step.verb for step in claims.steps_of(session, code_id=one)] == ["refuse", "again", "release"]
    with pytest.raises(rules.TooLateToLook), session.begin_nested():
        late = NOW + timedelta(days=31)
        claims.look_again(session, code_id=other, staff_id=BOB, actor="bob", now=late, note="x")


def test_the_second_prize_of_a_held_code_waits_as_well(session: Session, wired: Wired) -> None:
    terms = {"hold_score": 15, "nth": 10, "nth_points": 100}
    shop = watched(session, wired, points(7), conditions=terms, budget_points=10**9)
    alice = old_friend(session, shop)
    account_id = shop.openid(session, "openid-alice")
    many(session, shop, alice, range(10))
    assert ledger.balance(session, account_id=account_id) == 63
    code_id = shop.code(9).code_id
    waiting = claims.list_held(session, brand_id=shop.brand.id)
    assert {row.claim.code_id for row in waiting} == {code_id, claims.second_id(code_id)}
    assert {row.score.points for row in waiting} == {25}
    release(session, claims.second_id(code_id))
    assert ledger.balance(session, account_id=account_id) == 163
    refuse(session, code_id)
    assert ledger.balance(session, account_id=account_id) == 163


def test_nothing_is_released_while_claims_are_stopped(session: Session, wired: Wired) -> None:
    shop = watched(session, wired, conditions={"hold_score": 15})
    many(session, shop, old_friend(session, shop), range(10))
    jobs.stop(session, name="claims", reason="restored", now=NOW)
    with pytest.raises(rules.ClaimsStopped):
        release(session, shop.code(9).code_id)
    assert held(session, shop, 9).is_open


def test_a_held_claim_that_a_restore_forgot_to_pay_never_pays_again(session: Session, wired: Wired) -> None:
    shop = watched(session, wired, conditions={"hold_score": 15})
    many(session, shop, old_friend(session, shop), range(10))
    code = shop.code(9)
    known = {"brand_id": shop.brand.id, "product_id": shop.batch.product_id, "batch_number": code.batch_number}
    assert claims.quarantine(
        session, code_id=code.code_id, day="2026-11-22", subject_id=None, amount_fen=100,
        campaign_id=shop.campaign_id, prize_id=None, is_test=False, now=NOW, **known,
    )  # fmt: skip
    with pytest.raises(rules.NotHeld):
        release(session, code.code_id)


@pytest.fixture
def held_shop(db: Database, wired: Wired) -> Shop:
    """Ten codes of Alice; the last is held."""
    with db.transaction() as session:
        shop = watched(session, wired, conditions={"hold_score": 15})
        many(session, shop, old_friend(session, shop), range(10))
    return shop


def test_whoever_decides_first_decides(db: Database, held_shop: Shop) -> None:
    code_id, late = held_shop.code(9).code_id, NOW + timedelta(days=4)

    def deciding(verb: str) -> object:
        def work(session: Session) -> str:
            if verb == "release":
                release(session, code_id)
            elif verb == "refuse":
                refuse(session, code_id)
            else:
                claims.release_due(session, code_id=code_id, prefix=PREFIX, now=late)
            return "done"

        return lambda: db.retrying(work)

    verbs = ["release", "refuse", "due"] * 4
    assert at_once([deciding(verb) for verb in verbs]) == {"done": 1, "claim_not_held": 11}  # type: ignore[misc]
    with db.reading() as session:
        state = session.scalar(select(Claim.state).where(Claim.code_id == code_id))
        paid = session.scalar(select(func.count()).where(Payout.code_id == code_id))
        assert paid == (state == ClaimState.CLAIMED)
        assert len(claims.steps_of(session, code_id=code_id)) == 1


def test_the_deadline_pays_what_is_due_and_nothing_else(db: Database, held_shop: Shop) -> None:
    code_id = held_shop.code(9).code_id
    with db.reading() as session:
        assert claims.list_due(session, now=NOW + timedelta(days=3, seconds=-1)) == []
        assert claims.list_due(session, now=NOW + timedelta(days=3)) == [code_id]
    with pytest.raises(rules.NotHeld), db.transaction() as session:
        claims.release_due(session, code_id=code_id, prefix=PREFIX, now=NOW + timedelta(days=2))
    with db.transaction() as session:
        session.execute(update(Claim).where(Claim.code_id == code_id).values(state=ClaimState.HELD.value))
        claims.release_due(session, code_id=code_id, prefix=PREFIX, now=NOW + timedelta(days=3))
        found = held(session, held_shop, 9)
        assert (found.by_rule, found.claim.state) == (True, ClaimState.CLAIMED)
