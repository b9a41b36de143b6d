"""Tables as they come from anywhere, read as arrays: CSV, TXT and XLSX, a few megabytes at a time.

The shape of a file (encoding, delimiter, line ends) is seen from its beginning, then its lines pass as
``Lines``: one array of bytes with the places where lines and cells begin and end, so that millions of
rows are checked without an object for each. Lines with quotes are taken apart one by one.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from batches.errors import BadTable
from batches.text import Bytes
from batches.ticket import BOM
from batches.workbook import read_rows

CHUNK_BYTES: Final = 4 << 20
CHUNK_ROWS: Final = 5_000
HEAD_BYTES: Final = 1 << 20
LINE_BYTES_MAX: Final = 1 << 16
COLUMNS_MAX: Final = 200
DELIMITERS: Final = (",", "\t", ";", "|")
INNER: Final = "\x1f"  # between cells of rows that had to be written anew

Places = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Shape:
    """What a file is: ``encoding`` and ``newline`` are None for a workbook, ``delimiter`` is "" for one column.

    ``encoding``: ascii, utf-8, utf-8-bom, gbk, utf-16 or unknown. ``newline``: lf, crlf, mixed, cr or none.
    """

    encoding: str | None
    delimiter: str
    newline: str | None


@dataclass(frozen=True)
class Lines:
    """Some lines: the first is number ``first`` (from 1), line i is ``buffer[starts[i]:ends[i]]``."""

    first: int
    buffer: Bytes
    starts: Places
    ends: Places
    delimiter: str

    def __len__(self) -> int:
        return len(self.starts)

    def counts(self) -> Places:
        """How many cells each line has."""
        if not self.delimiter:
            return np.ones(len(self), dtype=np.intp)
        marks = self._marks()
        found: Places = np.searchsorted(marks, self.ends) - np.searchsorted(marks, self.starts) + 1
        return found

    def cells(self, rows: Places, columns: int) -> tuple[Places, Places]:
        """Where the cells of these lines, which have so many each, begin and end: two arrays (n, columns)."""
        starts, ends = self.starts[rows, None], self.ends[rows, None]
        if columns == 1:
            return starts, ends
        marks = self._marks()
        places = np.searchsorted(marks, self.starts[rows])[:, None] + np.arange(columns - 1)
        between = marks[places]
        return np.hstack([starts, between + 1]), np.hstack([between, ends])

    def text(self, start: int, end: int) -> str:
        """A piece of the buffer as text, for people and for slow paths."""
        return self.buffer[start : min(end, start + 200)].tobytes().decode("utf-8", "replace")

    def _marks(self) -> Places:
        return np.flatnonzero(self.buffer == ord(self.delimiter))


def is_workbook(path: Path) -> bool:
    """Whether a file begins as a ZIP, as every XLSX does."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def shape_of(path: Path) -> Shape:
    """What this file is, from its first megabyte. Raises OSError."""
    if is_workbook(path):
        return Shape(None, INNER, None)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    encoding = _encoding_of(head)
    if encoding == "utf-16":
        head = head.decode("utf-16", "replace").encode()
    return Shape(encoding, _delimiter_of(head, encoding), _newline_of(head))


def read_lines(path: Path, shape: Shape) -> Iterator[Lines]:
    """All lines of a file of this shape. Raises BadTable for a line beyond LINE_BYTES_MAX, OSError."""
    first = 1
    for raw in _workbook_chunks(path) if shape.encoding is None else _text_chunks(path, shape):
        lines = _lines(raw, first, shape.delimiter)
        if len(lines):
            first += len(lines)
            yield lines


def fits(raw: Bytes, encoding: str | None) -> bool:
    """Whether bytes are of this encoding; pure ASCII always is."""
    if encoding is None or len(raw) == 0 or int(raw.max()) < 128:
        return True
    try:
        raw.tobytes().decode({"gbk": "gb18030", "ascii": "ascii"}.get(encoding, "utf-8"))
    except UnicodeDecodeError:
        return False
    return True


def decimals(lines: Lines, starts: Places, ends: Places) -> NDArray[np.int64]:
    """The numbers in these cells; -1 where there is none, or one with leading zeros or beyond 12 digits."""
    widths = ends - starts
    values = np.zeros(len(starts), dtype=np.int64)
    good = (widths > 0) & (widths <= 12)
    for place in range(min(int(widths.max(initial=0)), 12)):
        within = good & (place < widths)
        digits = lines.buffer[np.where(within, ends - 1 - place, 0)].astype(np.int64) - ord("0")
        good &= ~within | ((digits >= 0) & (digits <= 9))
        values += np.where(within, digits, 0) * 10**place
    good &= (widths == 1) | (lines.buffer[np.where(good, starts, 0)] != ord("0"))
    return np.where(good, values, -1)


def _encoding_of(head: bytes) -> str:
    if head.startswith(BOM):
        return "utf-8-bom"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    for encoding, name in (("ascii", "ascii"), ("utf-8", "utf-8"), ("gb18030", "gbk")):
        try:  # the last character may be cut in two
            codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        return name
    return "unknown"


def _newline_of(head: bytes) -> str:
    both, line_feeds = head.count(b"\r\n"), head.count(b"\n")
    if not line_feeds:
        return "cr" if b"\r" in head.rstrip(b"\r") else "none"
    return "crlf" if both == line_feeds else "lf" if not both else "mixed"


def _delimiter_of(head: bytes, encoding: str) -> str:
    """The sign that divides most of the first lines into the same number of cells."""
    lines = [line for line in head.replace(b"\r", b"\n").split(b"\n")[:50] if line]
    best, found = 0, ""
    for sign in DELIMITERS:
        if sign == "|" and encoding == "gbk":
            continue  # it is half a character there
        counts = [line.count(sign.encode()) for line in lines]
        usual = max(set(counts), key=counts.count) if counts else 0
        if usual and counts.count(usual) > best:
            best, found = counts.count(usual), sign
    return found


def _text_chunks(path: Path, shape: Shape) -> Iterator[bytes]:
    """The file in pieces that end with a line, as UTF-8 or GBK with LF."""
    if shape.encoding == "utf-16":
        with path.open(encoding="utf-16", errors="replace", newline=None) as text:
            while found := text.readlines(CHUNK_BYTES):
                yield "".join(found).encode()
        return
    with path.open("rb") as file:
        if shape.encoding == "utf-8-bom":
            file.seek(len(BOM))
        rest = b""
        for block in _blocks(file):
            joined = rest + (block.replace(b"\r", b"\n") if shape.newline == "cr" else block)
            end = joined.rfind(b"\n") + 1
            yield joined[:end]
            rest = joined[end:]
            if len(rest) > LINE_BYTES_MAX:
                raise BadTable(f"{path.name} has a line that does not end", file=path.name, reason="line")
        yield rest


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(CHUNK_BYTES):
        yield block


def _workbook_chunks(path: Path) -> Iterator[bytes]:
    gathered: list[str] = []
    for row in read_rows(path):
        cells = [cell.replace("\n", " ").replace("\r", " ").replace(INNER, " ") for cell in row[:COLUMNS_MAX]]
        gathered.append(INNER.join(cells))
        if len(gathered) == CHUNK_ROWS:
            yield ("\n".join(gathered) + "\n").encode()
            gathered = []
    if gathered:
        yield ("\n".join(gathered) + "\n").encode()


def _lines(raw: bytes, first: int, delimiter: str) -> Lines:
    if delimiter not in ("", INNER) and b'"' in raw:
        raw, delimiter = _unquoted(raw, delimiter), INNER
    if raw and not raw.endswith(b"\n"):
        raw += b"\n"
    buffer = np.frombuffer(raw, dtype=np.uint8)
    ends = np.flatnonzero(buffer == ord("\n"))
    starts = np.empty_like(ends)
    if len(ends):
        starts[0] = 0
        starts[1:] = ends[:-1] + 1
        ends = ends - ((buffer[ends - 1] == ord("\r")) & (ends > starts))
    return Lines(first, buffer, starts, ends, delimiter)


def _unquoted(raw: bytes, delimiter: str) -> bytes:
    """The same lines with the quotes taken off; a quoted line break would be two lines, as printers have it."""
    found = []
    for line in raw.split(b"\n"):
        text = line.rstrip(b"\r").decode("latin-1")
        cells = next(csv.reader([text], delimiter=delimiter), []) if '"' in text else text.split(delimiter)
        found.append(INNER.join(cells).encode("latin-1"))
    if found and not found[-1]:
        found.pop()
    return b"\n".join(found) + b"\n"
