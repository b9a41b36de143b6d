"""WeChat login: out with a state, back with a code, each good once; what the browser held becomes the openid's."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from flask import Flask
from sqlalchemy import func, select

from scancode.app import create_app
from scancode.errors import OutsideError
from scancode.members.models import Identity, Member
from scancode.payouts.models import Payout
from scancode.ports import Login, Ports
from scancode.wiring import Wired
from tests.web.console.office import words
from tests.web.h5.phone import Shop, open_shop, place


def openids(shop: Shop) -> int:
    with shop.wired.db.reading() as session:
        return session.scalar(select(func.count()).select_from(Identity).where(Identity.kind == "openid")) or 0


def test_money_of_the_browser_goes_to_the_openid_that_came_back(money_shop: Shop) -> None:
    alice = money_shop.phone()
    alice.claim(1)
    assert openids(money_shop) == 0
    assert place(alice.show_wechat(next_path="/me/rewards")) == "/me/rewards"
    assert "yours now" in alice.read("/me/rewards")
    with money_shop.wired.db.reading() as session:
        payout = session.scalars(select(Payout)).one()
        assert payout.identity_id == session.scalar(select(Identity.id).where(Identity.kind == "openid"))
        assert session.scalar(select(func.count()).select_from(Member)) == 0


def test_a_member_connects_wechat_and_the_waiting_money_goes_out(money_shop: Shop) -> None:
    alice = money_shop.phone()
    alice.claim(1)
    alice.join()
    assert "Your money is waiting" in alice.read("/me")
    alice.show_wechat()
    page = alice.read("/me")
    assert "Your money is waiting" not in page
    assert "WeChat connected" in page


def test_a_member_comes_back_on_a_new_phone_by_wechat_alone(shop: Shop) -> None:
    alice = shop.phone()
    alice.join()
    alice.show_wechat()
    new = shop.phone()
    new.show_wechat()
    assert "138****8000" in new.read("/me")


def test_a_state_works_once_and_only_in_its_browser(shop: Shop) -> None:
    alice, mallory = shop.phone(), shop.phone()
    state = re.search(r"state=(\w+)", alice.get("/login/wechat").headers["Location"])
    assert state is not None
    code = shop.wired.ports.identity.world.login_code("o-mallory")  # type: ignore[union-attr]
    back = f"/login/wechat/back?code={code}&state={state[1]}"
    assert mallory.get(back).status_code == 400
    assert place(alice.get(back)) == "/me"
    again = alice.get(back)
    assert again.status_code == 400
    assert "open for too long" in words(again)
    assert openids(shop) == 1


def test_a_code_that_was_used_is_asked_for_anew_once_and_then_leads_to_a_page_to_try_again(shop: Shop) -> None:
    alice = shop.phone()
    answer = alice.get("/login/wechat?next=/me/points")
    for _ in range(2):
        state = re.search(r"state=(\w+)", answer.headers["Location"])
        assert state is not None
        answer = alice.get(f"/login/wechat/back?code=used&state={state[1]}")
    assert answer.status_code == 400
    page = answer.get_data(as_text=True)
    assert "WeChat did not confirm the login" in words(answer)
    assert "next=/me/points" in page
    assert openids(shop) == 0


def test_who_does_not_agree_stays_a_guest(shop: Shop) -> None:
    answer = shop.phone().show_wechat("nobody")
    assert "You did not confirm the login" in words(answer)
    assert openids(shop) == 0


def test_a_head_request_uses_up_nothing(shop: Shop) -> None:
    alice = shop.phone()
    state = re.search(r"state=(\w+)", alice.get("/login/wechat").headers["Location"])
    assert state is not None
    code = shop.wired.ports.identity.world.login_code("o-alice")  # type: ignore[union-attr]
    back = f"/login/wechat/back?code={code}&state={state[1]}"
    assert alice.client.head(back).status_code == 204
    assert place(alice.get(back)) == "/me"


def test_it_never_leads_to_another_host(shop: Shop) -> None:
    alice = shop.phone()
    for evil in ("https://evil.example/", "//evil.example/x", "/\\evil.example"):
        assert place(alice.show_wechat(next_path=evil)) == "/me"


@dataclass(frozen=True)
class Snapshot:
    """The platform shows a page before the person agreed to anything."""

    needs_app: bool = False

    def authorize_url(self, *, redirect_uri: str, state: str, with_consent: bool = False) -> str:
        return f"/platform?state={state}"

    def exchange(self, *, code: str) -> Login:
        if code == "away":
            raise OutsideError("login_unreachable", permanent=False)
        return Login("o-virtual", is_snapshot=True)


def house(wired: Wired, gateway: Snapshot | None) -> Shop:
    other = replace(wired, ports=Ports(identity=gateway, payout=wired.ports.payout, sms=wired.ports.sms))
    return open_shop(create_app(wired=other), other)


def test_a_snapshot_account_is_told_what_to_do_and_not_stored(app: Flask, wired: Wired) -> None:
    shop = house(wired, Snapshot())
    for code, status, sentence in (("x", 403, "Use full service"), ("away", 503, "Please try once more")):
        alice = shop.phone()
        state = alice.get("/login/wechat").headers["Location"].split("state=")[1]
        answer = alice.get(f"/login/wechat/back?code={code}&state={state}")
        assert answer.status_code == status
        assert sentence in words(answer)
    assert openids(shop) == 0


def test_without_a_platform_it_says_so(app: Flask, wired: Wired) -> None:
    answer = house(wired, None).phone().get("/login/wechat")
    assert answer.status_code == 503
    assert "join with your phone number" in words(answer)
