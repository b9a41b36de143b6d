"""Pages for staff: factory, marketing, administrators. Every POST is checked for its form token before a view runs."""

from __future__ import annotations

from flask import Blueprint, Flask, request
from flask_wtf.csrf import CSRFProtect

console = Blueprint("console", __name__, url_prefix="/console")
csrf = CSRFProtect()


@console.before_request
def _check_form() -> None:
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        csrf.protect()


def install(app: Flask) -> None:
    from scancode.web.console import access, moments, navigation

    csrf.init_app(app)
    access.install(app)
    moments.install(app)
    navigation.install(app)
    app.register_blueprint(console)
