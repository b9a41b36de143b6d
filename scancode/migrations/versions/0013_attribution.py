"""Regions of scans, models of attribution, live codes, links that are touches, channels of batches, days of a brand.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CREDITED = ("scans", "claims", "acquisitions")


def upgrade() -> None:
    for table in CREDITED:
        for name in ("first_touchpoint_id", "first_guide_id", "item_channel_id", "item_store_id"):
            op.add_column(table, sa.Column(name, sa.Uuid(), nullable=True))
        op.add_column(table, sa.Column("region", sa.Integer(), nullable=True))
        # What was credited to a shipment is what the item said; of touches the first is the one that is known.
        rows = sa.table(
            table,
            *(sa.column(name) for name in ("source", "channel_id", "store_id", "guide_id", "touchpoint_id")),
            *(
                sa.column(name)
                for name in ("first_touchpoint_id", "first_guide_id", "item_channel_id", "item_store_id")
            ),
        )
        op.execute(
            sa.update(rows)
            .where(rows.c.source == "shipment")
            .values(item_channel_id=rows.c.channel_id, item_store_id=rows.c.store_id)
        )
        op.execute(
            sa.update(rows)
            .where(rows.c.source == "touch")
            .values(first_touchpoint_id=rows.c.touchpoint_id, first_guide_id=rows.c.guide_id)
        )
    op.add_column("brands", sa.Column("touch_days", sa.Integer(), nullable=True))
    op.add_column("guides", sa.Column("is_on_duty", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("guides", sa.Column("shifts", sa.String(length=120), nullable=False, server_default=""))
    op.add_column("touchpoints", sa.Column("rotation", sa.String(length=8), nullable=False, server_default=""))
    op.add_column("touches", sa.Column("guide_id", sa.Uuid(), nullable=True))
    op.add_column("touches", sa.Column("is_link", sa.Boolean(), nullable=False, server_default=sa.false()))
    _create_tables()


def _create_tables() -> None:
    op.create_table(
        "batch_channels",
        sa.Column("batch_number", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_number"], ["batches.number"], name=op.f("fk_batch_channels_batch_number_batches")
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_batch_channels_channel_id_channels")),
        sa.PrimaryKeyConstraint("batch_number", name=op.f("pk_batch_channels")),
    )
    for table, columns in (
        (
            "live_guides",
            (sa.Column("weight", sa.Integer(), nullable=False), sa.Column("day_max", sa.Integer(), nullable=False)),
        ),
        (
            "live_turns",
            (
                sa.Column("day", sa.String(length=10), primary_key=True, nullable=False),
                sa.Column("count", sa.Integer(), nullable=False),
                sa.Column("last_at", scancode.db.UtcDateTime(timezone=True), nullable=False),
            ),
        ),
    ):
        op.create_table(
            table,
            sa.Column("touchpoint_id", sa.Uuid(), primary_key=True, nullable=False),
            sa.Column("guide_id", sa.Uuid(), primary_key=True, nullable=False),
            *columns,
            sa.ForeignKeyConstraint(
                ["touchpoint_id"], ["touchpoints.id"], name=op.f(f"fk_{table}_touchpoint_id_touchpoints")
            ),
            sa.ForeignKeyConstraint(["guide_id"], ["guides.id"], name=op.f(f"fk_{table}_guide_id_guides")),
        )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
