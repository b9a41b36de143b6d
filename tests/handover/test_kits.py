"""Press kits: two people, one recipient, one range; and nothing beyond it ever lives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from batches import press
from batches.codes import Kind, Verifier
from batches.kit import open_kit
from batches.sealed import new_identity
from scancode.codes import service as codes
from scancode.codes.rules import Activate, BatchState, Life
from scancode.errors import Invalid, NotFound
from scancode.handover import service as handover
from scancode.handover.rules import KitState
from scancode.jobs import service as jobs
from scancode.staff.models import AuditRow
from scancode.wiring import Wired
from tests import factories
from tests.conftest import NOW
from tests.handover.works import Works, open_works
from tests.threads import at_once

UNTIL = NOW + timedelta(days=10)


class Offline:
    """A batch of 1000 that is made offline; Carol asks, Bob decides."""

    def __init__(self, wired: Wired) -> None:
        self.works: Works = open_works(wired, count=10, now=NOW)
        self.wired = wired
        with wired.db.transaction() as session:
            self.carol = factories.make_staff(session, name="Carol", brand_id=self.works.brand_id).id
            self.bob = factories.make_staff(session, name="Bob", brand_id=self.works.brand_id).id
            self.number = codes.order(
                session, brand_id=self.works.brand_id, product_id=self.works.product_id, order_no="OFF-1", count=1000,
                kinds=(Kind.INNER,), formats=("csv",), base_url="https://q.example", kid="t1", is_offline=True,
                staff_id=self.carol, actor="staff:carol", now=NOW,
            ).number  # fmt: skip

    def ask(self, **over: Any) -> UUID:
        wanted: dict[str, Any] = {
            "number": self.number, "house_id": self.works.house_id, "first": 100, "last": 299, "expires_at": UNTIL,
            "staff_id": self.carol, "actor": "staff:carol", "now": NOW,
        }  # fmt: skip
        with self.wired.db.transaction() as session:
            return handover.ask_kit(session, **(wanted | over))

    def approve(self, kit_id: UUID, staff_id: UUID | None = None, now: datetime = NOW) -> None:
        with self.wired.db.transaction() as session:
            batch = codes.get_batch(session, number=self.number)
            key = self.wired.keyring.derive(batch.kid, batch.salt)
            handover.approve_kit(
                session, kit_id=kit_id, key=key, staff_id=staff_id or self.bob, actor="staff:bob", now=now
            )

    def activate(self, first: int, last: int, now: datetime = NOW) -> None:
        with self.wired.db.transaction() as session:
            codes.change(
                session, batch_number=self.number, ranges=[(first, last)], what=Activate(), actor="staff:carol", now=now
            )

    def life(self, serial: int) -> Life:
        with self.wired.db.reading() as session:
            return codes.life_of(session, batch_number=self.number, serial=serial).state

    def state(self) -> str:
        with self.wired.db.reading() as session:
            return codes.get_batch(session, number=self.number).state


@pytest.fixture
def offline(wired: Wired) -> Offline:
    return Offline(wired)


def test_nothing_is_made_here_and_nothing_lives_without_a_kit(offline: Offline) -> None:
    with offline.wired.db.reading() as session:
        assert jobs.find(session, key=codes.mint_key(offline.number)) is None
    assert offline.state() == BatchState.ORDERED
    with pytest.raises(codes.BatchNotReady):
        offline.activate(0, 0)


def test_a_kit_needs_two_people_and_makes_codes_that_verify(offline: Offline, tmp_path: Path) -> None:
    kit_id = offline.ask()
    with pytest.raises(handover.KitSamePerson):
        offline.approve(kit_id, offline.carol)
    with pytest.raises(handover.KitLate):
        offline.approve(kit_id, now=UNTIL)
    assert offline.state() == BatchState.ORDERED
    offline.approve(kit_id)
    assert offline.state() == BatchState.READY
    with offline.wired.db.transaction() as session:
        sealed = handover.fetch_kit(session, kit_id=kit_id, actor="staff:carol", now=NOW)
        batch = codes.get_batch(session, number=offline.number)
        actions = set(session.scalars(select(AuditRow.action).where(AuditRow.subject == f"batch:{offline.number}")))
    assert {"kit.ask", "kit.approve", "kit.download"} <= actions
    (tmp_path / "a.kit.age").write_bytes(sealed)
    kit = open_kit(tmp_path / "a.kit.age", offline.works.identity)
    assert (kit.spec.first, kit.spec.last, kit.expires_at) == (100, 299, UNTIL)
    press.run(kit.spec, kit.key, tmp_path / "pack", formats=kit.formats, ticket=kit.ticket, now=datetime.now(UTC))
    (csv,) = (tmp_path / "pack").glob("*.csv")
    rows = csv.read_text("utf-8-sig").splitlines()[1:]
    verifier = Verifier(offline.wired.keyring.derive(batch.kid, batch.salt))
    assert [verifier.verify(row.split(",")[1]).serial for row in rows] == list(range(100, 300))


def test_only_its_range_lives_and_only_in_its_time(offline: Offline) -> None:
    offline.approve(offline.ask())
    for first, last in ((99, 100), (299, 300), (0, 999), (500, 500)):
        with pytest.raises(codes.OutsideKit):
            offline.activate(first, last)
    with pytest.raises(codes.OutsideKit):
        offline.activate(100, 100, now=UNTIL)
    offline.activate(100, 299, now=UNTIL - timedelta(seconds=1))
    assert [offline.life(serial) for serial in (99, 100, 299, 300)] == [
        Life.INACTIVE, Life.ACTIVE, Life.ACTIVE, Life.INACTIVE,
    ]  # fmt: skip


def test_neighbouring_kits_are_one_range_and_overlapping_ones_are_refused(offline: Offline) -> None:
    offline.approve(offline.ask())
    for first, last in ((0, 100), (150, 160), (299, 400), (0, 999)):
        with pytest.raises(handover.KitOverlaps):
            offline.ask(first=first, last=last)
    offline.approve(offline.ask(first=300, last=399))
    offline.activate(200, 350)
    assert offline.life(350) is Life.ACTIVE


def test_all_kits_of_a_batch_go_to_one_print_house(offline: Offline) -> None:
    works = offline.works
    with offline.wired.db.transaction() as session:
        other = handover.save_house(
            session, brand_id=works.brand_id, name="另一家", contact="", recipient=new_identity()[1],
            sealer=offline.wired.sealer, actor="staff:carol", now=NOW,
        )  # fmt: skip
    offline.approve(offline.ask())
    with pytest.raises(handover.KitOtherHouse):  # it could make what the first one was trusted with
        offline.ask(house_id=other, first=300, last=399)


def test_a_rejected_kit_makes_nothing_and_frees_its_range(offline: Offline) -> None:
    kit_id = offline.ask()
    with offline.wired.db.transaction() as session:
        handover.reject_kit(session, kit_id=kit_id, staff_id=offline.bob, reason="换一家", actor="x", now=NOW)
    with pytest.raises(handover.KitDecided):
        offline.approve(kit_id)
    assert offline.state() == BatchState.ORDERED
    with offline.wired.db.reading() as session:
        assert [kit.state for kit in handover.list_kits(session, batch_number=offline.number)] == [KitState.REJECTED]
    offline.ask()


def test_a_kit_is_taken_back_by_who_asked_while_it_waits(offline: Offline) -> None:
    def withdraw(kit_id: UUID, staff_id: UUID) -> None:
        with offline.wired.db.transaction() as session:
            handover.withdraw_kit(session, kit_id=kit_id, staff_id=staff_id, actor="x", now=NOW)

    kit_id = offline.ask()
    with pytest.raises(NotFound):
        withdraw(kit_id, offline.bob)
    withdraw(kit_id, offline.carol)
    with pytest.raises(handover.KitDecided):
        offline.approve(kit_id)
    assert offline.state() == BatchState.ORDERED
    another = offline.ask()
    offline.approve(another)
    with pytest.raises(handover.KitDecided):
        withdraw(another, offline.carol)


def test_a_batch_that_is_made_here_has_no_kit(offline: Offline) -> None:
    with pytest.raises(handover.NotOffline):
        offline.ask(number=offline.works.number)


@pytest.mark.parametrize(
    "over",
    [{"first": 5, "last": 4}, {"last": 1000}, {"first": -1}, {"expires_at": NOW}, {"expires_at": NOW + timedelta(366)}],
)
def test_what_makes_no_sense_is_refused(offline: Offline, over: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        offline.ask(**over)


def test_two_who_ask_at_once_do_not_get_the_same_serials(offline: Offline) -> None:
    results = at_once(2, lambda _: offline.ask())
    assert sorted(type(result).__name__ for result in results) == ["KitOverlaps", "UUID"]
