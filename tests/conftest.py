"""What every test may ask for: a clock, a database of each kind, the program wired to make-believe outside services.

A test that takes ``db`` or ``session`` runs twice: on SQLite and on a real PostgreSQL (``TEST_DATABASE_URL``, or one
that ``tests/postgres.py`` starts). Each test finds the tables empty but for what migrations put there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from scancode import config, migrations
from scancode.db import Base, Database
from scancode.wiring import Wired, connect
from tests import postgres
from tests.fakes.pay import FakePay
from tests.kept import KeptDatabase, web_app

if TYPE_CHECKING:
    from tests.bank import Town


def pytest_configure(config: pytest.Config) -> None:
    """The process that leads the run starts a PostgreSQL; the workers of pytest-xdist find it in their environment.

    Hypothesis tries the same examples each time: a run that fails fails again.
    """
    hypothesis.settings.register_profile("repeatable", derandomize=True)
    hypothesis.settings.load_profile("repeatable")
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        stop = postgres.start_own()
        if stop is not None:
            config.add_cleanup(stop)


NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # noon in Shanghai
SECRETS = {name: f"t1:insecure-test-{name}-0123456789abcdef0123456789" for name in config.SECRETS}


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def noon() -> Iterator[None]:
    """Every clock of this process stands still at ``now``: no minute or day ends in the middle of the test."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.sqlite"
    db = Database(f"sqlite:///{path}")
    migrations.upgrade(db)
    with db.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path


@pytest.fixture(scope="session")
def postgres_url(worker_id: str) -> Iterator[str]:
    """A migrated database of this test process alone."""
    with postgres.fresh_database(f"scancode_{worker_id}_{os.getpid()}") as url:
        db = Database(url)
        migrations.upgrade(db)
        db.close()
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        path = tmp_path / "scancode.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        url: str = request.getfixturevalue("postgres_url")
        yield url
        empty(url)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> config.Settings:
    return config.load(
        {},
        env="test",
        database_url=database_url,
        var_dir=tmp_path,
        base_url="http://127.0.0.1:8000",
        scan_hosts="https://q.example",
        wechatpay_rate=1000,
        sms_gateway="sandbox",
        login_gateway="sandbox",
        pool_size=3,
        **SECRETS,
    )


@pytest.fixture
def wired(settings: config.Settings) -> Iterator[Wired]:
    """The program's parts on a fresh database, with something make-believe at every port."""
    db = KeptDatabase(settings.database_url, busy_s=settings.sqlite_busy_s, pool_size=settings.pool_size)
    wired = with_fake_pay(replace(connect(settings), db=db))
    yield wired
    wired.db.close()


def with_fake_pay(wired: Wired) -> Wired:
    """Whatever the settings say, payments go to a provider in memory."""
    pay = FakePay()
    return replace(wired, ports=replace(wired.ports, payout=pay, person=pay))


@pytest.fixture
def db(wired: Wired) -> Database:
    return wired.db


@pytest.fixture
def session(db: Database) -> Iterator[Session]:
    """A write transaction that the test never commits."""
    with db.engine.connect() as connection:
        transaction = connection.begin()
        with Session(connection, expire_on_commit=False, join_transaction_mode="rollback_only") as session:
            yield session
        transaction.rollback()


@pytest.fixture
def app(wired: Wired) -> Flask:
    """The web application on the same database; its threads and caches are its own."""
    app = web_app(wired)
    app.config["TESTING"] = True
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without cookies yet."""
    return app.test_client()


def empty(url: str) -> None:
    """Deletes every row, quickly: most tables are empty already."""
    migrations.models_loaded()
    with KeptDatabase(url, pool_size=3).engine.begin() as connection:
        names = [table.name for table in reversed(Base.metadata.sorted_tables)]
        probe = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names)
        full = {row[0] for row in connection.execute(text(probe))}
        for name in names:
            if name in full:
                connection.execute(text(f"DELETE FROM {name}"))


@pytest.fixture(scope="module")
def _bank() -> Iterator[Town]:
    from tests.bank import open_bank  # which takes its secrets from here

    with open_bank() as town:
        yield town


@pytest.fixture
def town(_bank: Town) -> Iterator[Town]:
    """A payment server that obeys no script yet, with empty books."""
    _bank.bank.book.reset()
    _bank.bank.faults.clear()
    yield _bank
    _bank.hang_up()
