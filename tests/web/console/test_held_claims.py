"""The queue of held rewards: who decides, what the owner reads, and that another brand sees none of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from scancode.campaigns.conditions import Conditions
from scancode.catalog import revision
from scancode.claims import service as claims
from scancode.claims.models import HeldClaim
from scancode.claims.risk import RiskFacts, score
from scancode.claims.rules import Claimant
from scancode.claims.service.holding import hold
from scancode.claims.service.limits import Counted
from scancode.codes import service as codes
from scancode.codes.rules import Void, VoidReason
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests import factories
from tests.claims.shop import Shop, mark, open_shop
from tests.web.console.test_campaigns import page, post


@pytest.fixture
def shop(wired: Wired) -> Shop:
    """Alice has claimed three codes; the second and third are held."""
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        terms = {"conditions": Conditions(hold_day=2), "ends_at": now + timedelta(days=9)}
        shop = open_shop(session, wired, campaign=terms)
        alice = Claimant(None, shop.openid(session))
        for serial in range(3):
            shop.claim(session, alice, serial, now=now)
        revision.bump(session)
    return shop


def staff_of(app: Flask, shop: Shop, **over: object) -> FlaskClient:
    with shop.wired.db.transaction() as session:
        person = factories.add_staff(session, **({"role": Role.MARKETING, "brand_id": shop.brand.id} | over))
    client = app.test_client()
    factories.sign_in(client, shop.wired.db, person.id)
    return client


def test_staff_release_one_and_refuse_the_other(app: Flask, shop: Shop) -> None:
    dave = staff_of(app, shop)
    here = "/console/claims/held"
    shown = page(dave, here)
    assert "待审奖励 2" in page(dave, "/console/")
    assert f"{shop.batch.number}:1" in shown
    assert "¥1.00" in shown
    first, second = (shop.code(serial).code_id for serial in (1, 2))
    post(dave, f"{here}/{first}/release", here)
    assert "已放行" in page(dave, here)
    post(dave, f"{here}/{second}/refuse", here, reason=" ")
    assert "请用不超过 200 字说明原因" in page(dave, here)
    post(dave, f"{here}/{second}/refuse", here, reason="one <b>shop</b>")
    post(dave, f"{here}/{second}/release")
    shown = page(dave, here)
    assert "没有待审奖励" in shown
    assert "已不在待处理状态" in shown


def test_another_brand_and_the_factory_see_and_decide_nothing(app: Flask, shop: Shop) -> None:
    with shop.wired.db.transaction() as session:
        other = factories.make_brand(session)
    erin = staff_of(app, shop, brand_id=other.id)
    here, code_id = "/console/claims/held", shop.code(1).code_id
    assert "没有待审奖励" in page(erin, here)
    for verb in ("release", "refuse"):
        assert post(erin, f"{here}/{code_id}/{verb}", reason="x").status_code == 404
    assert post(erin, f"{here}/7/release").status_code == 404
    page(staff_of(app, shop, role=Role.FACTORY), here, 403)


def test_its_owner_reads_that_it_is_looked_at_and_then_why_not(app: Flask, shop: Shop) -> None:
    phone = app.test_client()
    code, code_id = shop.text(5), shop.code(5).code_id
    form = re.search(r'name="token" value="([^"]+)"', phone.get(f"/{code}").get_data(as_text=True))
    assert form is not None
    assert phone.post(f"/{code}/claim", data={"token": form[1]}).status_code == 303
    with shop.wired.db.transaction() as session:
        claim = claims.find_facts(session, code_id=code_id)
        assert claim is not None
        now = datetime.now(UTC)
        hold(session, claim, limits=Conditions(hold_days=5), counted=Counted(today=9), now=now)
    shown = page(phone, f"/me/rewards/{code_id}")
    assert "先由工作人员审核" in shown
    assert shop.brand.moment(now + timedelta(days=5), "zh") in shown
    assert "当天" not in shown  # why, is for staff
    with shop.wired.db.transaction() as session:
        claims.refuse_held(
            session, code_id=code_id, reason="<i>reseller", staff_id=shop.brand.id, actor="erin", now=datetime.now(UTC)
        )
    body = phone.get(f"/me/rewards/{code_id}").get_data(as_text=True)
    assert "审核后未予发放：&lt;i&gt;reseller" in body
    assert f"/{code}/report" in body
    stranger = app.test_client()
    assert stranger.get(f"/me/rewards/{code_id}").status_code == 404


def test_one_page_says_why_and_what_was_done(app: Flask, shop: Shop) -> None:
    dave, erin = staff_of(app, shop, name="Dave"), staff_of(app, shop)
    code_id = shop.code(1).code_id
    here = f"/console/claims/held/{code_id}"
    assert "此人当天的第 2 个码" in page(dave, here)
    answer = post(dave, f"{here}/refuse", here, reason="a shop", note="seen <b>twice", there="claim")
    assert answer.location.endswith(here)
    shown = page(dave, here)
    assert "seen &lt;b&gt;twice" in shown
    assert "Dave" in shown
    post(dave, f"{here}/again", here, note=" ", there="claim")
    assert "请用不超过 200 字说明原因" in page(dave, here)
    post(dave, f"{here}/again", here, note="a letter", there="claim")
    post(dave, f"{here}/refuse", here, reason="still", there="claim")
    assert "复核须由其他人决定" in page(dave, here)
    post(erin, f"{here}/release", here, there="claim")
    assert "已放行" in page(erin, here)
    for path in (f"/console/claims/held/{shop.code(0).code_id}", "/console/claims/held/7"):
        page(dave, path, 404)


def test_many_are_decided_at_once(app: Flask, shop: Shop) -> None:
    dave, here = staff_of(app, shop), "/console/claims/held"
    ids = [str(shop.code(serial).code_id) for serial in (1, 2)]
    post(dave, f"{here}/refuse", here, code=ids)
    assert "请用不超过 200 字说明原因" in page(dave, here)
    post(dave, f"{here}/release", here)
    assert "请先勾选奖励" in page(dave, here)
    post(dave, f"{here}/release", here, code=[*ids, "7", "x"])
    assert "已放行并发放 2 份" in page(dave, here)
    assert f"{shop.batch.number}:2" in page(dave, f"{here}?state=released")


def test_the_file_holds_all_of_the_brand_and_nobody(app: Flask, shop: Shop) -> None:
    dave, here = staff_of(app, shop), "/console/claims/held"
    post(dave, f"{here}/{shop.code(2).code_id}/refuse", here, reason="=1+1")
    text = post(dave, "/console/claims/held.csv").get_data(as_text=True)
    lines = text.strip().splitlines()
    assert len(lines) == 3
    assert "'=1+1" in text
    assert "alice" not in text


def test_points_against_a_claim_are_listed_with_their_facts(app: Flask, shop: Shop) -> None:
    dave = staff_of(app, shop)
    with shop.wired.db.transaction() as session:
        found = score(RiskFacts(today=34, run=13, known_minutes=0))
        claim = claims.find_facts(session, code_id=shop.code(1).code_id)
        assert claim is not None
        hold(session, claim, limits=Conditions(), counted=Counted(), now=datetime.now(UTC), found=found)
    for shown in (page(dave, "/console/claims/held"), page(dave, f"/console/claims/held/{shop.code(1).code_id}")):
        for words in ("24 小时内领取了 34 个码", "13 个码的序号相邻", "0 分钟前才首次出现", "70"):
            assert words in shown


@pytest.mark.parametrize(("what", "told"), [("void", "Its code is void"), ("suspect", "Its code looks copied")])
def test_a_code_that_is_not_in_order_is_said_to_keep_it_waiting(app: Flask, shop: Shop, what: str, told: str) -> None:
    dave, code_id = staff_of(app, shop), shop.code(1).code_id
    here = f"/console/claims/held/{code_id}"
    assert "not before its code is in order" not in page(dave, here, language="en")
    with shop.wired.db.transaction() as session:
        if what == "suspect":
            mark(session, shop, code_id)
        else:
            where = {"batch_number": shop.batch.number, "ranges": [(1, 1)], "actor": "carol", "now": datetime.now(UTC)}
            codes.change(session, what=Void(VoidReason.STOLEN), **where)  # type: ignore[arg-type]
        session.execute(update(HeldClaim).values(due_at=datetime.now(UTC) - timedelta(days=1)))
    shown = page(dave, here, language="en")
    assert told in shown
    assert "not before its code is in order" in shown
    assert f"{here}/release" not in dave.get(here).text
    assert page(dave, "/console/claims/held").count("等待码恢复正常") == 1, "of the two that wait"
    post(dave, f"{here}/release")
    assert "在此之前不发放，您可以拒绝" in page(dave, here)
