"""Links of a product and of its batches: adding, changing, choosing the default, removing, and all of them at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from scancode.catalog import revision
from scancode.catalog import service as catalog
from scancode.catalog.models import Product
from scancode.codes.models import Batch
from scancode.db import affected, new_id
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.resolver.models import ProductLink
from scancode.resolver.rules import LINKS_MAX, Link, LinkDraft, ProductLinks
from scancode.staff import service as staff

FOUND_MAX = 2000


class TooManyLinks(Refusal):
    code = "links_full"
    text = N_("There are {limit} links at most. Remove one first.")


class SameLink(Refusal):
    code = "link_twice"
    text = N_("There is a link of this kind to this address already.")


@dataclass(frozen=True)
class StoredLink:
    """A link with where it belongs."""

    id: UUID
    product_id: UUID
    batch_number: int | None
    link_type: str
    href: str
    title: str
    language: str
    media_type: str
    is_default: bool
    changed_at: datetime


def load_links(session: Session, *, product_id: UUID) -> ProductLinks:
    """What the resolver keeps of a product."""
    query = (
        select(ProductLink, Batch.lot)
        .outerjoin(Batch, Batch.number == ProductLink.batch_number)
        .where(ProductLink.product_id == product_id)
        .order_by(ProductLink.created_at, ProductLink.id)
    )
    own: list[Link] = []
    of_batches: dict[int, list[Link]] = defaultdict(list)
    of_lots: dict[str, list[Link]] = defaultdict(list)
    for row, lot in session.execute(query):
        link = _link(row)
        if row.batch_number is None:
            own.append(link)
            continue
        of_batches[row.batch_number].append(link)
        if lot:  # two batches of one lot may each have a default: the elder one counts
            is_default = link.is_default and not any(each.is_default for each in of_lots[lot])
            of_lots[lot].append(replace(link, is_default=is_default))
    return ProductLinks(tuple(own), _frozen(of_batches), _frozen(of_lots))


def _frozen(found: dict[Any, list[Link]]) -> dict[Any, tuple[Link, ...]]:
    return {key: tuple(links) for key, links in found.items()}


def _link(row: ProductLink) -> Link:
    languages = (row.language,) if row.language else ()
    return Link(row.link_type, row.href, row.title, languages, row.media_type, row.is_default, row.id)


def list_links(session: Session, *, product_id: UUID, batch_number: int | None = None) -> list[StoredLink]:
    """Those of the product itself, or of one batch: the default first, then by type."""
    return sorted(
        (_stored(row) for row in _of(session, product_id, batch_number)),
        key=lambda link: (not link.is_default, link.link_type, link.language, link.title),
    )


def get_link(session: Session, *, link_id: UUID) -> StoredLink:
    """Raises NotFound."""
    row = session.get(ProductLink, link_id, populate_existing=True)
    if row is None:
        raise NotFound
    return _stored(row)


def find_links(session: Session, *, link_ids: Iterable[UUID]) -> dict[UUID, StoredLink]:
    """Those of these links that are still there, at most ``FOUND_MAX``, by id."""
    query = select(ProductLink).where(ProductLink.id.in_(list(link_ids)[:FOUND_MAX]))
    return {row.id: _stored(row) for row in session.scalars(query)}


def save_link(
    session: Session,
    *,
    link_id: UUID | None,
    product_id: UUID,
    batch_number: int | None,
    draft: LinkDraft,
    own_hosts: Iterable[str],
    actor: str,
    now: datetime,
) -> UUID:
    """Adds a link (``link_id`` None) or changes one. A new default takes the place of the old.

    Raises what ``LinkDraft.checked`` raises, NotFound, TooManyLinks, SameLink.
    """
    draft = draft.checked(own_hosts=own_hosts)
    product = _take_turn(session, product_id, now)
    if batch_number is not None:
        batch = session.get(Batch, batch_number)
        if batch is None or batch.product_id != product_id:
            raise NotFound
    present = [row for row in _of(session, product_id, batch_number) if row.id != link_id]
    if link_id is None and len(present) >= LINKS_MAX:
        raise TooManyLinks(limit=LINKS_MAX)
    same = (draft.link_type, draft.href, draft.language, draft.media_type)
    if any((row.link_type, row.href, row.language, row.media_type) == same for row in present):
        raise SameLink
    if draft.is_default:
        _clear_default(session, product_id, batch_number)
    values = {
        "link_type": draft.link_type,
        "href": draft.href,
        "title": draft.title,
        "language": draft.language,
        "media_type": draft.media_type,
        "is_default": draft.is_default,
        "changed_at": now,
    }
    if link_id is None:
        action, row_id = "link.add", new_id(now)
        session.add(ProductLink(id=row_id, product_id=product_id, batch_number=batch_number, created_at=now, **values))
        session.flush()
    else:
        action, row_id = "link.change", link_id
        mine = update(ProductLink).where(ProductLink.id == link_id, ProductLink.product_id == product_id)
        if affected(session, mine.values(values)) != 1:
            raise NotFound
    facts = {"link": str(row_id), "type": draft.link_type, "href": draft.href[:200], "default": draft.is_default}
    _audit(session, product, batch_number, action, facts, actor, now)
    return row_id


def make_default(session: Session, *, link_id: UUID, actor: str, now: datetime) -> None:
    """Raises NotFound."""
    row = get_link(session, link_id=link_id)
    product = _take_turn(session, row.product_id, now)
    _clear_default(session, row.product_id, row.batch_number)
    values = {"is_default": True, "changed_at": now}
    if affected(session, update(ProductLink).where(ProductLink.id == link_id).values(values)) != 1:
        raise NotFound
    _audit(session, product, row.batch_number, "link.default", {"link": str(link_id)}, actor, now)


def remove_link(session: Session, *, link_id: UUID, actor: str, now: datetime) -> None:
    """Raises NotFound."""
    row = get_link(session, link_id=link_id)
    product = _take_turn(session, row.product_id, now)
    if affected(session, delete(ProductLink).where(ProductLink.id == link_id)) != 1:
        raise NotFound
    facts = {"link": str(link_id), "type": row.link_type, "href": row.href[:200], "default": row.is_default}
    _audit(session, product, row.batch_number, "link.remove", facts, actor, now)


def _take_turn(session: Session, product_id: UUID, now: datetime) -> Product:
    """Changes of one product's links wait for each other here. Raises NotFound."""
    if affected(session, update(Product).where(Product.id == product_id).values(changed_at=now)) != 1:
        raise NotFound
    return catalog.get_product(session, product_id=product_id)


def _of(session: Session, product_id: UUID, batch_number: int | None) -> list[ProductLink]:
    query = select(ProductLink).where(ProductLink.product_id == product_id, _belongs(batch_number))
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _belongs(batch_number: int | None) -> Any:
    column = ProductLink.batch_number
    return column.is_(None) if batch_number is None else column == batch_number


def _clear_default(session: Session, product_id: UUID, batch_number: int | None) -> None:
    mine = update(ProductLink).where(ProductLink.product_id == product_id, _belongs(batch_number))
    affected(session, mine.where(ProductLink.is_default.is_(True)).values(is_default=False))


def _stored(row: ProductLink) -> StoredLink:
    return StoredLink(
        row.id, row.product_id, row.batch_number, row.link_type, row.href, row.title, row.language, row.media_type,
        row.is_default, row.changed_at,
    )  # fmt: skip


def _audit(
    session: Session,
    product: Product,
    batch_number: int | None,
    action: str,
    facts: dict[str, object],
    actor: str,
    now: datetime,
) -> None:
    revision.bump(session)
    subject = f"product:{product.id}" if batch_number is None else f"batch:{batch_number}"
    staff.audit(session, actor=actor, brand_id=product.brand_id, action=action, subject=subject, facts=facts, now=now)
