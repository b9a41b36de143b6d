"""Reservations on their way from one browser into WeChat.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "crossings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("expires_at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("crossed_at", scancode.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("identity_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_crossings_brand_id_brands")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crossings")),
    )
    op.create_index("ix_crossings_visitor", "crossings", ["visitor_id"])
    op.create_index(op.f("ix_crossings_expires_at"), "crossings", ["expires_at"])
