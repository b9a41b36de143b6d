"""The console's list of what people open: counts that name nobody, of one's own brand, with a file of them."""

from __future__ import annotations

import json
import re
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from scancode.channels import service as channels
from scancode.channels.service.liking import Opened
from scancode.members.models import Member
from scancode.resolver import service as resolver
from scancode.resolver.rules import LinkDraft
from scancode.staff.models import AuditRow
from scancode.wiring import Wired
from tests.factories import NOW
from tests.web.console.office import Office, open_office, words

MEMBER, GONE = UUID(int=7), UUID(int=8)


@pytest.fixture
def office(app: Flask, wired: Wired) -> Office:
    office = open_office(app, wired)
    with wired.db.transaction() as session:
        draft = LinkDraft(link_type="recipeInfo", href="https://brand.example/soup", title="=Soup")
        link_id = resolver.save_link(
            session, link_id=None, product_id=office.product_id, batch_number=None, draft=draft, own_hosts=(),
            actor="staff:dave", now=NOW,
        )  # fmt: skip
        session.add(Member(id=MEMBER, brand_id=office.brand_id, language="zh", joined_at=NOW))
        session.flush()
        soup = [Opened(office.brand_id, office.product_id, link_id, "recipeInfo", page) for page in ("scan", "product")]
        for one, day in ((soup[0], "2026-11-20"), (soup[0], "2026-11-22"), (soup[1], "2026-11-22")):
            channels.count_opening(session, opened=one, day=day, now=NOW)
        for one in (*soup, soup[0]):
            channels.like(session, member_id=MEMBER, opened=one, now=NOW)
        gone = Opened(office.brand_id, office.product_id, GONE, "instructions", "scan")
        channels.count_opening(session, opened=gone, day="2026-11-22", now=NOW)
    return office


def test_the_list_counts_links_by_page_and_day(office: Office) -> None:
    dave = office.browser("dave")
    page = words(dave.get("/console/content"))
    assert re.search(r"=Soup \S.* 2 1 3 1 2026", page)
    assert "Removed since" in page
    with office.wired.db.reading() as session:
        lines = channels.content_of(session, brand_id=office.brand_id, first_day="2026-11-21")
        assert [(line.pages, line.opened, line.members) for line in lines] == [
            ({"scan": 1, "product": 1}, 2, 1),
            ({"scan": 1}, 1, 0),
        ]
    assert "=Soup" not in words(dave.get("/console/content?first_day=2026-11-23&last_day=nonsense"))
    assert "=Soup" not in words(office.browser("mallory").get("/console/content"))
    assert office.browser("carol").get("/console/content").status_code == 403


def test_the_file_holds_the_counts_and_leaves_an_audit_row(office: Office) -> None:
    dave = office.browser("dave")
    token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', dave.get("/console/content").get_data(as_text=True))
    assert token is not None
    answer = dave.client.post("/console/content/export?first_day=2026-11-21", data={"csrf_token": token[1]})
    text = answer.get_data(as_text=True)
    line = next(row for row in text.splitlines() if "Soup" in row)
    assert ",1,1,2,1," in line
    assert ",=Soup" not in line  # never a formula
    with office.wired.db.reading() as session:
        row = session.scalars(select(AuditRow).where(AuditRow.action == "content.export")).one()
    assert json.loads(row.facts)["rows"] == 2


def test_a_member_s_page_shows_what_they_open_most(office: Office) -> None:
    page = words(office.browser("dave").get(f"/console/members/{MEMBER}"))
    assert "What they like" in page
    assert "Nothing kept" not in page
    empty = office.browser("mallory").get(f"/console/members/{MEMBER}")
    assert empty.status_code == 404
