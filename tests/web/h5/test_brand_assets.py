"""A brand's stylesheet, the pictures of its products, and the preview of a page."""

from __future__ import annotations

import gzip
import io
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

from batches import codes as press
from scancode.catalog import pictures, revision
from scancode.catalog import service as catalog
from scancode.catalog.looks import Look, version
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
    answer = client.get(f"/brand/spring.css?v={version(Look('#ffcc00'))}")
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
    assert f"/brand/spring.css?v={version(Look('#ffcc00'))}" in answer.text
    with wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Scan)) == 0


def test_a_preview_link_that_was_changed_opens_nothing(client: FlaskClient, wired: Wired, product_id: UUID) -> None:
    token = preview.sign(wired.settings, product_id)
    changed = token[:5] + ("A" if token[5] != "A" else "B") + token[6:]
    assert client.get(f"/preview/{changed}").status_code == 404
    assert client.get(f"/preview/{preview.sign(wired.settings, UUID(int=7))}").status_code == 404


def test_a_look_is_tried_out_in_a_frame_of_our_own_pages_and_nothing_is_saved(
    client: FlaskClient, wired: Wired, product_id: UUID
) -> None:
    with wired.db.reading() as session:
        brand = catalog.find_brand(session, slug="spring")
    assert brand is not None
    token = preview.sign_brand(wired.settings, brand.id)
    answer = client.get(f"/preview/look/{token}?colour=%230f7b4f&accent=%23e60012&font=song")
    assert answer.status_code == 200
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    tried = Look("#0f7b4f", "#e60012", "song")
    assert f"v={version(tried)}" in answer.text
    sheet = client.get(f"/brand/spring.css?colour=%230f7b4f&accent=%23e60012&font=song&v={version(tried)}")
    assert "--brand: #0f7b4f" in sheet.text
    assert "--reward: #e60012" in sheet.text
    assert "immutable" in sheet.headers["Cache-Control"]
    assert "--brand: #ffcc00" in client.get("/brand/spring.css").text
    assert client.get(f"/preview/look/{preview.sign(wired.settings, product_id)}").status_code == 404


def test_the_first_view_of_a_scan_is_small_and_asks_nobody_else(client: FlaskClient, wired: Wired) -> None:
    """HTML, styles, scripts and icons of a first scan with an offer: 60 KB packed, all from here."""
    with wired.db.transaction() as session:
        brand = factories.make_brand(session, slug="hill", accent="#e60012", font="song")
        product = factories.make_product(session, brand_id=brand.id, story_zh="来自高山" * 500)
        batch = factories.make_batch(session, brand_id=brand.id, product_id=product.id)
        factories.make_life(session, batch_number=batch.number, first=0, last=999)
        factories.make_offer(session, wired.draw_sealer, batch=batch)
        revision.bump(session)
    key = wired.keyring.derive(batch.kid, batch.salt)
    page = client.get(f"/{press.mint_one(key, batch.number, press.Kind.INNER, 1)}")
    assert page.status_code == 200
    loaded = set(re.findall(r'<(?:link|script|img|use)\b[^>]*?(?:href|src)="([^"#]+)', page.text))
    assert loaded
    assert not [address for address in loaded if not address.startswith("/")], "nothing from another host"
    sizes = {address: len(gzip.compress(client.get(address.replace("&amp;", "&")).data, 9)) for address in loaded}
    total = len(gzip.compress(page.data, 9)) + sum(sizes.values())
    assert total <= 60 * 1024, sizes
    assert not [address for address in loaded if "zxing" in address or "camera" in address], "only on demand"


def test_the_front_door_may_decode_what_the_camera_sees_and_loads_nothing_for_it_yet(client: FlaskClient) -> None:
    page = client.get("/")
    assert "'wasm-unsafe-eval'" in page.headers["Content-Security-Policy"]
    assert 'data-camera-into="code"' in page.text
    assert not re.search(r"<script[^>]+(?:zxing|barcode-detector|camera)", page.text)
    inside = client.get("/", headers={"User-Agent": "MicroMessenger/8.0"})
    assert inside.status_code == 200


def test_a_page_that_knows_no_brand_names_whom_to_ask(client: FlaskClient, wired: Wired) -> None:
    with wired.db.transaction() as session:
        factories.make_brand(session, support_phone="400 111 2222")
        revision.bump(session)
    assert "tel:4001112222" in client.get("/" + "0" * 20).text
    with wired.db.transaction() as session:
        factories.make_brand(session, name_zh="海盐", support_phone="400 333 4444", support_url="")
        revision.bump(session)
    client.application.extensions["scancode"].watch.look()
    assert 'href="/contact"' in client.get("/" + "0" * 20).text
    contact = client.get("/contact").text
    assert "tel:4001112222" in contact
    assert "tel:4003334444" in contact
