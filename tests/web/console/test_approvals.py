"""Large orders in the console: the note, the queue, the number beside the menu, and who may answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from batches.codes import Kind
from scancode.codes import service as codes
from scancode.codes.rules import BatchState
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests import factories
from tests.web.console.desk import Desk, hire


class Floor:
    """Carol has ordered a large batch; Bob is her colleague, Mallory works for another brand."""

    def __init__(self, app: Flask, wired: Wired) -> None:
        self.wired = wired
        with wired.db.transaction() as session:
            brand, other = factories.make_brand(session), factories.make_brand(session)
            product = factories.make_product(session, brand_id=brand.id)
        self.people = {
            "carol": hire(wired.db, "Carol", Role.FACTORY, brand.id),
            "bob": hire(wired.db, "Bob", Role.FACTORY, brand.id),
            "mallory": hire(wired.db, "Mallory", Role.FACTORY, other.id),
            "dave": hire(wired.db, "Dave", Role.MARKETING, brand.id),
        }
        self.app = app
        wanted: dict[str, Any] = {"count": 2_000_000, "kinds": (Kind.INNER,), "order_no": "PO-LARGE", "kid": "t1"}
        with wired.db.transaction() as session:
            self.number = codes.order(
                session, brand_id=brand.id, product_id=product.id, base_url="https://q.example",
                staff_id=self.people["carol"].id, actor="staff:carol", now=datetime.now(UTC), **wanted,
            ).number  # fmt: skip
        self.path = f"/console/approvals/{self.number}"

    def desk(self, name: str) -> Desk:
        return Desk(self.app, self.wired.db, self.people[name])

    @property
    def state(self) -> str:
        with self.wired.db.reading() as session:
            return codes.get_batch(session, number=self.number).state


@pytest.fixture
def floor(app: Flask, wired: Wired) -> Floor:
    return Floor(app, wired)


def test_the_queue_shows_it_to_who_may_answer(floor: Floor) -> None:
    page = floor.desk("bob").get("/console/approvals").text
    assert "PO-LARGE" in page
    assert "Carol" in page
    assert '<span class="badge bg-red-lt ms-auto">1</span>' in page
    assert "1 个订单等待第二人批准" in floor.desk("bob").get("/console/").text
    assert "PO-LARGE" not in floor.desk("mallory").get("/console/approvals").text
    assert floor.desk("dave").get("/console/approvals").status_code == 403


def test_a_colleague_approves(floor: Floor) -> None:
    bob = floor.desk("bob")
    assert "批准" in bob.get(f"/console/batches/{floor.number}").text
    assert bob.post(f"{floor.path}/approve").status_code == 302
    assert floor.state == BatchState.ORDERED
    assert "Bob" in bob.get(f"/console/batches/{floor.number}").text


def test_a_colleague_rejects_with_a_reason(floor: Floor) -> None:
    bob = floor.desk("bob")
    bob.post(f"{floor.path}/reject", {"reason": " "})
    assert floor.state == BatchState.WAITING
    bob.post(f"{floor.path}/reject", {"reason": "问过生产，只要一万"})
    assert floor.state == BatchState.REJECTED
    assert "只要一万" in floor.desk("carol").get(f"/console/batches/{floor.number}").text


def test_nobody_else_answers(floor: Floor) -> None:
    carol = floor.desk("carol")
    page = carol.get(f"/console/batches/{floor.number}").text
    assert "须由同事决定" in page
    carol.post(f"{floor.path}/approve")
    assert floor.desk("dave").post(f"{floor.path}/approve").status_code == 403
    assert floor.desk("mallory").post(f"{floor.path}/approve").status_code == 404
    assert floor.state == BatchState.WAITING
