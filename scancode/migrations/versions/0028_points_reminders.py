"""A row for each lot of points whose owner is told that it expires; and the template with which a brand tells them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

MOMENT = scancode.db.UtcDateTime(timezone=True)
TEMPLATE = sa.String(length=300)


def upgrade() -> None:
    op.create_table(
        "points_reminders",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("account_id", "lot_id", name=op.f("pk_points_reminders")),
    )
    op.create_index("ix_points_reminders_brand", "points_reminders", ["brand_id", "made_at"])
    # Lots that were announced before: on their owners' pages alone.
    op.execute(
        "INSERT INTO points_reminders "
        "(account_id, lot_id, brand_id, points, expires_at, made_at, state, reason, ended_at) "
        "SELECT account_id, id, brand_id, left_points, expires_at, reminded_at, 'page', 'no_template', reminded_at "
        "FROM points_lots WHERE reminded_at IS NOT NULL AND expires_at IS NOT NULL AND left_points > 0"
    )
    op.add_column("brands", sa.Column("points_template", TEMPLATE, nullable=True))
    brands = sa.table("brands", sa.column("points_template", TEMPLATE))
    op.get_bind().execute(sa.update(brands).values(points_template=""))
    with op.batch_alter_table("brands") as batch_op:
        batch_op.alter_column("points_template", existing_type=TEMPLATE, nullable=False)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
