"""What is answered before Flask: the same as behind it, and nothing twice."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from scancode.catalog.models import Product
from scancode.claims.models import Claim
from scancode.scans.models import Scan, ScanMiss
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
