"""Provinces and cities of China by their national number (GB/T 2260, six digits): nothing finer is kept of anybody.

``440000`` is a province, ``440300`` a city of it; a municipality such as ``310000`` is both. A city's number begins
with the two digits of its province. ``names.csv`` holds number, short Chinese name and English name; ``centres.csv``
the middle of each county with the number of its city. Both were made from the list of the cpca project (MIT licence,
see beside them).
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

ABROAD: Final = 990000
"""Anywhere outside China: nothing finer is kept of it."""
FAR_KM: Final = 150.0
"""Farther than this from the middle of every county is no place of this list."""
_ENDINGS = re.compile(r"(特别行政区|维吾尔自治区|壮族自治区|回族自治区|自治区|自治州|地区|省|市|盟)$")


@dataclass(frozen=True)
class Region:
    code: int
    name_zh: str
    name_en: str

    @property
    def is_province(self) -> bool:
        return self.code % 10000 == 0

    def name(self, locale: str) -> str:
        return self.name_zh if locale.startswith("zh") else self.name_en


@cache
def regions() -> dict[int, Region]:
    """Every province and city by its number, in the order of the numbers; ``ABROAD`` last."""
    found = {int(code): Region(int(code), zh, en) for code, zh, en in _rows("names.csv")}
    return found | {ABROAD: Region(ABROAD, "境外", "Abroad")}


def province_of(code: int) -> int:
    """The province of a province or a city."""
    return code // 10000 * 10000


def cities_of(province: int) -> list[Region]:
    return [region for region in regions().values() if province_of(region.code) == province != region.code]


def provinces() -> list[Region]:
    return [region for region in regions().values() if region.is_province]


def covers(wanted: int, code: int) -> bool:
    """Whether the place ``code`` lies in ``wanted``, a province or a city."""
    return wanted == code or (wanted % 10000 == 0 and wanted == province_of(code))


def name_of(code: int | None, locale: str) -> str:
    """``广东 深圳`` or ``Shenzhen, Guangdong``; an empty text for None and for numbers that are none."""
    region = regions().get(code) if code is not None else None
    if region is None:
        return ""
    if region.is_province:
        return region.name(locale)
    province = regions()[province_of(region.code)].name(locale)
    return f"{province} {region.name_zh}" if locale.startswith("zh") else f"{region.name_en}, {province}"


def find(province: str, city: str = "") -> int | None:
    """The number of a place written in Chinese, with or without 省, 市 and the like; of the province where the city is
    empty or unknown."""
    found = _by_name().get((0, _short(province)))
    if found is None or not city.strip():
        return found
    exact = _by_name().get((found, _short(city)))
    # 湘西土家族苗族自治州 is known as 湘西.
    return exact or next((one.code for one in cities_of(found) if city.strip().startswith(one.name_zh)), found)


def named(text: str) -> int | None:
    """The number of one name alone, in either language, with or without 省, 市 and the like, or of a number; a province
    goes before a city of the same name."""
    clean = text.strip()
    if clean.isdecimal():
        return next((one for one in regions() if str(one) == clean), None)
    short, english = _short(clean), clean.casefold()
    alike = [one for one in regions().values() if short == _short(one.name_zh) or english == one.name_en.casefold()]
    return min(alike, key=lambda one: not one.is_province).code if alike else None


def nearest(latitude: float, longitude: float) -> int | None:
    """The city around a point, by the nearest middle of a county; ``ABROAD`` where none is near, None for no point."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    stretch = math.cos(math.radians(latitude))
    distance, code = min(
        (((east - longitude) * stretch) ** 2 + (north - latitude) ** 2, code) for code, east, north in _centres()
    )
    return code if math.sqrt(distance) * 111.2 <= FAR_KM else ABROAD


@lru_cache(maxsize=20_000)
def kilometres(one: int, other: int) -> float | None:
    """The least distance between two places, from county to county; None where one of them is not in China."""
    here, there = _points_in(one), _points_in(other)
    if not here or not there:
        return None
    return min(_apart(*a, *b) for a in here for b in there)


def _points_in(code: int) -> list[tuple[float, float]]:
    return [(east, north) for at, east, north in _centres() if covers(code, at)]


def _apart(east: float, north: float, other_east: float, other_north: float) -> float:
    """Near enough for whether something can have travelled: the earth as a plane about the middle of both."""
    stretch = math.cos(math.radians((north + other_north) / 2))
    return math.hypot((east - other_east) * stretch, north - other_north) * 111.2


@cache
def _by_name() -> dict[tuple[int, str], int]:
    """By province (0 for provinces themselves) and short name."""
    return {
        (0 if region.is_province else province_of(region.code), _short(region.name_zh)): region.code
        for region in regions().values()
    }


def _short(name: str) -> str:
    clean = name.strip()
    short = _ENDINGS.sub("", clean)
    return short if len(short) >= 2 else clean


@cache
def _centres() -> tuple[tuple[int, float, float], ...]:
    return tuple((int(code), float(east), float(north)) for code, east, north in _rows("centres.csv"))


def _rows(name: str) -> Iterator[list[str]]:
    yield from csv.reader(files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines())
