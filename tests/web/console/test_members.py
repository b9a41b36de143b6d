"""The console's members: masked, of one's own brand, for marketing, exported without anything personal."""

from __future__ import annotations

import csv
import io
import json
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from scancode.catalog import service as catalog
from scancode.db import new_id
from scancode.ledger import service as ledger
from scancode.members.models import Member
from scancode.staff.models import AuditRow
from scancode.stories import join as joining
from scancode.wiring import Wired
from tests.factories import NOW
from tests.stories.scene import PHONE
from tests.web.console.office import Office, open_office, words


@pytest.fixture
def office(app: Flask, wired: Wired) -> Office:
    return open_office(app, wired)


@pytest.fixture
def alice(office: Office) -> UUID:
    """A member of Dave's brand."""
    with office.wired.db.transaction() as session:
        brand = catalog.load_brand(session, brand_id=office.brand_id)
        assert brand is not None
        return joining.join(
            session,
            brand=brand,
            phone=PHONE,
            arrival=joining.Arrival(new_id(NOW), None, (), touch_days=7),
            accepts_terms=True,
            accepts_marketing=True,
            language="zh",
            sealer=office.wired.sealer,
            prefix="SC",
            now=NOW,
        ).member_id


def audit_of(office: Office, action: str) -> AuditRow:
    with office.wired.db.reading() as session:
        return session.scalars(select(AuditRow).where(AuditRow.action == action)).one()


def test_the_list_shows_masked_phones_and_where_members_came_from(office: Office, alice: UUID) -> None:
    answer = office.browser("dave").get("/console/members")
    assert "138****8000" in words(answer)
    assert "Unknown" in words(answer)
    assert PHONE[3:] not in answer.get_data(as_text=True)


def test_an_empty_list_says_how_members_come(office: Office) -> None:
    dave = office.browser("dave")
    assert "No members yet" in dave.read("/console/members")
    assert "Nobody fits" in dave.read("/console/members?source=touch")


def test_a_member_has_a_page(office: Office, alice: UUID) -> None:
    page = office.browser("dave").read(f"/console/members/{alice}")
    assert "Member 138****8000" in page
    assert "Membership and privacy notice" in page
    assert "No rewards yet" in page


def test_a_member_s_page_says_where_its_lists_end(office: Office, alice: UUID) -> None:
    dave, here = office.browser("dave"), f"/console/members/{alice}"
    for most, is_cut in ((50, False), (51, True)):
        with office.wired.db.transaction() as session:
            for number in range(most):
                ledger.post(
                    session,
                    account_id=alice,
                    counter_account_id=ledger.issuer_id(office.brand_id),
                    brand_id=office.brand_id,
                    cause=f"api:{number}",
                    points=1,
                    now=NOW,
                )
        assert ("The newest 50 are shown." in dave.read(here)) is is_cut


def test_marketing_of_another_brand_sees_nothing(office: Office, alice: UUID) -> None:
    mallory = office.browser("mallory")
    assert "138****8000" not in mallory.read("/console/members")
    assert mallory.get(f"/console/members/{alice}").status_code == 404
    with office.wired.db.reading() as session:
        brand = catalog.load_brand(session, brand_id=office.brand_id)
    assert brand is not None
    assert "138****8000" not in mallory.read(f"/console/members?brand={brand.slug}")


def test_the_factory_is_not_allowed(office: Office, alice: UUID) -> None:
    carol = office.browser("carol")
    assert carol.get("/console/members").status_code == 403
    assert carol.get(f"/console/members/{alice}").status_code == 403


def test_a_stranger_signs_in_first(office: Office) -> None:
    assert "/console/login" in office.app.test_client().get("/console/members").headers["Location"]


def find(office: Office, login: str, phone: str) -> str:
    browser = office.browser(login)
    token = _token(browser.get("/console/members").get_data(as_text=True))
    answer = browser.client.post("/console/members/find", data={"csrf_token": token, "phone": phone})
    assert answer.status_code == 302
    return answer.headers["Location"]


def _token(page: str) -> str:
    return page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]


def test_a_caller_is_found_by_the_whole_number_and_the_search_is_on_record(office: Office, alice: UUID) -> None:
    assert find(office, "dave", "138 1234 8000").endswith(f"/members/{alice}")
    row = audit_of(office, "member.find")
    assert row.subject == f"member:{alice}"
    assert json.loads(row.facts) == {"found": True}


def test_a_caller_of_another_brand_is_not_found(office: Office, alice: UUID) -> None:
    assert "/members/" not in find(office, "mallory", PHONE)
    assert PHONE[3:] not in audit_of(office, "member.find").facts


def test_an_export_holds_no_phone_and_is_on_record(office: Office, alice: UUID) -> None:
    dave = office.browser("dave")
    token = _token(dave.get("/console/members").get_data(as_text=True))
    answer = dave.client.post("/console/members/export", data={"csrf_token": token})
    text = answer.get_data().decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["member_id"], row["source"], row["points"], row["wants_offers"]) == (str(alice), "unknown", "0", "1")
    assert "8000" not in text.replace(str(alice), "")
    assert json.loads(audit_of(office, "member.export").facts)["rows"] == 1


def test_looking_changes_nothing(office: Office, alice: UUID) -> None:
    dave = office.browser("dave")
    for path in ("/console/members/find", "/console/members/export"):
        assert dave.get(path).status_code in {404, 405}
    with office.wired.db.reading() as session:
        assert session.query(Member).count() == 1
