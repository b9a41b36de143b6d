"""A real Chromium for tests, and windows that watch over themselves: whatever the browser complains of (an error of a
script, a breach of the Content-Security-Policy, an answer of 500, a page wider than its screen) fails the test.

Chromium is what CHROMIUM names, or is found on PATH; where there is none its tests are skipped by name, and with
SCANCODE_TEST_REQUIRE=1 (as in CI) they fail instead. With SCANCODE_TEST_PICTURES=FOLDER every look at a page is kept
there as a picture.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Download, Page, Response, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
PATIENCE_S = 60.0
"""How long anything may take on a machine that is busy with other things."""
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
}
DESK = {"viewport": {"width": 1440, "height": 900}}


def path() -> str:
    """The browser's program. Skips the test where there is none."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found and shutil.which(found):
        return found
    if os.environ.get("SCANCODE_TEST_REQUIRE"):
        pytest.fail("no Chromium, and SCANCODE_TEST_REQUIRE is set")
    pytest.skip("no Chromium: set CHROMIUM, or install chromium")


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    program = path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *flags], timeout=60_000)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Window:
    """One person's browser window with cookies of its own."""

    name: str
    base_url: str
    page: Page
    complaints: list[str] = field(default_factory=list)
    looks: int = 0

    @classmethod
    def open(cls, browser: Browser, base_url: str, name: str, *, locale: str, device: dict[str, object]) -> Window:
        context = browser.new_context(base_url=base_url, locale=locale, accept_downloads=True, **device)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_S * 1000)
        window = cls(name, base_url, context.new_page())
        window.page.on("console", window._heard)
        window.page.on("pageerror", lambda error: window.complaints.append(f"script: {error}"))
        window.page.on("response", window._answered)
        return window

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.complaints.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.request.method} {response.url}")

    def go(self, address: str) -> None:
        self.page.goto(address)
        self.look()

    def until(self, address: str, text: str) -> None:
        """Opens the address again and again until it shows the text: what another process did takes up to a second."""
        end = time.monotonic() + PATIENCE_S
        self.page.goto(address)
        while text not in self.page.inner_text("body"):
            assert time.monotonic() < end, f"{self.name} never sees {text!r} at {address}: {self.words()[:600]}"
            self.page.goto(address)
        self.look()

    def click(self, selector: str) -> None:
        """Presses what must be there once, and waits for the page that comes."""
        with self.page.expect_navigation():
            self.page.locator(selector).click()
        self.look()

    def press(self, label: str) -> None:
        """Presses the link or button of the page's content that is called exactly so."""
        exact = re.compile(rf"^\s*{re.escape(label)}\s*$")
        with self.page.expect_navigation():
            self.page.locator("main").locator("a, button").filter(has_text=exact).first.click()
        self.look()

    def sees(self, *texts: str) -> None:
        """Waits until the page shows each text."""
        for text in texts:
            try:
                self.page.locator("main").get_by_text(text).filter(visible=True).first.wait_for()
            except Exception as error:
                raise AssertionError(f"{self.name} does not see {text!r} at {self.page.url}: {self.words()}") from error
        self.look()

    def download(self, selector: str, folder: Path) -> Path:
        with self.page.expect_download() as waiting:
            self.page.locator(selector).click()
        found: Download = waiting.value
        kept = folder / f"{self.name}-{found.suggested_filename}"
        found.save_as(kept)
        return kept

    def words(self) -> str:
        return " ".join(self.page.inner_text("body").split())

    def look(self) -> None:
        """Nothing may have gone wrong up to here, and nothing may stand out of the screen."""
        assert self.complaints == [], f"{self.name} at {self.page.url}"
        size = self.page.viewport_size
        assert size is not None
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"], f"{self.name} at {self.page.url}: {width} wide"
        folder = os.environ.get("SCANCODE_TEST_PICTURES")
        if folder:
            self.looks += 1
            name = re.sub(r"[^a-zA-Z0-9]+", "-", self.page.url.split("/", 3)[-1].split("?")[0])[:50].strip("-")
            self.page.screenshot(path=Path(folder) / f"{self.name}-{self.looks:02}-{name}.png", full_page=True)
