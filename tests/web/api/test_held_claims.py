"""``GET /held-claims`` and ``POST /held-claims/{code_id}/decision``: the queue of held rewards, for machines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from scancode.campaigns.conditions import Conditions
from scancode.claims import service as claims
from scancode.claims.risk import Glimpse
from scancode.claims.rules import Claimant
from scancode.payouts.models import Payout
from scancode.staff.models import Staff
from scancode.staff.rules import Role
from tests.claims.shop import Shop, open_shop, visitor
from tests.factories import NOW
from tests.web.api.conftest import Machine, World
from tests.web.api.test_list_risks import walk


@pytest.fixture
def shop(world: World) -> Shop:
    """Twelve codes of one person, who was known for hours; the last three are held."""
    with world.wired.db.transaction() as session:
        shop = open_shop(session, world.wired, campaign={"conditions": Conditions(hold_score=15)})
        alice = Claimant(visitor().visitor_id, shop.openid(session))
        for serial in range(12):
            shop.claim(session, alice, serial, now=NOW + timedelta(hours=1), glimpse=Glimpse(today=9))
    return shop


def machine_of(world: World, *scopes: str) -> Machine:
    """A token of somebody in marketing who sees every brand."""
    with world.wired.db.transaction() as session:
        session.execute(update(Staff).values(role=Role.MARKETING.value, brand_id=None))
    return Machine(world.app.test_client(), world.token(scopes)[1])


def decide(machine: Machine, code_id: int, decision: str, **more: str) -> tuple[int, str]:
    answer = machine.post(f"/held-claims/{code_id}/decision", {"decision": decision, **more})
    assert answer.json is not None
    return answer.status_code, answer.json.get("code") or answer.json["state"]


def test_the_queue_is_listed_page_by_page_with_its_reasons(world: World, shop: Shop) -> None:
    machine = machine_of(world, "claims:read")
    rows: list[dict[str, Any]] = walk(machine, "/held-claims", brand=shop.brand.slug)  # type: ignore[assignment]
    assert [row["serial"] for row in rows] == [9, 10, 11]
    assert (rows[0]["score"], rows[0]["reasons"]) == (15, [{"reason": "today", "points": 15}])
    assert (rows[0]["amount"], rows[0]["state"], rows[0]["by_rule"]) == (100, "held", False)
    assert "alice" not in str(rows)


def test_a_decision_pays_once_or_never(world: World, shop: Shop) -> None:
    machine = machine_of(world, "claims:decide")
    one, other = shop.code(9).code_id, shop.code(10).code_id
    assert decide(machine, one, "release", note="a fair") == (200, "released")
    assert decide(machine, one, "refuse", reason="no") == (409, "claim_not_held")
    assert decide(machine, other, "refuse") == (422, "claim_reason")
    assert decide(machine, other, "refuse", reason="a shop") == (200, "refused")
    assert decide(machine, other, "look_again", note="a letter") == (200, "held")
    assert decide(machine, other, "refuse", reason="a shop") == (403, "held_same_person")
    assert decide(machine, 7, "release") == (404, "not_found")
    with world.wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Payout)) == 10
        assert claims.count_held(session, brand_id=shop.brand.id) == 2


def test_reading_is_no_right_to_decide_and_another_brand_has_neither(world: World, shop: Shop) -> None:
    code_id = shop.code(9).code_id
    assert decide(machine_of(world, "claims:read"), code_id, "release") == (403, "scope_missing")
    stranger = world.machine(("claims:read", "claims:decide"), brand=world.own)
    assert decide(stranger, code_id, "release") == (404, "not_found")
    assert walk(stranger, "/held-claims") == []


def test_a_token_decides_no_more_than_its_owner_may(world: World, shop: Shop) -> None:
    machine = machine_of(world, "claims:decide")
    with world.wired.db.transaction() as session:
        session.execute(update(Staff).values(role=Role.FACTORY.value))
    assert decide(machine, shop.code(9).code_id, "release") == (403, "not_allowed")
