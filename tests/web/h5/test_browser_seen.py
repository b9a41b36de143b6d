"""A visit in a real Chromium confirms its scan, with JavaScript and without; reading the page with the same headers and
cookies kept does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest
from playwright.sync_api import Browser
from sqlalchemy import select
from werkzeug.serving import make_server

from scancode.app import create_app
from scancode.config import Settings
from scancode.scans.models import Scan
from scancode.wiring import Wired
from tests import browser as chrome
from tests import servers
from tests.browser import PHONE, Window
from tests.web.h5.phone import Shop, open_shop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("servers"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def counter(settings: Settings, wired: Wired) -> Iterator[Shop]:
    chrome.path()
    port = servers.free_port()
    wired = replace(wired, settings=settings.model_copy(update={"base_url": f"http://127.0.0.1:{port}"}))
    app = create_app(wired=wired)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield open_shop(app, wired)
    server.shutdown()
    thread.join()
    server.server_close()


def is_confirmed(shop: Shop) -> bool:
    """Of the newest scan, once there was time for it."""
    end = time.monotonic() + 5
    while True:
        with shop.wired.db.reading() as session:
            found = session.scalar(select(Scan.is_confirmed).order_by(Scan.id.desc()).limit(1))
        assert found is not None
        if found or time.monotonic() > end:
            return found
        time.sleep(0.05)


def visit(browser: Browser, shop: Shop, serial: int, **device: object) -> dict[str, str]:
    """Somebody new opens the page of a code; returns what their browser sent for it."""
    sent: dict[str, str] = {}
    window = Window.open(browser, shop.wired.settings.base_url, "alice", locale="en", device={**PHONE, **device})
    window.page.on(
        "request", lambda request: sent.update(request.all_headers()) if request.is_navigation_request() else None
    )
    window.go(f"/{shop.code(serial)}")
    window.page.context.close()
    return sent


def test_a_visit_confirms_itself_and_a_look_with_the_same_headers_does_not(counter: Shop) -> None:
    with chrome.chromium() as browser:
        sent = visit(browser, counter, 1)
        assert is_confirmed(counter)
        visit(browser, counter, 2, java_script_enabled=False)
        assert is_confirmed(counter)
    preview = build_opener(HTTPCookieProcessor())
    same = {name: text for name, text in sent.items() if not name.startswith(":") and name != "accept-encoding"}
    assert "Mozilla" in same["user-agent"]
    preview.open(Request(f"{counter.wired.settings.base_url}/{counter.code(3)}", headers=same)).read()
    assert not is_confirmed(counter)
