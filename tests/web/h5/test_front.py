"""What is answered before Flask: the same as behind it, and nothing twice."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import Client

from batches.codes import Kind, code_id
from scancode.catalog import revision
from scancode.catalog.models import Product
from scancode.claims.models import Claim
from scancode.codes.models import Batch, LifeRange
from scancode.scans.models import Scan, ScanMiss, Suspicion
from scancode.web.h5.front import Front
from scancode.wiring import Wired
from tests.web.h5.phone import Shop

FORGED = "0" * 20


def rows(wired: Wired, table: type[Scan] | type[Claim]) -> int:
    with wired.db.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def reached(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that went on to Flask."""
    app.test_client_class = FlaskClient  # what is asked for once the page is shown is not asked for here
    seen: list[str] = []
    full = app.full_dispatch_request

    def dispatch():  # type: ignore[no-untyped-def]
        from flask import request

        seen.append(request.path)
        return full()

    monkeypatch.setattr(app, "full_dispatch_request", dispatch)
    return seen


def bare(page: str, code: str, token: str) -> str:
    return page.replace(code, "CODE").replace(token, "TOKEN")


def token_of(page: str) -> str:
    return page.split('name="token" value="')[1].split('"')[0]


def test_the_front_stands_before_flask(app: Flask) -> None:
    assert isinstance(app.wsgi_app, Front)


def test_a_page_is_drawn_once_by_flask_and_then_comes_from_memory(app: Flask, shop: Shop, reached: list[str]) -> None:
    first = app.test_client().get(f"/{shop.code(1)}")
    assert reached == [f"/{shop.code(1)}"]
    second = app.test_client().get(f"/{shop.code(2)}")
    assert reached == [f"/{shop.code(1)}"]
    pages = []
    for answer, serial in ((first, 1), (second, 2)):
        code, text = shop.code(serial), answer.get_data(as_text=True)
        grouped = " ".join(code[at : at + 5] for at in range(0, 20, 5))
        pages.append(bare(text, code, token_of(text)).replace(grouped, "GROUPED"))
    assert pages[0] == pages[1]
    names = [{name for name, _ in answer.headers} for answer in (first, second)]
    assert names[0] == names[1]
    assert {name: value for name, value in first.headers if name not in {"Set-Cookie"}} == {
        name: value for name, value in second.headers if name not in {"Set-Cookie"}
    }
    assert rows(shop.wired, Scan) == 2


def test_one_scan_is_one_row_whoever_draws_the_page(app: Flask, shop: Shop, reached: list[str]) -> None:
    visitor = app.test_client()
    for _ in range(3):  # the second and third look the claim up, which is Flask's
        assert visitor.get(f"/{shop.code(5)}").status_code == 200
    assert len(reached) == 3
    assert rows(shop.wired, Scan) == 3


def test_a_query_or_a_session_is_for_flask(app: Flask, shop: Shop, reached: list[str]) -> None:
    app.test_client().get(f"/{shop.code(1)}")
    client = app.test_client()
    client.get(f"/{shop.code(2)}?lang=en")
    with client.session_transaction() as kept:
        kept["anything"] = 1
    client.get(f"/{shop.code(3)}")
    assert reached == [f"/{shop.code(serial)}" for serial in (1, 2, 3)]
    assert rows(shop.wired, Scan) == 3


def test_a_forged_code_is_counted_once(app: Flask, shop: Shop, client: FlaskClient, reached: list[str]) -> None:
    answers = [client.get(f"/{FORGED}") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.get_data() for answer in answers}) == 1
    assert len(reached) <= 1  # none where another test of this process met one: the page names no brand
    app.extensions["scancode"].misses.flush()
    with shop.wired.db.reading() as session:
        assert session.scalar(select(func.sum(ScanMiss.count))) == 3


def test_a_claim_needs_the_token_of_its_own_page(app: Flask, shop: Shop, reached: list[str]) -> None:
    client = app.test_client()
    token = token_of(client.get(f"/{shop.code(1)}").get_data(as_text=True))
    reached.clear()
    assert client.post(f"/{shop.code(1)}/claim", data={"token": token[::-1]}).status_code == 400
    assert client.post(f"/{shop.code(1)}/claim", data={"token": token, "amount": "9"}).status_code == 303
    assert len(reached) == 2
    second = client.post(f"/{shop.code(2)}/claim", data={"token": token})
    assert (second.status_code, len(reached)) == (303, 2)
    assert second.location.startswith("/")
    stranger = app.test_client()
    assert stranger.post(f"/{shop.code(3)}/claim", data={"token": token}).status_code == 400
    assert rows(shop.wired, Claim) == 2


def test_a_claim_that_is_refused_is_refused_in_words(app: Flask, shop: Shop) -> None:
    first, second = app.test_client(), app.test_client()
    tokens = [token_of(client.get(f"/{shop.code(1)}").get_data(as_text=True)) for client in (first, second)]
    assert first.post(f"/{shop.code(1)}/claim", data={"token": tokens[0]}).status_code == 303
    answer = second.post(f"/{shop.code(1)}/claim", data={"token": tokens[1]})
    assert answer.status_code == 409
    assert "<html" in answer.get_data(as_text=True)
    assert rows(shop.wired, Claim) == 1


def test_a_stall_is_said_by_flask(app: Flask, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from scancode.scans.writer import Stalled, Writer

    calls = []

    def stall(*_: object) -> None:
        calls.append(1)
        raise Stalled

    monkeypatch.setattr(Writer, "write", stall)
    answer = app.test_client().get(f"/{shop.code(1)}")
    assert (answer.status_code, len(calls)) == (503, 1)


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
TOLD = ("Link", "Content-Location", "Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Cache-Control")


def link_to(shop: Shop, code: str) -> str:
    with shop.wired.db.reading() as session:
        return f"/01/{session.scalar(select(Product.gtin))}/21/{code}"


def test_a_digital_link_as_it_is_printed_comes_from_memory_too(
    app: Flask, wired: Wired, shop: Shop, reached: list[str]
) -> None:
    app.test_client().get(f"/{shop.code(1)}")
    reached.clear()
    path = link_to(shop, shop.code(2))
    fast = app.test_client().get(path, headers=BROWSER)
    assert (fast.status_code, reached) == (200, [])
    slow = app.test_client().get(f"{path}?a=b", headers=BROWSER)
    assert len(reached) == 1
    for name in TOLD:
        assert fast.headers[name] == slow.headers[name], name
    vary = [{part for line in answer.headers.getlist("Vary") for part in line.split(", ")} for answer in (fast, slow)]
    assert vary[0] == vary[1]
    assert rows(wired, Scan) == 3


@pytest.mark.parametrize("accepted", ["", "*/*", "application/linkset+json", "text/html, application/linkset+json"])
def test_who_may_want_a_list_is_read_more_carefully(app: Flask, shop: Shop, reached: list[str], accepted: str) -> None:
    app.test_client().get(f"/{shop.code(1)}")
    reached.clear()
    answer = app.test_client().get(link_to(shop, shop.code(2)), headers={"Accept": accepted})
    assert len(reached) == 1
    assert answer.status_code == (200 if "linkset" in accepted else 307)


def test_another_gtin_goes_on_and_is_recorded_once(app: Flask, wired: Wired, shop: Shop, reached: list[str]) -> None:
    app.test_client().get(f"/{shop.code(1)}")
    reached.clear()
    answer = app.test_client().get(f"/01/09506000134352/21/{shop.code(2)}", headers=BROWSER | {"Accept-Language": "en"})
    assert (answer.status_code, len(reached)) == (200, 1)
    assert b"not this product" in answer.data
    assert rows(wired, Scan) == 2


def test_a_forged_digital_link_is_counted_once(app: Flask, wired: Wired, shop: Shop, reached: list[str]) -> None:
    misses = app.extensions["scancode"].misses
    for times in (1, 2):  # Flask draws the page, if no test before has, then memory has it
        answer = app.test_client().get(link_to(shop, FORGED), headers=BROWSER)
        assert answer.status_code == 404
        assert len(reached) <= 1
        assert 'rel="linkset"' in answer.headers["Link"]
        misses.flush()
        with wired.db.reading() as session:
            assert session.scalar(select(func.sum(ScanMiss.count))) == times


WAYS = (
    {}, {"Accept-Language": "en"}, {"Accept-Language": "fr, en;q=0.2"}, {"Cookie": "lang=en"}, {"Cookie": "lang=xx"},
    {"Cookie": "sv=made.up"}, {"Cookie": 'a="b; c"; lang=zh; lang=en'}, {"User-Agent": "Baiduspider/2.0"},
    {"Sec-Purpose": "prefetch"}, {"User-Agent": "x MicroMessenger/8.0"}, {"X-Forwarded-For": "10.0.0.1"},
    {"Host": "q.example"}, {"Host": "evil.example"},
)  # fmt: skip


def set_states(shop: Shop) -> None:
    """0 to 399 are live, and of these 240 to 319 look copied; then come void and recalled ones, then dormant ones."""
    with shop.wired.db.transaction() as session:
        life = session.query(LifeRange).filter_by(batch_number=shop.batch_number).one()
        life.last, mark = 399, {"batch_number": shop.batch_number, "changed_at": datetime.now(UTC), "reason": ""}
        ranges = ((400, 479, "void"), (480, 559, "recalled"))
        said = {"message_zh": "停", "message_en": "Stop"}
        session.add_all(LifeRange(first=a, last=b, state=state, **mark, **said) for a, b, state in ranges)
        product_id = session.get_one(Batch, shop.batch_number).product_id
        given = {"brand_id": shop.brand_id, "product_id": product_id, "batch_number": shop.batch_number}
        more = {"state": "open", "signs": "visitors", "visitors": 20, "cities": 1, "found_at": datetime.now(UTC)}
        for serial in range(240, 320):
            session.add(Suspicion(code_id=code_id(shop.batch_number, Kind.INNER, serial), **given, **more))
        revision.bump(session)


def told(client: Client, path: str, code: str, headers: dict[str, str]) -> tuple[int, list[tuple[str, str]], str]:
    """Status, headers and page of an answer, without what differs from scan to scan."""
    answer = client.get(path, headers=headers)
    text = answer.get_data(as_text=True)
    token = token_of(text) if 'name="token"' in text else "-"
    for one in (" ".join(code[at : at + 5] for at in range(0, 20, 5)), code, code.lower()):
        text = text.replace(one, "CODE")
    vary = {part.strip() for line in answer.headers.getlist("Vary") for part in line.split(",")}
    kept = [(name, re.sub("=[^;]+", "=", value, count=1) if name == "Set-Cookie" else value.replace(code, "CODE"))
            for name, value in answer.headers if name not in {"Vary", "Content-Length"}]  # fmt: skip
    return answer.status_code, sorted([*kept, ("Vary", ", ".join(sorted(vary)))]), text.replace(token, "TOKEN")


@pytest.mark.usefixtures("noon")
def test_nothing_is_answered_differently_for_standing_before_flask(app: Flask, shop: Shop, reached: list[str]) -> None:
    set_states(shop)
    front = app.wsgi_app
    assert isinstance(front, Front)
    begins = {"live": 0, "seen": 160, "copied": 240, "void": 400, "recalled": 480, "dormant": 560}
    found, differ = 0, []
    for state, begin in begins.items():
        numbers = itertools.count(begin)
        for way in (*WAYS, *WAYS) if state == "live" else WAYS:
            for form in ("", "link", "forged"):
                pair = [shop.code(next(numbers)) for _ in range(2)]
                pair = [code[:-4] + "AAAA" for code in pair] if form == "forged" else pair
                if state == "seen":
                    for code in pair:
                        Client(front).get(f"/{code}")
                answers = []
                for application, code in zip((front, front._next), pair, strict=True):
                    reached.clear()
                    path = link_to(shop, code) if form == "link" else f"/{code}"
                    answers.append(told(Client(application, use_cookies=False), path, code, BROWSER | way))
                    found += application is front and not reached
                if answers[0] != answers[1]:
                    differ.append((state, form, way, answers))
    assert not differ, differ[:2]
    assert found > 100, found


CLAIMS: tuple[tuple[dict[str, str], dict[str, str]], ...] = (
    ({}, {}), ({"token": "wrong"}, {}), ({"more": "x"}, {}), ({}, {"User-Agent": "Baiduspider/2.0"}),
    ({}, {"Accept-Language": "en"}), ({}, {"Origin": "https://evil.example"}), ({}, {"Sec-Fetch-Site": "cross-site"}),
)  # fmt: skip


@pytest.mark.usefixtures("noon")
def test_no_claim_is_answered_differently_for_standing_before_flask(app: Flask, shop: Shop) -> None:
    front, serials = app.wsgi_app, iter(range(600))
    assert isinstance(front, Front)
    for form, way in CLAIMS:
        for path in ("/{}/claim", "/{}/claim?a=b", "/{}/claim/"):
            for again in (False, True):
                answers = []
                for application in (front, front._next):
                    code, browser = shop.code(next(serials)), Client(application)
                    page = browser.get(f"/{code}", headers=BROWSER).get_data(as_text=True)
                    sent = {"token": token_of(page), **form}
                    for _ in range(1 + again):
                        answer = browser.post(path.format(code), data=sent, headers=BROWSER | way)
                    place = re.sub("[0-9]{9,}", "ID", answer.headers.get("Location", "")).replace(code, "CODE")
                    problem = re.search(r'data-problem="(\w+)"', answer.get_data(as_text=True))
                    headers = {name for name, _ in answer.headers} - {"Content-Length"}
                    answers.append((answer.status_code, place, problem and problem[1], headers))
                assert answers[0] == answers[1], (form, way, path, again)
