"""A person's way through consumer pages in a real Chromium on the smallest phone: axe-core looks at each, light and
dark, and nothing may stand out of the screen, also when a person has doubled the size of text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from axe_playwright_python.base import AXE_SCRIPT

from tests.browser import PHONE, Window
from tests.web.h5.phone import Shop

WIDTH = 320
SMALL = PHONE | {"viewport": {"width": WIDTH, "height": 640}, "device_scale_factor": 1}
AXE = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id} ${node.target}: ${node.failureSummary}`));
}"""
DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30))))"
"""Colours change within a moment, not at once."""
WIDE = f"""[...document.querySelectorAll("body *")]
  .filter((each) => each.getBoundingClientRect().right > {WIDTH}).map((each) => each.outerHTML.slice(0, 120))"""
CUT = """[...document.querySelectorAll(".top__name, .hero__title, .button > span")].flatMap((each) => {
  const words = document.createTreeWalker(each, NodeFilter.SHOW_TEXT), cut = [], range = document.createRange();
  for (let node; (node = words.nextNode()); ) for (const found of node.data.matchAll(/[A-Za-z]+/g)) {
    range.setStart(node, found.index);
    range.setEnd(node, found.index + found[0].length);
    if (range.getClientRects().length > 1) cut.push(found[0]);
  }
  return cut;
})"""
"""Words that go on in the next line."""
LARGE_TEXT = "document.documentElement.style.fontSize = '200%'"
USUAL_TEXT = "document.documentElement.style.fontSize = ''"
Scheme = Literal["light", "dark"]


@dataclass
class Walk:
    """One person's way through every page; what is wrong with any of them."""

    shop: Shop
    window: Window
    problems: list[str] = field(default_factory=list)

    def see(self, path: str) -> None:
        """Opens the address and looks; that it is answered with a refusal is no complaint."""
        self.window.page.goto(path)
        self.look(path)

    def look(self, name: str) -> None:
        """At the page that is open."""
        page, path = self.window.page, name
        self.window.complaints[:] = [one for one in self.window.complaints if page.url.split("?")[0] not in one]
        self.window.look()
        for scheme in get_args(Scheme):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.evaluate(AXE_SCRIPT)
            page.evaluate(DRAWN)
            self.problems += [f"{path} {scheme}: {found}" for found in page.evaluate(AXE)]
        page.evaluate(LARGE_TEXT)
        page.evaluate(DRAWN)
        if (width := page.evaluate("document.documentElement.scrollWidth")) > WIDTH:
            self.problems.append(f"{path}: {width} wide in large text: {page.evaluate(WIDE)}")
        self.problems += [f"{path}: {word} is cut in large text" for word in page.evaluate(CUT)]
        page.evaluate(USUAL_TEXT)

    def join(self) -> None:
        """Signs the browser in as a member, by what the test client was given."""
        phone = self.shop.phone()
        phone.join()
        for name in ("sv", "ss"):
            cookie = phone.client.get_cookie(name)
            assert cookie is not None
            self.window.page.context.add_cookies([{"name": name, "value": cookie.value, "url": self.window.base_url}])
