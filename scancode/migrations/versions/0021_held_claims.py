"""Claims that staff look at before they are paid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "held_claims",
        sa.Column("code_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("held_at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("nth_today", sa.Integer(), nullable=False),
        sa.Column("decided_at", scancode.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("code_id", name=op.f("pk_held_claims")),
    )
    op.create_index("ix_held_claims_open", "held_claims", ["brand_id", "decided_at", "held_at"])


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
