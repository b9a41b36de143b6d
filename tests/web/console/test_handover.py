"""Handing over in the console: print houses, sealing, a password and a passcode shown once, who sees it, alerts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from scancode.handover import service as handover
from scancode.handover.rules import SealState
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests import factories
from tests.handover.works import Works, open_works
from tests.web.console.desk import Desk, hire


@pytest.fixture
def works(wired: Wired) -> Works:
    return open_works(wired)


@pytest.fixture
def carol(app: Flask, works: Works) -> Desk:
    return Desk(app, works.wired.db, hire(works.wired.db, "Carol", Role.FACTORY, works.brand_id))


def test_a_pack_is_sealed_linked_and_fetched(carol: Desk, works: Works) -> None:
    here = f"/console/batches/{works.number}/handover"
    assert "明文文件将在磁盘上保留到" in carol.get(here).text
    shown = carol.post(here, {"house": str(works.house_id), "form": "zip"})
    found = re.search(r"[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){4}", shown.text)
    assert found is not None
    assert found[0] not in carol.get(here).text
    works.work()
    page = carol.get(here).text
    assert "已加密" in page
    sealed = re.search(r"/console/handover/([0-9a-f-]+)/file", page)
    assert sealed is not None
    with carol.get(f"/console/handover/{sealed[1]}/file") as got:
        assert got.data[:2] == b"PK"
    made = carol.post(f"/console/handover/{sealed[1]}/links", {"for_whom": "Li Wei", "days": "3", "downloads": "1"})
    address = re.search(r"http://127\.0\.0\.1:8000(/packs/[^\"<\s]+)", made.text)
    assert address is not None
    assert carol.get(address[1]).status_code == 200
    page = carol.get(here).text
    assert "Li Wei" in page
    assert address[1] not in page
    link = re.search(r"/console/links/([0-9a-f-]+)/revoke", page)
    assert link is not None
    carol.post(f"/console/links/{link[1]}/revoke")
    assert carol.get(address[1]).status_code == 410
    plain = next(name for name in works.plain if name.endswith(".csv"))
    assert carol.get(f"/console/batches/{works.number}/files/{plain}").status_code == 410


def test_others_see_and_do_nothing(app: Flask, works: Works) -> None:
    sealed_id, _ = works.ask()
    works.work()
    link_id, _, _ = works.link(sealed_id)
    with works.wired.db.transaction() as session:
        other = factories.make_brand(session).id
    mallory = Desk(app, works.wired.db, hire(works.wired.db, "Mallory", Role.FACTORY, other))
    dave = Desk(app, works.wired.db, hire(works.wired.db, "Dave", Role.MARKETING, works.brand_id))
    for desk, status in ((mallory, 404), (dave, 403)):
        assert desk.get(f"/console/batches/{works.number}/handover").status_code == status
        assert desk.get(f"/console/handover/{sealed_id}/file").status_code == status
        assert desk.post(f"/console/handover/{sealed_id}/links", {"for_whom": "x"}).status_code == status
        assert desk.post(f"/console/links/{link_id}/revoke").status_code == status
        assert desk.get(f"/console/houses/{works.house_id}").status_code == status
    with works.wired.db.reading() as session:
        found = handover.find_link(session, link_id=link_id)
    assert found is not None
    assert found.revoked_at is None
    assert works.sealed(sealed_id)[0].state == SealState.READY


def test_a_print_house_is_kept(carol: Desk, works: Works) -> None:
    assert "华彩印刷" in carol.get("/console/houses").text
    bad = {"brand": str(works.brand_id), "name": "二厂", "contact": "", "recipient": "age1wrong", "is_active": "y"}
    answer = carol.post("/console/houses/new", bad)
    assert (answer.status_code, "这不是 age 公钥" in answer.text) == (422, True)
    assert carol.post("/console/houses/new", bad | {"recipient": ""}).status_code == 302
    assert "二厂" in carol.get("/console/houses").text


def test_alerts_stand_on_the_home_page_and_are_acknowledged(carol: Desk, works: Works) -> None:
    works.work(datetime.now(UTC) + timedelta(days=4), "watch")
    assert "1 个码包逾期" in carol.get("/console/").text
    page = carol.get("/console/alerts").text
    assert "码包无人下载" in page
    found = re.search(r"/console/alerts/([0-9a-f-]+)/acknowledge", page)
    assert found is not None
    carol.post(f"/console/alerts/{found[1]}/acknowledge", {"note": "明天来取"})
    assert "没有逾期" in carol.get("/console/alerts").text
    assert "明天来取" in carol.get("/console/alerts?all=1").text


def test_only_an_administrator_sets_a_brands_limit(app: Flask, carol: Desk, works: Works) -> None:
    assert carol.get("/console/alerts/terms").status_code == 403
    alice = Desk(app, works.wired.db, hire(works.wired.db, "Alice", Role.ADMIN, works.brand_id))
    wanted = {"order_limit": "500", "pack_days": "", "download_days": "1"}
    assert alice.post("/console/alerts/terms", wanted).status_code == 302
    assert 'value="500"' in alice.get("/console/alerts/terms").text
    with works.wired.db.transaction() as session:
        other = factories.make_brand(session)
    mallory = Desk(app, works.wired.db, hire(works.wired.db, "Mallory", Role.ADMIN, other.id))
    assert 'value="500"' not in mallory.get(f"/console/alerts/terms?brand={works.brand_id}").text
