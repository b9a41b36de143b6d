"""Scans count once a browser has shown their page; those that were made before count. Tokens may have more scopes.

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scans", sa.Column("is_confirmed", sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("api_tokens") as batch_op:
        batch_op.alter_column(
            "scopes", existing_type=sa.String(length=200), type_=sa.String(length=400), existing_nullable=False
        )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
