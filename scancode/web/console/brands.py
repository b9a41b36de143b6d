"""Brands, for administrators: names, time zone, colour, whom consumers call, and the privacy text they consent to."""

from __future__ import annotations

from functools import cache
from uuid import UUID
from zoneinfo import available_timezones

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import ColorField, IntegerField, SelectField, StringField, TelField, TextAreaField, URLField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from scancode.catalog import service as catalog
from scancode.catalog.rules import PRIVACY_LENGTH_MAX, TOUCH_DAYS_MAX, BrandDraft
from scancode.errors import Refusal
from scancode.ledger.rules import REMIND_DAYS_MAX, TERM_DAYS_MAX, PointsTerm, TermKind
from scancode.letters import TEMPLATE_LENGTH_MAX
from scancode.web.console import chosen, console
from scancode.web.console.access import allow, brand_scope, current_staff, operator_only, visible
from scancode.web.console.session import refuse_field
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

FIELD_OF = {
    "slug": "slug",
    "slug_taken": "slug",
    "timezone": "timezone",
    "colour": "colour",
    "support_url": "support_url",
    "company_prefix": "company_prefix",
    "touch_days": "touch_days",
    "points_term": "points_count",
    "points_remind_days": "points_remind_days",
    "message_template": "points_template",
    "text_missing": "name_zh",
    "text_too_long": "name_zh",
}
USUAL_ZONES = ("Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Singapore", "Asia/Tokyo", "UTC")


@cache
def zones() -> list[str]:
    """The usual ones first, then every city."""
    cities = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix")))
    return [*USUAL_ZONES, *(name for name in cities if name not in USUAL_ZONES)]


class BrandForm(FlaskForm):
    name_zh = StringField(lazy_gettext("Name (Chinese)"), validators=[InputRequired(), Length(max=80)])
    name_en = StringField(lazy_gettext("Name (English)"), validators=[InputRequired(), Length(max=80)])
    timezone = SelectField(lazy_gettext("Time zone"), default="Asia/Shanghai")
    colour = ColorField(lazy_gettext("Colour"), default="#1f7a5a")
    company_zh = StringField(lazy_gettext("Company (Chinese)"), validators=[Length(max=120)])
    company_en = StringField(lazy_gettext("Company (English)"), validators=[Length(max=120)])
    support_phone = TelField(lazy_gettext("Customer service phone"), validators=[Length(max=40)])
    support_url = URLField(lazy_gettext("Customer service page"), validators=[Length(max=200)])
    company_prefix = StringField(lazy_gettext("GS1 company prefix"), validators=[Length(max=12)])
    touch_days = IntegerField(
        lazy_gettext("Days for which a touch counts"), validators=[Optional(), NumberRange(0, TOUCH_DAYS_MAX)]
    )
    points_term = SelectField(
        lazy_gettext("Points are good"),
        choices=[
            SelectChoice(TermKind.NEVER.value, lazy_gettext("for ever")),
            SelectChoice(TermKind.DAYS.value, lazy_gettext("for a number of days")),
            SelectChoice(TermKind.YEARS.value, lazy_gettext("until the end of a calendar year")),
        ],
        default=TermKind.NEVER.value,
    )
    points_count = IntegerField(
        lazy_gettext("Days, or calendar years on"), default=0, validators=[Optional(), NumberRange(0, TERM_DAYS_MAX)]
    )
    points_remind_days = IntegerField(
        lazy_gettext("Tell people so many days before"),
        default=30,
        validators=[Optional(), NumberRange(0, REMIND_DAYS_MAX)],
    )
    points_template = StringField(
        lazy_gettext("WeChat message template for it"), validators=[Length(max=TEMPLATE_LENGTH_MAX)]
    )
    privacy_zh = TextAreaField(lazy_gettext("Privacy text (Chinese)"), validators=[Length(max=PRIVACY_LENGTH_MAX)])
    privacy_en = TextAreaField(lazy_gettext("Privacy text (English)"), validators=[Length(max=PRIVACY_LENGTH_MAX)])

    def offer_zones(self, present: str = "") -> None:
        self.timezone.choices = [*zones(), *([present] if present and present not in zones() else [])]

    def draft(self, colour: str = "") -> BrandDraft:
        """``colour``: of a brand that has a look already; the form has no field for it then."""
        names = ("name_zh", "name_en", "timezone", "company_zh", "company_en")
        more = ("support_phone", "support_url", "privacy_zh", "privacy_en", "company_prefix")
        texts = {name: self[name].data or "" for name in names + more}
        points = PointsTerm(
            TermKind(self.points_term.data),
            self.points_count.data or 0,
            self.points_remind_days.data or 0,
            self.points_template.data or "",
        )
        colour = colour or self.colour.data or ""
        return BrandDraft(**texts, colour=colour, touch_days=self.touch_days.data, points=points)


class NewBrandForm(BrandForm):
    slug = StringField(lazy_gettext("Short name for addresses"), validators=[InputRequired(), Length(2, 40)])


@console.get("/brands")
@allow()
def brands() -> ResponseReturnValue:
    with runtime().db.reading() as session:
        rows = catalog.list_brands(session, brand_id=brand_scope())
    return render_template("console/brands/list.html", rows=rows, may_create=brand_scope() is None)


@console.route("/brands/new", methods=["GET", "POST"])
@allow()
def new_brand() -> ResponseReturnValue:
    operator_only()
    form, shared = NewBrandForm(), runtime()
    form.offer_zones()
    if form.validate_on_submit():
        try:
            with shared.db.transaction() as session:
                made = catalog.create_brand(
                    session,
                    slug=(form.slug.data or "").strip(),
                    draft=form.draft(),
                    actor=current_staff().actor,
                    now=shared.now(),
                )
        except Refusal as refusal:
            _refuse(form, refusal)
        else:
            flash(gettext("The brand is created. Add its products next."), "success")
            return redirect(url_for("console.brand", brand_id=made.id))
    page = render_template("console/brands/brand.html", form=form, brand=None, touch_days=shared.settings.touch_days)
    return page, 422 if request.method == "POST" else 200


@console.route("/brands/<uuid:brand_id>", methods=["GET", "POST"])
@allow()
def brand(brand_id: UUID) -> ResponseReturnValue:
    shared = runtime()
    visible(brand_id)
    with shared.db.reading() as session:
        row = catalog.get_brand(session, brand_id=brand_id)
    form = BrandForm(obj=row)
    del form.colour  # the page of the look has it
    form.offer_zones(row.timezone)
    if form.validate_on_submit():
        try:
            with shared.db.transaction() as session:
                catalog.change_brand(
                    session,
                    brand_id=brand_id,
                    draft=form.draft(row.colour),
                    actor=current_staff().actor,
                    now=shared.now(),
                )
        except Refusal as refusal:
            _refuse(form, refusal)
        else:
            flash(gettext("The brand is changed. Consumer pages show it within a second."), "success")
            return redirect(url_for("console.brand", brand_id=brand_id))
    page = render_template("console/brands/brand.html", form=form, brand=row, touch_days=shared.settings.touch_days)
    return page, 422 if request.method == "POST" else 200


def _refuse(form: FlaskForm, refusal: Refusal) -> None:
    name = FIELD_OF.get(refusal.code)
    if name is None or name not in form:
        raise refusal
    refuse_field(form, name, refusal)


def brand_choices(session: Session) -> list[SelectChoice]:
    """The brands that the person may choose among, for a select field: of several none is chosen beforehand."""
    found = [SelectChoice(str(row.id), row.name(current_locale())) for row in chosen.brand_choices(session)]
    return found if len(found) == 1 else [SelectChoice("", gettext("Choose a brand")), *found]
