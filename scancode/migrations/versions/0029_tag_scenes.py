"""Placed codes that put a tag on whoever joins through them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tag_scenes",
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.Column("touchpoint_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_tag_scenes_tag_id_tags")),
        sa.PrimaryKeyConstraint("tag_id", "touchpoint_id", name=op.f("pk_tag_scenes")),
    )
    op.create_index("ix_tag_scenes_touchpoint_id", "tag_scenes", ["touchpoint_id"])


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
