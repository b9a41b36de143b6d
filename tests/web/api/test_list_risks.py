"""``GET /suspects``, ``/complaints`` and ``/diversion``: what a brand's own systems read of misuse."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from batches.codes import Kind, code_id
from scancode.channels.models import Shipment
from scancode.complaints import service as complaints
from scancode.complaints.rules import ComplaintKind, Draft
from scancode.complaints.service import About
from scancode.db import new_id
from scancode.diversion.models import DiversionCase
from scancode.scans.models import Suspicion
from tests import factories
from tests.factories import NOW
from tests.web.api.conftest import Machine, World


def walk(machine: Machine, path: str, **query: str) -> list[dict[str, object]]:
    """Every item, a page of one each."""
    found, cursor = [], {}
    while True:
        answer = machine.get(path, limit=1, **query, **cursor)
        assert answer.status_code == 200, answer.json
        found += answer.json["items"]
        if answer.json["next"] is None:
            return found
        cursor = {"cursor": answer.json["next"]}


def test_each_list_shows_a_brands_own_page_by_page(world: World, machine: Machine) -> None:
    own = world.own
    with world.wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=own.id)
        for number in range(2):
            at = NOW + timedelta(minutes=number)
            code = code_id(own.batch, Kind.OUTER, number)
            session.add(
                Suspicion(
                    code_id=code, brand_id=own.id, product_id=own.product_id, batch_number=own.batch,
                    state="open", signs="visitors,cities", visitors=20, cities=6, found_at=at,
                )
            )  # fmt: skip
            complaints.complain(
                session, about=About("suspect", own.id, own.product_id, own.batch, code), photo=None,
                draft=Draft(ComplaintKind.FAKE, "faded ink", "13800000001", is_agreed=True), visitor_id=UUID(int=1),
                language="zh", consent_version="1", sealer=world.wired.sealer, now=at,
            )  # fmt: skip
            shipment = Shipment(
                id=new_id(at), brand_id=own.id, number=f"S-{number}", channel_id=channel.id, shipped_at=NOW
            )
            session.add(shipment)
            session.flush()
            session.add(
                DiversionCase(
                    id=new_id(at), brand_id=own.id, shipment_id=shipment.id, channel_id=channel.id, region=440000,
                    state="open", items=3, scanned=9, of_case=0, kilometres=433, opened_at=at, changed_at=at,
                    latest_at=at,
                )
            )  # fmt: skip
            session.flush()
    suspects = walk(machine, "/suspects")
    assert [(one["serial"], one["kind"], one["signs"]) for one in suspects] == [
        (1, "outer", ["visitors", "cities"]), (0, "outer", ["visitors", "cities"]),
    ]  # fmt: skip
    told = walk(machine, "/complaints")
    assert [(one["serial"], one["text"], one["verdict"]) for one in told] == [
        (1, "faded ink", "suspect"), (0, "faded ink", "suspect"),
    ]  # fmt: skip
    assert "13800000001" not in str(told)
    assert len(world.audited("complaint.export")) == 1
    cases = walk(machine, "/diversion")
    assert [(one["shipment"], one["region_name"], one["kilometres"]) for one in cases] == [
        ("S-1", "广东", 433), ("S-0", "广东", 433),
    ]  # fmt: skip
    assert machine.get(f"/codes/{own.code(0, Kind.OUTER)}").json["verdict"] in ("suspect", "inactive")
    stranger = world.machine(brand=world.other)
    assert [walk(stranger, path) for path in ("/suspects", "/complaints", "/diversion")] == [[], [], []]
