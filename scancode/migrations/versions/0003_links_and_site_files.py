"""links of products, files at the root

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-29 13:10:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "product_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("batch_number", sa.Integer(), nullable=True),
        sa.Column("link_type", sa.String(length=40), nullable=False),
        sa.Column("href", sa.String(length=1000), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("changed_at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_number"], ["batches.number"], name=op.f("fk_product_links_batch_number_batches")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_links_product_id_products")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_links")),
    )
    with op.batch_alter_table("product_links", schema=None) as batch_op:
        batch_op.create_index("ix_product_links_product_id", ["product_id", "batch_number"], unique=False)

    op.create_table(
        "site_files",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("added_at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["added_by"], ["staff.id"], name=op.f("fk_site_files_added_by_staff")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_site_files_brand_id_brands")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_site_files")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
