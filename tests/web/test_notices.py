"""Where the payment provider calls us back: believed only when signed, and applied once."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from scancode.claims.rules import Claimant
from scancode.payouts import service as payouts
from scancode.payouts.models import PayoutNotice
from scancode.payouts.rules import PayoutState
from scancode.wiring import Wired
from scancode.worker import loop
from tests.bank import Town
from tests.claims.shop import Shop, open_shop, visitor
from tests.kept import web_app

S = PayoutState
PATH = "/pay/wechat/notify"


@pytest.fixture
def paying(wired: Wired, town: Town) -> Wired:
    return replace(wired, ports=replace(wired.ports, payout=town.gateway()))


@pytest.fixture
def app(paying: Wired) -> Flask:
    return web_app(paying)


@pytest.fixture
def shop(paying: Wired) -> Shop:
    """One red packet that waits for its person."""
    with paying.db.transaction() as session:
        shop = open_shop(session, paying)
        shop.claim(session, Claimant(visitor().visitor_id, shop.openid(session)))
    work(paying)
    return shop


def work(wired: Wired) -> None:
    loop.run(wired, stop_event=threading.Event(), kinds=["payout"], once=True)


def state(wired: Wired, shop: Shop) -> PayoutState:
    with wired.db.reading() as session:
        return payouts.get(session, code_id=shop.code().code_id).state


def notice(town: Town, said: str, **changes: object) -> bytes:
    (row,) = town.bank.book.bills()
    return town.bank.postman.content("n1", row, said, **changes)


def post(client: FlaskClient, town: Town, body: bytes, *, spoiled: str = "", path: str = PATH) -> int:
    headers = town.bank.postman.headers(body, spoiled=spoiled)
    return client.post(path, data=body, headers=headers).status_code


def test_a_payment_arrives_at_once_and_only_once(client: FlaskClient, town: Town, paying: Wired, shop: Shop) -> None:
    assert state(paying, shop) == S.AWAITING_USER
    body = notice(town, "SUCCESS")
    assert [post(client, town, body) for _ in range(3)] == [200, 200, 200]
    assert state(paying, shop) == S.PAID
    with paying.db.reading() as session:
        states = [event.state for event in payouts.events(session, code_id=shop.code().code_id)]
        assert states.count(S.PAID) == 1
        assert session.scalar(select(func.count()).select_from(PayoutNotice)) == 1


def test_what_is_not_believed_changes_nothing(client: FlaskClient, town: Town, paying: Wired, shop: Shop) -> None:
    body = notice(town, "SUCCESS")
    for spoiled in ("forged", "stale", "probe"):
        assert post(client, town, body, spoiled=spoiled) == 401
    assert client.post(PATH, data=body).status_code == 401
    assert client.post(PATH, data=b"x" * 70_000).status_code in {401, 413}
    assert post(client, town, body, path=f"{PATH}?a=1") == 404
    assert client.get(PATH).status_code == 405
    assert state(paying, shop) == S.AWAITING_USER


def test_an_end_without_money_is_news_until_a_query_says_so(
    client: FlaskClient, town: Town, paying: Wired, shop: Shop
) -> None:
    assert post(client, town, notice(town, "FAIL", fail_reason="OVERDUE_CLOSE")) == 200
    assert state(paying, shop) == S.AWAITING_USER
    town.bank.book.settle(town.bank.book.bills()[0].out_bill_no, "FAIL", "OVERDUE_CLOSE")
    work(paying)  # it was asked for at once
    assert state(paying, shop) == S.EXPIRED


@pytest.mark.parametrize("changes", [{"transfer_amount": 99}, {"openid": "openid-mallory"}])
def test_a_signed_notice_that_differs_is_quarantined(
    client: FlaskClient, town: Town, paying: Wired, shop: Shop, changes: dict[str, object]
) -> None:
    assert post(client, town, notice(town, "SUCCESS", **changes)) == 200
    assert state(paying, shop) == S.QUARANTINED


def test_a_late_notice_of_an_earlier_end_does_not_undo_a_payment(
    client: FlaskClient, town: Town, paying: Wired, shop: Shop
) -> None:
    assert post(client, town, notice(town, "SUCCESS")) == 200
    (row,) = town.bank.book.bills()
    assert post(client, town, town.bank.postman.content("n2", row, "CANCELLED")) == 200
    assert state(paying, shop) == S.PAID


def test_a_bill_that_we_do_not_know_is_to_come_again(
    client: FlaskClient, town: Town, paying: Wired, shop: Shop
) -> None:
    for number in ("SC0000000000101", "PAYROLL1"):
        assert post(client, town, notice(town, "SUCCESS", out_bill_no=number)) == 404


def test_a_database_that_is_busy_is_answered_in_time(
    client: FlaskClient, town: Town, paying: Wired, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scancode.web.notices.WITHIN_S", 0.2)
    body = notice(town, "SUCCESS")
    answers: list[int] = []
    with paying.db.transaction() as session:
        code_id = shop.code().code_id
        session.connection().exec_driver_sql(f"UPDATE payouts SET amount_fen = amount_fen WHERE code_id = {code_id}")
        caller = threading.Thread(target=lambda: answers.append(post(client, town, body)))
        caller.start()
        caller.join(timeout=30)
    assert answers == [503]
    assert post(client, town, body) == 200


def test_the_logs_hold_nothing_personal(client: FlaskClient, town: Town, paying: Wired, shop: Shop) -> None:
    with structlog.testing.capture_logs() as said_by:
        post(client, town, notice(town, "SUCCESS"), spoiled="forged")
        post(client, town, notice(town, "SUCCESS", openid="openid-mallory"))
    said = str(said_by)
    assert "notice_taken" in said
    assert "notice_refused" in said
    assert "openid-" not in said
    assert "Authorization" not in said
