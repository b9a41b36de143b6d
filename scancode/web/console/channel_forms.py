"""The forms about channels, stores, guides and placed codes. Limits are the columns' own; rules are the service's."""

from __future__ import annotations

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from scancode.channels.models import ChannelKind
from scancode.channels.rotation import Rule
from scancode.i18n import N_

KIND_NAMES = {
    ChannelKind.DISTRIBUTOR: N_("Distributor"),
    ChannelKind.RETAIL: N_("Retail"),
    ChannelKind.ECOMMERCE: N_("Online shop"),
    ChannelKind.LIVE: N_("Live stream"),
    ChannelKind.PARTNER: N_("Partner brand"),
    ChannelKind.DIRECT: N_("Direct sales"),
}
SCENES = (
    ("shelf", N_("Shelf")),
    ("end-cap", N_("End of an aisle")),
    ("counter", N_("Counter")),
    ("poster", N_("Poster")),
    ("parcel-card", N_("Parcel card")),
    ("live-room", N_("Live room")),
    ("partner-shop", N_("Shop of a partner")),
    ("event", N_("Event")),
)
"""Common scene values that the form offers; any other may be typed."""


class ChannelForm(FlaskForm):
    name = StringField(lazy_gettext("Name of the channel"), validators=[InputRequired(), Length(max=80)])
    kind = SelectField(
        lazy_gettext("Kind of channel"),
        choices=[SelectChoice(kind.value, lazy_gettext(name)) for kind, name in KIND_NAMES.items()],
        default=ChannelKind.RETAIL.value,
    )
    is_active = BooleanField(lazy_gettext("In use"), default=True)


class StoreForm(FlaskForm):
    name = StringField(lazy_gettext("Name of the store"), validators=[InputRequired(), Length(max=80)])
    province = StringField(lazy_gettext("Province"), validators=[Length(max=40)])
    city = StringField(lazy_gettext("City"), validators=[Length(max=40)])
    address = StringField(lazy_gettext("Address"), validators=[Length(max=200)])
    is_active = BooleanField(lazy_gettext("In use"), default=True)


class GuideForm(FlaskForm):
    name = StringField(lazy_gettext("Name or nickname"), validators=[InputRequired(), Length(max=80)])
    staff_no = StringField(lazy_gettext("Staff number"), validators=[Length(max=40)])
    shifts = StringField(lazy_gettext("Hours"), validators=[Length(max=120)])
    is_on_duty = BooleanField(lazy_gettext("On duty"), default=True)
    is_active = BooleanField(lazy_gettext("In use"), default=True)


class SceneForm(FlaskForm):
    name = StringField(lazy_gettext("Name of the code"), validators=[InputRequired(), Length(max=80)])
    scene = StringField(lazy_gettext("Scene value"), validators=[InputRequired(), Length(max=32)])
    placement = StringField(lazy_gettext("Where it hangs"), validators=[Length(max=80)])
    is_active = BooleanField(lazy_gettext("In use"), default=True)


class LiveForm(FlaskForm):
    name = StringField(lazy_gettext("Name of the code"), validators=[InputRequired(), Length(max=80)])
    scene = StringField(lazy_gettext("Scene value"), validators=[InputRequired(), Length(max=32)])
    placement = StringField(lazy_gettext("Where it hangs"), validators=[Length(max=80)])
    rotation = SelectField(
        lazy_gettext("How it chooses"),
        choices=[
            SelectChoice(Rule.TURNS.value, lazy_gettext("In turn: whoever waited longest")),
            SelectChoice(Rule.WEIGHT.value, lazy_gettext("By shares")),
        ],
        default=Rule.TURNS.value,
    )
    is_active = BooleanField(lazy_gettext("In use"), default=True)

    def texts(self) -> dict[str, str]:
        return {name: self[name].data or "" for name in ("name", "scene", "placement", "rotation")}
