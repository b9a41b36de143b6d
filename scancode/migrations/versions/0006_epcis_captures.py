"""EPCIS documents that were sent, and events that were carried out

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-29 13:40:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "epcis_captures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("behaviour", sa.String(length=8), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("applied", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Text(), nullable=False),
        sa.Column("created_at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", scancode.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("is_success", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_epcis_captures_brand_id_brands")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_epcis_captures_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_epcis_captures")),
    )
    with op.batch_alter_table("epcis_captures", schema=None) as batch_op:
        batch_op.create_index("ix_epcis_captures_brand", ["brand_id", "finished_at", "id"], unique=False)
    op.create_table(
        "epcis_events",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("event_key", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.Column("event_at", scancode.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_epcis_events_brand_id_brands")),
        sa.ForeignKeyConstraint(
            ["capture_id"], ["epcis_captures.id"], name=op.f("fk_epcis_events_capture_id_epcis_captures")
        ),
        sa.PrimaryKeyConstraint("brand_id", "event_key", name=op.f("pk_epcis_events")),
    )
    with op.batch_alter_table("epcis_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_epcis_events_capture_id"), ["capture_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
