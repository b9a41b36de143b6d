"""Lists that are turned page by page, whatever somebody writes into the address."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from flask import Flask

from scancode.staff.rules import Role
from scancode.web.console.pages import mark_of, number, read_mark
from scancode.wiring import Wired
from tests.conftest import NOW
from tests.web.console.office import open_office

LONG = "9" * 40
MARKS = (f"{NOW.isoformat()}~{LONG}", "0001-01-01T00:00:00+14:00~1", "9999-12-31T23:59:59-12:00~1", "x~y", "~", LONG)


def test_a_mark_is_read_as_it_was_written() -> None:
    assert read_mark(mark_of(NOW, 7), number) == (NOW, 7)
    assert read_mark("2026-11-22T04:00:00~7", number) is None


@pytest.mark.parametrize(
    ("path", "name"),
    [("complaints", "before"), ("diversion", "before"), ("payouts", "after"), ("audit", "before")],
)
def test_a_mark_that_nobody_wrote_is_no_mark(app: Flask, wired: Wired, path: str, name: str) -> None:
    olga = open_office(app, wired).desk(Role.ADMIN, "")
    for mark in MARKS:
        page = olga.get(f"/console/{path}?{urlencode({name: mark})}")
        assert page.status_code == 200, (mark, page.status_code)
