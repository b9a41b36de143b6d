"""A scan counts once a browser has shown its page: requests of previews that look exactly like people's, and people."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from scancode.reports.counting import scanned
from scancode.reports.rules import Period
from scancode.scans import listing
from scancode.scans.models import Scan
from scancode.web.guard import Caps
from tests.shown import Browser
from tests.web.h5.phone import Shop

RECORDED = tomllib.loads((Path(__file__).parent / "requests.toml").read_text(encoding="utf-8"))
PREVIEWS = [
    {name: text for name, text in one.items() if name != "name"} for one in (*RECORDED["preview"], *RECORDED["person"])
]
REPEAT = "scanned before"


def confirmed(shop: Shop) -> list[bool]:
    with shop.wired.db.reading() as session:
        return list(session.scalars(select(Scan.is_confirmed).order_by(Scan.id)))


def look(client: FlaskClient, code: str, **headers: str) -> str:
    answer = client.get(f"/{code}", headers={"Accept-Language": "en", **headers})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_previews_that_look_like_browsers_change_nothing_for_the_buyer(app: Flask, shop: Shop) -> None:
    for headers in PREVIEWS:
        preview = FlaskClient(app)
        assert REPEAT not in look(preview, shop.code(1), **headers)
    assert confirmed(shop) == [False] * len(PREVIEWS)
    buyer = look(Browser(app), shop.code(1))
    assert REPEAT not in buyer
    assert "Scanned by others" not in buyer
    assert REPEAT in look(Browser(app), shop.code(1))
    assert sum(confirmed(shop)) == 2
    with shop.wired.db.reading() as session:
        period = Period("2020-01-01", "2099-01-01", "Asia/Shanghai")
        (counts,) = scanned(session, shop.brand_id, period, None).values()
        rows = listing.page_of_scans(session, brand_id=shop.brand_id, limit=99)
    assert counts == (1, 2, 2)
    assert len(rows) == 2


def test_only_the_page_of_somebody_new_asks_to_be_confirmed(app: Flask, shop: Shop) -> None:
    person = FlaskClient(app)
    assert f'media="print" href="/{shop.code(1)}/seen.css"' in look(person, shop.code(1))
    again = look(person, shop.code(2))
    assert "seen.css" not in again
    assert confirmed(shop) == [False, True]


def test_the_sheet_is_empty_and_gives_nobody_a_cookie(app: Flask, shop: Shop) -> None:
    stranger = FlaskClient(app)
    answer = stranger.get(f"/{shop.code(1)}/seen.css")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "text/css", b"")
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert stranger.get(f"/{'0' * 20}/seen.css").status_code == 404
    assert confirmed(shop) == []


@pytest.mark.parametrize("headers", [{"Sec-Purpose": "prefetch;prerender"}, {"User-Agent": "Googlebot/2.1"}])
def test_a_robot_confirms_nothing(app: Flask, shop: Shop, headers: dict[str, str]) -> None:
    client = FlaskClient(app)
    look(client, shop.code(1))
    client.get(f"/{shop.code(1)}/seen.css", headers=headers)
    client.head(f"/{shop.code(1)}/seen.css")
    assert confirmed(shop) == [False]
    client.get(f"/{shop.code(1)}/seen.css")
    assert confirmed(shop) == [True]


def test_one_browser_cannot_confirm_for_another(app: Flask, shop: Shop) -> None:
    one, two = FlaskClient(app), FlaskClient(app)
    look(one, shop.code(1))
    look(two, shop.code(2))
    two.get(f"/{shop.code(1)}/seen.css")
    assert confirmed(shop) == [False, False]


def test_an_hour_later_it_is_too_late_and_too_many_are_refused(app: Flask, shop: Shop) -> None:
    client = FlaskClient(app)
    look(client, shop.code(1))
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        assert client.get(f"/{shop.code(1)}/seen.css").status_code == 200
    assert confirmed(shop) == [False]
    app.extensions["scancode"].guard.caps = Caps(0, 3, 0, 0, 0)
    assert [client.get(f"/{shop.code(1)}/seen.css").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert confirmed(shop) == [True]
