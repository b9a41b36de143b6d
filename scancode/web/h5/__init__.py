"""Pages for consumers: phone first, Chinese first, readable without JavaScript.

Every POST of these pages carries the visitor's form token, checked here before any view runs.
"""

from __future__ import annotations

from flask import Blueprint, Flask, request

from scancode.web.visitor import check_form_token

h5 = Blueprint("h5", __name__)


@h5.before_request
def _check_form() -> None:
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        check_form_token()


def install(app: Flask) -> None:
    from scancode.web.h5.front import Front  # it needs the views, and they need the blueprint

    app.register_blueprint(h5)
    app.wsgi_app = Front(app)  # type: ignore[method-assign]
