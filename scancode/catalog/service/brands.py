"""Brands: making one, changing it, and the facts of it that pages keep."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.catalog import revision
from scancode.catalog.models import Brand
from scancode.catalog.rules import BrandDraft, BrandFacts, check_slug, next_privacy_version
from scancode.db import affected, insert_once, new_id
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.ledger.rules import PointsTerm, TermKind
from scancode.staff import service as staff


class SlugTaken(Refusal):
    code = "slug_taken"
    text = N_("Another brand has this short name.")


def load_brand(session: Session, *, brand_id: UUID) -> BrandFacts | None:
    brand = session.get(Brand, brand_id)
    return facts_of(brand) if brand else None


def find_brand(session: Session, *, slug: str) -> BrandFacts | None:
    brand = session.scalar(select(Brand).where(Brand.slug == slug))
    return facts_of(brand) if brand else None


def points_expire_at(session: Session, *, brand_id: UUID, earned_at: datetime) -> datetime | None:
    """Until when points of a brand that came in then are good; None: for ever. Raises NotFound."""
    columns = (Brand.points_term, Brand.points_count, Brand.timezone)
    row = session.execute(select(*columns).where(Brand.id == brand_id)).one_or_none()
    if row is None:
        raise NotFound
    return PointsTerm(TermKind(row.points_term), row.points_count).expires_at(earned_at, row.timezone)


def get_brand(session: Session, *, brand_id: UUID) -> Brand:
    """Raises NotFound."""
    brand = session.get(Brand, brand_id, populate_existing=True)
    if brand is None:
        raise NotFound
    return brand


def list_brands(session: Session, *, brand_id: UUID | None = None, limit: int = 200) -> list[BrandFacts]:
    """Every brand by short name, or the one that the asker belongs to."""
    query = select(Brand).order_by(Brand.slug).limit(limit)
    if brand_id is not None:
        query = query.where(Brand.id == brand_id)
    return [facts_of(brand) for brand in session.scalars(query)]


def create_brand(session: Session, *, slug: str, draft: BrandDraft, actor: str, now: datetime) -> Brand:
    """A new brand; writes its audit row. Raises SlugTaken, BadSlug, and what ``BrandDraft.checked`` raises."""
    draft = draft.checked()
    check_slug(slug)
    brand_id = new_id(now)
    day = now.astimezone(ZoneInfo(draft.timezone)).strftime("%Y-%m-%d")
    values = _values(draft) | {"privacy_version": day, "sscc_next": 0, "created_at": now}
    if not insert_once(session, Brand, id=brand_id, slug=slug, **values):
        raise SlugTaken
    revision.bump(session)
    staff.audit(
        session,
        actor=actor,
        brand_id=brand_id,
        action="brand.create",
        subject=f"brand:{brand_id}",
        facts={"slug": slug},
        now=now,
    )
    return get_brand(session, brand_id=brand_id)


def change_brand(session: Session, *, brand_id: UUID, draft: BrandDraft, actor: str, now: datetime) -> Brand:
    """Changes a brand; a changed privacy text gets a new version, to which new consents then refer.

    Raises NotFound and what ``BrandDraft.checked`` raises.
    """
    draft = draft.checked()
    # Touching the row first makes two changes take turns, so that no version is given twice.
    if affected(session, update(Brand).where(Brand.id == brand_id).values(slug=Brand.slug)) != 1:
        raise NotFound
    old = get_brand(session, brand_id=brand_id)
    values = _values(draft)
    before = {name: getattr(old, name) for name in values}
    changed = sorted(name for name, value in values.items() if before[name] != value)
    if (old.privacy_zh, old.privacy_en) != (draft.privacy_zh, draft.privacy_en):
        day = now.astimezone(ZoneInfo(draft.timezone)).strftime("%Y-%m-%d")
        values["privacy_version"] = next_privacy_version(day=day, version=old.privacy_version)
    affected(session, update(Brand).where(Brand.id == brand_id).values(values))
    revision.bump(session)
    staff.audit(
        session,
        actor=actor,
        brand_id=brand_id,
        action="brand.change",
        subject=f"brand:{brand_id}",
        facts={"fields": changed},
        now=now,
    )
    return get_brand(session, brand_id=brand_id)


def facts_of(brand: Brand) -> BrandFacts:
    return BrandFacts(
        id=brand.id,
        slug=brand.slug,
        name_zh=brand.name_zh,
        name_en=brand.name_en,
        timezone=brand.timezone,
        colour=brand.colour,
        company_zh=brand.company_zh,
        company_en=brand.company_en,
        support_phone=brand.support_phone,
        support_url=brand.support_url,
        privacy_zh=brand.privacy_zh,
        privacy_en=brand.privacy_en,
        privacy_version=brand.privacy_version,
        accent=brand.accent,
        font=brand.font,
        logo_sha256=brand.logo_sha256,
        touch_days=brand.touch_days,
        points=PointsTerm(
            TermKind(brand.points_term), brand.points_count, brand.points_remind_days, brand.points_template
        ),
    )


def _values(draft: BrandDraft) -> dict[str, Any]:
    return {
        "name_zh": draft.name_zh,
        "name_en": draft.name_en,
        "timezone": draft.timezone,
        "colour": draft.colour,
        "company_zh": draft.company_zh,
        "company_en": draft.company_en,
        "support_phone": draft.support_phone,
        "support_url": draft.support_url,
        "privacy_zh": draft.privacy_zh,
        "privacy_en": draft.privacy_en,
        "company_prefix": draft.company_prefix,
        "touch_days": draft.touch_days,
        "points_term": draft.points.kind.value,
        "points_count": draft.points.count,
        "points_remind_days": draft.points.remind_days,
        "points_template": " ".join(draft.points.template.split()),
    }
