"""The real WeChat login as pages, against a server that checks: silent, once, on our own hosts, with consent only where
that was given; and what happens in other browsers, which have to come over into WeChat first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from scancode.claims.models import Claim, Crossing
from scancode.config import Settings
from scancode.jobs import service as jobs
from scancode.members.models import Consent, Identity
from scancode.payouts.models import Payout
from scancode.wiring import Wired, connect
from tests.kept import web_app
from tests.stories.scene import MONEY
from tests.web.console.office import words
from tests.web.h5.phone import Phone, Shop, open_shop, place
from tests.wechat import APP_ID, SECRET, Account, TestTown, town

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rest is tested below the pages

EXCHANGE = "/sns/oauth2/access_token"
WECHAT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 MicroMessenger/8.0.50"
ALIPAY = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AlipayClient/10.5"


@pytest.fixture(scope="module")
def served() -> Iterator[TestTown]:
    with town() as found:
        yield found


@pytest.fixture
def there(served: TestTown) -> TestTown:
    return served.forget()


@pytest.fixture
def shop(settings: Settings, wired: Wired, there: TestTown) -> Iterator[Shop]:
    """Red packets, and the real login."""
    named = {
        "login_gateway": "wechat",
        "wechat_app_id": APP_ID,
        "wechat_secret": SecretStr(SECRET),
        "wechat_api_url": there.url,
        "wechat_open_url": there.url,
    }
    connected = connect(settings.model_copy(update=named))
    wechat = connected.ports
    ports = replace(wired.ports, identity=wechat.identity, scripts=wechat.scripts)
    wired = replace(wired, settings=connected.settings, ports=ports)
    app = web_app(wired)
    app.config["TESTING"] = True
    yield open_shop(app, wired, MONEY)
    connected.db.close()


class Wechat(Phone):
    """A phone whose pages WeChat shows."""

    agent = WECHAT

    def get(self, path: str, **more: object) -> TestResponse:
        headers = {"Accept-Language": "en", "User-Agent": self.agent}
        return self.client.get(path, headers=headers, **more)  # type: ignore[arg-type]

    def send(self, path: str, *, page: str | None = None, **fields: str) -> TestResponse:
        headers = {"Accept-Language": "en", "User-Agent": self.agent}
        return self.client.post(path, data={"token": self.token(page or path), **fields}, headers=headers)

    def through(self, there: TestTown, out: TestResponse, *, accepts: bool = True) -> TestResponse:
        """Follows a redirect to WeChat's page and back; the answer is that of the callback."""
        away = urlsplit(out.headers["Location"])
        assert away.netloc == urlsplit(there.url).netloc, away
        _, back, page = there.login_page(away.query, self.agent)
        if not back:
            links = dict(re.findall(r'id="(\w+)" href="([^"]+)"', page))
            back = links["agree" if accepts else "no"].replace("&amp;", "&")
        parts = urlsplit(back)
        return self.get(f"{parts.path}?{parts.query}", base_url=f"{parts.scheme}://{parts.netloc}")


class Alipay(Wechat):
    agent = ALIPAY


def opened(shop: Shop, kind: type[Wechat] = Wechat) -> Wechat:
    """``base_url`` of every request is a host of ours, as cookies want it."""
    client = shop.app.test_client()
    usual = client.open

    def open_(*args: object, **more: object) -> TestResponse:
        more.setdefault("base_url", "http://127.0.0.1:8000")
        return usual(*args, **more)  # type: ignore[arg-type]

    client.open = open_  # type: ignore[method-assign, assignment]
    return kind(shop, client)


def count(shop: Shop, table: type, *where: object) -> int:
    with shop.wired.db.reading() as session:
        return session.scalar(select(func.count()).select_from(table).where(*where)) or 0  # type: ignore[arg-type]


def openids(shop: Shop) -> int:
    return count(shop, Identity, Identity.kind == "openid")


# Inside WeChat


def test_a_claim_inside_wechat_comes_back_with_its_openid_and_without_a_question(shop: Shop, there: TestTown) -> None:
    alice = opened(shop)
    claimed = alice.claim(1)
    assert place(claimed) == "/login/wechat"
    out = alice.get(claimed.headers["Location"])
    asked = parse_qs(urlsplit(out.headers["Location"]).query)
    assert asked["scope"] == ["snsapi_base"]
    assert asked["redirect_uri"] == ["http://127.0.0.1:8000/login/wechat/back"]
    assert place(alice.through(there, out)).startswith("/me/rewards/")
    with shop.wired.db.reading() as session:
        payout = session.scalars(select(Payout)).one()
        assert payout.identity_id == session.scalar(select(Identity.id))
    assert count(shop, Identity, Identity.kind == "unionid") == 0


def test_who_is_known_is_not_sent_to_the_login_again_while_claims_are_stopped(shop: Shop, there: TestTown) -> None:
    alice = opened(shop)
    out = alice.get(alice.claim(1).headers["Location"])
    with shop.wired.db.transaction() as session:
        jobs.stop(session, name="claims", reason="restored", now=datetime.now(UTC))
    back = alice.through(there, out)
    for _ in range(2):
        assert place(back).startswith("/me/rewards/")
        page = alice.read(back.headers["Location"])
        assert "cannot be handed out right now. Yours is kept" in page
        assert "Try again" not in page
        back = alice.claim(1)
    with shop.wired.db.transaction() as session:
        jobs.allow(session, name="claims")
    assert "cannot be handed out" not in alice.read(alice.claim(1).headers["Location"])
    assert count(shop, Payout) == 1


def test_forms_may_lead_to_the_login_and_nowhere_else(shop: Shop, there: TestTown) -> None:
    for path in (f"/{shop.code(1)}", "/me"):
        policy = opened(shop).get(path).headers["Content-Security-Policy"]
        assert f"form-action 'self' {there.url};" in policy
        assert "script-src 'self';" in policy


def test_on_another_host_of_ours_the_login_comes_back_there(shop: Shop, there: TestTown) -> None:
    there.redirect_hosts = {"q.example"}
    alice = opened(shop)
    out = alice.get("/login/wechat?next=/me/points", base_url="https://q.example")
    back = alice.through(there, out)
    assert (place(back), openids(shop)) == ("/me/points", 1)


def test_a_host_that_is_not_ours_is_never_named_to_wechat(shop: Shop) -> None:
    out = opened(shop).get("/login/wechat", base_url="https://evil.example")
    asked = parse_qs(urlsplit(out.headers["Location"]).query)
    assert asked["redirect_uri"] == ["http://127.0.0.1:8000/login/wechat/back"]


def test_a_state_is_of_one_browser_and_works_once(shop: Shop, there: TestTown) -> None:
    alice, mallory = opened(shop), opened(shop)
    out = alice.get("/login/wechat")
    assert mallory.through(there, out).status_code == 400
    assert openids(shop) == 0
    assert place(alice.through(there, out)) == "/me"
    assert alice.through(there, out).status_code == 400


@pytest.mark.parametrize("errcode", [40029, 40163])
def test_a_code_that_is_no_good_is_asked_for_again_once(shop: Shop, there: TestTown, errcode: int) -> None:
    there.next(EXCHANGE, errcode=errcode, times=2)
    alice = opened(shop)
    again = alice.through(there, alice.get("/login/wechat?next=/me/points"))
    assert again.status_code == 302
    page = alice.through(there, again)
    assert page.status_code == 400
    assert "/login/wechat?" in page.get_data(as_text=True)
    assert place(alice.through(there, alice.get("/login/wechat?next=/me/points"))) == "/me/points"


@pytest.mark.parametrize(
    "fault", [{"errcode": -1}, {"errcode": 45011}, {"errcode": 40164}, {"status": 500}, {"body": b"<html>"}]
)
def test_a_fault_of_wechat_leads_to_a_page_to_try_again(shop: Shop, there: TestTown, fault: dict[str, object]) -> None:
    there.next(EXCHANGE, **fault)  # type: ignore[arg-type]
    alice = opened(shop)
    alice.claim(1)
    page = alice.through(there, alice.get("/login/wechat"))
    assert page.status_code == 503
    assert "Please try once more" in words(page)
    assert there.count(EXCHANGE) == 1
    assert openids(shop) == 0


def test_a_virtual_account_gets_no_money_and_is_told_why(shop: Shop, there: TestTown) -> None:
    there.visitor = Account("o-virtual-123456", is_snapshot=True)
    alice = opened(shop)
    page = alice.through(there, alice.get(alice.claim(1).headers["Location"]))
    assert page.status_code == 403
    assert "Use full service" in words(page)
    assert (openids(shop), count(shop, Payout), count(shop, Claim, Claim.state == "reserved")) == (0, 0, 1)
    there.visitor = Account("o-alice-1234567890")
    alice.through(there, alice.get("/login/wechat"))
    assert count(shop, Payout) == 1


# With consent


def member(shop: Shop, there: TestTown) -> Wechat:
    alice = opened(shop)
    alice.join()
    alice.through(there, alice.get("/login/wechat"))
    return alice


def test_the_unionid_is_kept_where_a_member_agreed_and_goes_when_they_take_it_back(shop: Shop, there: TestTown) -> None:
    alice = member(shop, there)
    assert count(shop, Identity, Identity.kind == "unionid") == 0
    out = alice.send("/login/wechat", page="/me/privacy")
    assert out.status_code == 303
    assert "scope=snsapi_userinfo" in out.headers["Location"]
    assert place(alice.through(there, out)) == "/me/privacy"
    with shop.wired.db.reading() as session:
        kept = session.scalars(select(Identity).where(Identity.kind == "unionid")).one()
        assert there.visitor.unionid is not None
        assert there.visitor.unionid not in kept.sealed
        assert kept.member_id is not None
        assert session.scalars(select(Consent.purpose)).all().count("linking") == 1
    assert there.visitor.unionid in alice.get("/me/data.json").get_data(as_text=True)
    alice.send("/me/unlink", page="/me/privacy")
    assert count(shop, Identity, Identity.kind == "unionid") == 0
    assert count(shop, Consent, Consent.purpose == "linking", Consent.withdrawn_at.is_(None)) == 0


def test_who_says_no_at_wechat_has_changed_nothing(shop: Shop, there: TestTown) -> None:
    alice = member(shop, there)
    back = alice.through(there, alice.send("/login/wechat", page="/me/privacy"), accepts=False)
    assert place(back) == "/me/privacy"
    assert "nothing was changed" in alice.read("/me/privacy")
    assert count(shop, Identity, Identity.kind == "unionid") == 0


def test_a_guest_is_asked_for_nothing_but_joining(shop: Shop, there: TestTown) -> None:
    guest = opened(shop)
    assert place(guest.send("/login/wechat", page="/join")) == "/join"
    assert there.authorized == []


# Elsewhere


@pytest.mark.parametrize("kind", [Alipay, Phone])
def test_elsewhere_a_page_says_how_to_get_there(shop: Shop, there: TestTown, kind: type[Phone]) -> None:
    guest = opened(shop, kind)  # type: ignore[arg-type]
    page = guest.get("/login/wechat?next=/me/points")
    assert page.status_code == 200
    assert "http://127.0.0.1:8000/login/wechat?brand=" in page.get_data(as_text=True)
    assert "data:image/png;base64," in page.get_data(as_text=True)
    assert "Copy the link" in words(page)


def way_over(shop: Shop, alice: Wechat) -> tuple[str, str]:
    """Path and number that the browser shows once it has asked for them."""
    page = alice.get(alice.claim(1).headers["Location"])
    assert "Take it into WeChat" in words(page)
    there = page.request.path
    assert place(alice.send("/crossing", page=there, brand=shop.slug)) == "/crossing"
    shown = alice.get("/crossing").get_data(as_text=True)
    link = re.search(r"http://127\.0\.0\.1:8000(/w/[\w.-]+)<", shown)
    number = re.search(r'guide__number">(\d{4})<', shown)
    assert link is not None
    assert number is not None
    return link[1], number[1]


def test_what_was_won_elsewhere_is_received_in_wechat(shop: Shop, there: TestTown) -> None:
    first, alice = opened(shop, Alipay), opened(shop)
    link, number = way_over(shop, first)
    assert place(alice.get(link)) == "/login/wechat"
    assert place(alice.through(there, alice.get(alice.get(link).headers["Location"]))) == link
    assert count(shop, Payout) == 0
    assert place(alice.send(link, number=number)) == "/me/rewards"
    assert count(shop, Payout) == 1
    assert "1.88" in alice.read("/me/rewards")
    assert "in WeChat now" in first.read("/crossing")
    assert "data-poll" not in first.get("/crossing/state").get_data(as_text=True)
    assert place(alice.get(link)) == "/me/rewards"  # the same person, once more


def test_whoever_got_the_link_alone_gets_nothing(shop: Shop, there: TestTown) -> None:
    first, mallory = opened(shop, Alipay), opened(shop)
    link, number = way_over(shop, first)
    mallory.through(there, mallory.get(mallory.get(link).headers["Location"]))
    wrong = f"{(int(number) + 1) % 10000:04}"
    assert "Tries left: 2" in words(mallory.send(link, number=wrong))
    assert mallory.send(link, number="12").status_code == 422  # no number at all: costs no try
    assert "Tries left: 1" in words(mallory.send(link, number=wrong))
    form = mallory.token(link)
    assert (
        mallory.client.post(link, data={"token": form, "number": wrong}, headers={"User-Agent": WECHAT}).status_code
        == 404
    )
    assert (
        mallory.client.post(link, data={"token": form, "number": number}, headers={"User-Agent": WECHAT}).status_code
        == 404
    )
    assert (count(shop, Payout), count(shop, Claim, Claim.state == "reserved")) == (0, 1)
    assert "Make a new link" in first.read("/crossing")


def test_previews_and_other_browsers_use_up_nothing(shop: Shop, there: TestTown) -> None:
    first = opened(shop, Alipay)
    link, _ = way_over(shop, first)
    robot = opened(shop)
    agent = {"User-Agent": "Mozilla/5.0 MicroMessenger/8 facebookexternalhit/1.1"}
    assert robot.client.get(link, headers=agent).status_code == 200
    assert robot.client.head(link, headers={"User-Agent": WECHAT}).status_code in {200, 302}
    assert "Please go on in WeChat" in opened(shop, Alipay).read(link)
    with shop.wired.db.reading() as session:
        way = session.scalars(select(Crossing)).one()
        assert (way.tries_left, way.identity_id) == (3, None)
    assert there.authorized == []


def test_a_forged_link_is_refused(shop: Shop) -> None:
    for token in ("x", "a.b.c", "A" * 200):
        page = opened(shop).get(f"/w/{token}")
        assert page.status_code == 404
        assert "not valid any more" in words(page)


def test_who_holds_nothing_is_given_no_link(shop: Shop) -> None:
    guest = opened(shop, Alipay)
    assert place(guest.send("/crossing", page="/join", brand=shop.slug)) == "/me/rewards"
    assert guest.get("/crossing").status_code == 404
    assert count(shop, Crossing) == 0


def test_another_browser_does_not_see_the_number(shop: Shop) -> None:
    way_over(shop, opened(shop, Alipay))
    assert opened(shop, Alipay).get("/crossing").status_code == 404


def test_scanning_again_inside_wechat_says_where_the_reward_is(shop: Shop) -> None:
    opened(shop, Alipay).claim(1)
    assert "Was it you, in another app" in opened(shop).read(f"/{shop.code(1)}")


# WeChat's script in pages


def signed(shop: Shop, url: str) -> TestResponse:
    return opened(shop).get(f"/wechat/signature?{urlencode({'url': url})}")


def test_a_page_of_ours_is_signed_for_its_whole_address(shop: Shop, there: TestTown) -> None:
    for page in ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/me/rewards/7?new=1", "https://q.example/"):
        config = signed(shop, page).get_json()
        assert there.verifies(config, page)
    assert there.count("/cgi-bin/ticket/getticket") == 1


@pytest.mark.parametrize(
    "url",
    ["", "/", "http://evil.example/", "https://127.0.0.1:8000/", "http://127.0.0.1:8000@evil.example/", "http://[::1",
     "http://127.0.0.1:8000\\@evil.example/", "http://127.0.0.1:8000/\nx", "javascript:alert(1)", "http://127.0.0.1:80001/",
     "http://127.0.0.1:8000/" + "x" * 1000],
)  # fmt: skip
def test_no_other_page_is_signed(shop: Shop, there: TestTown, url: str) -> None:
    assert signed(shop, url).status_code == 422
    assert there.calls == []


def test_a_ticket_that_cannot_be_had_is_told(shop: Shop, there: TestTown) -> None:
    there.next("/cgi-bin/stable_token", errcode=40164)
    assert signed(shop, "http://127.0.0.1:8000/").status_code == 503


def test_only_pages_that_use_the_script_let_it_in(shop: Shop, there: TestTown) -> None:
    script = shop.wired.settings.wechat_script_url
    alice = opened(shop)
    paid = alice.through(there, alice.get(alice.claim(1).headers["Location"])).headers["Location"]
    seen = {
        path: alice.get(path)
        for path in ("/", paid, f"/{shop.code(2)}", "/me", "/me/rewards", "/join", f"{paid.split('?')[0]}/state")
    }
    allowed = [path for path, page in seen.items() if script in page.headers["Content-Security-Policy"]]
    assert allowed == ["/", paid]
    assert [path for path, page in seen.items() if script in page.get_data(as_text=True)] == ["/", paid]
    assert f"script-src 'self' {script};" in seen["/"].headers["Content-Security-Policy"]
    outside = opened(shop, Alipay).get("/")
    assert script not in outside.headers["Content-Security-Policy"] + outside.get_data(as_text=True)
