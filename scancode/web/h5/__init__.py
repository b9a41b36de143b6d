"""Pages for consumers: phone first, Chinese first, readable without JavaScript.

Every POST of these pages carries the visitor's form token, checked here before any view runs; whoever is held off posts
nothing.
"""

from __future__ import annotations

from flask import Blueprint, Flask, request

from scancode.web.h5.meeting import require_welcome
from scancode.web.runtime import runtime
from scancode.web.visitor import check_form_token, current_visitor

h5 = Blueprint("h5", __name__)


@h5.before_request
def _check_form() -> None:
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        check_form_token()
        require_welcome(runtime(), request.environ, current_visitor(), runtime().now())


def install(app: Flask) -> None:
    from scancode.web.h5.front import Front  # it needs the views, and they need the blueprint

    app.register_blueprint(h5)
    app.extensions["front"] = app.wsgi_app = Front(app)  # type: ignore[method-assign]
