"""Pools with odds, random amounts, and campaigns that count what they give."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NEW = (("campaigns", "conditions", sa.Text(), ""), ("tranches", "mode", sa.String(length=8), "exact"))
"""Columns that every row needs: added empty, filled, then required."""


def upgrade() -> None:
    for table, column, kind, value in NEW:
        op.add_column(table, sa.Column(column, kind, nullable=True))
        place = sa.table(table, sa.column(column, kind))
        op.get_bind().execute(sa.update(place).values({column: value}))
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column(column, existing_type=kind, nullable=False)
    op.add_column("prizes", sa.Column("amount_most", sa.BigInteger(), nullable=True))
    op.add_column("prizes", sa.Column("chance_ppm", sa.Integer(), nullable=True))
    op.create_table(
        "counter_slots",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("left_count", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("left_count >= 0", name=op.f("ck_counter_slots_not_overdrawn")),
        sa.PrimaryKeyConstraint("owner_id", "name", "slot", name=op.f("pk_counter_slots")),
    )
    op.create_table(
        "person_counts",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("claims_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_person_counts_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("person_id", "campaign_id", "period", name=op.f("pk_person_counts")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
