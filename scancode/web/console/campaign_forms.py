"""The forms of campaigns: what people type, in yuan and in the brand's time, turned into what the rules know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    FieldList,
    Form,
    FormField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length

from scancode.campaigns import service as campaigns
from scancode.campaigns.chance import WHOLE_PPM
from scancode.campaigns.models import Campaign
from scancode.campaigns.planning import (
    PRIORITY_MAX,
    PRIZES_MAX,
    RANGES_MAX,
    PrizeLine,
    RangeLine,
    TranchePlan,
    fen_of,
    whole_of,
    yuan,
)
from scancode.codes.models import Batch
from scancode.web.console.moments import YEARS

BLANK_LINES = 2
BETWEEN = re.compile(r"\s*[-–—~～至到]\s*")
PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,4}))?")


class TermsForm(FlaskForm):
    brand_id = SelectField(lazy_gettext("Brand"), validators=[DataRequired()])
    name_zh = StringField(lazy_gettext("Name in Chinese"), validators=[InputRequired(), Length(max=80)])
    name_en = StringField(lazy_gettext("Name in English"), validators=[InputRequired(), Length(max=80)])
    starts_at = DateTimeLocalField(lazy_gettext("Starts"), validators=[InputRequired()])
    ends_at = DateTimeLocalField(lazy_gettext("Ends"), validators=[InputRequired()])
    budget_yuan = StringField(lazy_gettext("Red packet budget (yuan)"), default="0", validators=[InputRequired()])
    budget_points = StringField(lazy_gettext("Points budget"), default="0", validators=[InputRequired()])
    priority = SelectField(
        lazy_gettext("Priority"),
        choices=[SelectChoice(str(one), str(one)) for one in range(PRIORITY_MAX + 1)],
        default="0",
    )
    is_shared = BooleanField(lazy_gettext("Its codes may take part in other campaigns, too"))
    rules_zh = TextAreaField(lazy_gettext("Further terms in Chinese"), validators=[Length(max=20_000)])
    rules_en = TextAreaField(lazy_gettext("Further terms in English"), validators=[Length(max=20_000)])

    def fill(self, campaign: Campaign, zone: ZoneInfo) -> None:
        """Shows a campaign as it stands."""
        for name in ("name_zh", "name_en", "rules_zh", "rules_en"):
            self[name].data = getattr(campaign, name)
        self.brand_id.data = str(campaign.brand_id)
        self.priority.data, self.is_shared.data = str(campaign.priority), not campaign.is_exclusive
        self.starts_at.data = campaign.starts_at.astimezone(zone)
        self.ends_at.data = campaign.ends_at.astimezone(zone)
        self.budget_yuan.data = yuan(campaign.budget_fen).replace(",", "")
        self.budget_points.data = str(campaign.budget_points)

    def read(self, zone: ZoneInfo) -> campaigns.Terms | None:
        """The terms, or None with the errors written to the fields. Call after ``validate``."""
        budget_fen = None if self.budget_yuan.errors else read_fen(self.budget_yuan)
        budget_points = None if self.budget_points.errors else read_count(self.budget_points)
        starts_at, ends_at = read_moment(self.starts_at, zone), read_moment(self.ends_at, zone)
        if starts_at and ends_at and ends_at <= starts_at:
            complain(self.ends_at, gettext("The campaign must end after it starts."))
        if self.errors or not (starts_at and ends_at) or budget_fen is None or budget_points is None:
            return None
        return campaigns.Terms(
            name_zh=(self.name_zh.data or "").strip(),
            name_en=(self.name_en.data or "").strip(),
            starts_at=starts_at,
            ends_at=ends_at,
            budget_fen=budget_fen,
            budget_points=budget_points,
            rules_zh=(self.rules_zh.data or "").strip(),
            rules_en=(self.rules_en.data or "").strip(),
            priority=int(self.priority.data),
            is_exclusive=not self.is_shared.data,
        )


class EndForm(FlaskForm):
    ends_at = DateTimeLocalField(lazy_gettext("New end"), validators=[InputRequired()])

    def read(self, zone: ZoneInfo) -> datetime | None:
        """The moment, or None with the error written to the field."""
        return read_moment(self.ends_at, zone)


class RangeForm(Form):
    batch = SelectField(lazy_gettext("Batch"), validate_choice=False)
    first = StringField(lazy_gettext("First code"))
    last = StringField(lazy_gettext("Last code"))


class PrizeForm(Form):
    kind = SelectField(
        lazy_gettext("Kind"),
        choices=[
            SelectChoice("red_packet", lazy_gettext("Red packet")),
            SelectChoice("points", lazy_gettext("Points")),
            SelectChoice("again", lazy_gettext("One more turn (with odds)")),
        ],
        validate_choice=False,
    )
    amount = StringField(lazy_gettext("Yuan or points"))
    chance = StringField(lazy_gettext("Odds (%)"))
    count = StringField(lazy_gettext("How many"))
    name_zh = StringField(lazy_gettext("Name in Chinese"))
    name_en = StringField(lazy_gettext("Name in English"))


@dataclass(frozen=True)
class Pool:
    """What the form of a prize pool says, as far as it can be read."""

    ranges: tuple[RangeLine, ...]
    prizes: tuple[PrizeLine, ...]
    thanks_zh: str
    thanks_en: str
    mode: str

    @property
    def plan(self) -> TranchePlan:
        return TranchePlan(self.ranges, self.prizes, self.thanks_zh, self.thanks_en, mode=self.mode)


class PoolForm(FlaskForm):
    mode = RadioField(
        lazy_gettext("How it is drawn"),
        choices=[
            SelectChoice("exact", lazy_gettext("Exact table: every code holds its prize from the start")),
            SelectChoice("odds", lazy_gettext("Odds: each code turns a wheel when it is claimed, while stocks last")),
        ],
        default="exact",
    )
    ranges = FieldList(FormField(RangeForm), max_entries=RANGES_MAX)
    prizes = FieldList(FormField(PrizeForm), max_entries=PRIZES_MAX)
    thanks_zh = StringField(lazy_gettext("Without a prize, in Chinese"), validators=[Length(max=60)])
    thanks_en = StringField(lazy_gettext("Without a prize, in English"), validators=[Length(max=60)])

    def fill(self, pool: TranchePlan) -> None:
        """Shows a pool as it stands."""
        for line in pool.ranges:
            self.ranges.append_entry(
                {"batch": str(line.batch_number), "first": str(line.first), "last": str(line.last)}
            )
        self.mode.data = pool.mode
        for prize in pool.prizes:
            typed = {"amount": shown_amount(prize), "count": str(prize.count), "chance": shown_chance(prize.chance_ppm)}
            self.prizes.append_entry({**vars(prize), **typed})
        self.thanks_zh.data, self.thanks_en.data = pool.thanks_zh, pool.thanks_en

    def offer_batches(self, batches: Iterable[Batch], labels: Sequence[str]) -> None:
        """Fills the lists of batches and adds blank lines to write on."""
        numbers = [str(batch.number) for batch in batches]
        choices = [SelectChoice("", gettext("Choose a batch"))]
        choices += [SelectChoice(number, label) for number, label in zip(numbers, labels, strict=True)]
        for lines, most in ((self.ranges, RANGES_MAX), (self.prizes, PRIZES_MAX)):
            while len(lines.entries) < most and not _ends_blank(lines):
                lines.append_entry()
        for entry in self.ranges.entries:
            chosen = str(entry.form.batch.data or "")
            is_strange = bool(chosen) and chosen not in numbers
            entry.form.batch.choices = [*choices, SelectChoice(chosen, chosen)] if is_strange else choices

    def add_lines(self, which: str) -> None:
        """More blank lines for ``ranges`` or ``prizes``."""
        lines, most = (self.ranges, RANGES_MAX) if which == "ranges" else (self.prizes, PRIZES_MAX)
        for _ in range(min(BLANK_LINES, most - len(lines.entries))):
            lines.append_entry()

    def read(self, sizes: dict[int, int]) -> Pool:
        """What can be read; what cannot has its error written to its field. ``sizes``: codes by batch number."""
        ranges = [_read_range(entry.form, sizes) for entry in self.ranges.entries if not _is_blank(entry.form)]
        mode = "odds" if self.mode.data == "odds" else "exact"
        prizes = [_read_prize(entry.form, mode) for entry in self.prizes.entries if not _is_blank(entry.form)]
        return Pool(
            ranges=tuple(line for line in ranges if line is not None),
            prizes=tuple(prize for prize in prizes if prize is not None),
            thanks_zh=(self.thanks_zh.data or "").strip(),
            thanks_en=(self.thanks_en.data or "").strip(),
            mode=mode,
        )

    @property
    def is_readable(self) -> bool:
        forms = [entry.form for lines in (self.ranges, self.prizes) for entry in lines.entries]
        return not any(field.errors for form in forms for field in form) and not (
            self.thanks_zh.errors or self.thanks_en.errors
        )


def _is_blank(form: Form) -> bool:
    """The kind of a prize is always chosen, so it says nothing."""
    return not any(str(field.data or "").strip() for field in form if field.short_name != "kind")


def _ends_blank(lines: FieldList) -> bool:
    return bool(lines.entries) and _is_blank(lines.entries[-1].form)


def _read_range(form: RangeForm, sizes: dict[int, int]) -> RangeLine | None:
    """Both ends left empty name the whole batch."""
    number = {str(one): one for one in sizes}.get(str(form.batch.data or ""))
    if number is None:
        complain(form.batch, gettext("Choose a batch of this brand."))
        return None
    first = read_count(form.first) if str(form.first.data or "").strip() else 0
    last = read_count(form.last) if str(form.last.data or "").strip() else sizes[number] - 1
    if first is None or last is None:
        return None
    if first > last:
        complain(form.last, gettext("A range goes from a lower number to a higher one."))
        return None
    if last >= sizes[number]:
        complain(form.last, gettext("The last code of this batch is %(last)s.", last=sizes[number] - 1))
        return None
    return RangeLine(number, first, last)


def _read_prize(form: PrizeForm, mode: str) -> PrizeLine | None:
    kind = form.kind.data if form.kind.data in ("points", "again") else "red_packet"
    amounts = (0, None) if kind == "again" else _read_amounts(form.amount, kind)
    count = read_count(form.count)
    chance = _read_chance(form.chance) if mode == "odds" else None
    for field in (form.name_zh, form.name_en):
        if len(field.data or "") > 60:
            complain(field, gettext("This is too long."))
    if amounts is None or count is None or form.errors:
        return None
    names = ((form.name_zh.data or "").strip(), (form.name_en.data or "").strip())
    blank = {
        "red_packet": ("现金红包", "Red packet"),
        "points": ("积分", "Points"),
        "again": ("再来一次", "One more turn"),
    }[kind]
    least, most = amounts
    return PrizeLine(kind, least, count, names[0] or blank[0], names[1] or blank[1], most, chance)


def _read_amounts(field: StringField, kind: str) -> tuple[int, int | None] | None:
    """``8.88``, or ``0.5-5`` for a random amount: the least, and the most where it is random."""
    parts = BETWEEN.split(str(field.data or "").strip(), maxsplit=1)
    amounts = [read_fen(field, part) if kind == "red_packet" else read_count(field, part) for part in parts]
    if any(amount is None for amount in amounts):
        return None
    least, most = amounts[0] or 0, amounts[-1] or 0
    if least > most:
        complain(field, gettext("The amounts go from a lower to a higher one."))
        return None
    return least, most if most > least else None


def _read_chance(field: StringField) -> int | None:
    """Per cent with up to four decimals, as parts per million."""
    text = str(field.data or "").strip().rstrip("%％").strip()
    found = PERCENT.fullmatch(text)
    if found is None or not 1 <= (ppm := int(found[1]) * 10_000 + int((found[2] or "").ljust(4, "0"))) <= WHOLE_PPM:
        complain(field, gettext("Write odds in per cent, 0.0001 to 100."))
        return None
    return ppm


def read_fen(field: StringField, text: str | None = None) -> int | None:
    try:
        return fen_of((field.data if text is None else text) or "")
    except ValueError:
        complain(field, gettext("Write an amount of yuan, such as 8.88."))
        return None


def read_count(field: StringField, text: str | None = None) -> int | None:
    try:
        return whole_of(str((field.data if text is None else text) or ""))
    except ValueError:
        complain(field, gettext("Write a whole number."))
        return None


def shown_amount(prize: PrizeLine) -> str:
    """As it is typed: ``8.88``, ``0.50-5.00``, ``10-50``; nothing for one more turn."""
    if prize.kind == "again":
        return ""
    amounts = [prize.amount] if prize.amount_most is None else [prize.amount, prize.amount_most]
    texts = [yuan(one).replace(",", "") if prize.kind == "red_packet" else str(one) for one in amounts]
    return "-".join(texts)


def shown_chance(ppm: int | None) -> str:
    """Per cent, as it is typed: ``12.5``."""
    return "" if ppm is None else f"{ppm / 10_000:.4f}".rstrip("0").rstrip(".")


def complain(field: object, problem: str) -> None:
    errors = list(getattr(field, "errors", ()))
    field.errors = [*errors, problem]  # type: ignore[attr-defined]


def read_moment(field: DateTimeLocalField, zone: ZoneInfo) -> datetime | None:
    """What was typed on the clocks of that zone. None where nothing can be read, then with an error."""
    if field.data is not None and field.data.year not in YEARS:
        complain(field, gettext("Write a year from %(first)s to %(last)s.", first=YEARS[0], last=YEARS[-1]))
        return None
    return field.data.replace(tzinfo=zone).astimezone(UTC) if field.data else None
