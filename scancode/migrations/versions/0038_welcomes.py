"""Welcomes: what is said to who joins, by what brought them; and what each new member was given."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

MOMENT = scancode.db.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "welcomes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("target", sa.String(length=8), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("title_zh", sa.String(length=40), nullable=False),
        sa.Column("title_en", sa.String(length=40), nullable=False),
        sa.Column("text_zh", sa.String(length=200), nullable=False),
        sa.Column("text_en", sa.String(length=200), nullable=False),
        sa.Column("link", sa.String(length=500), nullable=False),
        sa.Column("button_zh", sa.String(length=20), nullable=False),
        sa.Column("button_en", sa.String(length=20), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("replaced_at", MOMENT, nullable=True),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_welcomes_brand_id_brands")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_welcomes")),
    )
    is_current = sa.text("replaced_at IS NULL")
    op.create_index(
        "ix_welcomes_current",
        "welcomes",
        ["brand_id", "target", "target_id"],
        unique=True,
        sqlite_where=is_current,
        postgresql_where=is_current,
    )
    op.create_table(
        "welcome_terms",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("template", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_welcome_terms_brand_id_brands")),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_welcome_terms")),
    )
    op.create_table(
        "given_welcomes",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("welcome_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("touchpoint_id", sa.Uuid(), nullable=True),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=True),
        sa.Column("dismissed_at", MOMENT, nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_given_welcomes_member_id_members")),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_given_welcomes")),
    )
    op.create_index("ix_given_welcomes_welcome", "given_welcomes", ["welcome_id", "seen_at"])


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
