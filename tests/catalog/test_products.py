"""Making, changing and archiving products, and the pictures of their pages."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.catalog import service as catalog
from scancode.catalog.models import Picture, Product, Revision
from scancode.catalog.pictures import Encoded
from scancode.catalog.rules import PICTURES_MAX, BadCheckDigit, ProductDraft
from scancode.db import Database
from scancode.errors import NotFound
from tests.factories import make_brand, make_product

DRAFT = ProductDraft(gtin="6901234567892", name_zh="柠檬水", name_en="Lemon water", story_en="Fresh.")
BY = "staff:dave"


@pytest.fixture
def brand_id(session: Session) -> UUID:
    return make_brand(session).id


def picture(number: int) -> Encoded:
    return Encoded(b"webp", "image/webp", 100, 50, f"{number:064x}")


def hashes(session: Session, product_id: UUID) -> list[int]:
    page = catalog.load_page(session, product_id=product_id)
    assert page is not None
    return [int(each.sha256, 16) for each in page.pictures]


class TestCreate:
    def test_its_page_can_be_loaded(self, session: Session, brand_id: UUID, now: datetime) -> None:
        made = catalog.create_product(session, brand_id=brand_id, draft=DRAFT, actor=BY, now=now)
        page = catalog.load_page(session, product_id=made.id)
        assert page is not None
        assert (page.gtin, page.name("zh"), page.story("zh"), page.pictures) == (
            "06901234567892",
            "柠檬水",
            "Fresh.",
            (),
        )
        assert catalog.find_product(session, gtin="06901234567892") is not None

    def test_a_gtin_names_one_product(self, session: Session, brand_id: UUID, now: datetime) -> None:
        catalog.create_product(session, brand_id=brand_id, draft=DRAFT, actor=BY, now=now)
        with pytest.raises(catalog.GtinTaken):
            catalog.create_product(session, brand_id=brand_id, draft=DRAFT, actor=BY, now=now)

    def test_it_refuses_a_wrong_check_digit(self, session: Session, brand_id: UUID, now: datetime) -> None:
        with pytest.raises(BadCheckDigit):
            catalog.create_product(
                session, brand_id=brand_id, draft=replace(DRAFT, gtin="6901234567893"), actor=BY, now=now
            )

    def test_it_refuses_an_unknown_brand(self, session: Session, now: datetime) -> None:
        with pytest.raises(NotFound):
            catalog.create_product(session, brand_id=UUID(int=1), draft=DRAFT, actor=BY, now=now)


class TestChange:
    def test_it_is_shown_by_every_process(self, session: Session, brand_id: UUID, now: datetime) -> None:
        made = catalog.create_product(session, brand_id=brand_id, draft=DRAFT, actor=BY, now=now)
        before = session.scalar(select(Revision.number)) or 0
        catalog.change_product(session, product_id=made.id, draft=replace(DRAFT, name_en="Lemonade"), actor=BY, now=now)
        page = catalog.load_page(session, product_id=made.id)
        assert page is not None
        assert page.name("en") == "Lemonade"
        assert session.scalar(select(Revision.number)) == before + 1

    def test_it_refuses_another_products_gtin(self, session: Session, brand_id: UUID, now: datetime) -> None:
        catalog.create_product(session, brand_id=brand_id, draft=DRAFT, actor=BY, now=now)
        other = make_product(session, brand_id=brand_id)
        with pytest.raises(catalog.GtinTaken):
            catalog.change_product(session, product_id=other.id, draft=DRAFT, actor=BY, now=now)


class TestArchive:
    def test_it_leaves_the_list_and_may_come_back(self, session: Session, brand_id: UUID, now: datetime) -> None:
        made = make_product(session, brand_id=brand_id)
        catalog.archive_product(session, product_id=made.id, actor=BY, now=now)
        assert catalog.list_products(session, brand_id=brand_id) == []
        assert catalog.count_products(session, brand_id=brand_id, is_archived=True) == 1
        catalog.archive_product(session, product_id=made.id, is_archived=False, actor=BY, now=now)
        assert [row.id for row in catalog.list_products(session, brand_id=brand_id, query="柠檬")] == [made.id]
        assert catalog.list_products(session, brand_id=UUID(int=1)) == []


class TestPictures:
    @pytest.fixture
    def product(self, session: Session, brand_id: UUID) -> Product:
        return make_product(session, brand_id=brand_id)

    def test_they_keep_their_order(self, session: Session, product: Product, now: datetime) -> None:
        ids = [
            catalog.add_picture(session, product_id=product.id, picture=picture(n), actor=BY, now=now) for n in range(3)
        ]
        assert hashes(session, product.id) == [0, 1, 2]
        catalog.move_picture(session, product_id=product.id, picture_id=ids[2], places=-1, actor=BY, now=now)
        assert hashes(session, product.id) == [0, 2, 1]
        catalog.move_picture(session, product_id=product.id, picture_id=ids[0], places=9, actor=BY, now=now)
        assert hashes(session, product.id) == [2, 1, 0]
        catalog.remove_picture(session, product_id=product.id, picture_id=ids[1], actor=BY, now=now)
        assert hashes(session, product.id) == [2, 0]
        assert catalog.cover_pictures(session, product_ids=[product.id]) == {product.id: f"{2:064x}"}

    def test_the_same_picture_is_kept_once(self, session: Session, product: Product, now: datetime) -> None:
        first = catalog.add_picture(session, product_id=product.id, picture=picture(1), actor=BY, now=now)
        assert catalog.add_picture(session, product_id=product.id, picture=picture(1), actor=BY, now=now) == first
        assert catalog.find_picture(session, sha256=f"{1:064x}") == catalog.StoredPicture(b"webp", "image/webp")
        assert catalog.find_picture(session, sha256="0" * 64) is None

    def test_a_page_takes_nine_and_no_tenth(self, session: Session, product: Product, now: datetime) -> None:
        for number in range(PICTURES_MAX):
            catalog.add_picture(session, product_id=product.id, picture=picture(number), actor=BY, now=now)
        with pytest.raises(catalog.TooManyPictures):
            catalog.add_picture(session, product_id=product.id, picture=picture(99), actor=BY, now=now)

    def test_another_products_picture_is_left_alone(self, session: Session, product: Product, now: datetime) -> None:
        picture_id = catalog.add_picture(session, product_id=product.id, picture=picture(1), actor=BY, now=now)
        other = make_product(session, brand_id=product.brand_id)
        with pytest.raises(NotFound):
            catalog.remove_picture(session, product_id=other.id, picture_id=picture_id, actor=BY, now=now)
        with pytest.raises(NotFound):
            catalog.move_picture(session, product_id=other.id, picture_id=picture_id, places=1, actor=BY, now=now)

    def test_two_uploads_at_once_do_not_pass_the_limit(self, db: Database, now: datetime) -> None:
        with db.transaction() as session:
            product_id = make_product(session, brand_id=make_brand(session).id).id
            for number in range(PICTURES_MAX - 1):
                catalog.add_picture(session, product_id=product_id, picture=picture(number), actor=BY, now=now)
        refused: list[Exception] = []

        def run(number: int) -> None:
            try:
                db.retrying(
                    lambda session: catalog.add_picture(
                        session, product_id=product_id, picture=picture(number), actor=BY, now=now
                    )
                )
            except catalog.TooManyPictures as refusal:
                refused.append(refusal)

        threads = [threading.Thread(target=run, args=(100 + each,)) for each in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 1
        with db.reading() as session:
            assert session.scalar(select(func.count()).select_from(Picture)) == PICTURES_MAX
