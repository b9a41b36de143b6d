"""The adapter of WeChat Pay against the payment server that misbehaves, and both against the provider's own words as
another library (wechatpayv3) speaks them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import wechatpayv3
from wechatpayv3 import utils as oracle

from scancode.adapters.wechatpay import bills
from scancode.adapters.wechatpay.platform import Platform, Refused, read_keys
from scancode.adapters.wechatpay.signing import BadKey, Merchant, private_key, seal, unseal
from scancode.errors import PayoutError
from scancode.sandbox_pay.keys import APP_ID, MCH_ID
from tests.bank import Town, bill, open_bank

ZONE = ZoneInfo("Asia/Shanghai")


def place(town: Town, number: str = "SC1") -> str:
    """A bill that waits; its package."""
    gateway = town.gateway()
    found = gateway.send(gateway.compose(bill(number)))
    assert found.package
    return found.package


def test_an_order_waits_for_its_person_and_is_paid(town: Town) -> None:
    gateway = town.gateway()
    placed = gateway.send(gateway.compose(bill()))
    assert (placed.state, placed.amount_fen, placed.openid) == ("WAIT_USER_CONFIRM", 188, "openid-alice")
    confirmation = gateway.confirmation(package=placed.package or "")
    assert (confirmation.mch_id, confirmation.app_id) == (MCH_ID, APP_ID)
    town.bank.book.settle("SC1", "SUCCESS")
    found = gateway.query("SC1")
    assert found is not None
    assert (found.state, found.amount_fen, found.openid, found.package) == ("SUCCESS", 188, "openid-alice", None)
    by_theirs = gateway.query_provider_no(placed.provider_bill_no or "")
    assert by_theirs == found


def test_the_same_order_again_brings_a_fresh_package_and_no_second_bill(town: Town) -> None:
    gateway = town.gateway()
    order = gateway.compose(bill())
    first, second = gateway.send(order), gateway.send(order)
    assert first.provider_bill_no == second.provider_bill_no
    assert first.package != second.package
    assert len(town.bank.book.bills()) == 1
    with pytest.raises(PayoutError) as refused:
        gateway.send(gateway.compose(bill(amount_fen=189)))
    assert (refused.value.code, refused.value.outcome) == ("INVALID_REQUEST", "permanent")


def test_a_name_goes_sealed(town: Town) -> None:
    gateway = town.gateway()
    order = gateway.compose(bill(user_name="张三"))
    assert "张三" not in order
    gateway.send(order)
    assert "user_name" not in json.loads(gateway.compose(bill("SC2", 29, user_name="张三")))


def test_cancelling_ends_in_cancelled(town: Town) -> None:
    gateway = town.gateway()
    place(town)
    gateway.cancel("SC1")
    found = gateway.query("SC1")
    assert found is not None
    assert found.state == "CANCELLED"
    with pytest.raises(PayoutError) as refused:
        gateway.cancel("SC9")
    assert refused.value.status == 404


def test_an_unknown_number_is_none(town: Town) -> None:
    assert town.gateway().query("SC404") is None
    assert town.gateway().query("../../v3/certificates") is None


@pytest.mark.parametrize(
    ("fault", "code", "outcome", "booked"),
    [
        ("hang", "pay_no_answer", "unknown", 0),
        ("hang_after", "pay_no_answer", "unknown", 1),
        ("reset", "pay_no_answer", "unknown", 0),
        ("reset_after", "pay_no_answer", "unknown", 1),
        ("500", "pay_failing", "unknown", 0),
        ("500_after", "pay_failing", "unknown", 1),
        ("429", "FREQUENCY_LIMIT_EXCEED", "temporary", 0),
        ("unsigned", "signature_missing", "unknown", 1),
        ("forged", "signature_wrong", "unknown", 1),
        ("skewed", "signature_stale", "unknown", 1),
        ("garbage", "signature_missing", "unknown", 1),
    ],
)
def test_what_goes_wrong_has_a_name_and_says_nothing_of_the_bill(
    town: Town, fault: str, code: str, outcome: str, booked: int
) -> None:
    gateway = town.gateway(wechatpay_timeout_s=0.3 if "hang" in fault else 30)
    town.bank.faults.script({f"send:{fault}": 1})
    with pytest.raises(PayoutError) as error:
        gateway.send(gateway.compose(bill()))
    assert (error.value.code, error.value.outcome) == (code, outcome)
    gateway = town.gateway()
    assert len(town.bank.book.bills()) == booked
    assert gateway.send(gateway.compose(bill())).state == "WAIT_USER_CONFIRM"


def test_an_empty_balance_is_temporary_and_keeps_the_number(town: Town) -> None:
    gateway = town.gateway()
    town.bank.book.set("balance", 100)
    with pytest.raises(PayoutError) as error:
        gateway.send(gateway.compose(bill()))
    assert (error.value.code, error.value.outcome) == ("NOT_ENOUGH", "temporary")
    assert gateway.balance().available_fen == 100
    town.bank.book.set("balance", 188)
    assert gateway.send(gateway.compose(bill())).state == "WAIT_USER_CONFIRM"
    assert gateway.balance().available_fen == 0


def test_a_server_that_is_not_there_is_temporary(town: Town) -> None:
    gateway = town.gateway(wechatpay_url="http://127.0.0.1:9", wechatpay_connect_s=0.3)
    with pytest.raises(PayoutError) as error:
        gateway.query("SC1")
    assert (error.value.code, error.value.outcome) == ("pay_unreachable", "temporary")


def test_a_wrong_clock_here_is_refused_there(town: Town) -> None:
    town.bank.book.set("skew", 400)
    with pytest.raises(PayoutError) as error:
        town.gateway().query("SC1")
    assert error.value.code in {"SIGN_ERROR", "signature_stale"}


# Whose word counts.


def notice(town: Town, state: str = "SUCCESS", **changes: object) -> bytes:
    row = town.bank.book.find("out_bill_no", "SC1")
    assert row is not None
    return town.bank.postman.content("n1", row, state, **changes)


def test_a_notice_is_opened(town: Town) -> None:
    place(town)
    body = notice(town)
    found = town.gateway().read_notice(town.bank.postman.headers(body), body)
    assert found.id == "n1"
    assert found.bill is not None
    assert (found.bill.state, found.bill.amount_fen, found.bill.openid) == ("SUCCESS", 188, "openid-alice")


@pytest.mark.parametrize(
    ("spoiled", "code"),
    [("forged", "signature_wrong"), ("stale", "signature_stale"), ("probe", "signature_probe")],
)
def test_a_spoiled_notice_is_refused(town: Town, spoiled: str, code: str) -> None:
    place(town)
    body = notice(town)
    with pytest.raises(Refused) as refused:
        town.gateway().read_notice(town.bank.postman.headers(body, spoiled=spoiled), body)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("Wechatpay-Serial", "PUB_KEY_ID_OTHER", "signature_serial"),
        ("Wechatpay-Signature", "", "signature_missing"),
        ("Wechatpay-Signature", "!" * 20, "signature_wrong"),
        ("Wechatpay-Signature", "x" * 5000, "signature_missing"),
        ("Wechatpay-Timestamp", "-1", "signature_stale"),
        ("Wechatpay-Timestamp", "٣", "signature_stale"),
        ("Wechatpay-Nonce", "another", "signature_wrong"),
        ("Wechatpay-Signature-Type", "WECHATPAY2-SM2-WITH-SM3", "signature_scheme"),
    ],
)
def test_each_header_counts(town: Town, header: str, value: str, code: str) -> None:
    place(town)
    body = notice(town)
    headers = town.bank.postman.headers(body) | {header: value}
    with pytest.raises(Refused) as refused:
        town.gateway().read_notice(headers, body)
    assert refused.value.code == code


def test_a_signed_notice_of_nonsense_or_of_another_merchant_is_refused(town: Town) -> None:
    place(town)
    for body in (b"[]", b"{}", b"\xff", notice(town, mch_id="1"), notice(town, transfer_amount="188")):
        with pytest.raises(Refused):
            town.gateway().read_notice(town.bank.postman.headers(body), body)


def test_a_new_v3_key_opens_beside_the_old_one(town: Town) -> None:
    place(town)
    body = notice(town)
    both = f"{town.bank.keys.v3_key},{'n' * 32}"
    assert town.gateway(wechatpay_v3_keys=both).read_notice(town.bank.postman.headers(body), body).bill
    with pytest.raises(Refused):
        town.gateway(wechatpay_v3_keys="n" * 32).read_notice(town.bank.postman.headers(body), body)


def test_a_new_public_key_is_believed_once_it_is_in_the_settings() -> None:
    with open_bank() as town:
        before = town.gateway()
        town.bank.keys.rotate(with_certificate=False)
        place(town)
        body = notice(town)
        with pytest.raises(Refused):
            before.read_notice(town.bank.postman.headers(body), body)
        assert before.query("SC1") is not None  # the provider goes on under the key that we name
        assert town.gateway().read_notice(town.bank.postman.headers(body), body).bill


def test_certificates_are_downloaded_verified_and_follow_a_rotation() -> None:
    with open_bank() as town:
        gateway = town.gateway(certificates=True)
        assert gateway.send(gateway.compose(bill(user_name="张三"))).package
        town.bank.keys.rotate(with_certificate=True)
        with pytest.raises(PayoutError) as error:
            gateway.query("SC1")  # an unknown serial, and the last download was a moment ago
        assert error.value.code == "signature_serial"
        gateway._line.platform._fetched_at -= 61
        assert gateway.query("SC1") is not None


def test_a_forged_download_of_certificates_is_not_believed() -> None:
    with open_bank() as town:
        gateway = town.gateway(certificates=True, wechatpay_v3_keys="n" * 32)
        with pytest.raises(PayoutError):
            gateway.query("SC1")


def test_an_expired_certificate_is_not_believed(town: Town) -> None:
    pem = next(one.certificate_pem for one in town.bank.keys.platform if one.certificate_pem)
    (trusted,) = read_keys(pem)
    assert Platform([trusted]).find(trusted.serial)
    assert Platform([trusted], clock=lambda: datetime.now(UTC) + timedelta(days=9999)).find(trusted.serial) is None


@pytest.mark.parametrize("text", ["-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----", "ID\n-----BEGIN "
                                  "CERTIFICATE-----\nAA\n-----END CERTIFICATE-----"])  # fmt: skip
def test_a_key_that_cannot_be_read_is_said_without_quoting_it(text: str) -> None:
    with pytest.raises(BadKey):
        read_keys(text)
    with pytest.raises(BadKey):
        private_key(text)


# The provider's daily file.


def test_the_daily_file_tells_what_was_paid(town: Town) -> None:
    gateway = town.gateway()
    today = datetime.now(ZONE).date()
    assert gateway.flows(today) is None
    place(town)
    town.bank.book.settle("SC1", "SUCCESS")
    (flow,) = list(gateway.flows(today) or ())
    assert (flow.out_bill_no, flow.amount_fen, flow.kind) == ("SC1", 188, "商家转账")
    assert flow.balance_fen == gateway.balance().available_fen
    assert gateway.flows(today - timedelta(days=1)) is None


HEAD = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号"
)
ROW = "`2026-11-28 09:00:01,`133,`9,`商家转账,`商家转账,`支出,`1.88,`10.00,`system,`,`SC1"
BACK = "`2026-11-28 09:00:02,`133,`9,`商家转账,`商家转账,`收入,`1.88,`11.88,`system,`,`SC1"
TOTALS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"


def test_money_that_came_back_counts_against_what_went_out() -> None:
    text = "\n".join([HEAD, ROW, BACK, TOTALS, "`2.0,`1.0,`1.88,`1.0,`1.88"])
    assert [flow.amount_fen for flow in bills.flows(text)] == [188, -188]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([HEAD, ROW], "bill_cut"),
        ([HEAD, ROW, TOTALS, "`2,`0,`0.00,`2,`3.76"], "bill_totals"),
        ([HEAD, ROW, TOTALS, "`1,`0,`0.00,`1,`1.89"], "bill_totals"),
        ([HEAD, ROW.replace("1.88", "1.885"), TOTALS, "`1,`0,`0,`1,`1.88"], "bill_unreadable"),
        ([HEAD, ROW.replace("2026-11-28", "yesterday"), TOTALS, "`1,`0,`0,`1,`1.88"], "bill_unreadable"),
        (["<html>"], "bill_unreadable"),
    ],
)
def test_a_file_that_does_not_fit_together_counts_for_nothing(lines: list[str], code: str) -> None:
    with pytest.raises(PayoutError) as error:
        list(bills.flows("\n".join(lines)))
    assert error.value.code == code


def test_a_file_with_another_hash_counts_for_nothing() -> None:
    with pytest.raises(PayoutError) as error:
        bills.checked([b"x"], sha1="0" * 40)
    assert error.value.code == "bill_hash"


# Another library's opinion.


def other_client(town: Town) -> wechatpayv3.WeChatPay:
    own = town.bank.keys
    public = next(one for one in own.platform if not one.certificate_pem)
    client = wechatpayv3.WeChatPay(
        wechatpayv3.WeChatPayType.JSAPI, MCH_ID, own.merchant.private_pem, own.merchant.serial, APP_ID, own.v3_key,
        notify_url="https://q.example/pay/wechat/notify", timeout=(1, 1), public_key=public.public_pem,
        public_key_id=public.serial,
    )  # fmt: skip
    client._core._gate_way = town.url
    return client


def test_the_payment_server_satisfies_another_client(town: Town) -> None:
    client = other_client(town)
    infos = [
        {"info_type": "活动名称", "info_content": "开盖有礼"},
        {"info_type": "奖励说明", "info_content": "扫码红包"},
    ]
    status, text = client.mch_transfer_bills(
        "SC1", "1000", "openid-alice", 188, "红包", user_name="张三", transfer_scene_report_infos=infos
    )
    assert (status, json.loads(text)["state"]) == (200, "WAIT_USER_CONFIRM")
    status, text = client.mch_transfer_bills_query(out_bill_no="SC1")
    assert (status, json.loads(text)["transfer_amount"]) == (200, 188)
    body = notice(town)
    assert client.callback(town.bank.postman.headers(body), body)["resource"]["state"] == "SUCCESS"
    assert client.mch_transfer_bills_cancel("SC1")[0] == 200


def test_our_cryptography_agrees_with_another_libraries(town: Town) -> None:
    own = town.bank.keys
    merchant = Merchant(MCH_ID, own.merchant.serial, private_key(own.merchant.private_pem))
    header = merchant.authorization(method="POST", target="/v3/x?y=1", body='{"a":"红"}', timestamp=1700000000)
    parts = dict(pair.split("=", 1) for pair in header.partition(" ")[2].split(","))
    nonce, signature = parts["nonce_str"].strip('"'), parts["signature"].strip('"')
    theirs = oracle.rsa_sign(own.private(own.merchant), f'POST\n/v3/x?y=1\n1700000000\n{nonce}\n{{"a":"红"}}\n')
    assert signature == theirs
    sealed = seal(own.private(own.platform[-1]).public_key(), "张三")
    assert oracle.rsa_decrypt(sealed, own.private(own.platform[-1])) == "张三"
    made = own.seal("秘密", "mch_payment")
    given = {"nonce": made["nonce"], "ciphertext": made["ciphertext"], "associated_data": "mch_payment"}
    assert oracle.aes_decrypt(**given, apiv3_key=own.v3_key) == "秘密"
    opened = unseal([own.v3_key.encode()], nonce=made["nonce"], ciphertext=made["ciphertext"], associated="mch_payment")
    assert opened == "秘密".encode()
