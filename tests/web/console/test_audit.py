"""The audit log in the console: narrowed down, taken away (which is recorded), checked."""

from __future__ import annotations

import csv
import io

import pytest
from flask import Flask
from sqlalchemy import select

from scancode.db import Database
from scancode.staff import service as staff
from scancode.staff.models import AuditRow
from scancode.staff.rules import Role
from tests.conftest import NOW
from tests.factories import make_brand
from tests.web.console.desk import Desk, hire


@pytest.fixture
def admin(app: Flask, db: Database) -> Desk:
    return Desk(app, db, hire(db, "Anna", Role.ADMIN))


def record(db: Database, count: int, **over: object) -> None:
    with db.transaction() as session:
        for number in range(count):
            facts = {"actor": "cli", "brand_id": None, "action": "batch.order", "subject": f"batch:{number}"}
            staff.audit(session, facts={"count": number}, now=NOW, **(facts | over))  # type: ignore[arg-type]


def test_it_shows_the_newest_and_pages_on(db: Database, admin: Desk) -> None:
    record(db, 60)
    page = admin.get("/console/audit").text
    assert "batch:59" in page
    assert "batch:9<" not in page
    assert "before=12" in page
    assert "batch:9<" in admin.get("/console/audit?before=12").text


def test_it_narrows_down_by_day_where_the_reader_is(db: Database, admin: Desk) -> None:
    record(db, 1)  # 04:00 UTC on the 22nd: noon in Shanghai
    for query, is_shown in (
        ("first_day=2026-11-22&last_day=2026-11-22", True),
        ("first_day=2026-11-23", False),
        ("last_day=2026-11-21", False),
        ("action=batch.", True),
        ("subject=batch:1", False),
        ("first_day=rubbish&before=x", True),
    ):
        assert ("batch:0" in admin.get(f"/console/audit?{query}").text) == is_shown, query
    assert "没有符合条件的记录" in admin.get("/console/audit?action=nothing.").text


def test_an_export_holds_the_rows_and_is_recorded(db: Database, admin: Desk) -> None:
    record(db, 3, action="batch.void")
    answer = admin.post("/console/audit/export?action=batch.void")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["subject"] for row in rows] == ["batch:2", "batch:1", "batch:0"]
    assert all(len(row["hash"]) == 64 for row in rows)
    with db.reading() as session:
        last = session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(1)).one()
    assert (last.action, last.facts) == ("audit.export", '{"filters":["action"],"rows":3}')


def test_a_cell_is_never_a_formula(db: Database, admin: Desk) -> None:
    record(db, 1, subject="=1+1")
    rows = list(csv.DictReader(io.StringIO(admin.post("/console/audit/export").data.decode("utf-8-sig"))))
    assert "'=1+1" in {row["subject"] for row in rows}


def test_a_brand_sees_its_own_rows(app: Flask, db: Database) -> None:
    with db.transaction() as session:
        brand = make_brand(session)
    record(db, 1, subject="batch:mine", brand_id=brand.id)
    record(db, 1, subject="batch:foreign")
    desk = Desk(app, db, hire(db, "Bea", Role.ADMIN, brand.id))
    for text in (desk.get("/console/audit").text, desk.post("/console/audit/export").text):
        assert "batch:mine" in text
        assert "batch:foreign" not in text


def test_checking_says_that_the_record_is_whole(db: Database, admin: Desk) -> None:
    record(db, 4)
    admin.post("/console/audit/check")
    assert "日志完整：共 5 条" in admin.said()


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", "日志不完整。第 2 条：该记录被改动过。"), ("en", "Row 2: A row was changed.")]
)
def test_checking_says_which_row_was_changed(db: Database, admin: Desk, lang: str, words: str) -> None:
    record(db, 4)
    with db.transaction() as session:
        session.connection().exec_driver_sql("UPDATE audit_rows SET actor = 'mallory' WHERE seq = 2")
    admin.get(f"/console/account?lang={lang}")
    admin.post("/console/audit/check")
    assert words in admin.said()
