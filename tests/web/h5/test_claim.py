"""``POST /CODE/claim`` and the pages of a reward, as browsers, strangers and forgers meet them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from batches.codes import Kind
from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Boost, Conditions, to_text
from scancode.campaigns.models import Campaign
from scancode.campaigns.planning import PrizeLine
from scancode.campaigns.rules import draw
from scancode.catalog import revision
from scancode.channels import service as channels
from scancode.claims.models import Claim
from scancode.codes import service as codes
from scancode.codes.rules import Void, VoidReason
from scancode.jobs import service as jobs
from scancode.payouts import service as payouts
from scancode.payouts.models import Payout
from scancode.web.h5 import me, wallet
from scancode.web.runtime import Runtime
from scancode.wiring import Wired
from scancode.worker import loop
from tests.claims.shop import Shop, open_shop, points
from tests.factories import make_channel, make_store

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def store(wired: Wired) -> Shop:
    """A shop whose campaign runs by the real clock, which the pages use."""
    now = Runtime.now()
    with wired.db.transaction() as session:
        shop = open_shop(session, wired)
        window = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=30)}
        session.execute(update(Campaign).values(**window))
        revision.bump(session)
    return shop


def words(body: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body.decode()))


def token(client: FlaskClient, shop: Shop, serial: int = 0) -> str:
    page = client.get(f"/{shop.text(serial)}").data.decode()
    found = re.search(r'name="(?:token|csrf_token)" value="([^"]+)"', page)
    if found is None:
        found = re.search(r'name="(?:token|csrf_token)" value="([^"]+)"', client.get("/join").data.decode())
    assert found is not None
    return found.group(1)


def post(client: FlaskClient, shop: Shop, path: str, *, serial: int = 0, **over: object):  # type: ignore[no-untyped-def]
    form = {"token": token(client, shop, serial)}
    return client.post(path, data=form, **over)  # type: ignore[arg-type]


def count(wired: Wired, table: type) -> int:
    with wired.db.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def sign_in(client: FlaskClient, shop: Shop, identity_id: object) -> None:
    with client.session_transaction() as cookie:
        cookie["people"] = {shop.brand.id.hex: [identity_id.hex, "", ""]}  # type: ignore[attr-defined]


def test_a_stranger_wins_and_is_told_how_to_keep_it(client: FlaskClient, store: Shop, wired: Wired) -> None:
    answer = post(client, store, f"/{store.text()}/claim")
    assert answer.status_code == 303
    page = client.get(answer.location)
    assert "1.00" in words(page.data)
    assert "还差一步" in words(page.data)
    assert count(wired, Claim) == 1
    assert count(wired, Payout) == 0
    assert client.get("/me/rewards").status_code == 200


@pytest.mark.parametrize("form", ["lower", "spaced", "gs1"])
def test_a_code_in_any_form_is_claimed(client: FlaskClient, store: Shop, wired: Wired, form: str) -> None:
    text = store.text()
    path = {
        "lower": text.lower(),
        "spaced": f"{text[:5]} {text[5:]}",
        "gs1": f"01/06901234567892/21/{text}",
    }[form]
    assert post(client, store, f"/{path}/claim").status_code == 303
    assert count(wired, Claim) == 1


def test_the_whole_way_of_a_red_packet(client: FlaskClient, store: Shop, wired: Wired) -> None:
    import threading

    with wired.db.transaction() as session:
        alice = store.openid(session)
    client.get(f"/{store.text()}")
    sign_in(client, store, alice)
    there = post(client, store, f"/{store.text()}/claim").location
    assert "正在发放" in words(client.get(there).data)
    loop.run(wired, stop_event=threading.Event(), kinds=["payout"], once=True)
    page = client.get(there).data.decode()
    assert "领取 ¥1.00" in words(page.encode())
    assert "/sandbox/pay?" in page
    assert "24 小时" in page
    with wired.db.reading() as session:
        payout = payouts.get(session, code_id=store.code().code_id)
    assert payout.package
    assert wired.ports.person is not None
    wired.ports.person.confirm(payout.package)
    back = client.get(there + "&back=1").data.decode()
    assert "正在向微信确认是否到账" in back
    assert "/state?back=1" in back
    by_number = client.get(f"/me/rewards/{payout.out_bill_no}/state")
    assert by_number.status_code == 200
    with wired.db.transaction() as session:
        jobs.requeue(session, key=payouts.job_key(payout.code_id, 1), run_at=Runtime.now(), now=Runtime.now())
    loop.run(wired, stop_event=threading.Event(), kinds=["payout"], once=True)
    state = client.get(f"/me/rewards/{payout.code_id}/state?back=1").data.decode()
    assert "已到账" in state
    assert "正在向微信确认是否到账" not in state
    assert "data-poll=" not in state


def test_looking_never_claims(client: FlaskClient, store: Shop, wired: Wired) -> None:
    assert client.get(f"/{store.text()}/claim").status_code in {404, 405}
    assert client.head(f"/{store.text()}/claim").status_code in {404, 405}
    assert count(wired, Claim) == 0


def test_a_post_from_elsewhere_claims_nothing(client: FlaskClient, store: Shop, wired: Wired) -> None:
    client.get(f"/{store.text()}")
    assert client.post(f"/{store.text()}/claim", data={"token": "made-up"}).status_code == 400
    assert client.post(f"/{store.text()}/claim").status_code == 400
    assert count(wired, Claim) == 0


@pytest.mark.parametrize(("language", "said"), [("zh", "只能领取一次"), ("en", "rewards only once")])
def test_the_next_person_hears_when_and_not_by_whom(app: Flask, store: Shop, language: str, said: str) -> None:
    post(app.test_client(), store, f"/{store.text()}/claim")
    other = app.test_client()
    answer = post(other, store, f"/{store.text()}/claim", headers={"Accept-Language": language})
    assert answer.status_code == 409
    assert said in words(answer.data)
    assert other.get(f"/me/rewards/{store.code().code_id}").status_code == 404


@pytest.mark.parametrize("text", ["FORGED", "0" * 20, "Z" * 20, "%00", "a" * 3000, "../../etc/passwd", "<script>"])
def test_what_is_no_code_of_ours_is_explained(client: FlaskClient, store: Shop, wired: Wired, text: str) -> None:
    answer = post(client, store, f"/{text}/claim", headers=ENGLISH)
    assert 400 <= answer.status_code < 500
    assert count(wired, Claim) == 0


def test_a_changed_character_is_refused(client: FlaskClient, store: Shop, wired: Wired) -> None:
    text = store.text()
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert post(client, store, f"/{wrong}/claim").status_code == 404
    assert count(wired, Claim) == 0


def test_an_outer_code_points_inside(client: FlaskClient, store: Shop) -> None:
    answer = post(client, store, f"/{store.text(0, Kind.OUTER)}/claim", headers=ENGLISH)
    assert answer.status_code == 409
    assert "inside the package" in words(answer.data)


def test_a_void_of_this_moment_is_heeded(client: FlaskClient, store: Shop, wired: Wired) -> None:
    form = {"token": token(client, store)}
    with wired.db.transaction() as session:
        codes.change(
            session,
            batch_number=store.batch.number,
            ranges=[(0, 0)],
            what=Void(VoidReason.STOLEN),
            actor="carol",
            now=Runtime.now(),
        )
    answer = client.post(f"/{store.text()}/claim", data=form, headers=ENGLISH)
    assert answer.status_code == 409
    assert "voided" in words(answer.data)


def test_claims_that_are_stopped_say_come_back(client: FlaskClient, store: Shop, wired: Wired) -> None:
    with wired.db.transaction() as session:
        jobs.stop(session, name="claims", reason="restored", now=Runtime.now())
    answer = post(client, store, f"/{store.text()}/claim", headers=ENGLISH)
    assert answer.status_code == 503
    assert "try again later" in words(answer.data)


def test_a_huge_body_is_refused_before_it_is_read(client: FlaskClient, store: Shop, wired: Wired) -> None:
    form = {"token": token(client, store), "amount_fen": "9" * 10_000_000}
    assert client.post(f"/{store.text()}/claim", data=form).status_code == 413
    assert count(wired, Claim) == 0


def test_nothing_in_the_form_changes_the_prize(client: FlaskClient, store: Shop, wired: Wired) -> None:
    form = {"token": token(client, store), "amount_fen": "20000", "prize_kind": "points", "code_id": "1"}
    client.post(f"/{store.text()}/claim", data=form)
    with wired.db.reading() as session:
        assert session.scalars(select(Claim.amount)).all() == [100]


@pytest.mark.parametrize(
    "reference", ["0", "999999999999999999999999999", "SC0000000000101", "abc", "1" * 16, "%F0%9F%8E%81"]
)
def test_a_reward_that_is_not_theirs_is_not_there(client: FlaskClient, store: Shop, reference: str) -> None:
    assert client.get(f"/me/rewards/{reference}").status_code == 404


def test_expired_money_is_sent_again_at_its_owners_wish(client: FlaskClient, store: Shop, wired: Wired) -> None:
    import threading

    with wired.db.transaction() as session:
        alice = store.openid(session)
    client.get(f"/{store.text()}")
    sign_in(client, store, alice)
    there = post(client, store, f"/{store.text()}/claim").location.partition("?")[0]
    loop.run(wired, stop_event=threading.Event(), kinds=["payout"], once=True)
    with wired.db.reading() as session:
        payout = payouts.get(session, code_id=store.code().code_id)
    wired.ports.payout.decline(payout.package)  # type: ignore[union-attr]
    with wired.db.transaction() as session:
        jobs.requeue(session, key=payouts.job_key(payout.code_id, 1), run_at=Runtime.now(), now=Runtime.now())
    loop.run(wired, stop_event=threading.Event(), kinds=["payout"], once=True)
    assert "重新发放" in words(client.get(there).data)
    form = {"token": token(client, store, 1)}
    client.post(f"{there}/again", data=form)
    client.post(f"{there}/again", data=form)
    with wired.db.reading() as session:
        assert payouts.get(session, code_id=store.code().code_id).attempt == 2


def test_points_of_a_guest_are_kept_for_joining(client: FlaskClient, wired: Wired) -> None:
    now = Runtime.now()
    with wired.db.transaction() as session:
        shop = open_shop(session, wired, prizes=points(50))
        session.execute(update(Campaign).values(starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=30)))
        revision.bump(session)
        alice = shop.openid(session)
    client.get(f"/{shop.text()}")
    sign_in(client, shop, alice)
    page = client.get(post(client, shop, f"/{shop.text()}/claim").location)
    assert "50" in words(page.data)
    assert "加入会员" in words(page.data)


def test_many_rewards_come_a_page_at_a_time_with_all_that_was_paid(
    client: FlaskClient, store: Shop, wired: Wired, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wallet, "REWARDS_A_PAGE", 2)
    monkeypatch.setattr(me, "WINS_COUNTED", 4)
    sign_in(client, store, shop_openid(wired, store))
    for serial in range(5):
        post(client, store, f"/{store.text(serial)}/claim", serial=serial)
    with wired.db.transaction() as session:
        session.execute(update(Payout).values(state="paid"))
        session.execute(update(Claim).values(claimed_at=Runtime.now()))  # at one moment: the code decides
    seen, path = [], f"/me/rewards?brand={store.brand.slug}"
    for left in (2, 2, 1):
        page = client.get(path, headers=ENGLISH).data.decode()
        assert "¥5.00 received so far" in page
        found = re.findall(r'href="/me/rewards/(\d+)"', page)
        assert len(found) == left
        seen += found
        older = re.search(r'href="(/me/rewards\?[^"]*before=\d+)"', page)
        assert (older is None) == (left == 1)
        path = older[1].replace("&amp;", "&") if older else path
    assert len(set(seen)) == 5
    assert "4+" in words(client.get(f"/me?brand={store.brand.slug}", headers=ENGLISH).data)
    for wrong in ("0", "x", "-1", "9" * 40):
        assert client.get(f"/me/rewards?brand={store.brand.slug}&before={wrong}").status_code == 200


def test_points_that_were_multiplied_say_so(client: FlaskClient, wired: Wired) -> None:
    now = Runtime.now()
    with wired.db.transaction() as session:
        shop = open_shop(session, wired, prizes=points(20), campaign={"conditions": Conditions(day_max=9)})
        store = make_store(session, channel_id=make_channel(session, brand_id=shop.brand.id).id)
        boost = Boost(3, (str(store.id),), "2020-01-01T00:00", "2090-01-01T00:00")
        window = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=30)}
        session.execute(update(Campaign).values(conditions=to_text(Conditions(boosts=(boost,))), **window))
        channels.ship(
            session, brand_id=shop.brand.id, number="S1", channel_id=store.channel_id, store_id=store.id,
            batch_number=shop.batch.number, ranges=[(0, 0)], note="", staff_id=None, actor="test", now=now,
        )  # fmt: skip
        revision.bump(session)
    sign_in(client, shop, shop_openid(wired, shop))
    for serial, is_more in ((0, True), (1, False)):
        there = post(client, shop, f"/{shop.text(serial)}/claim", serial=serial).location
        assert ("3 times the points: 20 × 3" in words(client.get(there, headers=ENGLISH).data)) is is_more


def test_inside_wechat_the_openid_is_asked_for_at_once(client: FlaskClient, store: Shop) -> None:
    agent = {"User-Agent": "Mozilla/5.0 MicroMessenger/8.0"}
    answer = post(client, store, f"/{store.text()}/claim", headers=agent)
    assert answer.status_code == 303
    assert answer.location.startswith("/login/wechat?")


def test_one_more_turn_is_a_form_without_scripts_and_shows_the_prize_in_the_end(
    client: FlaskClient, wired: Wired
) -> None:
    again = PrizeLine("again", 0, 1000, "再来一次", "One more turn", None, 500_000)
    money = PrizeLine("red_packet", 100, 1000, "红包", "Red packet", None, 500_000)
    now = Runtime.now()
    with wired.db.transaction() as session:
        shop = open_shop(session, wired, prizes=[again, money], campaign={"mode": "odds"})
        window = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=30)}
        session.execute(update(Campaign).values(**window))
        revision.bump(session)
    assert shop.offer is not None
    serial = next(
        one for one in range(500) if draw(shop.offer, one).is_again and draw(shop.offer, one, 2).kind == "red_packet"
    )
    sign_in(client, shop, shop_openid(wired, shop))
    first = post(client, shop, f"/{shop.text(serial)}/claim", serial=serial)
    page = client.get(first.location, headers=ENGLISH).data
    assert "One more turn!" in words(page)
    (action,) = re.findall(rb'action="([^"]+/claim[?]turn=[0-9])"', page)
    assert action.endswith(b"?turn=2")
    form = {"token": re.findall(rb'name="(?:token|csrf_token)" value="([^"]+)"', page)[0].decode()}
    assert "One more turn" in words(client.get(f"/me/rewards?brand={shop.brand.slug}", headers=ENGLISH).data)
    assert "Turn once more" in words(client.get(f"/{shop.text(serial)}", headers=ENGLISH).data)
    client.get(action.decode())
    assert count(wired, Payout) == 0, "looking turns nothing"
    for _ in range(2):
        assert client.post(action.decode(), data=form).status_code == 303
    page = client.get(first.location, headers=ENGLISH).data
    assert "You won a red packet" in words(page) or "Red packet" in words(page)
    assert b"turn=" not in page
    assert count(wired, Payout) == 1
    for wrong in ("0", "1", "x", "22", "-1", "3"):
        client.post(f"/{shop.text(serial)}/claim?turn={wrong}", data=form)
    assert count(wired, Payout) == 1


def shop_openid(wired: Wired, shop: Shop) -> object:
    with wired.db.transaction() as session:
        return shop.openid(session)


def test_large_prizes_are_published_by_the_end_of_their_code(client: FlaskClient, store: Shop, wired: Wired) -> None:
    here = f"/campaigns/{store.campaign_id}"
    unpublished = client.get(f"{here}/results", headers=ENGLISH)
    assert unpublished.status_code == 404
    assert "This campaign does not publish who won." in unpublished.text
    assert b"/results" not in client.get(f"{here}/rules").data
    sign_in(client, store, shop_openid(wired, store))
    post(client, store, f"/{store.text(0)}/claim")
    for least, is_shown in ((100, True), (101, False)):
        with wired.db.transaction() as session:
            campaigns.publish_results(
                session, campaign_id=store.campaign_id, least_fen=least, actor="dave", now=Runtime.now()
            )
        page = client.get(f"{here}/results", headers=ENGLISH).data.decode()
        assert (f"… {store.text(0)[-4:]}" in page) is is_shown
        assert ("Nobody yet" in page) is not is_shown
        assert store.text(0) not in page
    assert b"/results" in client.get(f"{here}/rules").data
    client.post(f"/{store.text(1)}/claim", data={"token": token(client, store, 1)})
    with wired.db.transaction() as session:
        session.execute(update(Claim).values(state="reserved"))
        campaigns.publish_results(session, campaign_id=store.campaign_id, least_fen=1, actor="dave", now=Runtime.now())
    assert "Nobody yet" in client.get(f"{here}/results", headers=ENGLISH).data.decode(), "nobody's yet"


def test_after_the_end_everybody_may_check_the_draw_and_their_own_code(
    client: FlaskClient, store: Shop, wired: Wired
) -> None:
    here, mine = f"/campaigns/{store.campaign_id}", store.text(0)
    sign_in(client, store, shop_openid(wired, store))
    there = post(client, store, f"/{mine}/claim").location.partition("?")[0]
    assert client.get(f"{here}/draw").status_code == 409
    assert b"/draw?" not in client.get(there).data
    with wired.db.transaction() as session:
        campaigns.end(session, campaign_id=store.campaign_id, actor="dave", now=Runtime.now())
        (told,) = campaigns.list_commitments(session, campaign_id=store.campaign_id)
    client.application.extensions["scancode"].watch.look()
    assert f"{here}/draw?code={mine}" in client.get(there).data.decode()
    assert f"{here}/draw" in client.get(f"{here}/rules").data.decode()

    page = client.get(f"{here}/draw?code={mine}", headers=ENGLISH).data.decode()
    place = f"{store.batch.number}:0"
    assert f'data-place="{place}" data-given="red_packet" data-amount="100" data-turn="1"' in page
    assert f"scancode draw verify draw-{store.campaign_id}.json --commitment {told}" in page
    assert f"--code {place}" in page
    other = client.get(f"{here}/draw?code={store.text(1)}", headers=ENGLISH).data.decode()
    assert f'data-place="{store.batch.number}:1"' in other
    assert "data-given" not in other, "nobody claimed it"
    stranger = client.application.test_client().get(f"{here}/draw?code={mine}").data.decode()
    assert "data-given" not in stranger, "what somebody was given is for them"
    for typed, said in (
        (store.text(0, Kind.OUTER), "The reward is under the code inside"),
        ('"><script>', "not a complete code"),
        ("Z" * 20, "do not know this code"),
    ):
        page = client.get(f"{here}/draw", query_string={"code": typed}, headers=ENGLISH).data.decode()
        assert said in page, typed
        assert "data-place" not in page
        assert "<script>" not in page
