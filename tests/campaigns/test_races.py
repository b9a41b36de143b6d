"""Two people at once: overlapping campaigns, and editing while publishing. Committed, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

import pytest

from scancode.campaigns import service as campaigns
from scancode.campaigns.planning import RangeLine
from scancode.db import Database
from scancode.errors import Refusal
from scancode.wiring import Wired
from tests.campaigns.plans import add
from tests.factories import NOW, make_batch, make_brand, make_campaign, make_product, publish_campaign


@pytest.fixture
def rivals(db: Database) -> list[UUID]:
    """Four drafts over codes of the same two batches, each named in another order."""
    with db.transaction() as session:
        brand_id = make_brand(session).id
        product_id = make_product(session, brand_id=brand_id).id
        numbers = [make_batch(session, brand_id=brand_id, product_id=product_id).number for _ in range(2)]
        ids = []
        for turn in range(4):
            campaign = make_campaign(session, brand_id=brand_id)
            lines = [RangeLine(number, turn * 10, 500) for number in numbers]
            add(session, campaign.id, numbers[0], ranges=lines if turn % 2 else lines[::-1])
            ids.append(campaign.id)
    return ids


def at_once(works: list[Callable[[], None]]) -> list[str]:
    """Runs them together; what each came to: "done" or a refusal's code."""
    gate, results = threading.Barrier(len(works)), [""] * len(works)

    def run(number: int) -> None:
        gate.wait()
        try:
            works[number]()
        except Refusal as refusal:
            results[number] = refusal.code
        else:
            results[number] = "done"

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_of_overlapping_campaigns_one_is_published(wired: Wired, rivals: list[UUID]) -> None:
    def publisher(campaign_id: UUID) -> Callable[[], None]:
        def work() -> None:
            with wired.db.transaction() as session:
                publish_campaign(session, wired.draw_sealer, campaign_id=campaign_id)

        return work

    results = at_once([publisher(campaign_id) for campaign_id in rivals[:3]])
    assert sorted(results) == ["campaign_faults", "campaign_faults", "done"]


def test_publishing_twice_at_once_publishes_once(wired: Wired, rivals: list[UUID]) -> None:
    def work() -> None:
        with wired.db.transaction() as session:
            publish_campaign(session, wired.draw_sealer, campaign_id=rivals[0])

    assert sorted(at_once([work] * 3)) == ["campaign_faults", "campaign_faults", "done"]


def test_a_pool_is_either_edited_before_publication_or_not_at_all(wired: Wired, rivals: list[UUID]) -> None:
    with wired.db.reading() as session:
        (tranche,) = campaigns.list_tranches(session, campaign_id=rivals[0])

    def publish() -> None:
        with wired.db.transaction() as session:
            publish_campaign(session, wired.draw_sealer, campaign_id=rivals[0])

    def remove() -> None:
        with wired.db.transaction() as session:
            campaigns.remove_tranche(session, tranche_id=tranche.id, actor="dave", now=NOW)

    results = at_once([publish, remove])
    with wired.db.reading() as session:
        plan = campaigns.load_plan(session, campaign_id=rivals[0])
    if results == ["done", "campaign_frozen"]:
        assert [one.is_published for one in plan.tranches] == [True]
    else:
        assert results == ["campaign_faults", "done"]
        assert (plan.state, plan.tranches) == ("draft", ())
