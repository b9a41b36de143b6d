"""The first page by role, the menu, and the pages that say no."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, url_for

from scancode.db import Database
from scancode.jobs import service as jobs
from scancode.staff.rules import Role
from scancode.web.console.navigation import MENU
from tests.factories import make_batch, make_brand, make_product
from tests.web.console.desk import Desk, hire


def test_every_entry_of_the_menu_leads_somewhere(app: Flask, db: Database) -> None:
    endpoints = {entry.endpoint for group in MENU for entry in group.entries}
    assert endpoints <= set(app.view_functions)
    desk = Desk(app, db, hire(db, "Anna", Role.ADMIN))
    with db.transaction() as session:
        make_brand(session)
    with app.test_request_context():
        paths = [url_for(endpoint) for endpoint in sorted(endpoints)]
    found = {path: desk.client.get(path, follow_redirects=True).status_code for path in paths}
    assert found == dict.fromkeys(paths, 200)


@pytest.mark.parametrize(
    ("role", "sees_codes", "sees_week"),
    [(Role.FACTORY, True, False), (Role.MARKETING, False, True), (Role.ADMIN, True, True)],
)
def test_each_role_sees_what_is_its_own(
    app: Flask, db: Database, role: Role, sees_codes: bool, sees_week: bool
) -> None:
    desk = Desk(app, db, hire(db, "Carol", role))
    page = desk.get("/console/").text
    assert ("最新批次" in page, "最近 7 天" in page) == (sees_codes, sees_week)
    assert desk.get("/console/week.json").status_code == (200 if sees_week else 403)


def test_an_empty_house_says_where_to_begin(app: Flask, db: Database) -> None:
    desk = Desk(app, db, hire(db, "Anna", Role.ADMIN))
    assert "开始使用" in desk.get("/console/").text
    with db.transaction() as session:
        make_product(session, brand_id=make_brand(session).id)
    assert "开始使用" not in desk.get("/console/").text


def test_a_brand_sees_its_own_batches(app: Flask, db: Database) -> None:
    with db.transaction() as session:
        mine, foreign = make_brand(session), make_brand(session)
        for brand, order_no in ((mine, "MINE-1"), (foreign, "FOREIGN-1")):
            product = make_product(session, brand_id=brand.id)
            make_batch(session, brand_id=brand.id, product_id=product.id, order_no=order_no)
    page = Desk(app, db, hire(db, "Carol", Role.FACTORY, mine.id)).get("/console/").text
    assert "MINE-1" in page
    assert "FOREIGN-1" not in page


def test_work_without_a_worker_is_an_alarm(app: Flask, db: Database) -> None:
    desk = Desk(app, db, hire(db, "Carol", Role.FACTORY))
    now = datetime.now(UTC)
    for minutes, is_alarm in ((0, False), (2, True)):
        with db.transaction() as session:
            run_at = now - timedelta(minutes=minutes)
            jobs.enqueue(session, kind="mint", key=f"mint:{minutes}", payload={}, run_at=run_at, now=now)
        assert ("后台进程未运行" in desk.get("/console/").text) == is_alarm


def test_the_week_is_given_to_the_chart(app: Flask, db: Database) -> None:
    answer = Desk(app, db, hire(db, "Dave", Role.MARKETING)).get("/console/week.json").get_json()
    assert answer["kind"] == "line"
    assert len(answer["categories"]) == 7
    assert [series["values"] for series in answer["series"]] == [[0] * 7] * 3


@pytest.mark.parametrize(("lang", "title"), [("zh", "页面不存在"), ("en", "Not found")])
def test_a_page_that_is_not_there_is_said_with_the_menu_around_it(
    app: Flask, db: Database, lang: str, title: str
) -> None:
    signed_in = Desk(app, db, hire(db, "Carol", Role.FACTORY)).get(f"/console/nothing?lang={lang}")
    stranger = Desk(app, db).get(f"/console/nothing?lang={lang}")
    assert signed_in.status_code == stranger.status_code == 404
    assert title in signed_in.text
    assert title in stranger.text
    assert ("Carol" in signed_in.text, "Carol" in stranger.text) == (True, False)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_page_shows_the_other_language(app: Flask, db: Database, lang: str) -> None:
    desk = Desk(app, db, hire(db, "Anna", Role.ADMIN))
    for path in (
        "/console/",
        "/console/people",
        "/console/audit",
        "/console/tokens",
        "/console/jobs",
        "/console/account",
    ):
        page = desk.get(f"{path}?lang={lang}").text
        assert f'lang="{"zh-CN" if lang == "zh" else "en"}"' in page
        words = page.replace("中文", "").replace("Carol", "")
        if lang == "en":
            assert not [char for char in words if "一" <= char <= "鿿"], path
