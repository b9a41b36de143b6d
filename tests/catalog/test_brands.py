"""Making and changing brands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.catalog import service as catalog
from scancode.catalog.models import Revision
from scancode.catalog.rules import BadSlug, BrandDraft
from scancode.errors import NotFound
from scancode.staff.models import AuditRow

DRAFT = BrandDraft(name_zh="山泉", name_en="Spring", privacy_zh="隐私", privacy_en="Privacy")
BY = "staff:ada"


def test_it_is_found_by_id_and_by_short_name(session: Session, now: datetime) -> None:
    made = catalog.create_brand(session, slug="spring", draft=DRAFT, actor=BY, now=now)
    facts = catalog.load_brand(session, brand_id=made.id)
    assert facts == catalog.find_brand(session, slug="spring")
    assert facts is not None
    assert (facts.name("en"), facts.privacy_version) == ("Spring", "2026-11-22")
    assert catalog.list_brands(session) == [facts]
    assert catalog.list_brands(session, brand_id=UUID(int=1)) == []
    assert session.scalar(select(Revision.number)) == 1
    assert session.scalars(select(AuditRow.action)).all() == ["brand.create"]


def test_a_short_name_is_given_once(session: Session, now: datetime) -> None:
    catalog.create_brand(session, slug="spring", draft=DRAFT, actor=BY, now=now)
    with pytest.raises(catalog.SlugTaken):
        catalog.create_brand(session, slug="spring", draft=DRAFT, actor=BY, now=now)
    with pytest.raises(BadSlug):
        catalog.create_brand(session, slug="Spring!", draft=DRAFT, actor=BY, now=now)


def test_a_changed_privacy_text_gets_a_new_version_and_nothing_else_does(session: Session, now: datetime) -> None:
    made = catalog.create_brand(session, slug="spring", draft=DRAFT, actor=BY, now=now)
    later = now + timedelta(days=1)
    changed = catalog.change_brand(
        session, brand_id=made.id, draft=replace(DRAFT, colour="#112233"), actor=BY, now=later
    )
    assert (changed.colour, changed.privacy_version) == ("#112233", "2026-11-22")
    changed = catalog.change_brand(
        session, brand_id=made.id, draft=replace(DRAFT, privacy_en="More"), actor=BY, now=later
    )
    assert changed.privacy_version == "2026-11-23"


def test_an_unknown_brand_is_not_changed(session: Session, now: datetime) -> None:
    with pytest.raises(NotFound):
        catalog.change_brand(session, brand_id=UUID(int=1), draft=DRAFT, actor=BY, now=now)
    assert catalog.load_brand(session, brand_id=UUID(int=1)) is None
