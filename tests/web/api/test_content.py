"""What people open, for machines: counts of everybody, and of a member what they agreed to."""

from __future__ import annotations

import csv
import io
import json
from uuid import UUID

import pytest

from scancode.catalog.revision import bump
from scancode.channels.service.liking import Opened
from scancode.members import service as members
from scancode.members.rules import PREFERENCES
from scancode.resolver import service as resolver
from scancode.resolver.rules import LinkDraft
from scancode.stories import liking
from tests.factories import NOW
from tests.web.api.conftest import World
from tests.web.api.test_people import join

ADDRESS = "https://brand.example/soup"


@pytest.fixture
def opened(world: World) -> tuple[UUID, UUID]:
    """A member who agreed opened a link twice after a scan, a stranger once; returns the ids of member and link."""
    alice, brand = join(world, world.own), world.own
    with world.wired.db.transaction() as session:
        members.consent(session, member_id=alice, purpose=PREFERENCES, version="1", language="zh", now=NOW)
        draft = LinkDraft(link_type="recipeInfo", href=ADDRESS, title="=Soup")
        link_id = resolver.save_link(
            session, link_id=None, product_id=brand.product_id, batch_number=None, draft=draft, own_hosts=(),
            actor="staff:dave", now=NOW,
        )  # fmt: skip
        for member_id, page in ((alice, "scan"), (alice, "scan"), (None, "product")):
            one = Opened(brand.id, brand.product_id, link_id, "recipeInfo", page)
            liking.note_opened(session, opened=one, member_id=member_id, day="2026-11-22", now=NOW)
        bump(session)
    return alice, link_id


def test_what_is_opened_is_told_without_saying_by_whom(world: World, opened: tuple[UUID, UUID]) -> None:
    alice, link_id = opened
    crm = world.machine(["reports:read"])
    answer = crm.get("/reports/content", first="2026-11-22")
    (line,) = answer.json["items"]
    assert line == {
        "link_id": str(link_id), "link_type": "recipeInfo", "title": "=Soup", "address": ADDRESS,
        "product_id": str(world.own.product_id), "gtin": "06901234567892", "opened_on_scan_page": 2,
        "opened_on_product_page": 1, "opened": 3, "members": 1, "last_opened_at": line["last_opened_at"],
    }  # fmt: skip
    assert str(alice) not in answer.text
    assert crm.get("/reports/content", last="2026-11-21").json["items"] == []
    assert world.machine(brand=world.other).get("/reports/content").json["items"] == []
    for days in ({"first": "2026-02-30"}, {"first": "2026-11-22", "last": "2026-11-21"}):
        assert crm.get("/reports/content", **days).json["code"] == "bad_period"
    assert world.audited("content.export") == []
    table = crm.get("/reports/content", {"Accept": "text/csv"})
    (row,) = csv.DictReader(io.StringIO(table.get_data(as_text=True)))
    assert (row["title"], row["opened"], row["members"]) == ("'=Soup", "3", "1")
    assert row["last_opened_at"] == line["last_opened_at"]
    assert "Accept" in table.headers["Vary"]
    (entry,) = world.audited("content.export")
    assert (entry.brand_id, json.loads(entry.facts)["rows"]) == (world.own.id, 1)


def test_a_members_likings_are_told_while_they_agree(world: World, opened: tuple[UUID, UUID]) -> None:
    alice, link_id = opened
    crm, path = world.machine(["members:read"]), f"/members/{alice}/preferences"
    told = crm.get(path).json
    assert (told["member_id"], told["agreed"]) == (str(alice), True)
    (line,) = told["items"]
    assert (line["link_id"], line["page"], line["opened"], line["title"]) == (str(link_id), "scan", 2, "=Soup")
    assert world.machine(brand=world.other).get(path).status_code == 404
    assert crm.get(f"/members/{UUID(int=1)}/preferences").status_code == 404
    with world.wired.db.transaction() as session:
        members.withdraw(session, member_id=alice, purpose=PREFERENCES, now=NOW)  # what was kept is still there
    assert crm.get(path).json == {"member_id": str(alice), "agreed": False, "items": []}


def test_a_link_that_was_removed_keeps_its_counts(world: World, opened: tuple[UUID, UUID]) -> None:
    alice, link_id = opened
    with world.wired.db.transaction() as session:
        resolver.remove_link(session, link_id=link_id, actor="staff:dave", now=NOW)
        bump(session)
    for path in ("/reports/content", f"/members/{alice}/preferences"):
        (line,) = world.machine().get(path).json["items"]
        assert (line["link_id"], line["title"], line["address"]) == (str(link_id), "", "")
