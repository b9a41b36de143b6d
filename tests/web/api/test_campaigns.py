"""Campaigns for machines: what is drawn of them, and stopping them."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from scancode.campaigns.conditions import Conditions
from scancode.campaigns.models import Campaign
from scancode.claims.rules import Claimant
from scancode.staff.models import Staff
from scancode.staff.rules import Role
from tests.claims.shop import Shop, open_shop, visitor
from tests.factories import NOW
from tests.web.api.conftest import World
from tests.web.api.test_held_claims import machine_of
from tests.web.api.test_list_risks import walk


@pytest.fixture
def shop(world: World) -> Shop:
    """A campaign with a second prize: of its thousand codes one is claimed and one reserved."""
    with world.wired.db.transaction() as session:
        shop = open_shop(
            session,
            world.wired,
            campaign={"conditions": Conditions(nth=1, nth_points=5, nth_count=10), "budget_points": 100},
        )
        shop.claim(session, Claimant(visitor().visitor_id, shop.openid(session)), 0)
        shop.claim(session, visitor(), 1, reservation_hours=100_000)
    return shop


def test_a_campaign_is_told_prize_by_prize(world: World, shop: Shop) -> None:
    machine = machine_of(world, "campaigns:read")
    rows = walk(machine, "/campaigns", brand=shop.brand.slug)
    assert [(row["id"], row["state"], row["codes"], row["drawn"]) for row in rows] == [  # type: ignore[index]
        (str(shop.campaign_id), "running", 1000, 2)
    ]
    told = machine.get(f"/campaigns/{shop.campaign_id}").json
    assert told is not None
    assert (told["given_fen"], told["on_the_shelf"], told["stopped_by_breaker"]) == (200, 998, False)
    prize = told["prizes"][0]
    counts = {name: prize[name] for name in ("kind", "amount", "count", "drawn", "claimed", "reserved", "left")}
    assert counts == {
        "kind": "red_packet",
        "amount": 100,
        "count": 1000,
        "drawn": 2,
        "claimed": 1,
        "reserved": 1,
        "left": 998,
    }
    assert (told["second"]["kind"], told["second"]["count"], told["second"]["drawn"]) == ("points", 10, 2)


def test_a_machine_pauses_goes_on_and_ends(world: World, shop: Shop) -> None:
    machine = machine_of(world, "campaigns:move")
    path = f"/campaigns/{shop.campaign_id}/move"

    def move(verb: str) -> tuple[int, str]:
        answer = machine.post(path, {"move": verb})
        assert answer.json is not None
        return answer.status_code, answer.json.get("code") or answer.json["state"]

    assert move("resume") == (409, "campaign_state")
    assert [move("pause"), move("pause")] == [(200, "paused"), (409, "campaign_state")]
    with world.wired.db.transaction() as session:
        session.execute(update(Campaign).values(tripped_at=NOW))
    assert move("resume") == (409, "campaign_state"), "staff look first"
    with world.wired.db.transaction() as session:
        session.execute(update(Campaign).values(tripped_at=None))
    assert [move("resume"), move("end"), move("resume")] == [
        (200, "running"),
        (200, "ended"),
        (409, "campaign_state"),
    ]
    assert move("explode") == (422, "invalid")
    assert [len(world.audited(f"campaign.{verb}")) for verb in ("pause", "resume", "end")] == [1, 1, 1]


def test_another_brand_sees_nothing_and_a_token_does_no_more_than_its_owner_may(world: World, shop: Shop) -> None:
    path = f"/campaigns/{shop.campaign_id}"
    stranger = world.machine(("campaigns:read", "campaigns:move"), brand=world.own)
    assert walk(stranger, "/campaigns") == []
    assert [stranger.get(path).status_code, stranger.post(f"{path}/move", {"move": "end"}).status_code] == [404, 404]
    reader = machine_of(world, "campaigns:read")
    assert reader.post(f"{path}/move", {"move": "end"}).status_code == 403
    mover = machine_of(world, "campaigns:move")
    with world.wired.db.transaction() as session:
        session.execute(update(Staff).values(role=Role.FACTORY.value))
    answer = mover.post(f"{path}/move", {"move": "end"})
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")
