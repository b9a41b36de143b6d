"""Who is at the console: the session behind a request, what its role allows, and which brand's things it may see.

The browser keeps the id of a session row and a secret, signed; the row decides whether that still means anybody, so
revoking it ends it at the next request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec
from urllib.parse import urlsplit
from uuid import UUID

import flask_login
from flask import Flask, Response, current_app, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError

from scancode.errors import NotAllowed, NotFound
from scancode.staff import service as staff
from scancode.staff.rules import Role, StaffFacts
from scancode.web.console import console
from scancode.web.runtime import runtime

P = ParamSpec("P")

login_manager = flask_login.LoginManager()
login_manager.session_protection = None  # it ties a session to the network address, which changes on a phone


@dataclass(frozen=True)
class ConsoleUser:
    """What Flask-Login passes around: a session, not a person."""

    signed: staff.SignedIn
    secret: str
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        return f"{self.signed.session_id.hex}.{self.secret}"


def install(app: Flask) -> None:
    login_manager.init_app(app, add_context_processor=False)


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(text: str) -> ConsoleUser | None:
    identity, _, secret = text.partition(".")
    try:
        session_id = UUID(hex=identity)
    except ValueError:
        return None
    now = runtime().now()
    with runtime().db.reading() as db_session:
        signed = staff.find_session(db_session, session_id=session_id, secret=secret, now=now)
    if signed is None:
        return None
    if signed.is_stale(now):
        with runtime().db.transaction() as db_session:
            staff.note_seen(db_session, session_id=session_id, now=now)
    return ConsoleUser(signed, secret)


def current_session() -> staff.SignedIn | None:
    """The session of this request; None when nobody is signed in."""
    user = flask_login.current_user
    return user.signed if user and user.is_authenticated else None


def find_current_staff() -> StaffFacts | None:
    """Who is signed in, for pages that anybody may open; None when nobody is, or when nobody can tell."""
    if "staff_shown" not in g:
        try:
            signed = current_session()
        except SQLAlchemyError:
            signed = None
        g.staff_shown = signed.staff if signed else None
    found: StaffFacts | None = g.staff_shown
    return found


def current_staff() -> StaffFacts:
    """Who is signed in. Only in views behind ``allow``."""
    signed = current_session()
    if signed is None:
        raise NotAllowed
    return signed.staff


def brand_scope() -> UUID | None:
    """The one brand whose things the person may see; None for the operator, who sees all."""
    return current_staff().brand_id


def visible(brand_id: UUID | None) -> None:
    """Raises NotFound when a thing of this brand is not the person's to see."""
    if not current_staff().sees(brand_id):
        raise NotFound


def operator_only() -> None:
    """Raises NotAllowed unless the person works for the operator of the installation."""
    if brand_scope() is not None:
        raise NotAllowed


def allow(*roles: Role) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Lets these roles, and administrators, call the view; ``allow()`` is for administrators alone.

    Others get NotAllowed; who is not signed in goes to the sign-in page and comes back afterwards.
    """

    def decorate(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            signed = current_session()
            if signed is None:
                return to_sign_in()
            if not signed.staff.may(roles):
                raise NotAllowed
            return view(*args, **kwargs)

        return guarded

    return decorate


anybody = allow(*Role)
"""Lets everybody who is signed in call the view."""


def sign_in(secret: str, signed: staff.SignedIn) -> None:
    """Binds the browser to a new session. What was in the cookie before goes, the consumer's person excepted."""
    people = session.get("people")
    session.clear()
    if people:
        session["people"] = people
    flask_login.login_user(ConsoleUser(signed, secret))


def sign_out() -> None:
    flask_login.logout_user()
    session.pop("csrf_token", None)


def to_sign_in() -> ResponseReturnValue:
    """Sends the browser to the sign-in page, with a word when a session has just ended, and back here afterwards."""
    if "_user_id" in session:
        sign_out()
        flash(gettext("You have been signed out, because the session ended. Please sign in again."), "warning")
    target = url_for("console.login", next=_came_from())
    if request.headers.get("HX-Request"):
        return Response(headers={"HX-Redirect": target})
    return redirect(target)


def _came_from() -> str | None:
    if request.method in {"GET", "HEAD"} and not request.headers.get("HX-Request"):
        here = request.full_path if request.query_string else request.path
    else:
        before = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
        same_host = before.netloc == request.host
        here = (before.path + (f"?{before.query}" if before.query else "")) if same_host else ""
    return local_path(here)


def local_path(text: str | None) -> str | None:
    """The text when it is a path of the console of this host, else None: nobody is sent elsewhere by a link."""
    if not text or not text.startswith("/console") or len(text) > 500:
        return None
    if "\\" in text or any(ord(char) < 32 for char in text):
        return None
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or "/../" in parts.path + "/":
        return None
    inside = parts.path == "/console" or parts.path.startswith("/console/")
    return text if inside and not parts.path.startswith(("/console/login", "/console/logout")) else None


@console.errorhandler(CSRFError)
def _form_stale(error: CSRFError) -> ResponseReturnValue:
    from scancode.web.problems import FormStale

    if find_current_staff() is None and request.endpoint != "console.login":
        return to_sign_in()
    return current_app.handle_user_exception(FormStale())
