"""``scancode ledger``: balances, corrections, and a proof whose exit code says when sums differ."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update

from scancode.db import Database, new_id
from scancode.ledger import service as ledger
from scancode.ledger.models import PointsLot
from tests.cli.conftest import Run
from tests.conftest import NOW
from tests.factories import make_brand

KEY = str(UUID(int=7))


def test_an_account_is_read_corrected_and_proved(db: Database, run: Run) -> None:
    account = new_id(NOW)
    with db.transaction() as session:
        brand_id = make_brand(session).id
        made = [ledger.Grant(account, "claim:1", 50)]
        ledger.grant_many(session, brand_id=brand_id, grants=made, now=NOW)
        entry = ledger.entries(session, account_id=account, limit=1)[0].id
    name = str(account)
    assert "balance 50" in run("ledger", "balance", name).output
    assert run("ledger", "balance", name, "--at", "2026-11-21").output == "0\n"
    adjust = ("ledger", "adjust", name, "--reason", "a gift", "--key", KEY, "--", "-20")
    assert run(*adjust).output == "entered\n"
    assert "entered before" in run(*adjust).output
    assert "a gift" in run("ledger", "entries", name).output
    assert "never expires" in run("ledger", "lots", name).output
    refused = run("ledger", "reverse", name, str(entry), "--reason", "wrong")
    assert refused.exit_code == 1
    assert "20 of them are no longer there" in refused.output
    assert run("ledger", "freeze", name, "--reason", "looked into").output == "frozen\n"
    assert "looked into" in run("ledger", "balance", name).output
    assert run("ledger", "adjust", name, "5", "--reason", "x", "--key", str(UUID(int=8))).exit_code == 1
    assert run("ledger", "unfreeze", name).output == "free again\n"
    proved = run("ledger", "verify")
    assert (proved.exit_code, "1 accounts, 0 sums" in proved.output) == (0, True)
    with db.transaction() as session:
        session.execute(update(PointsLot).values(left_points=0))
    wrong = run("ledger", "verify")
    assert wrong.exit_code == 5
    assert f"{name}: balance 30, entries 30, lots 0" in wrong.output
    assert run("ledger", "balance", str(UUID(int=1))).exit_code == 1
