"""Products: what a GTIN is called, and the page that somebody sees who scans one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from scancode.catalog import revision
from scancode.catalog.models import Picture, Product
from scancode.catalog.rules import PictureFacts, ProductDraft, ProductPage
from scancode.catalog.service.brands import get_brand
from scancode.db import affected, insert_once, new_id
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.staff import service as staff


class GtinTaken(Refusal):
    code = "gtin_taken"
    text = N_("Another product has this GTIN. A GTIN names one product only.")


def load_page(session: Session, *, product_id: UUID) -> ProductPage | None:
    """A product's page, its pictures in order."""
    product = session.get(Product, product_id)
    if product is None:
        return None
    columns = (Picture.id, Picture.sha256, Picture.width, Picture.height, Picture.alt_zh, Picture.alt_en)
    rows = session.execute(
        select(*columns).where(Picture.product_id == product_id).order_by(Picture.position, Picture.id)
    )
    return ProductPage(
        id=product.id,
        brand_id=product.brand_id,
        gtin=product.gtin,
        name_zh=product.name_zh,
        name_en=product.name_en,
        spec_zh=product.spec_zh,
        spec_en=product.spec_en,
        story_zh=product.story_zh,
        story_en=product.story_en,
        is_archived=product.is_archived,
        pictures=tuple(PictureFacts(*row) for row in rows),
    )


def load_gtins(session: Session) -> dict[str, UUID]:
    """Every product by its GTIN in 14 digits: a number that is none of ours is told without a query."""
    return {row.gtin: row.id for row in session.execute(select(Product.gtin, Product.id))}


def get_product(session: Session, *, product_id: UUID, brand_id: UUID | None = None) -> Product:
    """Raises NotFound, also where it is another brand's than ``brand_id``."""
    product = session.get(Product, product_id, populate_existing=True)
    if product is None or (brand_id is not None and product.brand_id != brand_id):
        raise NotFound
    return product


def find_product(session: Session, *, gtin: str) -> Product | None:
    """By GTIN in 14 digits."""
    return session.scalar(select(Product).where(Product.gtin == gtin))


def list_products(
    session: Session,
    *,
    brand_id: UUID | None,
    query: str = "",
    is_archived: bool | None = False,
    offset: int = 0,
    limit: int = 200,
) -> list[Product]:
    """Products by name; ``is_archived`` None lists all. ``query`` is looked for in names and GTIN."""
    statement = _fitting(select(Product), brand_id, query, is_archived)
    return list(session.scalars(statement.order_by(Product.name_zh, Product.id).offset(offset).limit(limit)))


def count_products(
    session: Session, *, brand_id: UUID | None, query: str = "", is_archived: bool | None = False
) -> int:
    return session.scalar(_fitting(select(func.count(Product.id)), brand_id, query, is_archived)) or 0


def _fitting(statement: Any, brand_id: UUID | None, query: str, is_archived: bool | None) -> Any:
    if brand_id is not None:
        statement = statement.where(Product.brand_id == brand_id)
    if is_archived is not None:
        statement = statement.where(Product.is_archived.is_(is_archived))
    if query.strip():
        columns = (Product.name_zh, Product.name_en, Product.gtin)
        statement = statement.where(or_(*(column.icontains(query.strip(), autoescape=True) for column in columns)))
    return statement


def cover_pictures(session: Session, *, product_ids: list[UUID]) -> dict[UUID, str]:
    """The hash of the first picture of each product that has one."""
    query = (
        select(Picture.product_id, Picture.sha256)
        .where(Picture.product_id.in_(product_ids))
        .order_by(Picture.position.desc(), Picture.id.desc())
    )
    return {row[0]: row[1] for row in session.execute(query)}


def create_product(session: Session, *, brand_id: UUID, draft: ProductDraft, actor: str, now: datetime) -> Product:
    """A new product; writes its audit row. Raises GtinTaken, NotFound, and what ``ProductDraft.checked`` raises."""
    draft = draft.checked()
    get_brand(session, brand_id=brand_id)
    product_id = new_id(now)
    is_new = insert_once(
        session,
        Product,
        id=product_id,
        brand_id=brand_id,
        is_archived=False,
        created_at=now,
        changed_at=now,
        **_values(draft),
    )
    if not is_new:
        raise GtinTaken
    product = get_product(session, product_id=product_id)
    _changed(session, product, "product.create", {"gtin": draft.gtin}, actor=actor, now=now)
    return product


def change_product(session: Session, *, product_id: UUID, draft: ProductDraft, actor: str, now: datetime) -> Product:
    """Changes names, GTIN and texts. Raises GtinTaken, NotFound, and what ``ProductDraft.checked`` raises."""
    draft = draft.checked()
    turn = update(Product).where(Product.id == product_id).values(changed_at=now)
    if affected(session, turn) != 1:
        raise NotFound
    other = find_product(session, gtin=draft.gtin)
    if other is not None and other.id != product_id:
        raise GtinTaken
    old = get_product(session, product_id=product_id)
    values = _values(draft)
    fields = sorted(name for name, value in values.items() if getattr(old, name) != value)
    affected(session, update(Product).where(Product.id == product_id).values(values))
    product = get_product(session, product_id=product_id)
    _changed(session, product, "product.change", {"fields": fields}, actor=actor, now=now)
    return product


def archive_product(
    session: Session, *, product_id: UUID, is_archived: bool = True, actor: str, now: datetime
) -> Product:
    """Takes a product off the lists, or puts it back; its codes live on. Raises NotFound."""
    values = {"is_archived": is_archived, "changed_at": now}
    if affected(session, update(Product).where(Product.id == product_id).values(values)) != 1:
        raise NotFound
    product = get_product(session, product_id=product_id)
    action = "product.archive" if is_archived else "product.unarchive"
    _changed(session, product, action, {}, actor=actor, now=now)
    return product


def _changed(
    session: Session, product: Product, action: str, facts: dict[str, Any], *, actor: str, now: datetime
) -> None:
    revision.bump(session)
    subject = f"product:{product.id}"
    staff.audit(session, actor=actor, brand_id=product.brand_id, action=action, subject=subject, facts=facts, now=now)


def _values(draft: ProductDraft) -> dict[str, str]:
    return {
        "gtin": draft.gtin,
        "name_zh": draft.name_zh,
        "name_en": draft.name_en,
        "spec_zh": draft.spec_zh,
        "spec_en": draft.spec_en,
        "story_zh": draft.story_zh,
        "story_en": draft.story_en,
    }
