"""A brand's stylesheet, the pictures of its products, and the preview of a page."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

from scancode.catalog import pictures
from scancode.catalog import service as catalog
from scancode.scans.models import Scan
from scancode.web import preview
from scancode.wiring import Wired
from tests import factories


@pytest.fixture
def product_id(wired: Wired) -> UUID:
    file = io.BytesIO()
    Image.new("RGB", (80, 60), "red").save(file, "PNG")
    with wired.db.transaction() as session:
        brand = factories.make_brand(session, slug="spring", colour="#ffcc00")
        product = factories.make_product(session, brand_id=brand.id, story_zh="来自高山")
        catalog.add_picture(
            session,
            product_id=product.id,
            picture=pictures.encode(file.getvalue()),
            actor="system",
            now=datetime.now(UTC),
        )
    return product.id


def sha_of(wired: Wired, product_id: UUID) -> str:
    with wired.db.reading() as session:
        return catalog.cover_pictures(session, product_ids=[product_id])[product_id]


def test_a_bright_colour_gets_dark_text(client: FlaskClient, product_id: UUID) -> None:
    answer = client.get("/brand/spring.css?v=ffcc00")
    assert answer.content_type == "text/css; charset=utf-8"
    assert "--brand: #ffcc00" in answer.text
    assert "--brand-ink: #111827" in answer.text
    assert "immutable" in answer.headers["Cache-Control"]
    assert "immutable" not in client.get("/brand/spring.css?v=old").headers["Cache-Control"]
    assert client.get("/brand/other.css").status_code == 404


def test_a_picture_is_kept_for_ever_and_is_nothing_but_a_picture(
    client: FlaskClient, wired: Wired, product_id: UUID
) -> None:
    sha256 = sha_of(wired, product_id)
    answer = client.get(f"/media/{sha256}")
    assert (answer.status_code, answer.content_type) == (200, "image/webp")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    assert "Set-Cookie" not in answer.headers
    again = client.get(f"/media/{sha256}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("name", ["0" * 64, "x", "..%2F..%2Fetc%2Fpasswd"])
def test_there_is_no_other_picture(client: FlaskClient, wired: Wired, product_id: UUID, name: str) -> None:
    assert client.get(f"/media/{name}").status_code == 404


def test_a_preview_shows_the_page_and_records_nothing(client: FlaskClient, wired: Wired, product_id: UUID) -> None:
    answer = client.get(f"/preview/{preview.sign(wired.settings, product_id)}")
    assert answer.status_code == 200
    assert "来自高山" in answer.text
    assert sha_of(wired, product_id) in answer.text
    assert "/brand/spring.css?v=ffcc00" in answer.text
    with wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Scan)) == 0


def test_a_preview_link_that_was_changed_opens_nothing(client: FlaskClient, wired: Wired, product_id: UUID) -> None:
    token = preview.sign(wired.settings, product_id)
    changed = token[:5] + ("A" if token[5] != "A" else "B") + token[6:]
    assert client.get(f"/preview/{changed}").status_code == 404
    assert client.get(f"/preview/{preview.sign(wired.settings, UUID(int=7))}").status_code == 404
