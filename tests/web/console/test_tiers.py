"""The ladder of tiers at the console, and what members, lists and exports show of it."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask

from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Conditions
from scancode.members import service as members
from scancode.wiring import Wired
from tests import factories
from tests.factories import NOW
from tests.members.test_tiers import give
from tests.web.console.office import Office, open_office, words
from tests.web.console.test_tags import PHONES, join

LADDER = {
    "months": "12",
    "tiers-0-name_zh": "银卡",
    "tiers-0-name_en": "Silver",
    "tiers-0-points": "100",
    "tiers-1-name_zh": "金卡",
    "tiers-1-name_en": "Gold",
    "tiers-1-points": "500",
}


@pytest.fixture
def office(app: Flask, wired: Wired) -> Office:
    return open_office(app, wired)


def ladder(office: Office) -> list[tuple[str, int]]:
    with office.wired.db.reading() as session:
        return [(one.name_en, one.points) for one in members.load_ladder(session, brand_id=office.brand_id).tiers]


def test_a_ladder_is_made_changed_and_emptied(office: Office) -> None:
    dave = office.browser("dave")
    assert "No tiers yet" in dave.read("/console/tiers")
    assert dave.send("/console/tiers", **LADDER).status_code == 302
    assert ladder(office) == [("Silver", 100), ("Gold", 500)]
    page = dave.get("/console/tiers").get_data(as_text=True)
    assert 'value="Silver"' in page
    for wrong in ({"tiers-1-points": "100"}, {"tiers-1-name_en": ""}, {"months": "0"}, {"tiers-0-points": "-1"},
                  {"tiers-0-points": ""}, {"tiers-0-id": "x"}):  # fmt: skip
        assert dave.send("/console/tiers", **(LADDER | wrong)).status_code == 422, wrong
    assert ladder(office) == [("Silver", 100), ("Gold", 500)]
    mallory = office.browser("mallory")
    with office.wired.db.reading() as session:
        silver = members.load_ladder(session, brand_id=office.brand_id).tiers[0].id
    assert mallory.send("/console/tiers", **(LADDER | {"tiers-0-id": str(silver)})).status_code == 404
    assert office.browser("carol").get("/console/tiers").status_code == 403
    assert dave.send("/console/tiers", months="6").status_code == 302
    assert ladder(office) == []


def test_a_tier_that_a_campaign_names_stays(office: Office) -> None:
    dave = office.browser("dave")
    dave.send("/console/tiers", **LADDER)
    with office.wired.db.transaction() as session:
        silver, gold = members.load_ladder(session, brand_id=office.brand_id).tiers
        campaign_id = factories.make_campaign(session, brand_id=office.brand_id).id
    conditions = f"/console/campaigns/{campaign_id}/conditions"
    both = dave.send(conditions, tier_min=str(silver.id), tiers=str(gold.id))
    assert both.status_code == 422
    assert dave.send(conditions, tier_min=str(gold.id)).status_code == 302
    with office.wired.db.reading() as session:
        kept = campaigns.conditions_of(session, campaign_id=campaign_id)
    assert kept == Conditions(tier_min=str(gold.id))
    assert "Only members of these tiers may claim: Gold and above." in dave.read(f"/console/campaigns/{campaign_id}")
    refused = dave.send("/console/tiers", months="12")
    assert refused.status_code == 422
    assert "Gold is named by: Open and win" in words(refused)
    assert ladder(office) == [("Silver", 100), ("Gold", 500)]


def test_a_members_tier_is_shown_listed_and_exported(office: Office) -> None:
    dave, alice = office.browser("dave"), join(office, PHONES[0])
    join(office, PHONES[1])
    dave.send("/console/tiers", **LADDER)
    with office.wired.db.transaction() as session:
        give(session, office.brand_id, alice, 150, NOW)
        assert members.settle_tiers(session, brand_id=office.brand_id, member_ids=[alice], now=NOW) == 1
        silver = members.load_ladder(session, brand_id=office.brand_id).tiers[0].id
    page = dave.read(f"/console/members/{alice}")
    assert "Silver, since" in page
    assert "350 points to Gold" in page
    assert "Silver 100 1" in dave.read("/console/tiers")
    listed = dave.read(f"/console/members?tier={silver}")
    assert "138****0001" in listed
    assert "138****0002" not in listed
    assert "Nobody fits" in dave.read(f"/console/members?tier={UUID(int=1)}")
    body = dave.get("/console/members").get_data(as_text=True)
    token = body.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    export = dave.client.post(
        "/console/members/export", data={"csrf_token": token}, headers={"Accept-Language": "en"}
    ).get_data(as_text=True)
    assert sorted(line.split(",")[-1] for line in export.splitlines()) == ["", "Silver", "tier"]
