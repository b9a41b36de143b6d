"""The archive of rules: everything that the public was told, as it stood when it was published, moved or ended.

The law on prize promotions (SAMR order 32 of 2020) asks to keep it for two years; it is never deleted. Names of the
brand and its contact are part of it, since those may change afterwards, and so are the names of tags and
tiers that people are told.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from scancode.campaigns.conditions import from_text
from scancode.campaigns.models import Campaign, RulesVersion, Tranche
from scancode.campaigns.service.proving import table_of
from scancode.catalog.models import Brand
from scancode.db import new_id
from scancode.members import service as members

TERMS = ("name_zh", "name_en", "rules_zh", "rules_en", "conditions", "priority", "is_exclusive")
SPONSOR = ("name_zh", "name_en", "company_zh", "company_en", "support_phone", "support_url", "timezone")


def archive(session: Session, *, campaign: Campaign, event: str, now: datetime) -> None:
    """Keeps the rules as this transaction leaves them. ``event``: publish, extend or end."""
    fresh = session.get_one(Campaign, campaign.id, populate_existing=True)
    brand = session.get_one(Brand, campaign.brand_id)
    published = select(Tranche.id, Tranche.commitment, Tranche.published_at).where(
        Tranche.campaign_id == campaign.id, Tranche.published_at.is_not(None)
    )
    told: dict[str, Any] = {
        "terms": {name: getattr(fresh, name) for name in TERMS},
        "starts_at": fresh.starts_at.isoformat(),
        "ends_at": fresh.ends_at.isoformat(),
        "ended_at": fresh.ended_at.isoformat() if fresh.ended_at else None,
        "sponsor": {name: getattr(brand, name) for name in SPONSOR},
        "pools": [
            {
                "published_at": row.published_at.isoformat(),
                "commitment": row.commitment,
                "table": json.loads(table_of(session, tranche_id=row.id).text),
            }
            for row in session.execute(published.order_by(Tranche.published_at, Tranche.id))
        ],
    }
    conditions = from_text(fresh.conditions)
    if named := conditions.marks:
        tags = members.find_tags(session, brand_id=brand.id, tag_ids=named)
        tiers = members.load_ladder(session, brand_id=brand.id).tiers
        told["groups"] = {str(tag.id): [tag.public_zh, tag.public_en] for tag in tags}
        told["groups"] |= {str(tier.id): [tier.name_zh, tier.name_en] for tier in tiers if tier.id in named}
    text = json.dumps(told, ensure_ascii=False, sort_keys=True)
    values = {"id": new_id(now), "campaign_id": campaign.id, "event": event, "at": now, "text": text}
    session.execute(insert(RulesVersion).values(values))


def list_versions(session: Session, *, campaign_id: UUID) -> list[dict[str, Any]]:
    """Every version, the oldest first."""
    query = (
        select(RulesVersion).where(RulesVersion.campaign_id == campaign_id).order_by(RulesVersion.at, RulesVersion.id)
    )
    return [
        {"event": row.event, "at": row.at.isoformat(), "rules": json.loads(row.text)} for row in session.scalars(query)
    ]
