"""Tags that are deleted while many members still carry them: a job takes them off, some members at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tags", sa.Column("deleted_at", scancode.db.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
