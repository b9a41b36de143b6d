"""The conditions of a draft: where, to whom, how often, how much a day, and when it gives more points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import (
    DateTimeLocalField,
    FieldList,
    Form,
    FormField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import NumberRange, Optional

from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import FACTORS, Boost, Conditions, Members, RegionsOf, problems
from scancode.campaigns.models import CampaignState
from scancode.campaigns.planning import yuan
from scancode.channels import regions
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.campaign_forms import complain, read_count, read_fen
from scancode.web.console.campaigns import brand_of, own_campaign
from scancode.web.language import current_locale
from scancode.web.places import Places, load_places
from scancode.web.runtime import runtime

BOOST_LINES = 3
SEPARATED = re.compile(r"[^,，、;；\s]+")
COUNTS = (
    "person_day_max", "person_max", "day_max", "nth", "nth_points", "nth_count", "hold_day", "hold_score", "hold_days",
)  # fmt: skip
SUMS = {"day_fen_max": "day_yuan_max", "nth_fen": "nth_yuan"}
"""Kept in fen, typed in yuan."""
PLACES = ("channels", "stores", "scenes", "products", "batches")
MARKS = ("tags_any", "tags_none", "tiers")


class BoostForm(Form):
    factor = SelectField(
        lazy_gettext("Times"),
        choices=[SelectChoice("", "–"), *(SelectChoice(str(one), f"×{one}") for one in FACTORS)],
        validate_choice=False,
    )
    stores = SelectMultipleField(lazy_gettext("Stores"), validate_choice=False)
    starts_at = DateTimeLocalField(lazy_gettext("From"), validators=[Optional()])
    ends_at = DateTimeLocalField(lazy_gettext("Until"), validators=[Optional()])
    from_hour = IntegerField(lazy_gettext("From hour"), validators=[Optional(), NumberRange(0, 23)])
    to_hour = IntegerField(lazy_gettext("To hour"), validators=[Optional(), NumberRange(1, 24)])


class ConditionsForm(FlaskForm):
    """An empty field is no limit, an empty list everywhere."""

    channels = SelectMultipleField(lazy_gettext("Channels"), validate_choice=False)
    stores = SelectMultipleField(lazy_gettext("Stores"), validate_choice=False)
    scenes = SelectMultipleField(lazy_gettext("Scenes"), validate_choice=False)
    products = SelectMultipleField(lazy_gettext("Products"), validate_choice=False)
    batches = SelectMultipleField(lazy_gettext("Code batches"), validate_choice=False)
    regions = StringField(lazy_gettext("Provinces or cities"))
    regions_of = SelectField(
        lazy_gettext("Whose provinces or cities"),
        choices=[
            SelectChoice(RegionsOf.STORE, lazy_gettext("Of the store that the item was sent to or touched at")),
            SelectChoice(RegionsOf.SCAN, lazy_gettext("Of the scan: where the phone is")),
        ],
        validate_choice=False,
    )
    members = SelectField(
        lazy_gettext("Who may claim"),
        choices=[
            SelectChoice(Members.ANY, lazy_gettext("Everybody")),
            SelectChoice(Members.MEMBERS, lazy_gettext("Members")),
            SelectChoice(Members.NEW, lazy_gettext("Members who joined after it began")),
            SelectChoice(Members.EXISTING, lazy_gettext("Members who had joined before it began")),
        ],
        validate_choice=False,
    )
    tags_any = SelectMultipleField(lazy_gettext("Carry one of these tags"), validate_choice=False)
    tags_none = SelectMultipleField(lazy_gettext("Carry none of these tags"), validate_choice=False)
    tier_min = SelectField(lazy_gettext("Hold at least this tier"), validate_choice=False)
    tiers = SelectMultipleField(lazy_gettext("Or hold one of these tiers"), validate_choice=False)
    person_day_max = StringField(lazy_gettext("Codes one person may claim in a day"))
    person_max = StringField(lazy_gettext("Codes one person may claim in all"))
    day_max = StringField(lazy_gettext("Codes that everybody together may claim in a day"))
    day_yuan_max = StringField(lazy_gettext("Yuan that everybody together may win in a day (pools with odds)"))
    hold_day = StringField(lazy_gettext("From which code of a person in a day on staff look first"))
    hold_score = StringField(lazy_gettext("From how many points against a claim on staff look first"))
    hold_days = StringField(lazy_gettext("Days that staff have; then it is paid by itself"))
    nth = StringField(lazy_gettext("Which code of a person gives it"))
    nth_points = StringField(lazy_gettext("Points"))
    nth_yuan = StringField(lazy_gettext("Or a red packet (yuan)"))
    nth_count = StringField(lazy_gettext("At most so many of these prizes"))
    boosts = FieldList(FormField(BoostForm), min_entries=BOOST_LINES, max_entries=BOOST_LINES)

    @property
    def used(self) -> list[Any]:
        """The lines of more points that say anything, with the field itself where something is wrong with all."""
        lines = [one for one in self.boosts.entries if any(field.data or field.errors for field in one.form)]
        return [self.boosts, *lines] if self.boosts.errors else lines

    def fill(self, conditions: Conditions) -> None:
        """Shows conditions as they are kept."""
        for name in COUNTS:
            value = getattr(conditions, name)
            self[name].data = "" if value is None else str(value)
        self.tier_min.data = conditions.tier_min
        for name in (*PLACES, *MARKS):
            self[name].data = list(getattr(conditions, name))
        for name, field in SUMS.items():
            fen = getattr(conditions, name)
            self[field].data = "" if fen is None else yuan(fen).replace(",", "")
        shown = [_region(int(one)) for one in conditions.scan_regions] or conditions.regions
        self.regions.data, self.members.data = "、".join(shown), conditions.members
        self.regions_of.data = conditions.regions_of
        for entry, boost in zip(self.boosts.entries, conditions.boosts, strict=False):
            entry.form.process(data={**vars(boost), "factor": str(boost.factor), "stores": list(boost.stores)})
            for name in ("starts_at", "ends_at"):
                entry.form[name].data = datetime.fromisoformat(getattr(boost, name))

    def offer(self, places: Places) -> None:
        """Fills the lists; what was chosen stays only where it is this brand's."""
        for field, choices in (
            (self.channels, places.channels),
            (self.stores, places.stores),
            (self.scenes, places.scenes),
            (self.products, places.products),
            (self.batches, places.known_batches),
        ):
            _offer(field, choices)
        tags = [(str(tag.id), tag.name) for tag in places.tags]
        for name in ("tags_any", "tags_none"):
            _offer(self[name], tags)
        tiers = [(str(tier.id), tier.name(current_locale())) for tier in places.ladder.tiers]
        _offer(self.tiers, tiers)
        self.tier_min.choices = [SelectChoice("", "–"), *(SelectChoice(*one) for one in tiers)]
        if self.tier_min.data not in dict(tiers):
            self.tier_min.data = ""
        for entry in self.boosts.entries:
            _offer(entry.form.stores, places.stores)

    def read(self) -> Conditions | None:
        """What can be meant, or None with the errors written to the fields. Call after ``validate`` and ``offer``."""
        typed: dict[str, Any] = {
            name: read_count(self[name]) if str(self[name].data or "").strip() else None for name in COUNTS
        }
        typed |= {name: tuple(sorted(self[name].data or ())) for name in (*PLACES, *MARKS)}
        typed |= {
            name: read_fen(self[field]) if str(self[field].data or "").strip() else None for name, field in SUMS.items()
        }
        names = SEPARATED.findall(self.regions.data or "")
        regions_of = self.regions_of.data or RegionsOf.STORE
        if regions_of == RegionsOf.SCAN:
            names = [str(regions.named(name) or name) for name in names]
        found = Conditions(
            **typed,
            regions=tuple(dict.fromkeys(names)),
            regions_of=regions_of if names else RegionsOf.STORE,
            tier_min=self.tier_min.data or "",
            members=self.members.data if self.members.data in list(Members) else "",
            boosts=tuple(_boost(entry.form) for entry in self.boosts.entries if entry.form.factor.data),
        )
        for name, problem in problems(found):
            complain(self[SUMS.get(name, name)], gettext(problem))
        return None if any(field.errors for field in self) else found


def _region(number: int) -> str:
    """As it is typed: its name, or the number where the name alone means another place."""
    name = regions.regions()[number].name(current_locale())
    return name if regions.named(name) == number and SEPARATED.fullmatch(name) else str(number)


def _offer(field: SelectMultipleField, choices: Sequence[tuple[str, str]]) -> None:
    field.choices = [SelectChoice(value, label) for value, label in choices]
    known = {value for value, _ in choices}
    field.data = [value for value in field.data or () if value in known]


def _boost(form: BoostForm) -> Boost:
    return Boost(
        factor=next((one for one in FACTORS if str(one) == form.factor.data), 0),
        stores=tuple(sorted(form.stores.data or ())),
        starts_at=form.starts_at.data.isoformat() if form.starts_at.data else "",
        ends_at=form.ends_at.data.isoformat() if form.ends_at.data else "",
        from_hour=form.from_hour.data or 0,
        to_hour=24 if form.to_hour.data is None else form.to_hour.data,
    )


@console.route("/campaigns/<uuid:campaign_id>/conditions", methods=["GET", "POST"])
@allow(Role.MARKETING)
def campaign_conditions(campaign_id: UUID) -> ResponseReturnValue:
    shared = runtime()
    campaign = own_campaign(campaign_id)
    if campaign.state != CampaignState.DRAFT:
        raise campaigns.Frozen(state=campaign.state)
    form = ConditionsForm()
    with shared.db.reading() as session:
        kept = campaigns.conditions_of(session, campaign_id=campaign_id)
        places = load_places(session, brand_id=campaign.brand_id)
    if request.method == "GET":
        form.fill(kept)
    form.offer(places)
    if request.method == "POST" and form.validate() and (conditions := form.read()) is not None:
        with shared.db.transaction() as session:
            campaigns.set_conditions(
                session,
                campaign_id=campaign_id,
                conditions=conditions,
                actor=current_staff().actor,
                now=shared.now(),
            )
        flash(gettext("Kept."), "success")
        return redirect(url_for("console.campaign", campaign_id=campaign_id))
    status = 422 if form.is_submitted() else 200
    slug = brand_of(campaign.brand_id).slug
    page = render_template(
        "console/campaigns/conditions.html",
        form=form,
        campaign=campaign,
        brand_slug=slug,
        used=form.used,
        knows_addresses=shared.ports.regions is not None,
    )
    return page, status
