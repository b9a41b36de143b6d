from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.catalog.models import Brand
from scancode.errors import Invalid, NotFound
from tests.campaigns.plans import last_audit, revision_of
from tests.factories import NOW

TERMS = campaigns.Terms(
    name_zh="开盖有奖",
    name_en="Open and win",
    starts_at=NOW,
    ends_at=NOW + timedelta(days=30),
    budget_fen=100,
    budget_points=0,
    rules_zh="每码一次",
    rules_en="Once a code",
)


def create(session: Session, brand_id: UUID, **over: Any) -> Any:
    terms = replace(TERMS, **over)
    return campaigns.create(session, brand_id=brand_id, terms=terms, staff_id=None, actor="dave", now=NOW)


def test_it_makes_a_draft(session: Session, brand: Brand) -> None:
    campaign = create(session, brand.id)
    kept = campaigns.get_campaign(session, campaign_id=campaign.id)
    assert (kept.state, kept.name_zh, kept.name_en, kept.rules_zh) == ("draft", "开盖有奖", "Open and win", "每码一次")
    assert (kept.starts_at, kept.ends_at) == (TERMS.starts_at, TERMS.ends_at)
    assert kept.published_at is None


def test_it_is_audited_and_disturbs_no_cache(session: Session, brand: Brand) -> None:
    before = revision_of(session)
    campaign = create(session, brand.id)
    row = last_audit(session)
    assert (row.action, row.subject, row.actor) == ("campaign.create", f"campaign:{campaign.id}", "dave")
    assert row.brand_id == brand.id
    assert revision_of(session) == before


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"name_zh": " "}, "name_zh"),
        ({"name_en": ""}, "name_en"),
        ({"name_zh": "长" * 81}, "name_zh"),
        ({"ends_at": NOW}, "ends_at"),
        ({"budget_fen": -1}, "budget_fen"),
        ({"budget_points": 10**13 + 1}, "budget_points"),
        ({"rules_zh": "长" * 20_001}, "rules"),
    ],
)
def test_it_refuses_what_cannot_be_kept(session: Session, brand: Brand, over: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        create(session, brand.id, **over)
    assert refusal.value.facts["field"] == field


def test_it_keeps_what_is_just_within_the_limits(session: Session, brand: Brand) -> None:
    create(session, brand.id, name_zh="长" * 80, rules_zh="长" * 20_000, budget_fen=0, budget_points=10**13)


def test_it_refuses_a_brand_that_is_not_there(session: Session) -> None:
    with pytest.raises(NotFound):
        create(session, UUID(int=1))
