"""The look of a brand's pages: the colour of rewards, a font, a logo. And links of products that people opened.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("brands", sa.Column("accent", sa.String(length=7), nullable=False, server_default=""))
    op.add_column("brands", sa.Column("font", sa.String(length=8), nullable=False, server_default=""))
    op.add_column("brands", sa.Column("logo_sha256", sa.String(length=64), nullable=False, server_default=""))
    op.create_table(
        "logos",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("mime", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_logos_brand_id_brands")),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_logos")),
    )
    op.create_index(op.f("ix_logos_sha256"), "logos", ["sha256"])
    op.create_table(
        "clicks",
        sa.Column("visitor_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("link_type", sa.String(length=40), nullable=False),
        sa.Column("clicked_at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_clicks_brand_id_brands")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_clicks_product_id_products")),
        sa.PrimaryKeyConstraint("visitor_id", "id", name=op.f("pk_clicks")),
    )
    op.create_index(op.f("ix_clicks_link_id"), "clicks", ["link_id"])


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
