"""The attribution report in the console: page, charts and file."""

from __future__ import annotations

import csv
import io
import json
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from scancode.db import new_id
from scancode.scans.models import Scan
from scancode.staff.models import AuditRow
from scancode.wiring import Wired
from tests import factories
from tests.conftest import NOW
from tests.web.console.office import Browser, Office, open_office, words

pytestmark = pytest.mark.usefixtures("noon")
SPAN = "first=2026-11-01&last=2026-11-30"


@pytest.fixture
def office(app: Flask, wired: Wired) -> Office:
    return open_office(app, wired)


@pytest.fixture
def dave(office: Office) -> Browser:
    return office.browser("dave")


def scan(office: Office, serial: int, day: str = "2026-11-22", channel_id: UUID | None = None) -> None:
    with office.wired.db.transaction() as session:
        session.add(
            Scan(
                code_id=office.batch << 27 | 1 << 25 | serial,
                id=new_id(NOW),
                scanned_at=NOW,
                day=day,
                verdict="first",
                visitor_id=new_id(NOW),
                brand_id=office.brand_id,
                product_id=office.product_id,
                batch_number=office.batch,
                source="shipment" if channel_id else "unknown",
                channel_id=channel_id,
                client="wechat",
                is_test=False,
            )
        )


@pytest.fixture
def channel_id(office: Office) -> UUID:
    with office.wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=office.brand_id, name="=1+1 商超")
    scan(office, 1, channel_id=channel.id)
    scan(office, 2, channel_id=channel.id)
    scan(office, 3)
    return channel.id


def test_an_empty_report_says_what_would_be_there(dave: Browser) -> None:
    assert "Nothing happened in this time" in dave.read("/console/reports")


@pytest.mark.parametrize("by", ["channel", "store", "guide", "scene", "product", "batch", "day"])
def test_every_dimension_has_a_page(dave: Browser, channel_id: UUID, by: str) -> None:
    page = dave.read(f"/console/reports?by={by}&{SPAN}")
    assert "Attribution report" in page
    assert "Total" in page
    assert "What these numbers count" in page


def test_the_page_shows_rows_unknown_and_total(dave: Browser, channel_id: UUID) -> None:
    page = dave.read(f"/console/reports?{SPAN}")
    assert "=1+1 商超 Retail 0 0 2 2 2 0 0" in page
    assert "Unknown – 0 0 1 1 1" in page
    assert "Total 0 0 3 3 3" in page


@pytest.mark.parametrize(
    "query", ["first=2026-11-30&last=2026-11-01", "first=x&last=y", "first=2020-01-01&last=2026-01-01"]
)
def test_a_period_that_is_none_is_said_and_the_usual_one_shown(dave: Browser, query: str) -> None:
    answer = dave.get(f"/console/reports?{query}")
    assert answer.status_code == 422
    assert any(part in words(answer) for part in ("Choose a first and a last day", "at most 366 days"))


def test_a_report_by_nothing_known_is_refused(dave: Browser) -> None:
    assert dave.get("/console/reports?by=weather").status_code == 422


def test_the_funnel_chart(dave: Browser, channel_id: UUID) -> None:
    chart = json.loads(dave.get(f"/console/reports/funnel.json?{SPAN}").data)
    assert chart["kind"] == "funnel"
    assert chart["series"][0]["values"] == [0, 0, 3, 3, 0, 0]
    assert chart["of"] == [None, 0, 1, None, 2, 3]  # visitors are a share of nothing: three may scan one code


def test_the_chart_of_rows_and_of_days(dave: Browser, channel_id: UUID) -> None:
    rows = json.loads(dave.get(f"/console/reports/rows.json?{SPAN}").data)
    assert (rows["kind"], rows["categories"]) == ("bar", ["=1+1 商超", "Unknown"])
    assert rows["series"][0]["values"] == [2, 1]
    days = json.loads(dave.get(f"/console/reports/rows.json?by=day&{SPAN}").data)
    assert (days["kind"], len(days["categories"])) == ("line", 30)
    assert sum(days["series"][0]["values"]) == 3


def test_the_file_is_safe_to_open_and_taking_it_is_written_down(
    office: Office, dave: Browser, channel_id: UUID
) -> None:
    answer = dave.get(f"/console/reports/export.csv?{SPAN}")
    assert answer.mimetype == "text/csv"
    assert "filename=scancode-channel-2026-11-01-2026-11-30.csv" in answer.headers["Content-Disposition"]
    assert answer.data.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert lines[1][0] == "'=1+1 商超"
    with office.wired.db.reading() as session:
        row = session.scalars(select(AuditRow).where(AuditRow.action == "report.export")).one()
    assert row.subject == "report:channel"
    assert json.loads(row.facts) == {
        "model": "last",
        "first_day": "2026-11-01",
        "last_day": "2026-11-30",
        "rows": 2,
    }


def test_another_brand_sees_nothing_of_it(office: Office, channel_id: UUID) -> None:
    mallory = office.browser("mallory")
    assert "Nothing happened in this time" in mallory.read(f"/console/reports?{SPAN}")
    chart = json.loads(mallory.get(f"/console/reports/funnel.json?{SPAN}&brand=brand-{office.brand_id.hex[-8:]}").data)
    assert sum(chart["series"][0]["values"]) == 0


def test_the_operator_chooses_a_brand(office: Office, channel_id: UUID) -> None:
    page = office.browser("olga").read(f"/console/reports?{SPAN}&brand=brand-{office.brand_id.hex[-8:]}")
    assert "Total 0 0 3 3 3" in page


def test_the_factory_has_no_reports(office: Office) -> None:
    carol = office.browser("carol")
    for path in ("", "/funnel.json", "/rows.json", "/export.csv"):
        assert carol.get(f"/console/reports{path}").status_code == 403
