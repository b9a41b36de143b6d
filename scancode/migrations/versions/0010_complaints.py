"""What people report about items, with a photo, and what staff wrote about it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENT = scancode.db.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "complaints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=True),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("batch_number", sa.Integer(), nullable=True),
        sa.Column("code_id", sa.BigInteger(), nullable=True),
        sa.Column("typed", sa.String(length=40), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("contact_hint", sa.String(length=20), nullable=False),
        sa.Column("consent_version", sa.String(length=40), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("erased_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["batch_number"], ["batches.number"], name=op.f("fk_complaints_batch_number_batches")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_complaints_brand_id_brands")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_complaints_product_id_products")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaints")),
    )
    op.create_index("ix_complaints_queue", "complaints", ["brand_id", "state", "made_at"], unique=False)
    op.create_index("ix_complaints_visitor", "complaints", ["visitor_id", "made_at"], unique=False)
    op.create_index("ix_complaints_code", "complaints", ["code_id"], unique=False)
    op.create_table(
        "complaint_photos",
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("mime", sa.String(length=20), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name=op.f("fk_complaint_photos_complaint_id_complaints")
        ),
        sa.PrimaryKeyConstraint("complaint_id", name=op.f("pk_complaint_photos")),
    )
    op.create_table(
        "complaint_notes",
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name=op.f("fk_complaint_notes_complaint_id_complaints")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_complaint_notes_staff_id_staff")),
        sa.PrimaryKeyConstraint("complaint_id", "id", name=op.f("pk_complaint_notes")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
