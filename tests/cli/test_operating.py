"""The doctor, exit codes, the report, stopping money and letting it go on."""

from __future__ import annotations

import csv
import importlib
import io
import pkgutil
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import structlog

from scancode import cli, config, journal
from scancode.cli.checks import new_secret
from scancode.cli.root import HOMES
from scancode.config import SECRETS
from scancode.db import Database
from scancode.jobs import service as jobs
from scancode.staff import service as staff
from scancode.staff.models import AuditRow
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests.bank import open_bank
from tests.cli.conftest import Run
from tests.conftest import NOW
from tests.factories import make_batch, make_brand, make_product
from tests.wechat import APP_ID, SECRET, town


def test_a_healthy_installation_has_no_cross(run: Run) -> None:
    seen = run("doctor")
    assert seen.exit_code == 0, seen.output
    assert "✗" not in seen.output
    assert "no worker is alive" in seen.output


def test_the_doctor_speaks_chinese(run: Run) -> None:
    seen = run("doctor", LC_ALL="zh_CN.UTF-8")
    assert seen.exit_code == 0
    assert "制码密钥" in seen.output
    assert "settings" not in seen.output


def test_settings_that_do_not_work_exit_3_and_are_all_named(run: Run) -> None:
    seen = run("doctor", SCANCODE_ENV="production")
    assert seen.exit_code == 3
    assert seen.output.count("sandbox") >= 2
    assert "SCANCODE_BASE_URL" in seen.output
    assert run("batch", "list", SCANCODE_CODE_KEYS="").exit_code == 3
    assert run("batch", "list", PORT="many").exit_code == 3


def test_a_database_that_is_away_or_old_exits_4(run: Run, tmp_path: object) -> None:
    away = run("doctor", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert away.exit_code == 4
    assert "cannot be reached" in away.output
    assert run("batch", "list", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none").exit_code == 4
    old = run("batch", "list", DATABASE_URL=f"sqlite:///{tmp_path}/fresh.sqlite")
    assert old.exit_code == 4
    assert "scancode db upgrade" in old.stderr
    assert run("db", "check", DATABASE_URL=f"sqlite:///{tmp_path}/fresh.sqlite").exit_code == 4


def test_upgrade_makes_a_database_that_checks(run: Run, tmp_path: object) -> None:
    url = f"sqlite:///{tmp_path}/made.sqlite"
    assert run("db", "upgrade", DATABASE_URL=url).exit_code == 0
    assert "up to date" in run("db", "upgrade", DATABASE_URL=url).output
    assert run("db", "check", DATABASE_URL=url).exit_code == 0


def test_a_missing_code_key_exits_5_and_keeps_the_service_from_starting(run: Run, db: Database) -> None:
    with db.transaction() as session:
        brand = make_brand(session)
        make_batch(session, brand_id=brand.id, product_id=make_product(session, brand_id=brand.id).id, kid="lost")
    seen = run("doctor")
    assert seen.exit_code == 5
    assert "lost" in seen.output
    for command in ("serve", "worker"):
        refused = run(command)
        assert refused.exit_code == 3
        assert "lost" in refused.stderr


def test_in_production_a_demo_account_exits_5_and_keeps_the_service_from_starting(run: Run, db: Database) -> None:
    with db.transaction() as session:
        person = {"login": "anna", "name": "Anna", "password": "tea-and-codes", "role": Role.ADMIN, "brand_id": None}
        staff.create(session, **person, actor="cli", is_demo=True, now=NOW)  # type: ignore[arg-type]
    secrets = run("doctor", "--new-secrets").output.splitlines()
    gateways = {f"SCANCODE_{name}_GATEWAY": "none" for name in ("PAYOUT", "SMS", "LOGIN")}
    given = {"SCANCODE_ENV": "production", "SCANCODE_BASE_URL": "https://q.brand.example", **gateways}
    given |= dict(line.split("=", 1) for line in secrets)
    assert run("doctor", **given).exit_code == 5
    for command in ("serve", "worker"):
        refused = run(command, **given)
        assert refused.exit_code == 3
        assert "published passwords" in refused.stderr


def test_every_command_logs_as_the_journal_does(run: Run) -> None:
    assert run("db", "check", SCANCODE_LOG_LEVEL="WARNING").exit_code == 0
    kept = structlog.get_config()
    journal.configure("WARNING")
    meant = structlog.get_config()
    assert [type(one) for one in kept["processors"]] == [type(one) for one in meant["processors"]]
    assert type(kept["logger_factory"]) is type(meant["logger_factory"])
    assert kept["wrapper_class"] is meant["wrapper_class"]


def test_a_forged_audit_row_exits_5(run: Run, db: Database) -> None:
    run("staff", "create", "alice", "--role", "admin", "--generate")
    with db.transaction() as session:
        session.execute(sa.update(AuditRow).values(actor="nobody"))
    assert run("doctor").exit_code == 5
    checked = run("db", "check")
    assert checked.exit_code == 5
    assert "audit" in checked.stderr


def test_a_table_that_differs_exits_5(run: Run, tmp_path: object) -> None:
    url = f"sqlite:///{tmp_path}/changed.sqlite"
    run("db", "upgrade", DATABASE_URL=url)
    db = Database(url)
    with db.transaction() as session:
        session.execute(sa.text("DROP TABLE stops"))
    db.close()
    assert run("db", "check", DATABASE_URL=url).exit_code == 5


def test_the_doctor_asks_wechat_and_says_what_to_mend(run: Run) -> None:
    with town() as there:
        given = {
            "SCANCODE_LOGIN_GATEWAY": "wechat",
            "SCANCODE_WECHAT_APP_ID": APP_ID,
            "SCANCODE_WECHAT_SECRET": SECRET,
            "SCANCODE_WECHAT_API_URL": there.url,
        }
        assert "WeChat: account, secret" in run("doctor", **given).output
        there.next("/cgi-bin/stable_token", errcode=40164)
        refused = run("doctor", **given | {"SCANCODE_WECHAT_APP_ID": "wx-other"})
        assert refused.exit_code != 0
        assert "list of allowed addresses" in refused.output


def test_a_job_that_gave_up_is_told(run: Run, db: Database) -> None:
    with db.transaction() as session:
        jobs.enqueue(session, kind="sms", key="k", payload={}, run_at=NOW, now=NOW)
        leased = jobs.lease(session, now=NOW, lease_s=60)
        assert leased is not None
        jobs.retry(session, leased=leased, error="gone", now=NOW, is_permanent=True)
    seen = run("doctor")
    assert seen.exit_code == 5
    assert "given up" in seen.output


def test_new_secrets_make_a_production_install_start(run: Run) -> None:
    printed = run("doctor", "--new-secrets", SCANCODE_ENV="production", SCANCODE_CODE_KEYS="")
    assert printed.exit_code == 0
    given = dict(line.split("=", 1) for line in printed.output.splitlines())
    assert set(given) == {f"SCANCODE_{name.upper()}" for name in SECRETS}
    config.load({**given, "SCANCODE_BASE_URL": "https://q.brand.example"}).check()
    assert len({new_secret("code_keys", NOW) for _ in range(20)}) == 20


def test_halt_stops_money_and_the_console_can_tell_why(run: Run, db: Database) -> None:
    assert run("halt", "snapshot of Monday").exit_code == 0
    with db.reading() as session:
        assert jobs.is_stopped(session, "claims") == jobs.is_stopped(session, "payouts") == "snapshot of Monday"
    assert "snapshot of Monday" in run("doctor").output


def test_reconcile_lets_money_go_on_when_the_books_agree(run: Run, db: Database) -> None:
    run("halt", "test")
    assert run("reconcile").exit_code == 2  # nothing was restored here, so it wants a day
    since = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}"
    with open_bank() as bank:
        paying = bank.bank.keys.settings(bank.url)
        looked = run("reconcile", "--since", since, "--look", **paying)
        assert looked.exit_code == 0, looked.output
        with db.reading() as session:
            assert jobs.is_stopped(session, "claims")
        assert run("reconcile", "--since", since, **paying).exit_code == 0
    with db.reading() as session:
        assert jobs.is_stopped(session, "claims") is None
        assert jobs.is_stopped(session, "payouts") is None


def test_reconcile_without_a_provider_needs_a_person_to_say_so(run: Run, db: Database) -> None:
    run("halt", "test")
    refused = run("reconcile", "--since", "2026-11-01", SCANCODE_PAYOUT_GATEWAY="none")
    assert refused.exit_code == 3
    assert run("reconcile", "--since", "2026-11-01", "--accept", SCANCODE_PAYOUT_GATEWAY="none").exit_code == 0


def test_the_report_is_a_table_and_a_csv(run: Run, wired: Wired) -> None:
    with wired.db.transaction() as session:
        make_brand(session, slug="tea", name_en="=Tea")
    for by in ("channel", "store", "guide", "scene", "product", "batch", "day"):
        table = run("report", "--by", by)
        assert table.exit_code == 0, table.output
        assert "total" in table.output
    printed = run("report", "--by", "day", "--from", "2026-11-20", "--to", "2026-11-22", "--csv", LC_ALL="zh_CN.UTF-8")
    rows = list(csv.reader(io.StringIO(printed.stdout)))
    assert rows[0][0] == "日期"
    assert [row[0] for row in rows[1:]] == ["2026-11-20", "2026-11-21", "2026-11-22", "合计"]
    assert {len(row) for row in rows} == {10}


def test_the_report_wants_a_brand_where_there_are_several(run: Run, wired: Wired) -> None:
    assert run("report").exit_code == 1
    with wired.db.transaction() as session:
        make_brand(session, slug="tea")
        make_brand(session, slug="juice")
    refused = run("report")
    assert refused.exit_code == 1
    assert "juice, tea" in refused.stderr
    assert run("report", "--brand", "tea").exit_code == 0
    assert run("report", "--brand", "tea", "--from", "2026-11-22", "--to", "2026-11-01").exit_code == 1


def test_a_wrong_word_exits_2(run: Run) -> None:
    assert run("sing").exit_code == 2
    assert run("report", "--by", "mood").exit_code == 2


@pytest.mark.parametrize("words", [("--help",), *((name, "--help") for name in HOMES)])
def test_every_command_has_help(run: Run, words: tuple[str, ...]) -> None:
    shown = run(*words)
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) >= 5


def test_every_command_of_every_module_is_found() -> None:
    modules = [importlib.import_module(f"scancode.cli.{found.name}") for found in pkgutil.iter_modules(cli.__path__)]
    made = [command.name for module in modules for command in getattr(module, "COMMANDS", ())]
    assert sorted(made) == sorted(HOMES)
