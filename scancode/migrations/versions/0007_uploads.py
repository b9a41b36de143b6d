"""One table for everything that people upload; association files move into it.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = scancode.db.UtcDateTime(timezone=True)
OLD = sa.table(
    "packing_imports",
    *(sa.column(name) for name in ("name", "sha256", "size_bytes", "batch_number", "case_size", "pallet_size")),
    *(sa.column(name) for name in ("state", "rows", "cases", "pallets", "runs", "problems", "first_problems")),
    *(sa.column(name, sa.Uuid()) for name in ("id", "brand_id", "staff_id")),
    *(sa.column(name, MOMENT) for name in ("asked_at", "ended_at")),
    sa.column("may_be_short", sa.Boolean()),
)
POINTING = ("packed_ranges", "packing_events")


def upgrade() -> None:
    new, files = _tables()
    for row in op.get_bind().execute(sa.select(OLD)).mappings().all():
        _move(new, files, row)
    for name in POINTING:
        with op.batch_alter_table(name, schema=None) as batch_op:
            batch_op.drop_constraint(op.f(f"fk_{name}_import_id_packing_imports"), type_="foreignkey")
            batch_op.create_foreign_key(op.f(f"fk_{name}_import_id_uploads"), "uploads", ["import_id"], ["id"])
    op.drop_table("packing_imports")
    # What waits in the outbox is worked off by the new program.
    op.execute("UPDATE jobs SET kind = 'upload', key = 'upload:' || substr(key, 9) WHERE kind = 'packing'")


def _tables() -> tuple[sa.Table, sa.Table]:
    new = op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("problems", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("gone_at", MOMENT, nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_uploads_brand_id_brands")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_uploads_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index(op.f("ix_uploads_brand_id"), "uploads", ["brand_id"], unique=False)
    files = op.create_table(
        "upload_files",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_upload_files_upload_id_uploads")),
        sa.PrimaryKeyConstraint("upload_id", "place", name=op.f("pk_upload_files")),
    )
    assert new is not None
    assert files is not None
    return new, files


def _move(new: sa.Table, files: sa.Table, row: sa.RowMapping) -> None:
    wish = {name: row[name] for name in ("batch_number", "case_size", "pallet_size", "may_be_short")}
    result = {name: row[name] for name in ("cases", "pallets", "runs")}
    try:
        result["problems"] = json.loads(row["first_problems"])
    except ValueError:
        result["problems"] = []
    same = {name: row[name] for name in ("id", "brand_id", "name", "state", "rows", "problems", "asked_at", "ended_at")}
    staff_id = row["staff_id"]
    values = {
        **same,
        "kind": "packing",
        "wish": json.dumps(wish),
        "result": json.dumps(result, ensure_ascii=False),
        "gone_at": None,
        "actor": f"staff:{staff_id}" if staff_id else "cli",
        "staff_id": staff_id,
    }
    op.get_bind().execute(sa.insert(new).values(**values))
    file = {name: row[name] for name in ("name", "size_bytes", "sha256")}
    op.get_bind().execute(sa.insert(files).values(upload_id=row["id"], place=0, **file))


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
