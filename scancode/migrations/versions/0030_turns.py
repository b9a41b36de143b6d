"""A code may turn the wheel once more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("claims", sa.Column("turn", sa.Integer(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
