"""The look of a brand's consumer pages: colours with their contrast, font and logo, tried out on a phone beside the
form before anything is saved."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import ColorField, FileField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from scancode.catalog import pictures
from scancode.catalog import service as catalog
from scancode.catalog.looks import FONTS, Look, contrast_of, read_look
from scancode.catalog.models import Brand
from scancode.errors import Refusal
from scancode.staff.rules import Role
from scancode.web import preview
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff, visible
from scancode.web.console.chosen import brand_to_change
from scancode.web.console.products import NoPicture
from scancode.web.console.session import refuse_field
from scancode.web.runtime import runtime

marketing = allow(Role.MARKETING)


class LookForm(FlaskForm):
    colour = ColorField(lazy_gettext("Colour"))
    accent = StringField(lazy_gettext("Colour of rewards"))
    font = SelectField(
        lazy_gettext("Font"), choices=[SelectChoice(name, lazy_gettext(label)) for name, (label, _) in FONTS.items()]
    )


class LogoForm(FlaskForm):
    file = FileField(lazy_gettext("Logo"))


@console.get("/look", endpoint="look")
@marketing
def look_of_mine() -> ResponseReturnValue:
    """The look of one's own brand."""
    with runtime().db.reading() as session:
        brand = brand_to_change(session)
    return redirect(url_for("console.brand_look", brand_id=brand.id))


@console.route("/brands/<uuid:brand_id>/look", methods=["GET", "POST"])
@marketing
def brand_look(brand_id: UUID) -> ResponseReturnValue:
    shared, row = runtime(), _brand(brand_id)
    form = LookForm(obj=row)
    if form.validate_on_submit():
        try:
            with shared.db.transaction() as session:
                catalog.dress(
                    session,
                    brand_id=brand_id,
                    look=Look(form.colour.data or "", form.accent.data or "", form.font.data or ""),
                    actor=current_staff().actor,
                    now=shared.now(),
                )
        except Refusal as refusal:
            if refusal.code not in {"colour", "font"}:
                raise
            refuse_field(form, refusal.code, refusal)
        else:
            flash(gettext("The look is changed. Consumer pages show it within a second."), "success")
            return redirect(url_for("console.brand_look", brand_id=brand_id))
    page = render_template(
        "console/brands/look.html",
        form=form,
        logo_form=LogoForm(formdata=None),
        brand=row,
        menu_path=url_for("console.look"),
        **_trial(row),
    )
    return page, 422 if form.is_submitted() else 200


@console.get("/brands/<uuid:brand_id>/look/trial")
@marketing
def try_look(brand_id: UUID) -> str:
    """The part of that page beside the form: a phone in the look that the fields say, and how well it is read."""
    row = _brand(brand_id)
    return render_template("console/brands/_trial.html", brand=row, **_trial(row))


@console.post("/brands/<uuid:brand_id>/logo/<any(set, remove):verb>")
@marketing
def brand_logo(brand_id: UUID, verb: str) -> ResponseReturnValue:
    shared, back = runtime(), redirect(url_for("console.brand_look", brand_id=brand_id))
    _brand(brand_id)
    given = {"brand_id": brand_id, "actor": current_staff().actor, "now": shared.now()}
    try:
        if verb == "remove":
            with shared.db.transaction() as session:
                catalog.remove_logo(session, **given)  # type: ignore[arg-type]
            return back
        upload = request.files.get("file")
        content = upload.stream.read(pictures.UPLOAD_BYTES_MAX + 1) if upload else b""
        if not content:
            raise NoPicture
        encoded = pictures.encode(content)
        with shared.db.transaction() as session:
            catalog.set_logo(session, picture=encoded, **given)  # type: ignore[arg-type]
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        flash(refusal.sentence(gettext), "danger")
    else:
        flash(gettext("The logo is on every page."), "success")
    return back


def _brand(brand_id: UUID) -> Brand:
    visible(brand_id)
    with runtime().db.reading() as session:
        return catalog.get_brand(session, brand_id=brand_id)


def _trial(row: Brand) -> dict[str, object]:
    """What the fields say, or what is saved."""
    saved = Look(row.colour, row.accent, row.font)
    given = request.values
    look = read_look(
        given.get("colour", saved.colour), given.get("accent", saved.accent), given.get("font", saved.font),
        otherwise=saved,
    )  # fmt: skip
    token = preview.sign_brand(runtime().settings, row.id)
    return {
        "shown": [contrast_of(look.colour), *([contrast_of(look.accent)] if look.accent else [])],
        "frame": url_for("h5.preview_look", token=token, colour=look.colour, accent=look.accent, font=look.font),
    }
