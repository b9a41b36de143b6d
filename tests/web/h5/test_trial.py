"""A colleague opens a tester's link, becomes one, and tries a draft on a real code."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from scancode.campaigns import service as campaigns
from scancode.campaigns.planning import PrizeLine, RangeLine
from scancode.claims.models import Claim, TrialClaim
from scancode.scans import service as scans
from scancode.scans.models import Scan
from scancode.web import preview
from scancode.web.runtime import Runtime
from scancode.wiring import Wired
from tests.factories import add_staff, make_campaign
from tests.web.h5.phone import Phone, Shop


@pytest.fixture
def link(shop: Shop, wired: Wired) -> str:
    now = Runtime.now()
    with wired.db.transaction() as session:
        person = add_staff(session, brand_id=shop.brand_id)
        window = {"starts_at": now + timedelta(days=2), "ends_at": now + timedelta(days=9)}
        campaign = make_campaign(session, brand_id=shop.brand_id, name_en="Spring", **window)
        campaigns.add_tranche(
            session,
            campaign_id=campaign.id,
            ranges=[RangeLine(shop.batch_number, 0, 9)],
            prizes=[PrizeLine("red_packet", 188, 10, "春节红包", "Spring packet")],
            actor="dave",
            now=now,
        )
        token = preview.sign_trial(wired.settings, campaign.id, person.id)
    return f"/trial/{token}"


def rows(wired: Wired, table: type) -> int:
    with wired.db.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_colleague_becomes_a_tester_and_tries_a_real_code(shop: Shop, wired: Wired, link: str) -> None:
    phone = shop.phone()
    assert "First show us who you are" in phone.read(link)
    phone.join()
    assert "Become a tester" in phone.read(link)
    assert "tester" not in phone.read(f"/{shop.code(0)}"), "looking at the link makes nobody one"
    assert phone.send(link).status_code == 303
    assert "You are a tester" in phone.read(link)
    shop.app.extensions["scancode"].watch.look()
    page = f"/{shop.code(0)}"
    shown = phone.read(page)
    assert "You try this campaign as a tester" in shown
    assert "Spring" in shown
    answer = phone.send(f"{page}/claim", page=page)
    assert answer.status_code == 303
    reward = phone.read(answer.headers["Location"])
    assert "This is a trial" in reward
    assert "Spring packet" in reward
    assert "1.88" in phone.read(page)
    assert (rows(wired, Claim), rows(wired, TrialClaim)) == (0, 1)
    with wired.db.reading() as session:
        campaign_id = session.scalar(select(TrialClaim.campaign_id))
        tests = session.scalars(select(Scan.is_test).order_by(Scan.id)).all()
    assert tests[-1] is True, "a tester's scan counts in no report"
    assert "Spring" in phone.read(f"/campaigns/{campaign_id}/rules")
    other = shop.phone()
    assert other.get(f"/campaigns/{campaign_id}/rules").status_code == 404
    assert other.get(answer.headers["Location"]).status_code == 404, "what it showed is the tester's alone"
    assert "tester" not in other.read(f"/{shop.code(1)}")
    assert other.send(f"{page}/claim", page=f"/{shop.code(2)}").headers["Location"].startswith("/me/rewards/")
    assert rows(wired, Claim) == 1


def become_a_tester(shop: Shop, link: str) -> Phone:
    phone = shop.phone()
    phone.join()
    phone.send(link)
    shop.app.extensions["scancode"].watch.look()
    return phone


def test_a_tester_who_is_held_off_tries_nothing(shop: Shop, wired: Wired, link: str) -> None:
    phone, page = become_a_tester(shop, link), f"/{shop.code(0)}"
    form = {"token": phone.token(page)}
    now = Runtime.now()
    with wired.db.transaction() as session:
        visitor_id = session.scalars(select(Scan.visitor_id)).first()
        block_id = scans.block(session, value=str(visitor_id), reason="storm", days=1, actor="olga", now=now)
    shop.app.extensions["scancode"].watch.look()
    assert (phone.client.post(f"{page}/claim", data=form).status_code, rows(wired, TrialClaim)) == (403, 0)
    with wired.db.transaction() as session:
        scans.lift(session, block_id=block_id, actor="olga", now=now)
    shop.app.extensions["scancode"].watch.look()
    assert (phone.client.post(f"{page}/claim", data=form).status_code, rows(wired, TrialClaim)) == (303, 1)


def test_one_more_turn_says_that_a_trial_shows_the_first_turn_only(shop: Shop, wired: Wired, link: str) -> None:
    phone, page = become_a_tester(shop, link), f"/{shop.code(0)}"
    tried = phone.send(f"{page}/claim", page=page).headers["Location"]
    assert "first turn" not in phone.read(tried)
    with wired.db.transaction() as session:
        session.execute(update(TrialClaim).values(prize_kind="again", amount=0))
    shown = phone.read(tried)
    assert "One more turn!" in shown
    assert "A trial shows the first turn only" in shown
    assert "Congratulations" not in shown


def test_a_forged_or_old_link_makes_nobody_a_tester(shop: Shop, link: str) -> None:
    phone = shop.phone()
    phone.join()
    assert phone.get(f"{link}x").status_code == 404
    assert phone.get("/trial/nonsense").status_code == 404
