"""The make-believe outside world as pages, for the demo and for tests: choose who you are in WeChat, read the phone's
messages, receive the money. Each page exists only where the settings put the sandbox at that port; all are marked.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, cast
from urllib.parse import urlencode, urlsplit

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from scancode.errors import NotFound
from scancode.members.rules import mask_phone
from scancode.ports import PayingPerson
from scancode.web.h5 import h5
from scancode.web.h5.here import local_path
from scancode.web.runtime import runtime

MESSAGES_SHOWN = 5


class World(Protocol):
    """What the pages need of the sandbox adapter; the web does not import adapters."""

    people: tuple[str, ...]

    def login_code(self, openid: str) -> str: ...
    def messages(self, limit: int = 20) -> list[tuple[str, str, str]]: ...


def _world(port: str) -> World:
    """The sandbox behind a port (``login``, ``sms``). Raises NotFound where another thing stands there."""
    shared = runtime()
    if getattr(shared.settings, f"{port}_gateway") != "sandbox":
        raise NotFound
    adapter = {"login": shared.ports.identity, "sms": shared.ports.sms}[port]
    return cast(World, adapter.world)  # type: ignore[union-attr]


@h5.get("/sandbox/wechat")
def sandbox_wechat() -> str:
    """Who are you in WeChat? One click."""
    world = _world("login")
    return render_template(
        "h5/sandbox/wechat.html",
        brand=None,
        people=world.people,
        state=request.args.get("state", ""),
        redirect_uri=request.args.get("redirect_uri", ""),
    )


@h5.post("/sandbox/wechat")
def sandbox_wechat_choose() -> Response:
    """The person agreed: back with a code that works once. Without a choice: back with none, as WeChat does."""
    world = _world("login")
    back = local_path(urlsplit(request.form.get("redirect_uri", "")).path, url_for("h5.wechat_back"))
    query = {"state": request.form.get("state", "")[:128]}
    name = request.form.get("person", "")
    if name in world.people:
        query["code"] = world.login_code(f"sandbox-openid-{world.people.index(name) + 1:04}")
    return redirect(f"{back}?{urlencode(query)}")


@h5.get("/sandbox/phone")
def sandbox_phone() -> str:
    """The phone's inbox, newest message first. ``to`` (a masked number) and ``since`` (seconds) say what is awaited."""
    world = _world("sms")
    to, since_s = request.args.get("to", ""), request.args.get("since", 0, type=int)
    texts = [
        {
            "phone": phone,
            "hint": mask_phone(phone),
            "password": password,
            "is_awaited": datetime.fromisoformat(at).timestamp() >= since_s,
        }
        for phone, password, at in world.messages()
        if to in {"", mask_phone(phone)}
    ][:MESSAGES_SHOWN]
    kept = {name: request.args.get(name, "")[:500] for name in ("brand", "next", "terms", "marketing", "preferences")}
    return render_template("h5/sandbox/phone.html", brand=None, messages=texts, kept=kept, here=request.full_path)


@h5.get("/sandbox/pay")
def sandbox_pay() -> str:
    """The page on which a person takes the money, as WeChat shows one."""
    person, package = _person(), request.args.get("package", "")[:200]
    return render_template(
        "h5/sandbox/pay.html",
        brand=None,
        package=package,
        amount_fen=person.waiting_fen(package) if package else None,
        is_asked=bool(package) and person.is_asked(package),
        return_url=_return_path(request.args.get("return_url")),
    )


@h5.post("/sandbox/pay")
def sandbox_pay_act() -> Response:
    """«Receive» settles the bill, «I agree» grants what was asked for; «Not now» leaves either waiting."""
    person = _person()
    if "receive" in request.form:
        person.confirm(request.form.get("package", "")[:200])
    return redirect(_return_path(request.form.get("return_url")))


def _person() -> PayingPerson:
    """Whoever receives money at ``scancode sandbox-pay``. Raises NotFound where payments are real."""
    person = runtime().ports.person
    if person is None:
        raise NotFound
    return person


def _return_path(text: str | None) -> str:
    """Where to go back to: a path of this host, whatever host the address names."""
    parts = urlsplit(text or "")
    return local_path(parts.path + (f"?{parts.query}" if parts.query else ""), url_for("h5.enter"))
