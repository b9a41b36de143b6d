"""A member's points at the console: entered once, in two steps, taken back, frozen, exported; never another brand's."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update

from scancode.catalog import service as catalog
from scancode.catalog.models import Brand
from scancode.db import new_id
from scancode.ledger import service as ledger
from scancode.ledger.models import Account, PointsHold
from scancode.staff.models import AuditRow
from scancode.stories import join as joining
from scancode.stories import reminding
from scancode.wiring import Wired
from tests.factories import NOW
from tests.stories.scene import PHONE
from tests.web.console.office import Browser, Office, open_office, words


@pytest.fixture
def office(app: Flask, wired: Wired) -> Office:
    return open_office(app, wired)


@pytest.fixture
def page(office: Office) -> str:
    """The page of points of Alice, a member of Dave's brand."""
    with office.wired.db.transaction() as session:
        brand = catalog.load_brand(session, brand_id=office.brand_id)
        assert brand is not None
        joined = joining.join(
            session,
            brand=brand,
            phone=PHONE,
            arrival=joining.Arrival(new_id(NOW), None, (), touch_days=7),
            accepts_terms=True,
            accepts_marketing=False,
            language="zh",
            sealer=office.wired.sealer,
            prefix="SC",
            now=NOW,
        )
    return f"/console/members/{joined.member_id}/points"


def send(browser: Browser, page: str, path: str = "", **fields: str) -> str:
    """Posts what a form on the page would; the text of the page that follows."""
    body = browser.get(page).get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', body)
    assert token is not None
    form = {"csrf_token": token[1], **fields}
    answer = browser.client.post(page + path, data=form, headers={"Accept-Language": "en"}, follow_redirects=True)
    return words(answer)


def account(office: Office) -> tuple[int, int]:
    with office.wired.db.reading() as session:
        found = session.scalars(select(Account)).one()
        assert ledger.find_unbalanced(session) == []
        return found.balance, found.reserved


def test_points_are_entered_once_with_a_reason_and_an_audit_row(office: Office, page: str) -> None:
    dave = office.browser("dave")
    assert "No points yet" in dave.read(page)
    form = {"form_id": str(UUID(int=5)), "points": "70"}
    assert "Say why" in send(dave, page, **form)
    assert "Entered." in send(dave, page, **form, note="parcel came <b>late</b>")
    assert "entered before" in send(dave, page, **form, note="parcel came <b>late</b>")
    assert account(office) == (70, 0)
    assert "&lt;b&gt;late" in dave.get(page).get_data(as_text=True)
    for points in ("0", "many", "99999999999", "1,5", "1_0", "٣", "9" * 5000):
        assert "whole number" in send(dave, page, form_id=str(UUID(int=6)), points=points, note="x")
    for until in ("2026-02-30", "9999-12-31", "soon"):
        again = office.desk().post(page, {"form_id": str(UUID(int=8)), "points": "7", "note": "<kept>", "until": until})
        assert again.status_code == 422
        assert "Choose a day from today on" in words(again), "not entered at once instead"
        for typed in ('value="7"', 'value="&lt;kept&gt;"', f'value="{until}"', f'value="{UUID(int=8)}"'):
            assert typed in again.text, "nothing has to be typed again"
    for day in ("9999-12-31", "0001-01-01"):
        assert dave.get(f"{page}?day={day}").status_code == 200
    refused = send(dave, page, form_id=str(UUID(int=7)), points="-71", note="x")
    assert "71 are needed and 70 are there" in refused
    assert "At the end of 2020-01-01: 0 points" in dave.read(f"{page}?day=2020-01-01")
    with office.wired.db.reading() as session:
        rows = session.scalars(select(AuditRow.facts).where(AuditRow.action == "points.adjust")).all()
    assert len(rows) == 1
    assert "late" not in rows[0]  # the reason may name people; it stands in the ledger


def test_two_steps_a_reversal_and_freezing(office: Office, page: str) -> None:
    dave = office.browser("dave")
    send(dave, page, form_id=str(UUID(int=1)), points="50", note="gift")
    last = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()  # the app's clock is the real one
    assert "pending" in send(dave, page, form_id=str(UUID(int=2)), points="-20", note="keeps a cup", until=last)
    assert "pending" in send(dave, page, form_id=str(UUID(int=3)), points="5", note="later", until=last)
    assert "within a year" in send(dave, page, form_id=str(UUID(int=4)), points="5", note="x", until="2020-01-01")
    assert account(office) == (50, 20)
    with office.wired.db.reading() as session:
        holds = {one.points: one.id for one in session.scalars(select(PointsHold))}
    assert "Posted." in send(dave, page, f"/{holds[-20]}", takes="1")
    assert "no longer pending" in send(dave, page, f"/{holds[-20]}", takes="0")
    assert "Voided." in send(dave, page, f"/{holds[5]}", takes="0")
    assert account(office) == (30, 0)
    with office.wired.db.reading() as session:
        who = session.scalars(select(Account.id)).one()
        gift = next(one for one in ledger.entries(session, account_id=who, limit=9) if one.points == 50)
    assert "Take this entry back" in dave.read(f"{page}?entry={gift.id}")
    assert "20 of them are no longer there" in send(dave, page, "/reverse", entry=str(gift.id), note="wrong")
    assert "Say why" in send(dave, page, "/freeze", note=" ")
    assert "looked into" in send(dave, page, "/freeze", note="looked into")
    assert "These points are frozen" in send(dave, page, form_id=str(UUID(int=8)), points="1", note="x")
    assert "can move again" in send(dave, page, "/freeze", free="1")
    with office.wired.db.reading() as session:
        taken = next(one for one in ledger.entries(session, account_id=who, limit=9) if one.points == -20)
    assert "Taken back." in send(dave, page, "/reverse", entry=str(taken.id), note="the cup broke")
    assert account(office) == (50, 0)


def test_entries_leave_as_a_file_and_another_brand_finds_nothing(office: Office, page: str) -> None:
    dave = office.browser("dave")
    send(dave, page, form_id=str(UUID(int=1)), points="50", note="=1+1")
    token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', dave.get(page).get_data(as_text=True))
    assert token is not None
    file = dave.client.post(f"{page}/export", data={"csrf_token": token[1]})
    rows = list(csv.reader(io.StringIO(file.get_data().decode("utf-8-sig"))))
    assert [row[1:4:2] for row in rows] == [["points", "reason"], ["50", "'=1+1"]]
    mallory = office.browser("mallory")
    assert mallory.get(page).status_code == 404
    body = mallory.get("/console/members").get_data(as_text=True)
    theirs = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', body)
    assert theirs is not None
    form = {"csrf_token": theirs[1], "form_id": str(UUID(int=9)), "points": "5", "note": "x"}
    for path in ("", "/freeze", "/export"):
        assert mallory.client.post(page + path, data=form).status_code == 404
    assert office.browser("carol").get(page).status_code == 403
    assert account(office) == (50, 0)


def test_a_brand_says_how_long_points_are_good(office: Office) -> None:
    olga = office.browser("olga")
    path = f"/console/brands/{office.brand_id}"
    form = {"name_zh": "山泉", "name_en": "Spring", "timezone": "Asia/Shanghai", "colour": "#1f7a5a"}
    assert olga.send(path, **form, points_term="days", points_count="0", points_remind_days="7").status_code == 422
    assert olga.send(path, **form, points_term="years", points_count="1", points_remind_days="7").status_code == 302
    with office.wired.db.reading() as session:
        brand = session.get_one(Brand, office.brand_id)
        assert (brand.points_term, brand.points_count, brand.points_remind_days) == ("years", 1, 7)
        facts = session.scalars(select(AuditRow.facts).where(AuditRow.action == "brand.change")).one()
    assert "points_term" in facts


def test_reminders_are_listed_with_what_became_of_a_message(office: Office, page: str) -> None:
    dave = office.browser("dave")
    assert "The points of this brand do not expire." in dave.read("/console/points/reminders")
    member_id = UUID(page.split("/")[3])
    with office.wired.db.transaction() as session:
        session.execute(update(Brand).values(points_term="days", points_count=10))
        for number in range(52):
            ledger.post(
                session, account_id=member_id, counter_account_id=ledger.issuer_id(office.brand_id),
                brand_id=office.brand_id, cause=f"claim:{number}", points=number + 1, now=NOW,
                expires_at=NOW + timedelta(days=5),
            )  # fmt: skip
        brand = catalog.load_brand(session, brand_id=office.brand_id)
        assert brand is not None
        assert reminding.announce(session, brand=brand, can_send=False, now=NOW) == 52
        assert reminding.announce(session, brand=brand, can_send=False, now=NOW) == 0
    shown = dave.read("/console/points/reminders")
    assert "138****8000" in shown
    assert "Page only The brand has no template for it" in shown
    body = dave.get("/console/points/reminders").get_data(as_text=True)
    following = re.search(r'rel="next" href="([^"]+)"', body)
    assert following is not None
    rest = dave.get(following[1].replace("&amp;", "&")).get_data(as_text=True)
    assert body.count("138****8000") + rest.count("138****8000") == 52
    assert "138****" not in office.browser("mallory").read("/console/points/reminders")
    assert office.browser("carol").get("/console/points/reminders").status_code == 403
    assert dave.get("/console/points/reminders?before=x~y").status_code == 200
