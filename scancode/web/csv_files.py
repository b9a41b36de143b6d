"""Lists that leave as a file: CSV as spreadsheets open it. Every face may answer with one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response

from scancode.reports.rules import defuse

MARK = "\ufeff"
"""Tells a spreadsheet that Chinese in UTF-8 follows."""


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Iterable[Any]], *, mark: str = MARK) -> Response:
    """The rows under their columns, as a file of this name (of any characters). No text of a cell is a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([defuse(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return as_csv(name, mark + text.getvalue())


def as_csv(name: str, text: str | bytes) -> Response:
    response = Response(text, content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
