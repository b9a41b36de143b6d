"""WeChat's own script in the pages that need it: to scan from inside WeChat, and to receive money there.

``with_script`` widens the policy of one answer by exactly the address of that script. What the script
may do is signed for the address under which the browser has the page; it is signed for hosts of ours only.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from flask import jsonify, make_response, request
from werkzeug.wrappers import Response

from scancode.errors import NotFound, OutsideError, Refusal
from scancode.i18n import N_
from scancode.web.clients import client_of
from scancode.web.h5 import h5
from scancode.web.limits import limiter
from scancode.web.runtime import Runtime, runtime
from scancode.web.security import policy_of

URL_MAX = 1000
log = structlog.get_logger(__name__)


class ForeignPage(Refusal):
    code = "foreign_page"
    text = N_("Only pages of this service can be signed.")
    status = 422


class PageUnsigned(Refusal):
    code = "page_unsigned"
    text = N_("WeChat cannot be asked at the moment. Please try again.")
    status = 503


def script_for(shared: Runtime) -> str | None:
    """The address of WeChat's script, where it can do anything: with a real account, inside WeChat's app."""
    scripts = shared.ports.scripts
    return scripts.script_url if scripts is not None and client_of(request.environ) == "wechat" else None


def with_script(page: str, script: str | None) -> Response:
    """The page with a policy that lets this one script in; without a script, as any other page."""
    response = make_response(page)
    if script is not None:
        policy = policy_of(runtime().settings).replace("script-src 'self'", f"script-src 'self' {script}")
        response.headers["Content-Security-Policy"] = policy
    return response


@h5.get("/wechat/signature")
@limiter.limit("300 per minute")
def page_signature() -> Response:
    """What ``wx.config`` takes for the page at ``url``, as JSON."""
    shared = runtime()
    if shared.ports.scripts is None:
        raise NotFound
    url = request.args.get("url", "")
    if not _is_ours(shared, url):
        raise ForeignPage
    try:
        signed = shared.ports.scripts.sign_page(url=url)
    except OutsideError as error:
        log.warning("page_unsigned", error=error.code, permanent=error.permanent)
        raise PageUnsigned from error
    return jsonify(appId=signed.app_id, timestamp=signed.timestamp_s, nonceStr=signed.nonce, signature=signed.signature)


def _is_ours(shared: Runtime, url: str) -> bool:
    """Whether a browser that shows this address shows a page of ours."""
    if len(url) > URL_MAX or any(ord(char) < 33 or ord(char) == 127 or char == "\\" for char in url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return f"{parts.scheme}://{parts.netloc}".lower() in {base.lower() for base in shared.settings.scan_bases}
