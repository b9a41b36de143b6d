"""The money in the console: the queue, one payment with all that happened to it, and what may be done about it."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from scancode.claims.rules import Claimant
from scancode.db import Database
from scancode.jobs import service as jobs
from scancode.jobs.models import Job
from scancode.members import service as members
from scancode.payouts import service as payouts
from scancode.payouts.rules import PayoutState
from scancode.ports import AuthorisationSaid
from scancode.staff.models import AuditRow
from scancode.staff.rules import Role
from scancode.web.console.money_books import tax_fen
from scancode.web.runtime import Runtime
from scancode.wiring import Wired
from scancode.worker import loop
from tests.claims.shop import PREFIX, Shop, open_shop, visitor
from tests.conftest import NOW
from tests.fakes.pay import FakePay
from tests.web.console.desk import Desk, hire


@pytest.fixture(autouse=True)
def _a_day_later() -> Iterator[None]:
    """What was promised at ``NOW`` is due, and nothing of it is old."""
    with time_machine.travel(NOW + timedelta(days=1)):
        yield


@pytest.fixture
def store(wired: Wired) -> Shop:
    """One red packet that waits for its person."""
    with wired.db.transaction() as session:
        shop = open_shop(session, wired)
        shop.claim(session, Claimant(visitor().visitor_id, shop.openid(session)))
    work(wired)
    return shop


@pytest.fixture
def dave(app: Flask, db: Database, store: Shop) -> Desk:
    return Desk(app, db, hire(db, "Dave", Role.MARKETING, store.brand.id))


@pytest.fixture
def admin(app: Flask, db: Database) -> Desk:
    return Desk(app, db, hire(db, "Anna", Role.ADMIN))


def work(wired: Wired) -> None:
    """What is due, and what is asked for again, as if its time had come."""
    loop.run(wired, stop_event=threading.Event(), kinds=["payout", "reconcile"], once=True)


def state(wired: Wired, shop: Shop) -> PayoutState:
    with wired.db.reading() as session:
        return payouts.get(session, code_id=shop.code().code_id).state


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def actions(db: Database) -> list[str]:
    with db.reading() as session:
        return [name for name in session.scalars(select(AuditRow.action).order_by(AuditRow.seq)) if "pay" in name]


def test_the_queue_shows_what_waits_and_its_sum(dave: Desk, store: Shop) -> None:
    page = dave.get("/console/payouts").text
    assert "待用户收款" in page
    assert "¥1.00" in page
    assert "openid-alice" not in page
    assert "这里没有记录" in dave.get("/console/payouts?state=paid").text


def test_a_payment_is_found_by_its_number_and_by_its_code(dave: Desk, store: Shop, wired: Wired) -> None:
    with wired.db.reading() as session:
        number = payouts.get(session, code_id=store.code().code_id).out_bill_no
    for text in (number, number.lower(), store.text(), store.text().lower()):
        assert number in dave.get(f"/console/payouts?q={text}").text
    for text in ("nonsense", "SC99", store.text(7)):
        assert f"<code>{number}</code>" not in dave.get(f"/console/payouts?q={text}").text


def test_one_payment_tells_its_whole_story_masked(dave: Desk, store: Shop) -> None:
    page = dave.get(f"/console/payouts/{store.code().code_id}").text
    assert "WAIT_USER_CONFIRM" in page
    assert "openid-alice" not in page
    assert dave.get("/console/payouts/1").status_code == 404


def test_another_brands_payment_is_not_there(app: Flask, db: Database, store: Shop, wired: Wired) -> None:
    with wired.db.transaction() as session:
        other = open_shop(session, wired)
    eve = Desk(app, db, hire(db, "Eve", Role.MARKETING, other.brand.id))
    code_id = store.code().code_id
    assert eve.get(f"/console/payouts/{code_id}").status_code == 404
    assert eve.post(f"/console/payouts/{code_id}/cancel").status_code == 404
    assert "还没有付款" in eve.get("/console/payouts").text
    assert state(wired, store) == PayoutState.AWAITING_USER


def test_the_factory_has_no_business_with_money(app: Flask, db: Database, store: Shop) -> None:
    carol = Desk(app, db, hire(db, "Carol", Role.FACTORY, store.brand.id))
    assert carol.get("/console/payouts").status_code == 403
    assert carol.post(f"/console/payouts/{store.code().code_id}/cancel").status_code == 403


def test_cancelling_then_sending_again_leaves_its_trace(dave: Desk, store: Shop, wired: Wired, db: Database) -> None:
    here = f"/console/payouts/{store.code().code_id}"
    dave.post(f"{here}/cancel")
    work(wired)
    assert state(wired, store) == PayoutState.CANCELLED
    dave.post(f"{here}/reissue")
    work(wired)
    assert state(wired, store) == PayoutState.AWAITING_USER
    assert "全部付款记录" in dave.get(here).text
    assert actions(db) == ["payout.cancel", "payout.reissue"]


def test_what_cannot_be_done_is_said_and_not_recorded(dave: Desk, store: Shop, db: Database) -> None:
    dave.post(f"/console/payouts/{store.code().code_id}/reissue")
    assert "不能重发" in dave.said()
    assert actions(db) == []
    assert dave.post(f"/console/payouts/{store.code().code_id}/give").status_code == 404


def test_the_operator_stops_payouts_with_a_reason(admin: Desk, store: Shop, db: Database) -> None:
    admin.post("/console/payouts/stops/payouts/stop", {"reason": " "})
    assert "请填写停止原因" in admin.said()
    admin.post("/console/payouts/stops/payouts/stop", {"reason": "余额核对"})
    with db.reading() as session:
        assert jobs.is_stopped(session, "payouts") == "余额核对"
    assert "余额核对" in admin.get("/console/payouts").text


def test_nobody_of_a_brand_stops_everybody(dave: Desk, db: Database) -> None:
    assert dave.post("/console/payouts/stops/payouts/stop", {"reason": "x"}).status_code == 403
    assert dave.post("/console/payouts/compare").status_code == 403
    with db.reading() as session:
        assert jobs.is_stopped(session, "payouts") is None


def test_the_books_are_compared_by_the_worker(admin: Desk, store: Shop, wired: Wired, db: Database) -> None:
    assert "尚未对过账" in admin.get("/console/payouts").text
    admin.post("/console/payouts/compare", {"since": "2026-01-01"})
    work(wired)
    page = words(admin.get("/console/payouts").text)
    assert "无差异" in page
    assert actions(db) == ["payouts.reconcile"]


def test_a_day_to_compare_from_is_the_providers_and_not_long_ago(admin: Desk, store: Shop, db: Database) -> None:
    """Its daily files are of days in Shanghai; a day of long ago would have thousands of them fetched."""
    for since in ("0001-01-01", "1999-01-01"):
        assert admin.post("/console/payouts/compare", {"since": since}).status_code == 302
        assert "400" in admin.said()
    admin.post("/console/payouts/compare", {"since": "9999-12-31"})
    admin.post("/console/payouts/compare", {"since": "2026-11-20"})
    with db.reading() as session:
        asked = [
            json.loads(job.payload)["since"] for job in session.scalars(select(Job).where(Job.kind == "reconcile"))
        ]
    assert "2026-11-20T00:00:00+08:00" in asked
    assert not any(since.startswith(("0001", "1999", "9999")) for since in asked)


@pytest.mark.parametrize("days", [("0001-01-01", "2026-11-20"), ("2026-11-01", "9999-12-31")])
def test_days_that_no_calendar_of_ours_has_are_no_fault(admin: Desk, store: Shop, days: tuple[str, str]) -> None:
    assert admin.post("/console/payouts/tax", {"first": days[0], "last": days[1]}).status_code in {200, 302}


def test_a_list_longer_than_a_page_is_turned(dave: Desk, store: Shop, wired: Wired) -> None:
    with wired.db.transaction() as session:
        for serial in range(1, 60):
            store.claim(session, Claimant(visitor().visitor_id, store.openid(session, f"o{serial}")), serial)
    first = dave.get("/console/payouts").text
    found = re.search(r'rel="next" href="([^"]+)"', first)
    assert found is not None
    second = dave.get(found[1].replace("&amp;", "&")).text
    numbers = [set(re.findall(r"<code>(SC\w+)</code>", page)) for page in (first, second)]
    assert [len(part) for part in numbers] == [50, 10]
    assert not numbers[0] & numbers[1]


@pytest.mark.parametrize(
    "query", ["after=x", "after=2026-01-01~1", "campaign=1", "state=nothing", "q=%00", "q=" + "9" * 300]
)
def test_a_made_up_filter_breaks_nothing(dave: Desk, query: str) -> None:
    assert dave.get(f"/console/payouts?{query}").status_code < 500


def test_the_books_page_says_what_differs_and_what_to_do(admin: Desk, store: Shop, wired: Wired) -> None:
    pay = wired.ports.payout
    assert isinstance(pay, FakePay)
    pay.tamper(amount_fen=77)
    admin.post("/console/payouts/compare", {"since": "2026-01-01"})
    work(wired)
    page = words(admin.get("/console/payouts/books").text)
    assert "双方都有，但不一致" in page
    assert "¥0.77" in page
    assert "重新查询" in page


def test_the_tax_file_holds_every_payment_and_nobody(admin: Desk, store: Shop, wired: Wired, db: Database) -> None:
    with wired.db.reading() as session:
        payout = payouts.get(session, code_id=store.code().code_id)
    assert wired.ports.person is not None
    wired.ports.person.confirm(payout.package or "")
    with wired.db.transaction() as session:
        payouts.retry(session, code_id=payout.code_id, now=Runtime.now())
    work(wired)
    days = {"first": "2026-01-01", "last": "2099-12-31"}
    answer = admin.post("/console/payouts/tax", days)
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [rows[1][2], *rows[1][6:]] == [payout.out_bill_no, "1.00", "0.20", "0.25"]
    assert rows[2][:1] + rows[2][6:] == ["合计", "1.00", "0.20", "0.25"]
    assert "openid" not in answer.text
    assert "payouts.tax_export" in actions(db)
    assert admin.post("/console/payouts/tax", {"first": "x", "last": ""}).status_code == 302


def test_nobody_of_a_brand_sees_everybodys_books(dave: Desk) -> None:
    assert dave.get("/console/payouts/books").status_code == 403
    assert dave.post("/console/payouts/tax", {"first": "2026-01-01", "last": "2026-12-31"}).status_code == 403


@pytest.mark.parametrize(("amount", "tax", "borne"), [(100, 20, 25), (188, 38, 47), (10, 2, 3), (20_000, 4000, 5000)])
def test_the_tax_is_rounded_half_up(amount: int, tax: int, borne: int) -> None:
    assert (tax_fen(amount), tax_fen(amount, is_borne=True)) == (tax, borne)


def agree(wired: Wired, store: Shop, openid: str, *news: AuthorisationSaid) -> tuple[UUID, str]:
    """Somebody is asked, and this is said of it; their openid's id and the number."""
    with wired.db.transaction() as session:
        identity_id = store.openid(session, openid)
        facts = payouts.ask_authorisation(
            session, brand_id=store.brand.id, identity_id=identity_id, prefix=PREFIX, now=a_day_later()
        )
        for said in news:
            said = replace(said, number=facts.number)
            payouts.apply_authorisation(
                session, said=said, number=facts.number, sealer=wired.sealer, now=a_day_later(), is_turn=True
            )
        return identity_id, facts.number


def a_day_later() -> datetime:
    return NOW + timedelta(days=1)


GRANTED = AuthorisationSaid("", "TAKING_EFFECT", None, provider_id="A1")
REFUSED = AuthorisationSaid("", "CLOSED", None, reason="NO_AUTH")


def test_staff_see_who_is_paid_without_confirming_and_what_to_do(
    dave: Desk, store: Shop, wired: Wired, app: Flask, db: Database
) -> None:
    assert "免确认收款" not in dave.get("/console/payouts").text  # not offered, and nobody agreed
    with wired.db.transaction() as session:
        _, member_id = store.member(session)
    identity_id, number = agree(wired, store, "openid-alice", GRANTED)
    agree(wired, store, "openid-bob")
    agree(wired, store, "openid-carl", REFUSED)
    agree(wired, store, "openid-eve", GRANTED, replace(GRANTED, state="CLOSED", reason="USER_CLOSE"))
    with wired.db.transaction() as session:
        members.claim_identity(session, identity_id=identity_id, member_id=member_id)
        found = payouts.authorisation_totals(session, brand_id=store.brand.id, since=NOW)
        other = open_shop(session, wired)
        assert payouts.authorisation_totals(session, brand_id=other.brand.id, since=NOW).is_nothing
    assert (found.granted, found.asked, found.ending, found.doubted) == (1, 1, 0, 0)
    assert found.ended == (("NO_AUTH", 1), ("USER_CLOSE", 1))
    page = dave.get("/console/payouts").text
    assert "该商户号无此权限" in page
    assert "SCANCODE_WECHATPAY_NO_CONFIRM" in page
    assert "该功能已关闭" in page
    english = words(dave.get("/console/payouts", headers={"Accept-Language": "en"}).text)
    assert "ended by its person in WeChat 1" in english
    shown = dave.get(f"/console/members/{member_id}").text
    assert "免确认收款" in shown
    assert "已同意" in shown
    assert "已同意" in dave.get(f"/console/payouts/{store.code().code_id}").text
    eve = Desk(app, db, hire(db, "Eve", Role.MARKETING, other.brand.id))
    assert "该商户号无此权限" not in eve.get("/console/payouts").text
    with wired.db.transaction() as session:
        payouts.end_authorisation(session, number=number, identity_ids=[identity_id], now=a_day_later())
    assert "解除中" in dave.get(f"/console/members/{member_id}").text
