"""Who asks: a person's browser, and in which app; or a program that must not count as a scan.

Crawlers, link previews and prefetches are told by what they send. A client that says nothing is taken for a person:
an uncounted person is worse than a counted robot.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_BOTS = re.compile(
    r"(?<!cu)bot\b|bot/|spider|crawl|slurp|preview|compatible; ?[^)]*\+https?://|mediapartners|feedfetcher|lighthouse"
    r"|facebookexternalhit|meta-external|whatsapp|viber\b|pinterest(?:bot|/0)|slack-imgproxy|outbrain"
    r"|qq-url-manager|wechatshareextension|embedly|vkshare|quora link|iframely|metainspector|w3c_validator"
    r"|monitor|uptime|pingdom|yandex|google-(?:safety|read|site|other|inspectiontool)|googleother|appengine-google"
    r"|okhttp|dalvik/|cfnetwork|python-requests|python-httpx|aiohttp|^curl|curl/|php-curl|wget|go-http-client"
    r"|apache-httpclient|libwww-perl|http\.rb/|scrapy|node-fetch|axios/",
    re.IGNORECASE,
)
_SPECULATIVE = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ")


def is_bot(environ: Mapping[str, Any]) -> bool:
    """Whether this request is a crawler, a preview, a prefetch or a HEAD: it may look and changes nothing."""
    if environ["REQUEST_METHOD"] == "HEAD":
        return True
    for header in _SPECULATIVE:
        value = environ.get(header)
        if value and any(word in value.lower() for word in ("prefetch", "prerender", "preview")):
            return True
    return _is_robot(environ.get("HTTP_USER_AGENT", "")[:500])


@lru_cache(maxsize=2000)
def _is_robot(agent: str) -> bool:
    return bool(_BOTS.search(agent))


def client_of(environ: Mapping[str, Any]) -> str:
    """``wechat``, ``alipay`` or ``browser``: the app that shows the page."""
    agent = environ.get("HTTP_USER_AGENT", "")
    if "MicroMessenger" in agent:
        return "wechat"
    if "AlipayClient" in agent:
        return "alipay"
    return "browser"


def cookie_of(environ: Mapping[str, Any], name: str) -> str | None:
    """One cookie of the request as it was sent; ours hold nothing that would be quoted. Of several the first counts."""
    sent = environ.get("HTTP_COOKIE")
    if not sent:
        return None
    for part in sent.split(";"):
        key, _, value = part.partition("=")
        if key.strip() == name:
            found: str = value.strip()
            return found
    return None
