"""Scans refer to what they saw, and what is credited to a place names it, without foreign keys.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

PLACES = (("channel_id", "channels"), ("store_id", "stores"), ("guide_id", "guides"), ("touchpoint_id", "touchpoints"))
SEEN = (("brand_id", "brands"), ("product_id", "products"), ("batch_number", "batches"))


def upgrade() -> None:
    for table, references in (("scans", SEEN + PLACES), ("claims", PLACES), ("acquisitions", PLACES)):
        with op.batch_alter_table(table) as batch:
            for column, other in references:
                batch.drop_constraint(f"fk_{table}_{column}_{other}", type_="foreignkey")
