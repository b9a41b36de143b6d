"""The pictures of a product's page: adding, ordering, describing, removing, and serving one by its hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from scancode.catalog import revision
from scancode.catalog.models import Logo, Picture, Product
from scancode.catalog.pictures import Encoded
from scancode.catalog.rules import PICTURES_MAX
from scancode.catalog.service.products import get_product
from scancode.db import affected, new_id
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.staff import service as staff

ALT_LENGTH_MAX = 200


class TooManyPictures(Refusal):
    code = "too_many_pictures"
    text = N_("A page holds at most {limit} pictures. Remove one first.")


@dataclass(frozen=True)
class StoredPicture:
    content: bytes
    mime: str


def find_picture(session: Session, *, sha256: str) -> StoredPicture | None:
    """A picture of a product's page, or a logo, by the hash of what it holds."""
    for table in (Picture, Logo):
        row = session.execute(select(table.content, table.mime).where(table.sha256 == sha256).limit(1)).first()
        if row is not None:
            return StoredPicture(*row)
    return None


def add_picture(
    session: Session,
    *,
    product_id: UUID,
    picture: Encoded,
    alt_zh: str = "",
    alt_en: str = "",
    actor: str,
    now: datetime,
) -> UUID:
    """Puts an encoded picture (``catalog.pictures.encode``) at the end; the id of it, or of the same one already there.

    Encode before the transaction: it takes long. Raises NotFound, TooManyPictures.
    """
    product = _take_turn(session, product_id, now)
    present = _in_order(session, product_id)
    for picture_id, sha256 in present:
        if sha256 == picture.sha256:
            return picture_id
    if len(present) >= PICTURES_MAX:
        raise TooManyPictures(limit=PICTURES_MAX)
    picture_id = new_id(now)
    session.add(
        Picture(
            id=picture_id,
            product_id=product_id,
            position=len(present),
            alt_zh=(alt_zh.strip() or product.name_zh)[:ALT_LENGTH_MAX],
            alt_en=(alt_en.strip() or product.name_en)[:ALT_LENGTH_MAX],
            mime=picture.mime,
            width=picture.width,
            height=picture.height,
            sha256=picture.sha256,
            content=picture.content,
        )
    )
    session.flush()
    _audit(session, product, "product.picture_add", picture_id, actor, now)
    return picture_id


def move_picture(
    session: Session, *, product_id: UUID, picture_id: UUID, places: int, actor: str, now: datetime
) -> None:
    """Moves a picture by so many places towards the end (negative: towards the front). Raises NotFound."""
    product = _take_turn(session, product_id, now)
    ids = [present for present, _ in _in_order(session, product_id)]
    if picture_id not in ids:
        raise NotFound
    place = max(0, min(len(ids) - 1, ids.index(picture_id) + places))
    ids.remove(picture_id)
    ids.insert(place, picture_id)
    _number(session, ids)
    _audit(session, product, "product.picture_move", picture_id, actor, now)


def remove_picture(session: Session, *, product_id: UUID, picture_id: UUID, actor: str, now: datetime) -> None:
    """Raises NotFound."""
    product = _take_turn(session, product_id, now)
    statement = delete(Picture).where(Picture.id == picture_id, Picture.product_id == product_id)
    if affected(session, statement) != 1:
        raise NotFound
    _number(session, [present for present, _ in _in_order(session, product_id)])
    _audit(session, product, "product.picture_remove", picture_id, actor, now)


def _take_turn(session: Session, product_id: UUID, now: datetime) -> Product:
    """Changes of one product's pictures wait for each other here. Raises NotFound."""
    if affected(session, update(Product).where(Product.id == product_id).values(changed_at=now)) != 1:
        raise NotFound
    return get_product(session, product_id=product_id)


def _in_order(session: Session, product_id: UUID) -> list[tuple[UUID, str]]:
    query = select(Picture.id, Picture.sha256).where(Picture.product_id == product_id)
    return [(row[0], row[1]) for row in session.execute(query.order_by(Picture.position, Picture.id))]


def _number(session: Session, ids: list[UUID]) -> None:
    for position, picture_id in enumerate(ids):
        affected(session, update(Picture).where(Picture.id == picture_id).values(position=position))


def _audit(session: Session, product: Product, action: str, picture_id: UUID, actor: str, now: datetime) -> None:
    revision.bump(session)
    staff.audit(
        session,
        actor=actor,
        brand_id=product.brand_id,
        action=action,
        subject=f"product:{product.id}",
        facts={"picture": str(picture_id)},
        now=now,
    )
