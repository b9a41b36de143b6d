"""The schema: migrations from nothing and from a full older database, models equal to migrations on both databases,
and the rules that let the tables be spread over many servers later (scancode/docs/architecture.md)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Table, UniqueConstraint, inspect

from scancode import migrations
from scancode.db import Base, Database
from tests import postgres
from tests.rows import counts, populate, reflect

migrations.models_loaded()
TABLES = Base.metadata.sorted_tables
RENAMED = {"packing_imports": "uploads", "clicks": "link_days"}
"""Where the rows of a table went that is there no more."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_db(request: pytest.FixtureRequest, tmp_path: Path, worker_id: str) -> Iterator[Database]:
    """A database in which nothing is, not even a schema."""
    if request.param == "sqlite":
        db = Database(f"sqlite:///{tmp_path / 'empty.sqlite'}")
        yield db
        db.close()
        return
    with postgres.fresh_database(f"scancode_migrations_{worker_id}") as url:
        db = Database(url)
        yield db
        db.close()


def revisions() -> list[str]:
    """Oldest first."""
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    return [script.revision for script in reversed(list(scripts.walk_revisions()))]


def test_there_is_one_line_of_revisions() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1
    assert migrations.revisions() == revisions()
    assert migrations.head() == revisions()[-1]


def test_every_feature_with_models_is_listed() -> None:
    root = Path(migrations.__file__).parents[1]
    assert {path.parent.name for path in root.glob("*/models.py")} == set(migrations.FEATURES)


def test_models_equal_migrations(empty_db: Database) -> None:
    assert migrations.current(empty_db) is None
    migrations.upgrade(empty_db)
    assert migrations.current(empty_db) == migrations.head()
    assert migrations.differences(empty_db) == []


def test_checks_and_unique_keys_are_those_of_the_models(empty_db: Database) -> None:
    """What Alembic's comparison does not look at."""
    migrations.upgrade(empty_db)
    with empty_db.reading() as session:
        found = inspect(session.connection())
        for table in TABLES:
            checks = {str(check["name"]) for check in found.get_check_constraints(table.name)}
            assert checks == {str(c.name) for c in table.constraints if isinstance(c, CheckConstraint)}, table.name
            unique = {tuple(key["column_names"]) for key in found.get_unique_constraints(table.name)}
            wanted = {tuple(c.columns.keys()) for c in table.constraints if isinstance(c, UniqueConstraint)}
            assert unique == wanted, table.name
            pointing = {
                (tuple(key["constrained_columns"]), key["referred_table"]) for key in found.get_foreign_keys(table.name)
            }
            assert pointing == {
                (tuple(c.columns.keys()), c.referred_table.name) for c in table.foreign_key_constraints
            }, table.name


def test_upgrading_twice_changes_nothing(empty_db: Database) -> None:
    migrations.upgrade(empty_db)
    migrations.upgrade(empty_db)
    assert migrations.differences(empty_db) == []


@pytest.mark.parametrize("revision", revisions())
def test_a_populated_older_database_keeps_every_row(empty_db: Database, revision: str) -> None:
    """Rows are put into every table that the old revision had, by plain INSERTs of what its columns ask for, whatever
    the models say today; then the upgrade must lose none of them and leave no reference without its target."""
    migrations.upgrade(empty_db, revision=revision)
    before = populate(empty_db)
    assert before, "no table was there to populate"
    migrations.upgrade(empty_db)
    assert migrations.differences(empty_db) == []
    after = counts(empty_db)
    now = {name: after.get(RENAMED.get(name, name)) or 0 for name in before}
    lost = {name: (rows, now[name]) for name, rows in before.items() if now[name] < rows}
    assert not lost
    assert dangling(empty_db) == []


def test_balances_become_lots_that_never_expire(empty_db: Database) -> None:
    migrations.upgrade(empty_db, revision="0021")
    populate(empty_db)
    migrations.upgrade(empty_db)
    with empty_db.reading() as session:
        held = session.execute(sa.text("SELECT id, brand_id, balance, balance FROM accounts ORDER BY id")).all()
        lots = session.execute(
            sa.text("SELECT account_id, brand_id, points, left_points FROM points_lots ORDER BY account_id")
        ).all()
        assert held == lots != []
        assert session.scalar(sa.text("SELECT count(*) FROM points_lots WHERE expires_at IS NOT NULL")) == 0


def test_a_migration_that_loses_children_is_rolled_back(tmp_path: Path) -> None:
    """SQLite's foreign keys are off while a table is copied; what that could break is looked for before the commit."""
    db = Database(f"sqlite:///{tmp_path / 'broken.sqlite'}")
    migrations.upgrade(db)
    populate(db)
    with db.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("COMMIT") if raw.in_transaction else None
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute("DELETE FROM brands")
        raw.execute("PRAGMA foreign_keys=ON")
    with pytest.raises(migrations.MigrationBroken):
        migrations.upgrade(db)
    db.close()


def dangling(db: Database) -> list[str]:
    """References without a target."""
    wrong = []
    with db.reading() as session:
        for table in reflect(session.connection()):
            for key in table.foreign_key_constraints:
                pairs = [(element.parent, element.column) for element in key.elements]
                other = key.referred_table.alias()
                matches = sa.and_(*(ours == other.c[theirs.name] for ours, theirs in pairs))
                lost = sa.select(sa.func.count()).where(
                    sa.and_(*(ours.is_not(None) for ours, _ in pairs)), ~sa.exists().where(matches)
                )
                if session.scalar(lost.select_from(table)):
                    wrong.append(f"{table.name} -> {key.referred_table.name}")
    return wrong


# Rules kept so that Citus can spread the tables later.

CODE_TABLES = {
    "scans", "suspicions", "suspicion_steps", "claims", "held_claims", "held_steps", "payouts", "payout_events",
    "packed_codes", "containers", "trial_claims",
}  # fmt: skip
MEMBER_TABLES = {
    "consents", "member_visitors", "member_tags", "member_tiers", "acquisitions", "likings", "given_welcomes",
}  # fmt: skip
ACCOUNT_TABLES = {
    "accounts": "id",
    "entries": "account_id",
    "points_lots": "account_id",
    "points_holds": "account_id",
    "points_reminders": "account_id",
}
"""An account's id is the member's, or that of who is no member yet (decision 0001)."""
BY_VALUE = {
    "identities": "id",
    "payout_numbers": "out_bill_no",
    "one_time_passwords": "phone_id",
    "send_turns": "key",
    "touches": "visitor_id",
    "live_turns": "touchpoint_id",
    "link_days": "link_id",
    "members": "id",
    "packing_events": "parent_id",
    "crossings": "id",
    "payout_notices": "id",
    "authorisations": "identity_id",
    "authorisation_numbers": "number",
    "complaints": "id",
    "complaint_photos": "complaint_id",
    "complaint_notes": "complaint_id",
    "diversion_cases": "id",
    "diversion_scans": "case_id",
    "diversion_notes": "case_id",
    "counter_slots": "owner_id",
    "person_counts": "person_id",
}
"""Spread by the value that is looked for."""
REFERENCE = {
    "revision", "brands", "products", "pictures", "batches", "life_ranges", "life_events", "pack_files", "channels",
    "stores", "guides", "touchpoints", "shipments", "shipment_lines", "shipped_ranges", "campaigns", "tranches",
    "tranche_ranges", "prizes", "staff", "pack_checks", "order_approvals", "brand_terms", "offline_ranges",
    "label_layouts", "campaign_reviews", "rules_versions", "batch_channels", "live_guides", "logos",
    "print_houses", "sealed_packs", "pack_links", "downloads", "press_kits", "alerts",
    "packed_ranges", "uploads", "upload_files", "life_orders", "receipt_gaps", "product_links", "site_files",
    "risk_terms", "blocks", "territories", "tags",
    "tiers", "tier_ladders", "tag_scenes", "campaign_testers", "welcomes", "welcome_terms",
}  # fmt: skip
ONE_SHARD = {
    "jobs", "stops", "worker_beats", "staff_sessions", "api_tokens", "token_calls", "audit_rows", "audit_head",
    "scan_misses", "outside_tokens", "epcis_captures", "epcis_events", "paces", "merchant_balances", "comparisons",
    "points_proofs",
}  # fmt: skip
SPREAD = {
    **dict.fromkeys(CODE_TABLES, "code_id"),
    **dict.fromkeys(MEMBER_TABLES, "member_id"),
    **ACCOUNT_TABLES,
    **BY_VALUE,
}


def test_every_table_has_its_place() -> None:
    assert {table.name for table in TABLES} == set(SPREAD) | REFERENCE | ONE_SHARD


@pytest.mark.parametrize(
    "table", [table for table in TABLES if table.name in SPREAD], ids=lambda table: str(table.name)
)
def test_a_spread_table_has_its_key_in_every_unique_key(table: Table) -> None:
    column = SPREAD[table.name]
    assert column in table.primary_key.columns
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            assert column in constraint.columns, constraint
    for index in table.indexes:
        assert not index.unique or column in index.columns, index


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.name))
def test_references_point_to_reference_tables_or_along_the_same_key(table: Table) -> None:
    for constraint in table.foreign_key_constraints:
        target = constraint.referred_table.name
        if target in REFERENCE:
            continue
        assert table.name not in REFERENCE, f"a reference table points at {target}"
        if table.name in SPREAD:
            pairs = {(element.parent.name, element.column.name) for element in constraint.elements}
            assert target in SPREAD, constraint
            assert (SPREAD[table.name], SPREAD[target]) in pairs, constraint
        else:
            assert target in ONE_SHARD, constraint


STORY = (
    ("staff", "ledger", "jobs"), ("catalog",), ("uploads",), ("codes", "members"), ("handover", "packing", "resolver"),
    ("channels",), ("scans", "epcis"), ("complaints", "diversion"), ("campaigns",), ("payouts",), ("claims",),
)  # fmt: skip


def test_references_point_backwards_in_the_story() -> None:
    place = {feature: number for number, features in enumerate(STORY) for feature in features}
    home = {mapper.local_table.name: mapper.class_.__module__.split(".")[1] for mapper in Base.registry.mappers}
    for table, constraint in itertools.chain.from_iterable(
        ((table, constraint) for constraint in table.foreign_key_constraints) for table in TABLES
    ):
        here, there = home[table.name], home[constraint.referred_table.name]
        assert here == there or place[there] < place[here], f"{table.name} -> {constraint.referred_table.name}"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.name))
def test_ids_times_and_defaults_are_made_by_the_program(table: Table) -> None:
    for column in table.columns:
        assert column.server_default is None, column
        assert column.server_onupdate is None, column
        assert column.identity is None, column
        assert column.computed is None, column
    assert table.autoincrement_column is None


@pytest.mark.postgresql
def test_the_database_makes_no_numbers_and_runs_no_triggers(postgres_url: str) -> None:
    db = Database(postgres_url)
    with db.reading() as session:
        sequences = session.scalars(sa.text("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")).all()
        triggers = session.scalars(sa.text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")).all()
    db.close()
    assert (list(sequences), list(triggers)) == ([], [])
