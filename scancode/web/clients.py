"""Who asks: a person's browser, and in which app; or a program that must not count as a scan.

Crawlers, link previews and prefetches are told by what they send. A client that says nothing is taken for a person:
an uncounted person is worse than a counted robot.
"""

from __future__ import annotations

import re
from functools import lru_cache

from flask import Request

_BOTS = re.compile(
    r"bot\b|bot/|spider|crawl|slurp|preview|facebookexternalhit|whatsapp|embedly|quora link|outbrain|pinterest|vkshare"
    r"|w3c_validator|headlesschrome-lighthouse|lighthouse|monitor|uptime|pingdom|yandex|baiduspider|sogou|bytespider"
    r"|petalbot|applebot|360spider|yisouspider|mediapartners|feedfetcher|google-inspectiontool|skypeuripreview",
    re.IGNORECASE,
)
_SPECULATIVE = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def is_bot(request: Request) -> bool:
    """Whether this request is a crawler, a preview, a prefetch or a HEAD: it may look and changes nothing."""
    if request.method == "HEAD":
        return True
    for header in _SPECULATIVE:
        value = request.headers.get(header)
        if value and any(word in value.lower() for word in ("prefetch", "prerender", "preview")):
            return True
    return _is_robot(request.headers.get("User-Agent", "")[:500])


@lru_cache(maxsize=2000)
def _is_robot(agent: str) -> bool:
    return bool(_BOTS.search(agent))


def client_of(request: Request) -> str:
    """``wechat``, ``alipay`` or ``browser``: the app that shows the page."""
    agent = request.headers.get("User-Agent", "")
    if "MicroMessenger" in agent:
        return "wechat"
    if "AlipayClient" in agent:
        return "alipay"
    return "browser"
