"""What members like, if they agreed to that; of everybody else links are counted by day. Clicks named browsers without
asking: they become counts, by the day in UTC."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = scancode.db.UtcDateTime(timezone=True)
    days = op.create_table(
        "link_days",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("page", sa.String(length=8), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("link_type", sa.String(length=40), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_link_days_brand_id_brands")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_link_days_product_id_products")),
        sa.PrimaryKeyConstraint("link_id", "day", "page", name=op.f("pk_link_days")),
    )
    op.create_index("ix_link_days_brand", "link_days", ["brand_id", "day"])
    op.create_table(
        "likings",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.String(length=8), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("link_type", sa.String(length=40), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("first_at", moment, nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_likings_member_id_members")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_likings_brand_id_brands")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_likings_product_id_products")),
        sa.PrimaryKeyConstraint("member_id", "link_id", "page", name=op.f("pk_likings")),
    )
    op.create_index("ix_likings_link_id", "likings", ["link_id"])
    op.create_index("ix_likings_last_at", "likings", ["last_at"])
    _count(days, moment)
    op.drop_table("clicks")


def _count(days: sa.Table, moment: scancode.db.UtcDateTime) -> None:
    names = ("link_id", "brand_id", "product_id", "link_type")
    clicks = sa.table(
        "clicks", *(sa.column(name, days.c[name].type) for name in names), sa.column("clicked_at", moment)
    )
    counted: dict[tuple[object, ...], dict[str, Any]] = {}
    connection = op.get_bind()
    for *facts, at in connection.execute(sa.select(*(clicks.c[name] for name in names), clicks.c.clicked_at)):
        day = at.date().isoformat()
        row = counted.setdefault(
            (facts[0], day),
            {**dict(zip(names, facts, strict=True)), "day": day, "page": "", "opened": 0, "last_at": at},
        )
        row["opened"] += 1
        row["last_at"] = max(row["last_at"], at)
    if counted:
        connection.execute(sa.insert(days), list(counted.values()))


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
