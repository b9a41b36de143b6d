"""Times as the console shows and reads them: in the zone of the person's brand, or for the operator in Shanghai's."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Flask, g
from flask_babel import gettext

from scancode.web.console.access import find_current_staff
from scancode.web.runtime import runtime

OPERATOR_ZONE = "Asia/Shanghai"
YEARS = range(2000, 2200)


def install(app: Flask) -> None:
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.filters["duration"] = duration


def zone() -> ZoneInfo:
    """The zone in which this request shows its times."""
    if "console_zone" not in g:
        person = find_current_staff()
        brand = runtime().brands.get(person.brand_id) if person and person.brand_id else None
        g.console_zone = ZoneInfo(brand.timezone if brand else OPERATOR_ZONE)
    found: ZoneInfo = g.console_zone
    return found


def moment(when: datetime | None, seconds: bool = False) -> str:
    """``2026-11-22 12:00``; a dash for no time at all."""
    if when is None:
        return "–"
    return when.astimezone(zone()).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def duration(seconds: int) -> str:
    """``50 s``, ``3 min 20 s``, ``2 h 5 min``: how long something takes, in two units at most."""
    if seconds < 60:
        return str(gettext("%(s)s s", s=seconds))
    if seconds < 3600:
        return str(gettext("%(min)s min %(s)s s", min=seconds // 60, s=seconds % 60))
    return str(gettext("%(h)s h %(min)s min", h=seconds // 3600, min=seconds % 3600 // 60))


def find_day(text: str) -> date | None:
    """``YYYY-MM-DD``, in years that databases and zones can reckon with."""
    try:
        day = date.fromisoformat(text.strip()[:40])
    except ValueError:
        return None
    return day if day.year in YEARS else None


def read_day(text: str) -> str:
    """``YYYY-MM-DD``; empty where the text is no day."""
    day = find_day(text)
    return day.isoformat() if day else ""


def today(now: datetime) -> date:
    return now.astimezone(zone()).date()


def start_of(day: date) -> datetime:
    """The moment at which the day begins where the person is."""
    return datetime.combine(day, time(), zone())


def end_of(day: date) -> datetime:
    """The moment at which the next day begins."""
    return start_of(day + timedelta(days=1))
