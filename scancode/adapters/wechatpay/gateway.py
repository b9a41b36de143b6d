"""The port of payments, on WeChat Pay's merchant transfer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from scancode.adapters.wechatpay import authorisations, bills
from scancode.adapters.wechatpay.platform import Platform, Refused, Trusted, from_certificate
from scancode.adapters.wechatpay.signing import seal, unseal
from scancode.adapters.wechatpay.wire import Line, Terms, Wire, text_of
from scancode.errors import PayoutError
from scancode.ports import Balance, Bill, BillState, Confirmation, Flow, Notice

ROOT = "/v3/fund-app/mch-transfer/transfer-bills"
CERTIFICATES = "/v3/certificates"
NAME_FROM_FEN = 30
"""Below it the provider takes no name."""
FINISHED = "MCHTRANSFER.BILL.FINISHED"
NO_FILE = frozenset({"NO_STATEMENT_EXIST", "STATEMENT_CREATING", "NO_BILL_EXIST", "BILL_CREATING"})


class Gateway:
    """One merchant number with one app. ``style`` and ``account`` are the provider's words."""

    def __init__(self, line: Line, terms: Terms, *, v3_keys: list[bytes], style: str, account: str) -> None:
        self._line, self._terms = line, terms
        self._v3_keys = v3_keys
        self._style = style
        self._account = account

    def close(self) -> None:
        self._line.wire.close()

    def compose(self, bill: Bill) -> str:
        order: dict[str, Any] = {
            "appid": self._terms.app_id,
            "out_bill_no": bill.out_bill_no,
            "transfer_scene_id": self._terms.scene,
            "openid": bill.openid,
            "transfer_amount": bill.amount_fen,
            "transfer_remark": bill.remark,
            "notify_url": self._terms.notify_url,
            "user_recv_perception": self._terms.perception,
            "transfer_scene_report_infos": [
                {"info_type": "活动名称", "info_content": bill.campaign},
                {"info_type": "奖励说明", "info_content": bill.reward},
            ],
        }
        if bill.authorisation:
            del order["openid"]
            order["authorization_id"] = bill.authorisation
        elif self._style:
            order["user_recv_style"] = {"type": self._style}
        if bill.user_name and bill.amount_fen >= NAME_FROM_FEN:
            order["user_name"] = seal(self._sealing_key(), bill.user_name)
        return json.dumps(order, ensure_ascii=False, separators=(",", ":"))

    def send(self, order: str) -> BillState:
        sent = json.loads(order)
        target = f"{ROOT}/transfer" if "authorization_id" in sent else ROOT
        answer = self._line.call("POST", target, order)
        # Most answers repeat neither amount nor person: what was ordered stands for what they do not say.
        given = {name: sent[name] for name in ("transfer_amount", "openid") if name in sent}
        return _state({**given, **answer})

    def query(self, out_bill_no: str) -> BillState | None:
        found = self._line.find(f"{ROOT}/out-bill-no/", out_bill_no)
        return None if found is None else _state(found)

    def query_provider_no(self, provider_bill_no: str) -> BillState | None:
        found = self._line.find(f"{ROOT}/transfer-bill-no/", provider_bill_no)
        return None if found is None else _state(found)

    def cancel(self, out_bill_no: str) -> None:
        self._line.call("POST", f"{ROOT}/out-bill-no/{out_bill_no}/cancel")

    def confirmation(self, *, package: str) -> Confirmation:
        return Confirmation(mch_id=self._line.wire.merchant.mch_id, app_id=self._terms.app_id, package=package)

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        self._line.platform.check(headers, body)
        try:
            envelope = json.loads(body)
            resource = envelope["resource"]
            plain = unseal(
                self._v3_keys,
                nonce=str(resource["nonce"]),
                ciphertext=str(resource["ciphertext"]),
                associated=str(resource.get("associated_data") or ""),
            )
            if plain is None:
                raise Refused("notice_sealed")
            found, number = json.loads(plain), str(envelope["id"])
            event, ours = envelope["event_type"], self._line.wire.merchant.mch_id
            if event in authorisations.EVENTS:
                # Who describe this notice do not agree on whether it names the merchant: the app always is named.
                if (found.get("mchid") or found.get("mch_id") or ours) != ours or found["appid"] != self._terms.app_id:
                    raise Refused("notice_merchant")
                return Notice(id=number[:64], bill=None, authorisation=authorisations.said(found))
            if event == FINISHED and found["mch_id"] != ours:
                raise Refused("notice_merchant")
            return Notice(id=number[:64], bill=_state(found) if event == FINISHED else None)
        except (KeyError, TypeError, ValueError, PayoutError) as error:
            raise Refused("notice_unreadable") from error

    def balance(self) -> Balance:
        answer = self._line.call("GET", f"/v3/merchant/fund/balance/{self._account}")
        try:
            return Balance(int(answer["available_amount"]), int(answer.get("pending_amount") or 0))
        except (KeyError, TypeError, ValueError) as error:
            raise PayoutError("pay_unreadable", "unknown") from error

    def flows(self, day: date) -> Iterator[Flow] | None:
        target = f"/v3/bill/fundflowbill?bill_date={day.isoformat()}&account_type={self._account}"
        try:
            told = self._line.call("GET", target)
        except PayoutError as error:
            if error.code in NO_FILE:
                return None
            raise
        parts = urlsplit(str(told.get("download_url", "")))
        if told.get("hash_type") != "SHA1" or not parts.path.startswith("/v3/billdownload/"):
            raise PayoutError("pay_unreadable", "unknown")
        # Always from the address in the settings: no answer makes us sign a call to some other host.
        pieces = self._line.wire.download(f"{parts.path}?{parts.query}")
        return bills.flows(bills.checked(pieces, sha1=str(told.get("hash_value", ""))))

    def _sealing_key(self) -> RSAPublicKey:
        newest = self._line.platform.newest()
        if newest is None:
            raise PayoutError("no_platform_key", "temporary")
        return newest.key


def fetcher(wire: Wire, v3_keys: list[bytes]) -> Callable[[Platform], list[Trusted]]:
    """Downloads the platform's certificates. They come sealed with the APIv3 key, which the first time is the only
    proof of where they come from; the answer must then be signed by one of them."""

    def fetch(platform: Platform) -> list[Trusted]:
        found: list[Trusted] = []

        class Arriving(Platform):
            def check(self, headers: Mapping[str, str], body: bytes) -> None:
                found.extend(_certificates(body, v3_keys))
                platform.with_certificates(found).check(headers, body)

        wire.call("GET", CERTIFICATES, platform=Arriving([]))
        return found

    return fetch


def _certificates(body: bytes, v3_keys: list[bytes]) -> list[Trusted]:
    try:
        rows = json.loads(body)["data"]
        sealed = [row["encrypt_certificate"] for row in rows]
        opened = [
            unseal(v3_keys, nonce=one["nonce"], ciphertext=one["ciphertext"], associated=one["associated_data"])
            for one in sealed
        ]
        return [from_certificate(pem.decode()) for pem in opened if pem is not None]
    except (KeyError, TypeError, ValueError) as error:
        raise PayoutError("pay_unreadable", "unknown") from error


def _state(said: Mapping[str, Any]) -> BillState:
    """The provider's words for a bill. Raises PayoutError where they cannot be read."""
    try:
        amount = said["transfer_amount"]
        if not isinstance(amount, int) or isinstance(amount, bool):
            raise TypeError(amount)
        return BillState(
            out_bill_no=text_of(said["out_bill_no"], 32) or "",
            state=text_of(said["state"], 32) or "",
            amount_fen=amount,
            openid=text_of(said.get("openid"), 128),
            provider_bill_no=text_of(said.get("transfer_bill_no"), 64),
            package=text_of(said.get("package_info"), 500),
            fail_reason=text_of(said.get("fail_reason"), 80),
            created_at=_moment(said.get("create_time")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PayoutError("pay_unreadable", "unknown") from error


def _moment(value: Any) -> datetime | None:
    if not value:
        return None
    at = datetime.fromisoformat(str(value))
    return at if at.tzinfo else at.replace(tzinfo=UTC)
