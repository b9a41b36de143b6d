"""Lots of points with their expiry, transfers in two steps, frozen accounts, proofs. Balances become lots for ever."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

MOMENT = scancode.db.UtcDateTime(timezone=True)
NEW = (
    ("accounts", "reserved", sa.BigInteger(), 0),
    ("brands", "points_term", sa.String(length=8), "never"),
    ("brands", "points_count", sa.Integer(), 0),
    ("brands", "points_remind_days", sa.Integer(), 30),
)
"""Columns that every row needs: added empty, filled, then required."""


def upgrade() -> None:
    for table, column, kind, value in NEW:
        op.add_column(table, sa.Column(column, kind, nullable=True))
        place = sa.table(table, sa.column(column, kind))
        op.get_bind().execute(sa.update(place).values({column: value}))
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column(column, existing_type=kind, nullable=False)
    with op.batch_alter_table("accounts") as batch_op:
        batch_op.add_column(sa.Column("frozen_at", MOMENT, nullable=True))
        batch_op.add_column(sa.Column("frozen_reason", sa.String(length=200), nullable=True))
        batch_op.create_check_constraint(op.f("ck_accounts_reserved_is_there"), "reserved >= 0 AND reserved <= balance")
    op.add_column("entries", sa.Column("note", sa.String(length=200), nullable=True))
    _create_tables()
    # What people hold already was given without a term.
    op.execute(
        "INSERT INTO points_lots (account_id, id, brand_id, points, left_points, earned_at) "
        "SELECT id, id, brand_id, balance, balance, created_at FROM accounts WHERE balance > 0"
    )


def _create_tables() -> None:
    op.create_table(
        "points_lots",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("left_points", sa.BigInteger(), nullable=False),
        sa.Column("earned_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("reminded_at", MOMENT, nullable=True),
        sa.CheckConstraint("left_points >= 0 AND left_points <= points", name=op.f("ck_points_lots_left_is_part")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_points_lots")),
    )
    expiring = sa.text("left_points > 0 AND expires_at IS NOT NULL")
    op.create_index(
        "ix_points_lots_expiring", "points_lots", ["expires_at"], sqlite_where=expiring, postgresql_where=expiring
    )
    op.create_table(
        "points_holds",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_points_holds")),
        sa.UniqueConstraint("account_id", "cause", name=op.f("uq_points_holds_account_id_cause")),
    )
    pending = sa.text("state = 'pending'")
    op.create_index("ix_points_holds_due", "points_holds", ["due_at"], sqlite_where=pending, postgresql_where=pending)
    op.create_table(
        "points_proofs",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("accounts", sa.BigInteger(), nullable=False),
        sa.Column("wrong_count", sa.BigInteger(), nullable=False),
        sa.Column("wrong", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "day", name=op.f("pk_points_proofs")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
