"""Packing by hand in a real Chromium at 390 x 844: with a scanner that types, and with a camera that sees a code.
What packing does on each database is proved without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import qrcode
from playwright.sync_api import expect

from scancode.catalog import revision
from scancode.config import Settings
from scancode.packing import service as packing
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests import browser as chrome
from tests import factories, servers
from tests.browser import PHONE, Window
from tests.packing.floor import Floor, make_floor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("servers")]


@pytest.fixture
def floor(wired: Wired) -> Floor:
    with wired.db.transaction() as session:
        floor = make_floor(session, wired)
        factories.make_staff(session, name="Carol", login="carol", role=Role.FACTORY, brand_id=floor.brand_id)
        revision.bump(session)
    return floor


@contextmanager
def phone(settings: Settings, *flags: str, permissions: tuple[str, ...] = ()) -> Iterator[Window]:
    chrome.path()
    port = servers.free_port()
    settings = settings.model_copy(update={"base_url": f"http://127.0.0.1:{port}"})
    with servers.gunicorn(settings, workers=1, port=port) as url, chrome.chromium(*flags) as browser:
        assert servers.Browser(url).get("/readyz")[0] == 200
        device = {**PHONE, "permissions": list(permissions)}
        window = Window.open(browser, url, "carol", locale="en-US", device=device)
        window.go("/console/login")
        window.page.fill("#login", "carol")
        window.page.fill("#password", factories.PASSWORD)
        window.click("main button[type=submit], form button[type=submit]")
        window.go("/console/packing/hand")
        yield window


@pytest.mark.postgresql
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_scanner_types_and_every_answer_is_seen(settings: Settings, wired: Wired, floor: Floor) -> None:
    with phone(settings) as carol:
        state, text, count = (carol.page.locator(name) for name in ("#state", "#text", "#count"))

        def types(code: str) -> None:
            carol.page.keyboard.type(code)
            carol.page.keyboard.press("Enter")

        carol.page.fill("#capacity", "3")
        carol.page.focus("#code")
        types(f"HTTPS://Q.EXAMPLE/{floor.code(floor.case(1))}")
        expect(count).to_have_text("0 / 3")
        for serial in range(2):
            types(floor.code(floor.item(serial)))
        expect(count).to_have_text("2 / 3")
        expect(state).to_have_attribute("data-tone", "good")
        types(floor.code(floor.item(0)))
        expect(state).to_have_attribute("data-tone", "bad")
        expect(text).to_contain_text("scanned twice")
        types("nothing of ours")
        expect(text).to_contain_text("is no complete code")
        types(floor.code(floor.item(9)))
        expect(state).to_have_attribute("data-tone", "full")
        expect(text).to_have_text("Full. Close it.")
        carol.page.click("#undo")
        expect(count).to_have_text("2 / 3")
        types(floor.code(floor.item(2)))
        expect(count).to_have_text("3 / 3")
        carol.look()
        reach = carol.page.locator("#close").bounding_box()
        assert reach is not None
        assert reach["y"] > 844 / 3
        assert reach["height"] >= 48  # for a thumb
        carol.page.click("#close")
        expect(text).to_have_text("Closed. Scan the next case.")
        carol.page.fill("#capacity", "")
        carol.page.focus("#code")
        types(floor.code(floor.case(2)))
        types(floor.code(floor.item(40)))
        expect(count).to_have_text("1")
        carol.page.reload()
        carol.page.focus("#code")
        types(floor.code(floor.case(4)))
        types(floor.code(floor.item(40)))
        expect(text).to_contain_text("packed elsewhere already, in case")
        carol.page.click("#move")
        expect(count).to_have_text("1")
        expect(text).to_have_text("In.")
        expect(carol.page.locator("#move")).to_be_hidden()
        carol.page.context.set_offline(True)
        expect(carol.page.locator("#offline")).to_be_visible()
        carol.page.context.set_offline(False)
        expect(carol.page.locator("#offline")).to_be_hidden()
        carol.look()
    with wired.db.reading() as session:
        filled = packing.find_container(session, unit=floor.case(1))
        emptied, moved = (packing.find_container(session, unit=floor.case(place)) for place in (2, 4))
    assert (filled.count, filled.is_closed) == (3, True)
    assert (emptied.count, moved.count) == (0, 1)


def film(text: str, path: Path, size: tuple[int, int] = (640, 480), frames: int = 8) -> None:
    """A raw film (YUV4MPEG2) of a printed code that lies still."""
    width, height = size
    code = qrcode.QRCode(box_size=10, border=4)
    code.add_data(text)
    cells = np.array(code.get_matrix(), dtype=np.uint8)
    picture = np.kron(cells, np.ones((10, 10), dtype=np.uint8))
    luma = np.full((height, width), 200, dtype=np.uint8)
    top, left = (height - picture.shape[0]) // 2, (width - picture.shape[1]) // 2
    luma[top : top + picture.shape[0], left : left + picture.shape[1]] = np.where(picture, 20, 235)
    chroma = np.full(width * height // 2, 128, dtype=np.uint8).tobytes()
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F15:1 Ip A1:1 C420\n".encode())
        for _ in range(frames):
            file.write(b"FRAME\n" + luma.tobytes() + chroma)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_camera_sees_the_case_and_opens_it(settings: Settings, wired: Wired, floor: Floor, tmp_path: Path) -> None:
    film(f"HTTPS://Q.EXAMPLE/{floor.code(floor.case(3))}", tmp_path / "case.y4m")
    flags = (
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={tmp_path / 'case.y4m'}",
    )  # fmt: skip
    with phone(settings, *flags, permissions=("camera",)) as carol:
        carol.page.click("#camera")
        expect(carol.page.locator("#text")).to_have_text("Open. Scan what goes in.")
        expect(carol.page.locator("#unit")).to_have_text(f"{floor.cases}:3")
        expect(carol.page.locator("#video")).to_be_visible()
        carol.look()
        carol.page.click("#camera")
        expect(carol.page.locator("#video")).to_be_hidden()
    with wired.db.reading() as session:
        assert not packing.find_container(session, unit=floor.case(3)).is_closed
