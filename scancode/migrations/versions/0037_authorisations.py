"""Authorisations to pay without confirmation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "authorisations",
        sa.Column("identity_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("order", sa.String(length=2000), nullable=True),
        sa.Column("provider_id", sa.String(length=64), nullable=True),
        sa.Column("package", sa.String(length=500), nullable=True),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.Column("asked_at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("granted_at", scancode.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closing_at", scancode.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", scancode.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_authorisations_brand_id_brands")),
        sa.PrimaryKeyConstraint("identity_id", "attempt", name=op.f("pk_authorisations")),
    )
    is_open = sa.text("state IN ('asked', 'granted')")
    op.create_index(
        "ix_authorisations_open",
        "authorisations",
        ["identity_id"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_table(
        "authorisation_numbers",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("identity_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_authorisation_numbers")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
