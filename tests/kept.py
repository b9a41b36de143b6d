"""What the tests of one process keep from one to the next, because making it costs more than most tests do: engines,
whose statements are compiled already (and PostgreSQL's connections), and the web application with its addresses and
templates. Rows, files, caches of the program, threads, cookies and configuration are each test's own.

SQLite does not wait for the disk here, as the tests' PostgreSQL does not: no test cuts the power.
"""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from flask import Flask
from sqlalchemy import Engine, event

from scancode.app import create_app
from scancode.config import Settings
from scancode.db import Database
from scancode.web.h5.front import Front
from scancode.web.limits import limiter
from scancode.web.runtime import build
from scancode.wiring import Wired
from tests.shown import Browser

_engines: Final[dict[tuple[object, ...], Engine]] = {}
_apps: Final[dict[Settings, Flask]] = {}


class KeptDatabase(Database):
    """A database whose engines were those of the test before: on SQLite they open this one's file instead."""

    def _sqlite_engine(self, synchronous: str) -> Engine:
        make = super()._sqlite_engine
        engine = _kept(("sqlite", synchronous, self._busy_s), lambda: _moving(make(synchronous)))
        engine.url = self.url
        return engine

    def _postgres_engine(self, pool_size: int) -> Engine:
        make = super()._postgres_engine
        return _kept((self.url, pool_size), lambda: make(pool_size))

    def _disconnect(self) -> None:
        if self.is_sqlite:
            super()._disconnect()


def _kept(key: tuple[object, ...], make: Callable[[], Engine]) -> Engine:
    if key not in _engines:
        _engines[key] = make()
    return _engines[key]


def _moving(engine: Engine) -> Engine:
    @event.listens_for(engine, "do_connect")
    def _where_it_is_now(_dialect: object, _record: object, arguments: list[Any], _named: object) -> None:
        arguments[0] = engine.url.database

    @event.listens_for(engine, "connect")
    def _without_waiting(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF").close()

    return engine


def web_app(wired: Wired) -> Flask:
    """The application as ``create_app(wired=wired)`` makes it."""
    anywhere = wired.settings.model_copy(update={"database_url": "sqlite://", "var_dir": Path()})
    if anywhere not in _apps:
        _apps[anywhere] = create_app(wired=wired)  # never serves: what serves are copies of it
    app = copy.copy(_apps[anywhere])
    app.config = copy.copy(app.config)
    app.test_client_class = Browser
    app.extensions = {**app.extensions, "scancode": build(**vars(wired))}
    limiter.enabled = app.config["RATELIMIT_ENABLED"]  # one for all applications: the last one made sets it
    assert type(app.__dict__.pop("wsgi_app")) is Front
    app.wsgi_app = Front(app)  # type: ignore[method-assign]
    return app
