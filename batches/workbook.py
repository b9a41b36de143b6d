"""Codes as Excel workbooks, written and read a row at a time.

A sheet holds 1,048,576 rows and no more, so larger orders are split below that. Codes, addresses and
SSCCs are text, because Excel rounds long numbers and drops leading zeros. Reading takes any simple
workbook apart, ours or one that came back from a print house.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final
from xml.etree import ElementTree as Xml

import xlsxwriter

from batches.codes import Verifier
from batches.errors import BadTable
from batches.files import SERIAL, USUAL_TICKET, columns_of, constant_cells, heading, sscc_block
from batches.items import Kind
from batches.part import FileRecord, PartFile, Progress, Stop, record_of
from batches.spec import BatchSpec
from batches.sscc import SSCC_LENGTH
from batches.text import CODE_LENGTH, Bytes
from batches.ticket import Ticket

EXCEL_ROWS_MAX: Final = 1 << 20
XLSX_FILE_ROWS: Final = 1_000_000  # of one workbook, below Excel's limit with its header
XLSX_COUNT_MAX: Final = 5_000_000  # of one pack: a quarter of an hour
CHUNK_ROWS: Final = 5_000
SHARED_STRINGS_MAX: Final = 4_000_000
CELL_LENGTH_MAX: Final = 32_767  # Excel's own limit

_MADE_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)  # the same order gives the same bytes, whenever it is made
_SPACE: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def write_xlsx(
    spec: BatchSpec,
    key: bytes,
    path: Path,
    *,
    ticket: Ticket = USUAL_TICKET,
    on_progress: Progress | None = None,
    stop: Stop | None = None,
) -> FileRecord:
    """Write one workbook, one row an item. Rows count as proved only at the end: a ZIP is whole or nothing.

    Raises BadTable above XLSX_FILE_ROWS items, Stopped, OSError.
    """
    if spec.count > XLSX_FILE_ROWS:
        raise BadTable(f"{spec.count} rows are more than a workbook holds", file=path.name, reason="rows")
    columns = columns_of(spec, ticket)
    with PartFile(path, on_progress, stop) as part, tempfile.TemporaryDirectory(dir=path.parent) as folder:
        options = {"constant_memory": True, "tmpdir": folder, "strings_to_urls": False, "use_zip64": True}
        with xlsxwriter.Workbook(part.file, options) as book:
            book.set_properties({"created": _MADE_AT})
            sheet = book.add_worksheet("codes")
            sheet.set_column(0, len(columns) - 1, 26)
            row = 0
            if ticket.header != "none":
                for column, name in enumerate(columns):
                    sheet.write_string(0, column, heading(name, ticket.header))
                sheet.freeze_panes(1, 0)
                row = 1
            for start in range(spec.first, spec.last + 1, CHUNK_ROWS):
                end = min(start + CHUNK_ROWS, spec.last + 1)
                for cells in zip(*_columns(spec, key, columns, start, end), strict=True):
                    for column, cell in enumerate(cells):
                        if isinstance(cell, int):
                            sheet.write_number(row, column, cell)
                        else:
                            sheet.write_string(row, column, cell)
                    row += 1
                part.check_stop()
        part.prove(spec.count)
    return record_of(path, spec, "xlsx", spec.kinds)


def xlsx_size_bytes(spec: BatchSpec, ticket: Ticket = USUAL_TICKET) -> int:
    """How large ``write_xlsx`` makes the file at most; while it grows, five times that is used beside it."""
    cells = 16 + len(spec.kinds) * (2 * CODE_LENGTH + len(spec.url_prefix) + 16)
    cells += len(spec.shipped_kinds) * (SSCC_LENGTH + 8) + 24 * ticket.with_product
    return spec.count * cells + 20_000


def _columns(
    spec: BatchSpec, key: bytes, columns: tuple[str, ...], start: int, end: int
) -> list[list[str] | list[int] | range]:
    """The cells of serials ``start`` to ``end - 1``, column by column."""
    verifier = Verifier(key)
    codes = {kind: _texts(verifier.mint_range(spec.number, kind, start, end - start)) for kind in spec.kinds}
    same = constant_cells(spec)
    found: list[list[str] | list[int] | range] = []
    for name in columns:
        label, _, form = name.partition("_")
        if name == SERIAL:
            found.append(range(start, end))
        elif not form:
            found.append([same[name]] * (end - start))
        elif form == "sscc":
            found.append(_texts(sscc_block(spec, Kind.of(label), start, end)))
        else:
            prefix = spec.url_prefix if form == "url" else ""
            found.append([prefix + code for code in codes[Kind.of(label)]])
    return found


def _texts(rows: Bytes) -> list[str]:
    """(n, m) ASCII bytes as n strings."""
    text, width = rows.tobytes().decode("ascii"), rows.shape[1]
    return [text[place : place + width] for place in range(0, len(text), width)]


def read_rows(path: Path) -> Iterator[list[str]]:
    """The rows of a workbook's first sheet as text, empty rows included. Raises BadTable for what is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            shared = _shared_strings(archive)
            with archive.open(_first_sheet(archive)) as file:
                yield from _rows(file, shared)
    except (zipfile.BadZipFile, KeyError, IndexError, ValueError, Xml.ParseError) as error:
        raise BadTable(f"{path.name} is no workbook that can be read", file=path.name, reason="workbook") from error


def _first_sheet(archive: zipfile.ZipFile) -> str:
    sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet") and name.endswith(".xml")]
    return min(sheets, key=lambda name: (len(name), name))


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    """The texts that cells name by number; ours have none."""
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    found: list[str] = []
    with archive.open("xl/sharedStrings.xml") as file:
        for _, element in Xml.iterparse(file):  # noqa: S314  (expat refuses entity bombs since 2.4)
            if element.tag == _SPACE + "si":
                found.append("".join(part.text or "" for part in element.iter(_SPACE + "t"))[:CELL_LENGTH_MAX])
                element.clear()
                if len(found) > SHARED_STRINGS_MAX:
                    raise ValueError("too many shared strings")
    return found


def _rows(file: IO[bytes], shared: list[str]) -> Iterator[list[str]]:
    expected = 1
    root: Xml.Element | None = None
    for event, element in Xml.iterparse(file, events=("start", "end")):  # noqa: S314
        if event == "start":
            root = element if element.tag == _SPACE + "sheetData" else root
            continue
        if element.tag != _SPACE + "row":
            continue
        number = int(element.get("r", expected))
        if not expected <= number <= EXCEL_ROWS_MAX:
            raise ValueError("rows out of order")
        for _ in range(number - expected):
            yield []
        yield _cells(element, shared)
        expected = number + 1
        if root is not None:
            root.clear()  # else the whole sheet would gather in memory


def _cells(row: Xml.Element, shared: list[str]) -> list[str]:
    found: list[str] = []
    for cell in row.iter(_SPACE + "c"):
        column = _column_of(cell.get("r", "")) if cell.get("r") else len(found)
        found += [""] * (column - len(found))
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            found.append("".join(part.text or "" for part in cell.iter(_SPACE + "t"))[:CELL_LENGTH_MAX])
            continue
        value = cell.findtext(_SPACE + "v") or ""
        if kind == "s":
            value = shared[int(value)]
        found.append(value[:CELL_LENGTH_MAX])
    return found


def _column_of(reference: str) -> int:
    """0 for ``A7``, 27 for ``AB7``. Raises ValueError beyond Excel's last column."""
    column = 0
    for letter in reference:
        if not letter.isalpha():
            break
        column = column * 26 + ord(letter.upper()) - ord("A") + 1
    if not 1 <= column <= 16_384:
        raise ValueError("no such column")
    return column - 1
