"""Territories of channels and stores, and cases of items that surfaced outside."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

MOMENT = scancode.db.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "territories",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=True),
        sa.Column("region", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_territories_channel_id_channels")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_territories_store_id_stores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territories")),
    )
    op.create_index(op.f("ix_territories_channel_id"), "territories", ["channel_id"], unique=False)
    op.create_table(
        "diversion_cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("shipment_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=True),
        sa.Column("region", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("scanned", sa.Integer(), nullable=False),
        sa.Column("of_case", sa.Integer(), nullable=False),
        sa.Column("kilometres", sa.Integer(), nullable=True),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("latest_at", MOMENT, nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_diversion_cases_brand_id_brands")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_diversion_cases_channel_id_channels")),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_diversion_cases_shipment_id_shipments")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_diversion_cases_staff_id_staff")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_diversion_cases_store_id_stores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_diversion_cases")),
    )
    op.create_index("ix_diversion_cases_queue", "diversion_cases", ["brand_id", "state", "opened_at"], unique=False)
    op.create_index(op.f("ix_diversion_cases_shipment_id"), "diversion_cases", ["shipment_id"], unique=False)
    _of_cases()


def _of_cases() -> None:
    op.create_table(
        "diversion_scans",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("scan_id", sa.Uuid(), nullable=False),
        sa.Column("code_id", sa.BigInteger(), nullable=False),
        sa.Column("region", sa.Integer(), nullable=False),
        sa.Column("scanned_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["diversion_cases.id"], name=op.f("fk_diversion_scans_case_id_diversion_cases")
        ),
        sa.PrimaryKeyConstraint("case_id", "scan_id", name=op.f("pk_diversion_scans")),
    )
    op.create_table(
        "diversion_notes",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["diversion_cases.id"], name=op.f("fk_diversion_notes_case_id_diversion_cases")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_diversion_notes_staff_id_staff")),
        sa.PrimaryKeyConstraint("case_id", "id", name=op.f("pk_diversion_notes")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
