"""Payments: notices that were dealt with, the balance, comparisons of the books, and not being too quick."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "paces",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("free_at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_paces")),
    )
    op.create_table(
        "payout_notices",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("out_bill_no", sa.String(length=32), nullable=False),
        sa.Column("at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_notices")),
    )
    op.create_table(
        "merchant_balances",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("available_fen", sa.BigInteger(), nullable=True),
        sa.Column("pending_fen", sa.BigInteger(), nullable=True),
        sa.Column("at", scancode.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=60), nullable=True),
        sa.Column("asked_at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_merchant_balances")),
    )
    op.create_table(
        "comparisons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("since", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("differences", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparisons")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
