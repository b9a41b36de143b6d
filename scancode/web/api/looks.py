"""The look of a brand's consumer pages: colours, font and logo."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from flask_openapi import FileStorage
from pydantic import Field
from sqlalchemy.orm import Session

from scancode.catalog import pictures
from scancode.catalog import service as catalog
from scancode.catalog.looks import Look
from scancode.catalog.rules import BrandFacts
from scancode.uploads.rules import FilesMissing
from scancode.web.api.access import brand_of_call, caller
from scancode.web.api.routes import PLACES, get, post, post_files
from scancode.web.api.shapes import Answer, Asked, BrandSlug, reply
from scancode.web.runtime import runtime

SCOPE = "brands:look"
FontName = Literal["", "song", "kai", "round"]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$", examples=["#1f7a5a"])]


class LookQuery(Asked):
    """Whose look."""

    brand: BrandSlug | None = None


class LookChange(Asked):
    """What shall be otherwise; what is not sent stays."""

    colour: Colour | None = None
    accent: (
        Annotated[str, Field(pattern=r"^(#[0-9a-fA-F]{6})?$", description="buttons of rewards; empty: gold")] | None
    ) = None
    font: FontName | None = Field(None, description="empty: as the phone has it")
    brand: BrandSlug | None = None


class LogoFile(Asked):
    """A picture: JPEG, PNG, WebP or GIF of at most 7 MB."""

    file: FileStorage
    brand: BrandSlug | None = None


class LookAnswer(Answer):
    """How the consumer pages look, within a second."""

    brand: str
    colour: str
    accent: str
    font: FontName
    logo: str | None = Field(description="address of the logo; null where there is none")


@get("/look", scope=SCOPE, tag=PLACES, answers={200: LookAnswer})
def show_look(query: LookQuery) -> Response:
    """Show the look of a brand."""
    with runtime().db.reading() as session:
        return reply(_answer(brand_of_call(session, query.brand)))


@post("/look", scope=SCOPE, tag=PLACES, answers={200: LookAnswer})
def change_look(body: LookChange) -> Response:
    """Change colours or font. Text on a colour stays readable whatever it is."""

    def work(session: Session) -> LookAnswer:
        brand = brand_of_call(session, body.brand)
        wish = {
            "colour": brand.colour,
            "accent": brand.accent,
            "font": brand.font,
            **body.model_dump(exclude_none=True, exclude={"brand"}),
        }
        catalog.dress(session, brand_id=brand.id, look=Look(**wish), actor=caller().actor, now=runtime().now())
        return _answer(brand_of_call(session, body.brand))

    return reply(runtime().db.retrying(work))


@post_files("/look/logo", scope=SCOPE, tag=PLACES, answers={200: LookAnswer})
def set_logo(form: LogoFile) -> Response:
    """Put a logo on every page. It is written anew as WebP, without what a camera put into the file."""
    sent = form.file.stream.read(pictures.UPLOAD_BYTES_MAX + 1)
    if not sent:
        raise FilesMissing
    picture = pictures.encode(sent)

    def work(session: Session) -> LookAnswer:
        brand = brand_of_call(session, form.brand)
        catalog.set_logo(session, brand_id=brand.id, picture=picture, actor=caller().actor, now=runtime().now())
        return _answer(brand_of_call(session, form.brand))

    return reply(runtime().db.retrying(work))


@post("/look/logo/remove", scope=SCOPE, tag=PLACES, answers={200: LookAnswer})
def remove_logo(body: LookQuery) -> Response:
    """Take the logo away; the first letter of the brand's name stands there instead."""

    def work(session: Session) -> LookAnswer:
        brand = brand_of_call(session, body.brand)
        catalog.remove_logo(session, brand_id=brand.id, actor=caller().actor, now=runtime().now())
        return _answer(brand_of_call(session, body.brand))

    return reply(runtime().db.retrying(work))


def _answer(brand: BrandFacts) -> LookAnswer:
    base = runtime().settings.base_url
    return LookAnswer.model_validate(
        {
            "brand": brand.slug,
            "colour": brand.colour,
            "accent": brand.accent,
            "font": brand.font,
            "logo": f"{base}/media/{brand.logo_sha256}" if brand.logo_sha256 else None,
        }
    )
