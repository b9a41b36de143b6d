from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Boost, Conditions
from scancode.campaigns.planning import PrizeLine
from scancode.campaigns.rules import Phase, draw, phase
from scancode.catalog.models import Brand
from scancode.codes.models import Batch
from scancode.errors import Invalid
from scancode.sealing import Sealer
from tests.campaigns.plans import PACKET, POINTS, add, last_audit, revision_of
from tests.factories import (
    NOW,
    make_batch,
    make_brand,
    make_campaign,
    make_channel,
    make_offer,
    make_product,
    make_store,
    publish_campaign,
)


def refused(session: Session, sealer: Sealer, campaign_id: UUID, now: datetime = NOW) -> list[str]:
    with pytest.raises(campaigns.CannotPublish) as refusal:
        publish_campaign(session, sealer, campaign_id=campaign_id, now=now)
    assert refusal.value.facts["codes"] == [fault.code for fault in refusal.value.faults]
    return [fault.code for fault in refusal.value.faults]


def test_it_freezes_the_pools_and_pads_with_thanks(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_campaign(session, brand_id=batch.brand_id)
    tranche = add(session, campaign.id, batch.number)
    publish_campaign(session, sealer, campaign_id=campaign.id)
    assert campaigns.get_campaign(session, campaign_id=campaign.id).state == "published"
    kept = campaigns.get_tranche(session, tranche_id=tranche.id)
    assert (kept.published_at, kept.size) == (NOW, 1000)
    table = [(prize.kind, prize.count) for prize in campaigns.list_prizes(session, campaign_id=campaign.id)]
    assert table == [("red_packet", 10), ("points", 100), ("thanks", 890)]


def test_over_every_code_each_prize_comes_out_exactly_its_count(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_campaign(session, brand_id=batch.brand_id)
    add(session, campaign.id, batch.number)
    publish_campaign(session, sealer, campaign_id=campaign.id)
    offers = campaigns.load_offers(session, batch_number=batch.number, sealer=sealer)
    drawn: Counter[str] = Counter()
    for serial in range(1000):
        span = offers.find(serial)
        assert span is not None
        drawn[draw(span.value, serial).kind] += 1
    assert drawn == {"red_packet": 10, "points": 100, "thanks": 890}


def test_each_pool_has_a_secret_of_its_own_that_is_sealed(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_campaign(session, brand_id=batch.brand_id)
    for first in (0, 500):
        add(session, campaign.id, batch.number, first, first + 499)
    publish_campaign(session, sealer, campaign_id=campaign.id)
    sealed = [tranche.secret or "" for tranche in campaigns.list_tranches(session, campaign_id=campaign.id)]
    opened = {bytes.fromhex(sealer.open(secret, purpose="draw")) for secret in sealed}
    assert len(opened) == 2
    assert all(len(secret) == 32 and secret.hex() not in "".join(sealed) for secret in opened)


def test_it_is_audited_and_tells_every_process(session: Session, sealer: Sealer, batch: Batch) -> None:
    before = revision_of(session)
    campaign = make_campaign(session, brand_id=batch.brand_id)
    add(session, campaign.id, batch.number)
    publish_campaign(session, sealer, campaign_id=campaign.id)
    assert revision_of(session) > before
    row = last_audit(session)
    assert (row.action, row.brand_id) == ("campaign.publish", batch.brand_id)
    facts = json.loads(row.facts)
    assert (facts["codes"], facts["sum_fen"], facts["sum_points"]) == (1000, 1000, 5000)


def test_it_refuses_with_every_fault_and_changes_nothing(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_campaign(session, brand_id=batch.brand_id, budget_fen=999, budget_points=4999)
    add(session, campaign.id, batch.number, 0, 1000)
    assert refused(session, sealer, campaign.id) == ["over_budget_fen", "over_budget_points", "range_missing"]
    assert campaigns.get_campaign(session, campaign_id=campaign.id).state == "draft"


def test_it_refuses_a_batch_of_another_brand_or_not_made_or_without_inner_codes(
    session: Session, sealer: Sealer, batch: Batch
) -> None:
    other = make_brand(session)
    foreign = make_batch(session, brand_id=other.id, product_id=make_product(session, brand_id=other.id).id)
    ordered = make_batch(session, brand_id=batch.brand_id, product_id=batch.product_id, state="ordered")
    outer = make_batch(session, brand_id=batch.brand_id, product_id=batch.product_id, kinds="outer")
    for wrong, code in ((foreign, "batch_foreign"), (ordered, "batch_not_ready"), (outer, "batch_never_pays")):
        campaign = make_campaign(session, brand_id=batch.brand_id)
        add(session, campaign.id, wrong.number)
        assert refused(session, sealer, campaign.id) == [code]


def test_it_refuses_codes_that_a_running_campaign_holds(session: Session, sealer: Sealer, batch: Batch) -> None:
    running = make_campaign(session, brand_id=batch.brand_id)
    add(session, running.id, batch.number, 0, 499)
    publish_campaign(session, sealer, campaign_id=running.id)
    touching, crossing = (make_campaign(session, brand_id=batch.brand_id) for _ in range(2))
    add(session, touching.id, batch.number, 500, 999)
    add(session, crossing.id, batch.number, 499, 700)
    publish_campaign(session, sealer, campaign_id=touching.id)
    assert refused(session, sealer, crossing.id) == ["overlap_other", "overlap_other"]
    campaigns.pause(session, campaign_id=running.id, actor="dave", now=NOW)
    assert refused(session, sealer, crossing.id) == ["overlap_other", "overlap_other"]


def test_it_takes_codes_again_once_their_campaign_has_ended(session: Session, sealer: Sealer, batch: Batch) -> None:
    first = make_offer(session, sealer, batch=batch)
    end = first.ends_at
    second = make_campaign(session, brand_id=batch.brand_id, starts_at=end, ends_at=end + timedelta(days=9))
    add(session, second.id, batch.number)
    assert refused(session, sealer, second.id, end - timedelta(microseconds=1)) == ["overlap_other"]
    publish_campaign(session, sealer, campaign_id=second.id, now=end)
    offer = campaigns.find_offer(session, batch_number=batch.number, serial=5, sealer=sealer)
    assert offer is not None
    assert (offer.campaign_id, phase(offer, end)) == (second.id, Phase.RUNNING)


def test_it_takes_codes_again_once_staff_ended_their_campaign(session: Session, sealer: Sealer, batch: Batch) -> None:
    first = make_offer(session, sealer, batch=batch)
    campaigns.end(session, campaign_id=first.id, actor="dave", now=NOW)
    make_offer(session, sealer, batch=batch)


def test_it_refuses_codes_that_somebody_claimed(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_campaign(session, brand_id=batch.brand_id)
    add(session, campaign.id, batch.number, 100, 999)
    asked: list[tuple[int, int, int]] = []

    def claimed(batch_number: int, first: int, last: int) -> int:
        asked.append((batch_number, first, last))
        return 2

    with pytest.raises(campaigns.CannotPublish) as refusal:
        campaigns.publish(
            session,
            campaign_id=campaign.id,
            new_secret=lambda: "never used",
            sealer=sealer,
            claimed=claimed,
            actor="dave",
            now=NOW,
        )
    assert refusal.value.facts["codes"] == ["claimed"]
    assert asked == [(batch.number, 100, 999)]


def test_a_new_pool_is_published_within_what_is_left_of_the_budget(
    session: Session, sealer: Sealer, batch: Batch
) -> None:
    campaign = make_offer(session, sealer, batch=batch, prizes=[PACKET], budget_fen=1500)
    newer = make_batch(session, brand_id=batch.brand_id, product_id=batch.product_id)
    tranche = add(session, campaign.id, newer.number, prizes=[PACKET, POINTS], now=NOW + timedelta(seconds=1))
    assert refused(session, sealer, campaign.id) == ["over_budget_fen"]
    half = [PACKET.__class__("red_packet", 50, 10, "红包", "Red packet")]
    campaigns.change_tranche(
        session,
        tranche_id=tranche.id,
        ranges=campaigns.load_plan(session, campaign_id=campaign.id).tranches[1].ranges,
        prizes=half,
        actor="dave",
        now=NOW,
    )
    later = NOW + timedelta(days=1)
    publish_campaign(session, sealer, campaign_id=campaign.id, now=later)
    kept = campaigns.get_campaign(session, campaign_id=campaign.id)
    assert (kept.state, kept.published_at) == ("published", NOW)
    assert campaigns.get_tranche(session, tranche_id=tranche.id).published_at == later
    assert campaigns.find_offer(session, batch_number=newer.number, serial=0, sealer=sealer) is not None


def test_a_second_press_of_the_button_finds_nothing_to_do(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch)
    assert refused(session, sealer, campaign.id) == ["no_tranche"]


def test_it_refuses_a_campaign_that_has_ended(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch)
    campaigns.end(session, campaign_id=campaign.id, actor="dave", now=NOW)
    with pytest.raises(campaigns.WrongState):
        publish_campaign(session, sealer, campaign_id=campaign.id)


def test_it_refuses_a_brand_that_does_not_say_who_it_is(session: Session, sealer: Sealer) -> None:
    silent = make_brand(session, support_phone="", support_url="")
    batch = make_batch(session, brand_id=silent.id, product_id=make_product(session, brand_id=silent.id).id)
    campaign = make_campaign(session, brand_id=silent.id)
    add(session, campaign.id, batch.number)
    assert refused(session, sealer, campaign.id) == ["no_sponsor"]


def test_random_amounts_come_out_to_the_fen_over_every_code(session: Session, sealer: Sealer, batch: Batch) -> None:
    line = PrizeLine("red_packet", 10, 333, "红包", "Red packet", 95)
    make_offer(session, sealer, batch=batch, prizes=[line, POINTS])
    offer = campaigns.find_offer(session, batch_number=batch.number, serial=0, sealer=sealer)
    assert offer is not None
    amounts = [prize.amount for prize in (draw(offer, serial) for serial in range(1000)) if prize.kind == "red_packet"]
    assert (len(amounts), sum(amounts)) == (333, 333 * 105 // 2)
    assert min(amounts) < 20 < 80 < max(amounts)


def test_a_pool_with_odds_opens_its_counters_and_no_table(session: Session, sealer: Sealer, batch: Batch) -> None:
    line = PrizeLine("red_packet", 100, 5000, "红包", "Red packet", None, 10_000)
    campaign = make_offer(session, sealer, batch=batch, prizes=[line], mode="odds", budget_fen=12_345)
    prize, thanks = campaigns.list_prizes(session, campaign_id=campaign.id)
    assert (prize.count, thanks.count) == (5000, 0)
    assert campaigns.find_left(session, owner_id=prize.id, name=campaigns.STOCK) == 5000
    assert campaigns.find_left(session, owner_id=campaign.id, name=campaigns.BUDGET_FEN) == 12_345


def test_points_several_times_over_and_nth_ones_have_to_fit_the_budget(
    session: Session, sealer: Sealer, batch: Batch
) -> None:
    store = str(make_store(session, channel_id=make_channel(session, brand_id=batch.brand_id).id).id)
    boost = Boost(3, (store,), "2026-12-01T00:00", "2026-12-02T00:00")
    for conditions, needed in ((Conditions(boosts=(boost,)), 15_000), (Conditions(nth=10, nth_points=20), 7_000)):
        for budget, faults in ((needed - 1, ["over_budget_points"]), (needed, [])):
            campaign = make_campaign(session, brand_id=batch.brand_id, budget_points=budget)
            add(session, campaign.id, batch.number, prizes=[POINTS])
            campaigns.set_conditions(session, campaign_id=campaign.id, conditions=conditions, actor="dave", now=NOW)
            found = campaigns.find_faults(session, campaign_id=campaign.id, claimed=lambda *_: 0, now=NOW)
            assert [fault.code for fault in found] == faults


def test_it_refuses_odds_that_cannot_be(session: Session, sealer: Sealer, batch: Batch) -> None:
    def line(ppm: int, amount: int = 100, most: int | None = None) -> list[PrizeLine]:
        return [PrizeLine("red_packet", amount, 10, "红包", "Red packet", most, ppm)] * 2

    for prizes, budget, code in (
        (line(600_000), 100_000, ["odds_over"]),
        (line(0), 100_000, ["prize_chance", "prize_chance"]),
        (line(10), 99, ["budget_below_prize"]),
        (line(10, 100, 50), 100_000, ["amount_order", "red_packet_amount"] * 2),
    ):
        campaign = make_campaign(session, brand_id=batch.brand_id, budget_fen=budget)
        add(session, campaign.id, batch.number, prizes=prizes, mode="odds")
        assert refused(session, sealer, campaign.id) == code


def test_one_more_turn_needs_a_wheel_and_something_to_win(session: Session, sealer: Sealer, batch: Batch) -> None:
    again = PrizeLine("again", 0, 10, "再来一次", "One more turn")
    exact = make_campaign(session, brand_id=batch.brand_id)
    add(session, exact.id, batch.number, prizes=[again, PACKET])
    assert refused(session, sealer, exact.id) == ["again_exact"]
    alone = make_campaign(session, brand_id=batch.brand_id)
    add(session, alone.id, batch.number, prizes=[replace(again, chance_ppm=5)], mode="odds")
    assert refused(session, sealer, alone.id) == ["only_again"]
    with pytest.raises(Invalid):
        add(session, alone.id, batch.number, prizes=[replace(again, amount=5, chance_ppm=5)], mode="odds")


def test_exact_tables_are_set_aside_and_a_wheel_gets_the_rest(session: Session, sealer: Sealer, batch: Batch) -> None:
    def left() -> int | None:
        return campaigns.find_left(session, owner_id=mixed.id, name=campaigns.BUDGET_FEN)

    wheel = [PrizeLine("red_packet", 100, 10, "红包", "Red packet", None, 1000)]
    mixed = make_campaign(session, brand_id=batch.brand_id, budget_fen=2_000)
    add(session, mixed.id, batch.number, 0, 99, prizes=wheel, mode="odds")
    add(session, mixed.id, batch.number, 100, 199, prizes=[PACKET])
    publish_campaign(session, sealer, campaign_id=mixed.id)
    assert left() == 1_000
    # The wheel has given 500 of them; a later table of 600 is too much, one of 500 takes the rest.
    assert campaigns.take(session, owner_id=mixed.id, name=campaigns.BUDGET_FEN, amount=500, code_id=1)
    pool = add(session, mixed.id, batch.number, 200, 299, prizes=[replace(PACKET, count=6)])
    assert refused(session, sealer, mixed.id) == ["over_budget_fen"]
    campaigns.remove_tranche(session, tranche_id=pool.id, actor="dave", now=NOW)
    add(session, mixed.id, batch.number, 200, 299, prizes=[replace(PACKET, count=5)])
    publish_campaign(session, sealer, campaign_id=mixed.id)
    assert left() == 0


def test_a_wheel_that_comes_later_gets_what_tables_have_left(session: Session, sealer: Sealer, batch: Batch) -> None:
    mixed = make_campaign(session, brand_id=batch.brand_id, budget_fen=1_700)
    add(session, mixed.id, batch.number, 0, 99, prizes=[PACKET])
    publish_campaign(session, sealer, campaign_id=mixed.id)
    wheel = [PrizeLine("red_packet", 100, 10, "红包", "Red packet", None, 1000)]
    add(session, mixed.id, batch.number, 100, 199, prizes=wheel, mode="odds")
    publish_campaign(session, sealer, campaign_id=mixed.id)
    assert campaigns.find_left(session, owner_id=mixed.id, name=campaigns.BUDGET_FEN) == 700


def test_rules_are_archived_as_they_were_told_whatever_changes_later(
    session: Session, sealer: Sealer, batch: Batch
) -> None:
    campaign = make_offer(session, sealer, batch=batch, prizes=[PACKET])
    later = campaign.ends_at + timedelta(days=9)
    session.get_one(Brand, batch.brand_id).company_zh = "新公司"
    session.flush()
    campaigns.extend(session, campaign_id=campaign.id, ends_at=later, actor="dave", now=NOW + timedelta(minutes=1))
    campaigns.pause(session, campaign_id=campaign.id, actor="dave", now=NOW + timedelta(hours=1))
    campaigns.end(session, campaign_id=campaign.id, actor="dave", now=NOW + timedelta(hours=2))
    published, *_, ended = found = campaigns.list_versions(session, campaign_id=campaign.id)
    assert {one["event"] for one in found} == {"publish", "extend", "end"}
    assert published["rules"]["sponsor"]["company_zh"] == "山泉饮料有限公司"
    assert published["rules"]["pools"][0]["table"]["prizes"][0] == ["red_packet", 100, None, None, 10]
    assert (ended["rules"]["sponsor"]["company_zh"], ended["rules"]["ends_at"]) == ("新公司", later.isoformat())
    assert ended["rules"]["ended_at"] is not None
