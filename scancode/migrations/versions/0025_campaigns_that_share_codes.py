"""Campaigns have a priority and may share codes; those of before have theirs to themselves, as they were published."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("priority", sa.Integer(), server_default="0", nullable=False))
    op.add_column("campaigns", sa.Column("is_exclusive", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
