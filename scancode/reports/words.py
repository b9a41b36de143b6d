"""What the columns and rows of a report are called, and its CSV file: the same words on the page and in the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from scancode.i18n import N_
from scancode.reports.rules import Dimension, Funnel, FunnelRow, Model, defuse

Translate = Callable[[str], str]
DIMENSION_NAMES: dict[Dimension, str] = {
    "channel": N_("Channel"),
    "store": N_("Store"),
    "guide": N_("Guide"),
    "scene": N_("Scene"),
    "touchpoint": N_("Placed code"),
    "region": N_("Region"),
    "product": N_("Product"),
    "batch": N_("Batch"),
    "day": N_("Day"),
}
UNKNOWN_NAMES: dict[Dimension, str] = {
    "channel": N_("Unknown"),
    "store": N_("No store known"),
    "guide": N_("No guide"),
    "scene": N_("No scene"),
    "touchpoint": N_("No placed code"),
    "region": N_("No region known"),
    "product": N_("No product known"),
    "batch": N_("No batch known"),
    "day": N_("Unknown"),
}
MODEL_NAMES: dict[Model, str] = {
    "last": N_("Last touch"),
    "first": N_("First touch"),
    "item": N_("Where it was shipped"),
}
NOTE_NAMES: dict[Dimension, str] = {
    "channel": N_("Kind of channel"),
    "store": N_("Channel"),
    "guide": N_("Store"),
    "touchpoint": N_("Channel"),
    "product": N_("Barcode (GTIN)"),
    "batch": N_("Product"),
}
STEP_NAMES = {
    "shipped": N_("Items shipped"),
    "activated": N_("Items activated"),
    "scanned": N_("Codes scanned"),
    "scans": N_("Scans"),
    "visitors": N_("Visitors"),
    "claims": N_("Claims"),
    "members": N_("New members"),
}
OPENED = N_("Opened by")
FUNNEL_STEPS = ("shipped", "activated", "scanned", "visitors", "claims", "members")
SHARE_OF = {"activated": "shipped", "scanned": "activated", "claims": "scanned", "members": "visitors"}
"""Of which other step a step is a part. Visitors are part of none: several may scan one code."""
DEFINITIONS = (
    ("shipped", N_("Items in the shipments of these days, counted where they are now.")),
    ("activated", N_("Items that became live in these days and still are. Not yet shipped ones are under “unknown”.")),
    ("scanned", N_("Different codes that somebody scanned. Scanning one again does not count again.")),
    ("scans", N_("Every scan by a person. Robots, previews and prefetches never count.")),
    ("visitors", N_("Different browsers that scanned. In the total each counts once.")),
    ("claims", N_("Codes whose prize was claimed. A reservation counts when it is bound to a person.")),
    ("members", N_("People who joined, by what brought them. Each member has one origin, for ever.")),
)
PAID = N_("Paid")
PROMISED = N_("Promised")
COST = N_("Cost per member")
TOTAL = N_("Total")


def steps_of(by: Dimension) -> dict[str, str]:
    """The columns of a report in order: column and name."""
    return {"opened": OPENED, **STEP_NAMES} if by == "touchpoint" else STEP_NAMES


def row_name(row: FunnelRow, by: Dimension, locale: str, translate: Translate) -> str:
    return translate(UNKNOWN_NAMES[by]) if row.is_unknown else row.name(locale)


def to_csv(funnel: Funnel, *, locale: str, translate: Translate) -> bytes:
    """UTF-8 with a byte order mark, as spreadsheets want it; money in yuan; formulas in names are defused."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    by = funnel.by
    head = [translate(DIMENSION_NAMES[by])]
    if by in NOTE_NAMES:
        head.append(translate(NOTE_NAMES[by]))
    head += [translate(name) for name in steps_of(by).values()]
    head += [f"{translate(name)} (CNY)" for name in (PAID, PROMISED, COST)]
    writer.writerow(head)
    for row in funnel.rows:
        first = [defuse(row_name(row, by, locale, translate))]
        if by in NOTE_NAMES:
            first.append(defuse(row.note))
        writer.writerow(first + _numbers(row, by))
    writer.writerow([translate(TOTAL), *([""] if by in NOTE_NAMES else []), *_numbers(funnel.total, by)])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def _numbers(row: FunnelRow, by: Dimension) -> list[str]:
    steps = [getattr(row, step) for step in steps_of(by)]
    return [
        *("" if value is None else str(value) for value in steps),
        yuan(row.paid_fen),
        yuan(row.promised_fen),
        yuan(row.cost_per_member_fen),
    ]


def yuan(fen: int | None) -> str:
    """``1234`` -> ``12.34``; an empty text for None."""
    return "" if fen is None else f"{fen // 100}.{fen % 100:02d}"
