"""Every form and every address of both faces, found by walking through the pages, takes what no honest person sends:
NUL, ten thousand characters, numbers beyond all bounds. None is a 500, and no NUL is ever kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import String, func, or_, select
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.test import TestResponse

from scancode.campaigns import service as campaigns
from scancode.campaigns.planning import PrizeLine, RangeLine
from scancode.catalog import revision
from scancode.channels import service as channels
from scancode.db import Base
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests import factories
from tests.web.console.desk import hire
from tests.web.h5.phone import Shop, open_shop

NUL, LONG, HUGE, BELOW = "a\x00b", "长x" * 5_000, "9" * 40, "-1"
EVIL = (NUL, LONG, HUGE, BELOW)
TOKENS = ("csrf_token", "token")
GUESSES = {
    "count": "5",
    "gtin": "06901234567892",
    "starts_at": "2026-12-01T10:00",
    "ends_at": "2027-12-01T10:00",
    "budget_yuan": "10",
    "budget_points": "10",
    "password": factories.PASSWORD,
    "again": factories.PASSWORD,
    "phone": "138 1234 8000",
    "slug": "new-brand",
    "colour": "#123456",
    "timezone": "Asia/Shanghai",
    "ranges": "0-9",
    "first": "2026-11-01",
    "last": "2026-11-22",
}
PARAMETERS = (
    *("q", "state", "page", "before", "after", "brand", "by", "first", "last", "channel", "store", "next", "code"),
    *("actor", "action", "subject", "to", "since", "package", "return_url", "ranges", "product", "call", "download"),
    *("campaign", "kind", "terms", "new", "back", "redirect_uri", "size"),
)
NUMBERS = ("page", "before", "after", "since", "first", "last", "code")
PAGES_MAX = 150


@dataclass
class Form:
    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    @property
    def typed(self) -> list[str]:
        return [name for name in self.values if name not in TOKENS]


class Reader(HTMLParser):
    """The links and forms of a page."""

    def __init__(self, answer: TestResponse) -> None:
        super().__init__()
        self.here = answer.request.path
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._select: str | None = None
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        name = at.get("name", "")
        if tag == "a":
            self.links.append(at.get("href", ""))
        elif tag == "form":
            self.forms.append(Form(at.get("action") or self.here, at.get("method", "get").lower()))
        elif self.forms and tag == "option" and self._select and ("selected" in at or at.get("value")):
            values = self.forms[-1].values
            if "selected" in at or not values[self._select]:
                values[self._select] = at.get("value", "")
        elif self.forms and tag in {"input", "select", "textarea", "button"} and name:
            self._select = name if tag == "select" else None
            if at.get("type") == "file":
                self.forms[-1].files.append(name)
            elif tag != "button" or not self.forms[-1].values.get(name):
                guess = GUESSES.get(re.split(r"[-.]", name)[-1], "Word") if tag != "select" else ""
                self.forms[-1].values.setdefault(name, at.get("value") or guess)


def endpoint_of(app: Flask, path: str, method: str = "GET") -> str | None:
    try:
        return str(app.url_map.bind("localhost").match(path, method)[0])
    except (RequestRedirect, HTTPException):
        return None


def walk(app: Flask, client: FlaskClient, starts: list[str], prefix: str) -> Iterator[Form]:
    """The forms of all pages that links lead to: one page of each view, one form of each address and set of fields."""
    waiting, seen, known = list(starts), set(), set()
    while waiting and len(seen) < PAGES_MAX:
        path = urlsplit(waiting.pop(0)).path
        endpoint = endpoint_of(app, path)
        if not path.startswith(prefix) or endpoint is None or endpoint in seen:
            continue
        seen.add(endpoint)
        answer = client.get(path)
        assert answer.status_code < 500, path
        if answer.mimetype != "text/html" or answer.status_code != 200:
            continue
        page = Reader(answer)
        waiting += page.links
        for form in page.forms:
            key = (endpoint_of(app, urlsplit(form.action).path, form.method.upper()), tuple(sorted(form.values)))
            if key not in known:
                known.add(key)
                yield form


def attack(client: FlaskClient, form: Form) -> None:
    """All fields at once, then each alone; NUL is stopped before any view, so once will do; so will BELOW."""
    names = form.typed
    for evil in EVIL:
        for wrong in [names, *([name] for name in names)] if len(names) > 1 and evil in (LONG, HUGE) else [names]:
            body: dict[str, object] = {name: evil if name in wrong else value for name, value in form.values.items()}
            if form.method == "get":
                answer = client.get(form.action, query_string={**body})
            else:
                body |= {name: (BytesIO(b"\x89PNG\r\n\x1a\n\x00"), "a\x00b.png") for name in form.files}
                answer = client.post(form.action, data=body)
            assert answer.status_code < 500, (form.action, form.method, wrong, evil[:5])


def keeps_nul(wired: Wired) -> list[str]:
    """The tables that hold a NUL somewhere. (PostgreSQL cannot.)"""
    if not wired.db.is_sqlite:
        return []
    with wired.db.reading() as session:
        return [
            table.name
            for table in Base.metadata.sorted_tables
            if (columns := [column for column in table.columns if isinstance(column.type, String)])
            and session.scalar(
                select(func.count()).select_from(table).where(or_(*(func.instr(c, func.char(0)) > 0 for c in columns)))
            )
        ]


@pytest.fixture
def shop(app: Flask, wired: Wired) -> Shop:
    """A brand with one of everything that has a page."""
    shop, now = open_shop(app, wired), datetime.now(UTC)
    with wired.db.transaction() as session:
        (store, channel), *_ = channels.list_stores(session, brand_id=shop.brand_id)
        channels.create_guide(session, store_id=store.id, name="王小满", actor="t", now=now)
        channels.create_scene(
            session,
            channel_id=channel.id,
            store_id=store.id,
            scene="shelf",
            placement="",
            name="货架",
            actor="t",
            now=now,
        )
        channels.ship(
            session,
            brand_id=shop.brand_id,
            number="CK-1",
            channel_id=channel.id,
            store_id=store.id,
            batch_number=shop.batch_number,
            ranges=[(0, 9)],
            staff_id=None,
            actor="t",
            now=now,
        )
        draft = factories.make_campaign(
            session, brand_id=shop.brand_id, starts_at=now, ends_at=now + timedelta(days=9), name_en="Draft"
        )
        campaigns.add_tranche(
            session,
            campaign_id=draft.id,
            ranges=[RangeLine(shop.batch_number, 0, 9)],
            prizes=[PrizeLine("points", 5, 5, "积分", "Points")],
            actor="t",
            now=now,
        )
        revision.bump(session)
    return shop


@pytest.fixture
def desk(app: Flask, wired: Wired, shop: Shop) -> FlaskClient:
    """An administrator who sees everything, and a colleague whose page there is to open."""
    hire(wired.db, "Carol", Role.FACTORY, shop.brand_id)
    client = app.test_client()
    factories.sign_in(client, wired.db, hire(wired.db, "Olga", Role.ADMIN).id)
    return client


def test_every_form_of_the_console(app: Flask, wired: Wired, desk: FlaskClient) -> None:
    forms = [form for form in walk(app, desk, ["/console/"], "/console") if form.typed or form.files]
    assert len(forms) > 30, [form.action for form in forms]
    for form in forms:
        attack(desk, form)
    assert keeps_nul(wired) == []
    assert desk.get("/console/").status_code == 200


def test_every_form_of_a_consumer(app: Flask, wired: Wired, shop: Shop) -> None:
    phone = shop.phone()
    phone.claim(3)
    phone.join()
    starts = ["/", f"/{shop.code(4)}", f"/{shop.code(5)[:-1]}", "/me", "/me/privacy", "/me/leave", "/sandbox/phone"]
    starts += ["/sandbox/wechat", "/sandbox/pay"]
    member = list(walk(app, phone.client, starts, "/"))
    stranger = app.test_client()
    forms = [*member, *walk(app, stranger, ["/join", "/sandbox/wechat"], "/")]
    assert len([form for form in forms if form.typed]) > 7, [form.action for form in forms]
    for form in forms:
        attack(stranger if form.action == "/join" else phone.client, form)
    assert keeps_nul(wired) == []


def test_every_address_with_every_parameter(app: Flask, desk: FlaskClient) -> None:
    strange = {"uuid": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "int": "9" * 30, "default": "%00", "path": "..%00"}

    def filled(rule: str) -> str:
        def one(found: re.Match[str]) -> str:
            kind = found[1] or "default"
            return found[2].split(",")[0] if kind == "any" else strange[kind]

        return re.sub(r"<(?:(\w+)(?:\(([^)]*)\))?:)?\w+>", one, rule)

    desk.get("/join")
    for rule in app.url_map.iter_rules():
        path = filled(str(rule))
        if "GET" in (rule.methods or ()):
            assert desk.get(path).status_code < 500, path
            if "<" in str(rule):
                continue
            for names in (PARAMETERS, *((name,) for name in NUMBERS)):
                answer = desk.get(path, query_string=dict.fromkeys(names, HUGE))
                assert answer.status_code < 500, (path, names)
            answer = desk.get(path, query_string=dict.fromkeys(PARAMETERS, NUL))
            assert answer.status_code == 400 or path.startswith(("/api/", "/epcis/")), path
            assert answer.status_code < 500, path
