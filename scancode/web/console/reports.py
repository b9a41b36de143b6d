"""The attribution report: what each channel, store, guide, scene, product, batch and day brought. Chart, table, CSV."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, cast

from flask import flash, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scancode.catalog.rules import BrandFacts
from scancode.reports import rules, words
from scancode.reports import service as reports
from scancode.reports.rules import DIMENSIONS, MODELS, Dimension, Funnel, FunnelRow, Model
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.channel_forms import KIND_NAMES, SCENES
from scancode.web.console.chosen import brand_choices, chosen_brand
from scancode.web.csv_files import as_csv
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

ROWS_SHOWN = 200
BARS_SHOWN = 10
EXPORT_ROWS_MAX = 10_000
DAYS_BY_DEFAULT = 30
SCENE_NAMES = dict(SCENES)
marketing = allow(Role.MARKETING)


def _brand() -> tuple[BrandFacts, list[BrandFacts]]:
    with runtime().db.reading() as session:
        return chosen_brand(session), brand_choices(session)


def _days(brand: BrandFacts) -> tuple[str, str]:
    """The first and last day asked for; 30 days up to today where nothing was."""
    first, last = rules.last_days(brand.day(runtime().now()), DAYS_BY_DEFAULT)
    return request.args.get("first", "").strip() or first, request.args.get("last", "").strip() or last


def _dimension() -> Dimension:
    by = request.args.get("by", "channel")
    if by not in DIMENSIONS:
        raise rules.BadDimension(by=by[:20])
    return by


def _model() -> Model:
    model = request.args.get("model", "last")
    if model not in MODELS:
        raise rules.BadModel(by=model[:20])
    return model


@console.get("/reports", endpoint="reports")
@marketing
def report_page() -> ResponseReturnValue:
    brand, brands = _brand()
    by, model, (first_day, last_day) = _dimension(), _model(), _days(brand)
    status = 200
    try:
        funnel = _funnel(brand, by, first_day, last_day, ROWS_SHOWN)
    except (rules.BadPeriod, rules.PeriodTooLong) as refusal:
        flash(refusal.sentence(gettext), "danger")
        first_day, last_day = rules.last_days(brand.day(runtime().now()), DAYS_BY_DEFAULT)
        funnel, status = _funnel(brand, by, first_day, last_day, ROWS_SHOWN), 422
    kept = {"first": first_day, "last": last_day, **({"brand": brand.slug} if len(brands) > 1 else {})}
    if model != "last":
        kept["model"] = model
    page = render_template(
        "console/reports/funnel.html",
        brand=brand,
        brands=brands,
        funnel=funnel,
        names=[_named(row, by) for row in funnel.rows],
        notes=[_note(row, by) for row in funnel.rows],
        note_name=words.NOTE_NAMES.get(by),
        by=by,
        touch_days=runtime().settings.touch_days if brand.touch_days is None else brand.touch_days,
        model=model,
        models=MODELS,
        tabs=[
            (gettext(name), url_for("console.reports", by=key, **cast(Any, kept)), key == by)
            for key, name in words.DIMENSION_NAMES.items()
        ],
        presets=_presets(brand, by, first_day, last_day),
        kept=kept,
        words=words,
    )
    return page, status


def _funnel(brand: BrandFacts, by: Dimension, first_day: str, last_day: str, rows_max: int) -> Funnel:
    with runtime().db.reading() as session:
        return reports.funnel(
            session,
            brand_id=brand.id,
            by=by,
            first_day=first_day,
            last_day=last_day,
            model=_model(),
            rows_max=rows_max,
        )


def _named(row: FunnelRow, by: Dimension) -> str:
    if by == "scene" and row.key in SCENE_NAMES:
        return f"{gettext(SCENE_NAMES[row.key])} ({row.key})"
    return words.row_name(row, by, current_locale(), gettext)


def _note(row: FunnelRow, by: Dimension) -> str:
    return gettext(KIND_NAMES.get(cast(Any, row.note), row.note)) if by == "channel" and row.note else row.note


def _presets(brand: BrandFacts, by: Dimension, first_day: str, last_day: str) -> list[tuple[str, str, bool]]:
    """Spans of time to choose with one press: label, address, whether it is the present one."""
    today = brand.day(runtime().now())
    this_month = date.fromisoformat(today).replace(day=1)
    last_month = this_month - timedelta(days=1)
    spans = [
        (gettext("Today"), (today, today)),
        (gettext("7 days"), rules.last_days(today, 7)),
        (gettext("30 days"), rules.last_days(today, 30)),
        (gettext("90 days"), rules.last_days(today, 90)),
        (gettext("This month"), (this_month.isoformat(), today)),
        (gettext("Last month"), (last_month.replace(day=1).isoformat(), last_month.isoformat())),
    ]
    slug = request.args.get("brand")
    return [
        (
            label,
            url_for("console.reports", by=by, first=first, last=last, brand=slug, model=request.args.get("model")),
            (first, last) == (first_day, last_day),
        )
        for label, (first, last) in spans
    ]


@console.get("/reports/funnel.json")
@marketing
def report_funnel_chart() -> ResponseReturnValue:
    """The steps of the whole brand, as charts.js draws them."""
    brand, _ = _brand()
    first_day, last_day = _days(brand)
    with runtime().db.reading() as session:
        row = reports.total(session, brand_id=brand.id, first_day=first_day, last_day=last_day)
    steps = words.FUNNEL_STEPS
    return jsonify(
        kind="funnel",
        categories=[gettext(words.STEP_NAMES[step]) for step in steps],
        series=[{"name": gettext("Number"), "values": [getattr(row, step) or 0 for step in steps]}],
        of=[steps.index(words.SHARE_OF[step]) if step in words.SHARE_OF else None for step in steps],
        unit="",
    )


@console.get("/reports/rows.json")
@marketing
def report_rows_chart() -> ResponseReturnValue:
    """Days as lines; anything else as bars of its best rows."""
    brand, _ = _brand()
    by, (first_day, last_day) = _dimension(), _days(brand)
    funnel = _funnel(brand, by, first_day, last_day, ROWS_SHOWN)
    rows = funnel.rows if by == "day" else [row for row in funnel.rows if not row.is_empty][:BARS_SHOWN]
    steps = ("scanned", "visitors", "claims", "members")
    return jsonify(
        kind="line" if by == "day" else "bar",
        categories=[row.key[5:] if by == "day" else _named(row, by) for row in rows],
        series=[
            {"name": gettext(words.STEP_NAMES[step]), "values": [getattr(row, step) for row in rows]} for step in steps
        ],
        unit="",
    )


@console.get("/reports/export.csv")
@marketing
def report_export() -> ResponseReturnValue:
    """The table as a file. Who took it away is written down first."""
    brand, _ = _brand()
    by, (first_day, last_day) = _dimension(), _days(brand)
    shared = runtime()
    with shared.db.transaction() as session:
        funnel = reports.funnel(
            session,
            brand_id=brand.id,
            by=by,
            first_day=first_day,
            last_day=last_day,
            model=_model(),
            rows_max=EXPORT_ROWS_MAX,
        )
        staff.audit(
            session,
            actor=current_staff().actor,
            brand_id=brand.id,
            action="report.export",
            subject=f"report:{by}",
            facts={
                "model": funnel.model,
                "first_day": funnel.period.first_day,
                "last_day": funnel.period.last_day,
                "rows": len(funnel.rows),
            },
            now=shared.now(),
        )
    name = f"scancode-{by}-{funnel.period.first_day}-{funnel.period.last_day}.csv"
    return as_csv(name, words.to_csv(funnel, locale=current_locale(), translate=gettext))
