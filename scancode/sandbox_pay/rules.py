"""What the payment server accepts, and in which words it refuses: pure, from the provider's documents."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

REQUIRED = (
    "appid",
    "out_bill_no",
    "transfer_scene_id",
    "openid",
    "transfer_amount",
    "transfer_remark",
    "transfer_scene_report_infos",
)
OPTIONAL = ("user_name", "notify_url", "user_recv_perception", "user_recv_style")
LENGTHS = {"appid": 32, "out_bill_no": 32, "transfer_scene_id": 36, "openid": 64, "transfer_remark": 32}
WISHED = {
    "out_authorization_no": 32,
    "appid": 32,
    "openid": 64,
    "transfer_scene_id": 36,
    "user_display_name": 32,
    "authorization_notify_url": 256,
}
SCENE_1000 = ["活动名称", "奖励说明"]
PERCEPTIONS = ("现金奖励", "活动奖励")
AMOUNT_MIN_FEN, AMOUNT_MAX_FEN = 10, 20_000
NAME_FROM_FEN, NAME_ALWAYS_FEN = 30, 200_000
FINAL = ("SUCCESS", "FAIL", "CANCELLED")


class Refused(Exception):
    """An answer that is no 200: HTTP status, the provider's word, and a sentence that programs must not read."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message or code


@dataclass(frozen=True)
class Order:
    """A transfer that may be booked. ``same`` is what a repeat must have in common with it."""

    out_bill_no: str
    openid: str
    amount_fen: int
    remark: str
    notify_url: str
    sealed_name: str | None
    same: str


def read_body(raw: bytes) -> dict[str, Any]:
    """The JSON object of a request. Raises Refused for what the provider does not take."""
    try:
        text = raw.decode("utf-8")
        found = json.loads(text) if text else {}
    except ValueError as error:
        raise Refused(400, "PARAM_ERROR", "not JSON in UTF-8") from error
    if any(ord(char) > 0xFFFF for char in text) or "\\ud8" in text.lower():
        raise Refused(400, "PARAM_ERROR", "characters of four bytes are not supported")
    if not isinstance(found, dict) or any(value is None for value in found.values()):
        raise Refused(400, "PARAM_ERROR", "an object without nulls is wanted")
    return found


def read_order(body: dict[str, Any], *, app_id: str, openid: str | None = None) -> Order:
    """``openid`` is that of the authorisation which the order names instead of a person. Raises Refused."""
    spared = "openid" if openid is not None else None
    wanted = {name: limit for name, limit in LENGTHS.items() if name != spared}
    optional = OPTIONAL if openid is None else (*OPTIONAL[:-1], "authorization_id", "out_authorization_no")
    _require_fields(body, [name for name in REQUIRED if name != spared], optional, wanted, app_id)
    if not re.fullmatch(r"[0-9A-Za-z]+", body["out_bill_no"]):
        raise Refused(400, "PARAM_ERROR", "out_bill_no: digits and letters")
    _require_amount(body)
    _require_scene(body)
    return Order(
        body["out_bill_no"],
        openid if openid is not None else body["openid"],
        body["transfer_amount"],
        body["transfer_remark"],
        _notify_url(body.get("notify_url", "")),
        body.get("user_name"),
        json.dumps({**body, "user_name": bool(body.get("user_name"))}, sort_keys=True),
    )


@dataclass(frozen=True)
class Wish:
    """An authorisation that may be asked for. ``same`` is what a repeat must have in common with it."""

    number: str
    openid: str
    name: str
    notify_url: str
    same: str


def read_wish(body: dict[str, Any], *, app_id: str) -> Wish:
    """Raises Refused."""
    _require_fields(body, list(WISHED), ("user_recv_perception",), WISHED, app_id)
    if not re.fullmatch(r"[0-9A-Za-z]+", body["out_authorization_no"]):
        raise Refused(400, "PARAM_ERROR", "out_authorization_no: digits and letters")
    if body["transfer_scene_id"] != "1000" or body.get("user_recv_perception", PERCEPTIONS[1]) not in PERCEPTIONS:
        raise Refused(400, "INVALID_REQUEST", "this merchant has scene 1000 only")
    return Wish(
        body["out_authorization_no"],
        body["openid"],
        body["user_display_name"],
        _notify_url(body["authorization_notify_url"]),
        json.dumps(body, sort_keys=True),
    )


def _require_fields(
    body: dict[str, Any], required: Sequence[str], optional: Sequence[str], texts: Mapping[str, int], app_id: str
) -> None:
    missing = [name for name in required if name not in body]
    strange = [name for name in body if name not in (*required, *optional)]
    if missing or strange:
        raise Refused(400, "PARAM_ERROR", f"missing {missing}, unknown {strange}")
    for name, limit in texts.items():
        if not isinstance(body[name], str) or not 1 <= len(body[name]) <= limit:
            raise Refused(400, "PARAM_ERROR", f"{name}: a text of at most {limit}")
    if body["appid"] != app_id:
        raise Refused(400, "PARAM_ERROR", "appid is not bound to this mchid")


def _require_amount(body: dict[str, Any]) -> None:
    amount = body["transfer_amount"]
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise Refused(400, "PARAM_ERROR", "transfer_amount: whole fen")
    if not AMOUNT_MIN_FEN <= amount <= AMOUNT_MAX_FEN:
        raise Refused(400, "INVALID_REQUEST", "超过单笔转账上下限")
    if amount >= NAME_ALWAYS_FEN and not body.get("user_name"):
        raise Refused(400, "PARAM_ERROR", "user_name is wanted")
    if amount < NAME_FROM_FEN and body.get("user_name"):
        raise Refused(400, "PARAM_ERROR", "user_name is not supported below 0.30")
    style = body.get("user_recv_style", {"type": "CONFIRM_PAGE"})
    if not isinstance(style, dict) or style.get("type") not in ("CONFIRM_PAGE", "RED_PACKET"):
        raise Refused(400, "PARAM_ERROR", "user_recv_style")


def _require_scene(body: dict[str, Any]) -> None:
    infos = body["transfer_scene_report_infos"]
    if body["transfer_scene_id"] != "1000":
        raise Refused(400, "INVALID_REQUEST", "this merchant has scene 1000 only")
    if not isinstance(infos, list) or not all(isinstance(one, dict) for one in infos):
        raise Refused(400, "PARAM_ERROR", "transfer_scene_report_infos")
    if [one.get("info_type") for one in infos] != SCENE_1000:
        raise Refused(400, "PARAM_ERROR", "需传入转账场景报备信息")
    if not all(isinstance(text := one.get("info_content"), str) and 1 <= len(text) <= 32 for one in infos):
        raise Refused(400, "PARAM_ERROR", "info_content: at most 32")
    if body.get("user_recv_perception", PERCEPTIONS[1]) not in PERCEPTIONS:
        raise Refused(400, "INVALID_REQUEST", "暂不支持该收款感知")


def _notify_url(url: str) -> str:
    """Without a query, at most 256; this server alone also takes plain HTTP, since it calls on its own machine."""
    parts = urlsplit(url)
    if url and (parts.scheme not in ("https", "http") or parts.query or parts.fragment or len(url) > 256):
        raise Refused(400, "PARAM_ERROR", "notify_url")
    return url
