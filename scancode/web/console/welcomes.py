"""Welcomes: what a brand says to who joins through a place, or through none; written beside a phone that shows it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired

from scancode.catalog.rules import BrandFacts
from scancode.channels import service as channels
from scancode.channels.service.welcoming import WelcomePlace
from scancode.channels.welcomes import (
    BUTTON_LENGTH_MAX,
    DAYS_MAX,
    LINK_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    TITLE_LENGTH_MAX,
    BadWelcomeDays,
    Target,
    Terms,
    WelcomeDraft,
)
from scancode.errors import Invalid, NotFound
from scancode.i18n import LOCALES, N_
from scancode.letters import BadTemplate
from scancode.staff.rules import Role
from scancode.web import preview
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff, visible
from scancode.web.console.chosen import brand_choices, brand_to_change, chosen_brand
from scancode.web.console.pages import numbered, page_number
from scancode.web.console.session import refuse_field
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

PAGE_ROWS = 50
PLACES = f"<any({', '.join(Target)}):target>/<uuid:target_id>"
TARGET_NAMES = {
    Target.CODE: N_("Placed code"),
    Target.GUIDE: N_("Guide"),
    Target.STORE: N_("Store"),
    Target.CHANNEL: N_("Channel"),
    Target.BRAND: N_("Everybody else"),
}
marketing = allow(Role.MARKETING)


class WelcomeForm(FlaskForm):
    title_zh = StringField(lazy_gettext("Title (Chinese)"), validators=[InputRequired()])
    title_en = StringField(lazy_gettext("Title (English)"), validators=[InputRequired()])
    text_zh = TextAreaField(lazy_gettext("Text (Chinese)"))
    text_en = TextAreaField(lazy_gettext("Text (English)"))
    link = StringField(lazy_gettext("Where the button leads"))
    button_zh = StringField(lazy_gettext("Button (Chinese)"))
    button_en = StringField(lazy_gettext("Button (English)"))

    def draft(self) -> WelcomeDraft:
        return WelcomeDraft(**{name: self[name].data or "" for name in WelcomeDraft.__dataclass_fields__})


class WelcomeTermsForm(FlaskForm):
    days = IntegerField(lazy_gettext("Days on the member's page"), validators=[InputRequired()])
    template = StringField(lazy_gettext("WeChat template"))


@console.get("/welcomes", endpoint="welcomes")
@marketing
def welcome_list() -> ResponseReturnValue:
    query, wish = request.args.get("q", "").strip()[:80], request.args.get("target", "")
    target = Target(wish) if wish in set(Target) else None
    with runtime().db.reading() as session:
        brand = chosen_brand(session)
        found = channels.list_welcomes(
            session,
            brand_id=brand.id,
            target=target,
            query=query,
            offset=(page_number() - 1) * PAGE_ROWS,
            limit=PAGE_ROWS + 1,
        )
        rows, pages = numbered(found, PAGE_ROWS)
        return render_template(
            "console/welcomes/list.html",
            brand=brand,
            brands=brand_choices(session),
            rows=rows,
            pages=pages,
            query=query,
            target=target,
            names=TARGET_NAMES,
            choices=_choices(session, brand),
            terms=channels.load_welcome_terms(session, brand_id=brand.id),
        )


@console.get("/welcomes/new")
@marketing
def new_welcome() -> ResponseReturnValue:
    """On to the welcome of the place that was chosen (``?place=store:ID``)."""
    target, _, id_ = request.args.get("place", "").partition(":")
    try:
        return redirect(url_for("console.welcome", target=Target(target), target_id=UUID(id_)))
    except ValueError:
        return redirect(url_for("console.welcomes", brand=request.args.get("brand"), _anchor="new"))


@console.route(f"/welcomes/{PLACES}", methods=["GET", "POST"])
@marketing
def welcome(target: str, target_id: UUID) -> ResponseReturnValue:
    """What is said to who joins through this place; a form writes or changes it."""
    shared, place = runtime(), _place(target, target_id)
    with shared.db.reading() as session:
        saved = channels.find_welcome(session, brand_id=place.brand_id, target=Target(target), target_id=target_id)
    form = WelcomeForm(obj=saved)
    if form.validate_on_submit():
        try:
            with shared.db.transaction() as session:
                channels.write_welcome(
                    session,
                    brand_id=place.brand_id,
                    target=Target(target),
                    target_id=target_id,
                    draft=form.draft(),
                    actor=current_staff().actor,
                    now=shared.now(),
                )
        except Invalid as refusal:
            refuse_field(form, refusal.facts["field"], refusal)
        else:
            flash(gettext("Saved. Whoever joins from now on is greeted so."), "success")
            return redirect(_list_url(place))
    page = render_template(
        "console/welcomes/welcome.html",
        form=form,
        saved=saved,
        target=Target(target),
        target_id=target_id,
        place=place,
        names=TARGET_NAMES,
        back=_list_url(place),
        limits=(TITLE_LENGTH_MAX, TEXT_LENGTH_MAX, BUTTON_LENGTH_MAX, LINK_LENGTH_MAX),
        **_trial(place, form.draft()),
    )
    return page, 422 if request.method == "POST" else 200


@console.get(f"/welcomes/{PLACES}/trial")
@marketing
def try_welcome(target: str, target_id: UUID) -> str:
    """The part of that page beside the form: a phone with what the fields say."""
    place = _place(target, target_id)
    texts = {name: request.args.get(name, "") for name in WelcomeDraft.__dataclass_fields__}
    return render_template("console/welcomes/_trial.html", **_trial(place, WelcomeDraft(**texts)))


@console.post(f"/welcomes/{PLACES}/remove")
@marketing
def remove_welcome(target: str, target_id: UUID) -> ResponseReturnValue:
    shared, place = runtime(), _place(target, target_id)
    with shared.db.transaction() as session:
        channels.remove_welcome(
            session,
            brand_id=place.brand_id,
            target=Target(target),
            target_id=target_id,
            actor=current_staff().actor,
            now=shared.now(),
        )
    flash(gettext("The welcome is removed. Who was given it keeps it."), "success")
    return redirect(_list_url(place))


@console.route("/welcomes/terms", methods=["GET", "POST"])
@marketing
def welcome_terms() -> ResponseReturnValue:
    """For how long welcomes stand on a member's page, and the template with which they are sent."""
    shared = runtime()
    with shared.db.reading() as session:
        brand, brands = brand_to_change(session), brand_choices(session)
        saved = channels.load_welcome_terms(session, brand_id=brand.id)
    form = WelcomeTermsForm(obj=saved)
    if form.validate_on_submit():
        try:
            with shared.db.transaction() as session:
                channels.set_welcome_terms(
                    session,
                    brand_id=brand.id,
                    terms=Terms(form.days.data or 0, form.template.data or ""),
                    actor=current_staff().actor,
                    now=shared.now(),
                )
        except BadWelcomeDays as refusal:
            refuse_field(form, "days", refusal)
        except BadTemplate as refusal:
            refuse_field(form, "template", refusal)
        else:
            flash(gettext("Saved."), "success")
            return redirect(url_for("console.welcomes", brand=brand.slug))
    page = render_template("console/welcomes/terms.html", form=form, brand=brand, brands=brands, days_max=DAYS_MAX)
    return page, 422 if request.method == "POST" else 200


def _place(target: str, target_id: UUID) -> WelcomePlace:
    """Raises NotFound, also for another brand's place."""
    with runtime().db.reading() as session:
        found = channels.welcome_place(session, target=Target(target), target_id=target_id)
    visible(found.brand_id)
    if not found.may_greet:
        raise NotFound
    return found


def _list_url(place: WelcomePlace) -> str:
    brand = runtime().brands.get(place.brand_id)
    return url_for("console.welcomes", brand=brand.slug if brand else None)


def _trial(place: WelcomePlace, draft: WelcomeDraft) -> dict[str, Any]:
    """A phone that shows the draft in one of both languages, whatever is wrong with it."""
    wish = request.values.get("shown", "")
    locale = wish if wish in LOCALES else current_locale()
    limits = {"title": TITLE_LENGTH_MAX, "text": TEXT_LENGTH_MAX, "button": BUTTON_LENGTH_MAX}
    texts = {name: text.strip()[: limits.get(name[:-3], 1)] for name, text in vars(draft).items()}
    title = texts[f"title_{locale}"] or gettext("The title stands here")
    texts |= {f"title_{locale}": title, "link": "/" if texts[f"button_{locale}"] else ""}
    token = preview.sign_welcome(runtime().settings, place.brand_id, locale, texts)
    return {"frame": url_for("h5.preview_welcome", token=token), "shown": locale}


def _choices(session: Session, brand: BrandFacts) -> list[tuple[str, list[tuple[str, str]]]]:
    """The places in use that have no welcome yet, by kind: value and name."""
    taken = channels.places_with_welcome(session, brand_id=brand.id)
    found: dict[Target, list[tuple[UUID, str]]] = {
        Target.BRAND: [(brand.id, gettext("Everybody else"))],
        Target.CHANNEL: [
            (one.id, one.name) for one in channels.list_channels(session, brand_id=brand.id) if one.is_active
        ],
        Target.STORE: [
            (store.id, f"{store.name} · {above.name}")
            for store, above in channels.list_stores(session, brand_id=brand.id, active_only=True)
        ],
        Target.GUIDE: [
            (guide.id, f"{guide.name} · {store.name}")
            for guide, store, _ in channels.list_guides(session, brand_id=brand.id)
            if guide.is_active and store.is_active
        ],
        Target.CODE: [(one.id, one.name) for one in channels.list_scenes(session, brand_id=brand.id) if one.is_active],
    }
    return [
        (TARGET_NAMES[target], free)
        for target, places in found.items()
        if (free := [(f"{target}:{id_}", name) for id_, name in places if (target, id_) not in taken])
    ]
