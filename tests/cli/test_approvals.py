"""The second person's answer to a large order at a terminal: it takes a password, and another person."""

from __future__ import annotations

from typing import Any

import pytest

from batches.codes import Kind
from scancode.codes import service as codes
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests import factories
from tests.cli.conftest import Run


@pytest.fixture
def large(wired: Wired) -> int:
    with wired.db.transaction() as session:
        product = factories.make_product(session, brand_id=factories.make_brand(session).id)
        factories.make_staff(session, name="Bob", login="bob")
        factories.make_staff(session, name="Dave", login="dave", role=Role.MARKETING)
        carol = factories.make_staff(session, name="Carol", login="carol")
        wanted: dict[str, Any] = {"order_no": "PO-1", "count": 2_000_000, "kinds": (Kind.INNER,), "kid": "t1"}
        return codes.order(
            session, brand_id=product.brand_id, product_id=product.id, base_url="https://q.example", staff_id=carol.id,
            actor="x", now=factories.NOW, **wanted,
        ).number  # fmt: skip


def test_only_a_colleague_who_knows_the_password_approves(run: Run, wired: Wired, large: int) -> None:
    def state() -> str:
        with wired.db.reading() as session:
            return codes.get_batch(session, number=large).state

    wrong = run("batch", "approve", str(large), "--by", "bob", typed="not it\n")
    assert (wrong.exit_code, "wrong_password" in wrong.stderr) == (1, True)
    own = run("batch", "approve", str(large), "--by", "carol", typed=f"{factories.PASSWORD}\n")
    assert (own.exit_code, "approval_same_person" in own.stderr) == (1, True)
    other = run("batch", "approve", str(large), "--by", "dave", typed=f"{factories.PASSWORD}\n")
    assert (other.exit_code, "not_allowed" in other.stderr) == (1, True)
    assert state() == "waiting"
    done = run("batch", "approve", str(large), "--by", "bob", typed=f"{factories.PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert state() == "ordered"


def test_a_rejection_needs_a_reason(run: Run, large: int) -> None:
    assert run("batch", "reject", str(large), "--by", "bob").exit_code == 2
    done = run("batch", "reject", str(large), "--by", "bob", "--reason", "too many", typed=f"{factories.PASSWORD}\n")
    assert done.exit_code == 0, done.output
