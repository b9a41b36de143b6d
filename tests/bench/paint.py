"""First paint of the verdict page on a slow line, in Chromium: ``python -m tests.bench.paint URL [ROUNDS]``.

1.6 Mbit/s down, 150 ms there and back, an empty cache; DevTools' own emulation. Prints the first contentful paint and
the bytes that came over the line, the median of the rounds (5).
"""

from __future__ import annotations

import statistics
import sys

from tests import browser as chrome
from tests.browser import PHONE

LINE = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
PAINT = """new Promise((done) => {
  const look = () => {
    const [entry] = performance.getEntriesByName("first-contentful-paint");
    if (entry) done(entry.startTime); else setTimeout(look, 20);
  };
  look();
})"""


def measure(url: str, rounds: int = 5) -> tuple[float, int]:
    """Milliseconds to the first contentful paint, and bytes until the page is loaded."""
    times: list[float] = []
    sizes: list[int] = []
    with chrome.chromium() as browser:
        for _ in range(rounds):
            context = browser.new_context(locale="zh-CN", **PHONE)  # type: ignore[arg-type]
            page = context.new_page()
            tools = context.new_cdp_session(page)
            tools.send("Network.enable")
            tools.send("Network.emulateNetworkConditions", LINE)
            arrived: list[int] = []
            tools.on(
                "Network.loadingFinished",
                lambda event, arrived=arrived: arrived.append(int(event["encodedDataLength"])),
            )
            page.goto(url, wait_until="load")
            times.append(page.evaluate(PAINT))
            sizes.append(sum(arrived))
            context.close()
    return statistics.median(times), int(statistics.median(sizes))


if __name__ == "__main__":
    paint_ms, size_bytes = measure(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5)
    print(f"first paint {paint_ms:.0f} ms, {size_bytes / 1000:.1f} kB on the line")
