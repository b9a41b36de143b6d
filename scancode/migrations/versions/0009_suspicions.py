"""Codes that look copied: the marks, what people decided about them, what was odd about a scan, and brands' own
values of the rules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = scancode.db.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.add_column("scans", sa.Column("risk", sa.String(length=40), nullable=True))
    op.create_table(
        "suspicions",
        sa.Column("code_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("batch_number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("signs", sa.String(length=40), nullable=False),
        sa.Column("visitors", sa.Integer(), nullable=False),
        sa.Column("cities", sa.Integer(), nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.Column("counted_from", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["batch_number"], ["batches.number"], name=op.f("fk_suspicions_batch_number_batches")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_suspicions_brand_id_brands")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_suspicions_product_id_products")),
        sa.PrimaryKeyConstraint("code_id", name=op.f("pk_suspicions")),
    )
    op.create_index("ix_suspicions_state", "suspicions", ["brand_id", "state", "found_at"], unique=False)
    op.create_table(
        "suspicion_steps",
        sa.Column("code_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("signs", sa.String(length=40), nullable=False),
        sa.Column("comment", sa.String(length=300), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_suspicion_steps_staff_id_staff")),
        sa.PrimaryKeyConstraint("code_id", "id", name=op.f("pk_suspicion_steps")),
    )
    op.create_table(
        "risk_terms",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("suspect_visitors", sa.Integer(), nullable=True),
        sa.Column("suspect_cities", sa.Integer(), nullable=True),
        sa.Column("suspect_days", sa.Integer(), nullable=True),
        sa.Column("suspect_kmh", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_risk_terms_brand_id_brands")),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_risk_terms")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
