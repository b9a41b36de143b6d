"""Accounts from the command line: the password is typed or made, and is never a word of the command."""

from __future__ import annotations

import re

from scancode.db import Database
from scancode.staff import passwords
from scancode.staff import service as staff
from tests.cli.conftest import Run
from tests.factories import make_brand

PASSWORD = "a good long word"


def test_it_asks_for_the_password_twice(run: Run, db: Database) -> None:
    made = run("staff", "create", "Alice", "--role", "admin", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert made.exit_code == 0, made.output
    assert PASSWORD not in made.output
    with db.reading() as session:
        alice = staff.find_staff(session, login="alice")
        assert alice is not None
        assert passwords.matches(alice.password_hash, PASSWORD)
        assert (alice.role, alice.brand_id, alice.is_demo) == ("admin", None, False)
        rows = staff.list_audit(session, brand_id=None, chosen=staff.AuditFilter(), limit=5)
        assert [(row.actor, row.action) for row in rows] == [("cli", "staff.create")]


def test_two_passwords_that_differ_are_asked_for_again(run: Run, db: Database) -> None:
    typed = f"{PASSWORD}\nanother one\n{PASSWORD}\n{PASSWORD}\n"
    assert run("staff", "create", "alice", "--role", "admin", typed=typed).exit_code == 0


def test_it_makes_a_password_and_shows_it_once(run: Run, db: Database) -> None:
    made = run("staff", "create", "bob", "--role", "factory", "--generate")
    secret = made.output.strip().splitlines()[-1].split(": ")[-1]
    assert re.fullmatch(r"[\w-]{20}", secret)
    with db.reading() as session:
        bob = staff.find_staff(session, login="bob")
        assert bob is not None
        assert passwords.matches(bob.password_hash, secret)


def test_there_is_no_option_for_a_password(run: Run) -> None:
    refused = run("staff", "create", "bob", "--role", "factory", "--password", "x")
    assert refused.exit_code == 2


def test_an_account_may_belong_to_a_brand(run: Run, db: Database) -> None:
    with db.transaction() as session:
        brand_id = make_brand(session, slug="tea").id
    assert run("staff", "create", "dave", "--role", "marketing", "--brand", "tea", "--generate").exit_code == 0
    with db.reading() as session:
        dave = staff.find_staff(session, login="dave")
        assert dave is not None
        assert dave.brand_id == brand_id


def test_it_refuses_a_brand_that_is_none(run: Run, db: Database) -> None:
    refused = run("staff", "create", "dave", "--role", "marketing", "--brand", "coffee", "--generate")
    assert refused.exit_code == 1
    assert "no_such_brand" in refused.stderr


def test_it_refuses_a_login_that_is_taken_and_a_weak_password(run: Run, db: Database) -> None:
    assert run("staff", "create", "alice", "--role", "admin", "--generate").exit_code == 0
    assert "login_taken" in run("staff", "create", "alice", "--role", "admin", "--generate").stderr
    weak = run("staff", "create", "mallory", "--role", "admin", typed="short\nshort\n")
    assert weak.exit_code == 1
    assert "invalid" in weak.stderr


def test_a_new_password_lifts_a_lock(run: Run, db: Database) -> None:
    run("staff", "create", "alice", "--role", "admin", "--generate")
    changed = run("staff", "password", "alice", typed=f"{PASSWORD}\n{PASSWORD}\n", LC_ALL="zh_CN.UTF-8")
    assert changed.exit_code == 0
    assert "密码已更改" in changed.output
    with db.reading() as session:
        alice = staff.find_staff(session, login="alice")
        assert alice is not None
        assert passwords.matches(alice.password_hash, PASSWORD)
    assert run("staff", "password", "nobody", "--generate").exit_code == 1
