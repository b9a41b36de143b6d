"""A brand's look: a stylesheet that is readable whatever the colours, named by its hash; a logo."""

from __future__ import annotations

import io
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from scancode.catalog import pictures
from scancode.catalog import service as catalog
from scancode.catalog.looks import FONTS, BadFont, Look, contrast_of, read_look, stylesheet, version
from scancode.catalog.rules import BadColour
from scancode.errors import NotFound
from tests import factories
from tests.factories import NOW

SAVED = Look("#0f7b4f")


def test_a_plain_look_is_the_colour_and_what_stands_on_it() -> None:
    assert stylesheet(SAVED) == ":root { --brand: #0f7b4f; --brand-ink: #ffffff; --brand-soft: #e9f3ef }\n"


def test_accent_and_font_are_said_only_where_they_were_chosen() -> None:
    sheet = stylesheet(Look("#0f7b4f", "#ffcc00", "song"))
    assert "--reward: #ffcc00; --reward-ink: #111827" in sheet
    assert "html:root { --font: " in sheet


@pytest.mark.parametrize(
    ("colour", "edge"),
    [("#fff59d", "rgb(0 0 0 / 22%)"), ("#ffffff", "rgb(0 0 0 / 22%)"), ("#0b0b0c", "rgb(255 255 255 / 32%)"),
     ("#e60012", ""), ("#ffcc00", "")],
)  # fmt: skip
def test_what_is_nearly_the_pages_colour_by_day_or_by_night_gets_an_edge(colour: str, edge: str) -> None:
    sheet = stylesheet(Look("#0f7b4f", colour))
    assert ("--reward-edge: " + edge in sheet) if edge else ("edge" not in sheet)
    assert (f" --edge: {edge}" in stylesheet(Look(colour))) == bool(edge)


def test_the_version_changes_with_the_sheet_and_with_nothing_else() -> None:
    looks = SAVED, Look("#0f7b50"), Look("#0f7b4f", "#ffcc00"), Look("#0f7b4f", "", "kai")
    versions = {version(look) for look in looks}
    assert len(versions) == 4
    assert version(Look("#0f7b4f", "", "")) == version(SAVED)


@pytest.mark.parametrize("colour", ["#ffcc00", "#000000", "#ffffff", "#808080", "#777777", "#e60012"])
def test_text_on_any_colour_is_readable(colour: str) -> None:
    found = contrast_of(colour)
    assert found.ratio >= 4.5
    assert found.is_dark == (found.of_white < 4.5)


def test_what_cannot_be_tried_is_what_is_saved() -> None:
    assert read_look("red;}", "<b>", "comic", otherwise=SAVED) == SAVED
    assert read_look("#FFCC00", "", "kai", otherwise=Look("#000000", "#111111")) == Look("#ffcc00", "", "kai")


def test_fonts_hold_nothing_that_could_end_a_rule() -> None:
    assert not any(set("{};<>") & set(stack) for _, stack in FONTS.values())


def test_a_brand_is_dressed_and_gets_a_logo(session: Session) -> None:
    brand_id = factories.make_brand(session).id
    given = {"brand_id": brand_id, "actor": "staff:dave", "now": NOW}
    catalog.dress(session, look=Look("#FFCC00", "#0F7B4F", "song"), **given)  # type: ignore[arg-type]
    file = io.BytesIO()
    Image.new("RGBA", (120, 40), (255, 0, 0, 0)).save(file, "PNG")
    logo = pictures.encode(file.getvalue())
    for _ in range(2):
        catalog.set_logo(session, picture=logo, **given)  # type: ignore[arg-type]
    facts = catalog.load_brand(session, brand_id=brand_id)
    assert facts is not None
    assert (facts.look, facts.logo_sha256) == (Look("#ffcc00", "#0f7b4f", "song"), logo.sha256)
    stored = catalog.find_picture(session, sha256=logo.sha256)
    assert stored is not None
    assert stored.content == logo.content
    catalog.remove_logo(session, **given)  # type: ignore[arg-type]
    session.expire_all()
    assert catalog.find_picture(session, sha256=logo.sha256) is None
    again = catalog.load_brand(session, brand_id=brand_id)
    assert again is not None
    assert again.logo_sha256 == ""


def test_it_refuses_what_is_no_look_and_no_brand(session: Session) -> None:
    brand_id = factories.make_brand(session).id
    for look in (Look("red"), Look("#000000", "gold"), Look("#000000", "", "x")):
        with pytest.raises((BadColour, BadFont)):
            catalog.dress(session, brand_id=brand_id, look=look, actor="staff:dave", now=NOW)
    with pytest.raises(NotFound):
        catalog.dress(session, brand_id=UUID(int=1), look=SAVED, actor="staff:dave", now=NOW)
