"""Testers of campaigns, and what they saw."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("keeps_testers", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "campaign_testers",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_testers_campaign_id_campaigns")
        ),
        sa.ForeignKeyConstraint(["added_by"], ["staff.id"], name=op.f("fk_campaign_testers_added_by_staff")),
        sa.PrimaryKeyConstraint("campaign_id", "person_id", name=op.f("pk_campaign_testers")),
    )
    op.create_table(
        "trial_claims",
        sa.Column("code_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("prize_kind", sa.String(length=12), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("name_zh", sa.String(length=60), nullable=False),
        sa.Column("name_en", sa.String(length=60), nullable=False),
        sa.Column("claimed_at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code_id", "campaign_id", "person_id", name=op.f("pk_trial_claims")),
    )
    op.create_index("ix_trial_claims_campaign", "trial_claims", ["campaign_id", "claimed_at"])


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
