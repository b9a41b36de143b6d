"""The complaints of a browser are counted by a unique key, so that no two posts at once go over its limit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("complaints", sa.Column("turn", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE complaints SET turn = (SELECT count(*) FROM complaints AS earlier "
        "WHERE earlier.visitor_id = complaints.visitor_id AND earlier.id < complaints.id)"
    )
    with op.batch_alter_table("complaints") as batch_op:
        batch_op.alter_column("turn", existing_type=sa.Integer(), nullable=False)
        batch_op.create_unique_constraint(op.f("uq_complaints_visitor_id_turn"), ["visitor_id", "turn"])


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
