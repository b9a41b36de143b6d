"""Held claims know why they are held and until when; what is done about them is kept with notes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

MOMENT = scancode.db.UtcDateTime(timezone=True)
DAYS = timedelta(days=3)
LONG_AGO = "2000-01-01 00:00:00"


def upgrade() -> None:
    op.add_column("held_claims", sa.Column("due_at", MOMENT, nullable=False, server_default=LONG_AGO))
    op.add_column("held_claims", sa.Column("score", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("held_claims", sa.Column("reasons", sa.String(length=200), nullable=False, server_default=""))
    op.add_column("held_claims", sa.Column("facts", sa.Text(), nullable=False, server_default=""))
    op.add_column("held_claims", sa.Column("refused_by", sa.Uuid(), nullable=True))
    # What is held has its days from now on: nothing is decided behind anybody's back.
    held = sa.table("held_claims", sa.column("due_at", MOMENT))
    op.execute(held.update().values(due_at=datetime.now(UTC) + DAYS))
    op.create_index("ix_held_claims_due", "held_claims", ["decided_at", "due_at"])
    op.create_table(
        "held_steps",
        sa.Column("code_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("verb", sa.String(length=10), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("code_id", "id", name=op.f("pk_held_steps")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
