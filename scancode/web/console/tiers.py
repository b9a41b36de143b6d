"""The ladder of a brand's tiers: from how many points of the last months on each is held, and by how many members."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import FieldList, Form, FormField, HiddenField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from scancode.errors import Refusal
from scancode.members import service as members
from scancode.members.tiers import (
    MONTHS_MAX,
    NAME_LENGTH_MAX,
    POINTS_MAX,
    STEPS_MAX,
    BadLadder,
    Ladder,
    TierDraft,
    TierInUse,
)
from scancode.staff.rules import Role
from scancode.stories import tagging
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.chosen import brand_choices, brand_to_change, chosen_brand
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

marketing = allow(Role.MARKETING)


class TierForm(Form):
    id = HiddenField()
    name_zh = StringField(lazy_gettext("Name (Chinese)"), validators=[Length(max=NAME_LENGTH_MAX)])
    name_en = StringField(lazy_gettext("Name (English)"), validators=[Length(max=NAME_LENGTH_MAX)])
    points = IntegerField(lazy_gettext("From points"), validators=[Optional(), NumberRange(0, POINTS_MAX)])


class LadderForm(FlaskForm):
    months = IntegerField(
        lazy_gettext("Points of the last months"), validators=[InputRequired(), NumberRange(1, MONTHS_MAX)]
    )
    tiers = FieldList(FormField(TierForm), min_entries=STEPS_MAX, max_entries=STEPS_MAX)

    def fill(self, ladder: Ladder) -> None:
        self.months.data = ladder.months
        for entry, tier in zip(self.tiers.entries, ladder.tiers, strict=False):
            entry.form.process(data={**vars(tier), "id": str(tier.id)})

    def drafts(self) -> list[TierDraft]:
        """The lines that hold anything. Raises BadLadder."""
        lines = [entry.form for entry in self.tiers.entries]
        filled = [line for line in lines if line.name_zh.data or line.name_en.data or line.points.data is not None]
        if any(line.points.data is None for line in filled):
            raise BadLadder
        return [TierDraft(_id(line.id.data), line.name_zh.data, line.name_en.data, line.points.data) for line in filled]


def _id(text: str | None) -> UUID | None:
    """Raises BadLadder for what no page of ours sent."""
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise BadLadder from error


@console.get("/tiers", endpoint="tiers")
@marketing
def show_tiers() -> ResponseReturnValue:
    form = LadderForm()
    with runtime().db.reading() as session:
        form.fill(members.load_ladder(session, brand_id=chosen_brand(session).id))
    return _page(form)


def _page(form: LadderForm, status: int = 200, problem: str = "") -> ResponseReturnValue:
    with runtime().db.reading() as session:
        brand = chosen_brand(session)
        page = render_template(
            "console/tiers/ladder.html",
            brand=brand,
            brands=brand_choices(session),
            form=form,
            problem=problem,
            ladder=members.load_ladder(session, brand_id=brand.id),
            counts=members.count_tiers(session, brand_id=brand.id),
        )
    return page, status


@console.post("/tiers")
@marketing
def change_tiers() -> ResponseReturnValue:
    form, shared = LadderForm(), runtime()
    if not form.validate_on_submit():
        return _page(form, 422)
    try:
        drafts = form.drafts()
        with shared.db.transaction() as session:
            brand = brand_to_change(session)
            tagging.change_ladder(
                session,
                brand_id=brand.id,
                months=form.months.data or 0,
                tiers=drafts,
                locale=current_locale(),
                actor=current_staff().actor,
                now=shared.now(),
            )
    except (BadLadder, TierInUse) as refusal:
        return _page(form, 422, problem=_said(refusal))
    flash(gettext("Kept. Members are given their tiers within ten minutes."), "success")
    return redirect(url_for("console.tiers", brand=brand.slug))


def _said(refusal: Refusal) -> str:
    return str(refusal.sentence(gettext))
