"""Second prizes of n-th codes are claims of their own, once a person and campaign."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("claims", sa.Column("nth", sa.Integer(), nullable=True))
    _mark_who_had_theirs()


def _mark_who_had_theirs() -> None:
    """Running campaigns gave points to n-th codes: nobody gets them again."""
    connection = op.get_bind()
    campaigns = sa.table("campaigns", sa.column("id", sa.Uuid()), sa.column("conditions", sa.Text()))
    counts = sa.table(
        "person_counts",
        sa.column("person_id", sa.Uuid()),
        sa.column("campaign_id", sa.Uuid()),
        sa.column("period", sa.String()),
        sa.column("claims_count", sa.Integer()),
    )
    for campaign_id, text in connection.execute(sa.select(campaigns).where(campaigns.c.conditions.like("{%"))).all():
        nth = json.loads(text).get("nth")
        if nth is None:
            continue
        had = sa.select(counts.c.person_id, counts.c.campaign_id, sa.literal("nth"), sa.literal(1)).where(
            counts.c.campaign_id == campaign_id, counts.c.period == "", counts.c.claims_count >= nth
        )
        columns = ["person_id", "campaign_id", "period", "claims_count"]
        connection.execute(sa.insert(counts).from_select(columns, had))


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: a downgrade would lose what was written since")
