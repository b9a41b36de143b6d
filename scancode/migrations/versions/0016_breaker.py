"""The breaker of a campaign, and claims of a campaign found by their time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import scancode.db

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("breaker_fen", sa.BigInteger(), nullable=True))
    for name in ("breaker_since", "tripped_at"):
        op.add_column("campaigns", sa.Column(name, scancode.db.UtcDateTime(timezone=True), nullable=True))
    op.drop_index("ix_claims_campaign", "claims")
    op.create_index("ix_claims_campaign", "claims", ["campaign_id", "claimed_at"])


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
