"""Tiers: a ladder for each brand that has one, and the tier that each member holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

MOMENT = scancode.db.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "tier_ladders",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("settled_day", sa.String(length=10), nullable=False),
        sa.Column("looked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_tier_ladders_brand_id_brands")),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_tier_ladders")),
    )
    op.create_table(
        "tiers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("name_zh", sa.String(length=40), nullable=False),
        sa.Column("name_en", sa.String(length=40), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_tiers_brand_id_brands")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tiers")),
        sa.UniqueConstraint("brand_id", "points", name=op.f("uq_tiers_brand_id_points")),
    )
    op.create_table(
        "member_tiers",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("tier_id", sa.Uuid(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_member_tiers_member_id_members")),
        sa.ForeignKeyConstraint(["tier_id"], ["tiers.id"], name=op.f("fk_member_tiers_tier_id_tiers")),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_member_tiers")),
    )
    op.create_index("ix_member_tiers_tier", "member_tiers", ["tier_id", "member_id"])


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
