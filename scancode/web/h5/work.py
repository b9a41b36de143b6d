"""The page that is shown instead of an answer after too many texts that are no code of ours: the browser works for a
second, and goes on by itself. Genuine codes are answered whatever happens here (decision 0025)."""

from __future__ import annotations

from flask import jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from scancode.web.guard import WorkNeeded
from scancode.web.guard.work import PASS_COOKIE, PASS_LIVES
from scancode.web.h5 import h5
from scancode.web.h5.frames import Frames
from scancode.web.h5.here import local_path
from scancode.web.language import current_locale
from scancode.web.limits import limiter
from scancode.web.runtime import runtime
from scancode.web.visitor import form_token

_frames = Frames()


def find_work_page(locale: str) -> str | None:
    """The page, where it was drawn before. It is the same for everybody."""
    return _frames.find(locale, {"token": ""})


def work_page(refusal: WorkNeeded) -> tuple[str, int]:
    locale = current_locale()

    def render() -> str:
        return render_template("h5/work.html", sentence=refusal.sentence(gettext))

    return _frames.fill(locale, render, {"token": ""}), refusal.status


@h5.get("/work")
@limiter.limit("60 per minute")
def work_question() -> Response:
    """What the browser is to find out, and the token for its answer; the visitor gets a cookie with it."""
    shared = runtime()
    return jsonify(token=form_token(), **shared.guard.work.ask(now=shared.now()))


@h5.post("/work")
@limiter.limit("60 per minute")
def work_answer() -> Response:
    """A pass for what was found out, and back to where the browser was. Raises WorkWrong."""
    shared = runtime()
    allowed = shared.guard.work.check(request.form.get("payload", ""), now=shared.now())
    response = redirect(local_path(request.form.get("next"), url_for("h5.enter")), 303)
    response.set_cookie(
        PASS_COOKIE,
        allowed,
        max_age=int(PASS_LIVES.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
    return response
