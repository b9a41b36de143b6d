"""The port of authorisations, on WeChat Pay's 免确认收款授权: a person agrees once, and money comes in by itself.

Their number is ours and fixed before the first call, as a bill's is. A query brings a fresh package for WeChat's page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scancode.adapters.wechatpay.wire import Line, Terms, text_of
from scancode.errors import PayoutError
from scancode.ports import Ask, AuthorisationSaid

ROOT = "/v3/fund-app/mch-transfer/user-confirm-authorization"
EVENTS = ("MCHTRANSFER.AUTHORIZATION.CONFIRMED", "MCHTRANSFER.AUTHORIZATION.CLOSED")


class Authorisations:
    """The terms are those of the payments that are to come in without confirmation."""

    def __init__(self, line: Line, terms: Terms) -> None:
        self._line, self._terms = line, terms

    def compose(self, ask: Ask) -> str:
        order = {
            "out_authorization_no": ask.number,
            "appid": self._terms.app_id,
            "openid": ask.openid,
            "transfer_scene_id": self._terms.scene,
            "user_display_name": ask.display_name,
            "user_recv_perception": self._terms.perception,
            "authorization_notify_url": self._terms.notify_url,
        }
        return json.dumps(order, ensure_ascii=False, separators=(",", ":"))

    def ask(self, order: str) -> AuthorisationSaid:
        # The answer need not name the person: a query and a notice do.
        return self._said(self._line.call("POST", ROOT, order))

    def query(self, number: str) -> AuthorisationSaid | None:
        found = self._line.find(f"{ROOT}/out-authorization-no/", number, "?is_display_authorization=true")
        return None if found is None else self._said(found)

    def close(self, number: str) -> None:
        self._line.call("POST", f"{ROOT}/out-authorization-no/{number}/close")

    def _said(self, answer: Mapping[str, Any]) -> AuthorisationSaid:
        if answer.get("appid", self._terms.app_id) != self._terms.app_id:
            raise PayoutError("pay_unreadable", "unknown")
        return said(answer)


def said(found: Mapping[str, Any]) -> AuthorisationSaid:
    """The provider's words for an authorisation. Raises PayoutError where they cannot be read."""
    try:
        closed = found.get("close_info") or {}
        return AuthorisationSaid(
            number=text_of(found["out_authorization_no"], 32) or "",
            state=text_of(found["state"], 32) or "",
            openid=text_of(found.get("openid"), 128),
            provider_id=text_of(found.get("authorization_id"), 64),
            package=text_of(found.get("package_info"), 500),
            reason=text_of(closed.get("close_reason"), 80),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PayoutError("pay_unreadable", "unknown") from error
