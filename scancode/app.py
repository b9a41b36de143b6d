"""Builds the web application from the settings; ``wsgi.py`` and ``scancode serve`` call it."""

from __future__ import annotations

from flask_openapi import Info, OpenAPI

import scancode
from scancode import config, web
from scancode.web.runtime import build
from scancode.wiring import Wired, connect, require_sound


def create_app(settings: config.Settings | None = None, *, wired: Wired | None = None) -> OpenAPI:
    """The WSGI application. Raises ConfigError when settings and database do not make a runnable program.

    What the database says is read first and the connection closed again: processes may fork from here.
    """
    if wired is None:
        wired = connect(settings or config.load())
        try:
            require_sound(wired)
        finally:
            wired.db.close()
    app = OpenAPI(
        "scancode.web",
        info=Info(title="scancode", version=scancode.__version__),
        doc_ui=False,
        static_folder=None,
        template_folder="templates",
    )
    app.extensions["scancode"] = build(
        settings=wired.settings,
        db=wired.db,
        ports=wired.ports,
        keyring=wired.keyring,
        sealer=wired.sealer,
        draw_sealer=wired.draw_sealer,
    )
    web.install(app, wired.settings)
    return app
