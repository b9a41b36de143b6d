"""Codes as text files: CSV for people and data-driven presses, TXT with one address a line for print engines.

Rows are built as numpy arrays, a chunk at a time: a template row is copied, serials and codes are laid
over it. Memory stays the same however long the file is, and the same order always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from batches.codes import Verifier
from batches.errors import BadSpec
from batches.items import Kind
from batches.part import FileRecord, PartFile, Progress, Stop, record_of
from batches.spec import BatchSpec
from batches.text import CODE_LENGTH, Bytes

CHUNK_ROWS: Final = 1 << 16
BOM: Final = b"\xef\xbb\xbf"  # without it Excel in China reads UTF-8 as GBK
SERIAL: Final = "serial"


def csv_columns(kinds: tuple[Kind, ...]) -> tuple[str, ...]:
    """The columns of a CSV: ``serial``, then code and address for each kind, so one item is one row."""
    return (SERIAL, *(f"{kind.label}_{form}" for kind in kinds for form in ("code", "url")))


def write_csv(
    spec: BatchSpec,
    key: bytes,
    path: Path,
    *,
    columns: tuple[str, ...] | None = None,
    bom: bool = True,
    newline: str = "\r\n",
    chunk_rows: int = CHUNK_ROWS,
    on_progress: Progress | None = None,
    stop: Stop | None = None,
) -> FileRecord:
    """Write one row an item, with a header. ``columns`` selects from ``csv_columns(spec.kinds)``.

    Raises BadSpec for an unknown column, Stopped, OSError.
    """
    chosen = csv_columns(spec.kinds) if columns is None else columns
    row = _RowTemplate(spec, key, chosen, newline.encode("ascii"))
    head = ",".join(chosen).encode("ascii") + newline.encode("ascii")
    kinds = tuple(kind for kind in spec.kinds if any(name.startswith(kind.label) for name in chosen))
    _write_rows(row, path, (BOM if bom else b"") + head, chunk_rows, on_progress, stop)
    return record_of(path, spec, "csv", kinds)


def write_txt(
    spec: BatchSpec,
    key: bytes,
    path: Path,
    *,
    kind: Kind | None = None,
    newline: str = "\n",
    chunk_rows: int = CHUNK_ROWS,
    on_progress: Progress | None = None,
    stop: Stop | None = None,
) -> FileRecord:
    """Write one address a line and nothing else, for one kind (the only one, unless ``kind`` says which).

    Raises BadSpec, Stopped, OSError.
    """
    chosen = one_kind(spec, kind)
    row = _RowTemplate(spec, key, (f"{chosen.label}_url",), newline.encode("ascii"))
    _write_rows(row, path, b"", chunk_rows, on_progress, stop)
    return record_of(path, spec, "txt", (chosen,))


def one_kind(spec: BatchSpec, kind: Kind | None) -> Kind:
    """The kind that a file of one kind is for. Raises BadSpec when the spec leaves it open or lacks it."""
    if kind is None and len(spec.kinds) == 1:
        return spec.kinds[0]
    if kind is None or kind not in spec.kinds:
        labels = ",".join(each.label for each in spec.kinds)
        raise BadSpec(f"choose one kind of {labels}", payload=labels, field="kinds", value=labels)
    return kind


def csv_size_bytes(spec: BatchSpec) -> int:
    """How large ``write_csv`` makes the file at most, in bytes."""
    width = len(str(spec.last)) + 2 + len(spec.kinds) * (2 * CODE_LENGTH + len(spec.url_prefix) + 2)
    return spec.count * width + 256


def txt_size_bytes(spec: BatchSpec) -> int:
    """How large ``write_txt`` makes the file at most, in bytes."""
    return spec.count * (len(spec.url_prefix) + CODE_LENGTH + 2)


def _write_rows(
    row: _RowTemplate, path: Path, head: bytes, chunk_rows: int, on_progress: Progress | None, stop: Stop | None
) -> None:
    spec = row.spec
    with PartFile(path, on_progress, stop) as part:
        part.file.write(head)
        for start in range(spec.first, spec.last + 1, chunk_rows):
            end = min(start + chunk_rows, spec.last + 1)
            for block in row.blocks(start, end):
                part.file.write(block.data)
            part.prove(end - spec.first)


class _RowTemplate:
    """How one row is laid out: its fixed bytes, and where the serial and the codes go."""

    def __init__(self, spec: BatchSpec, key: bytes, columns: tuple[str, ...], newline: bytes) -> None:
        known = {f"{kind.label}_{form}": (kind, form) for kind in spec.kinds for form in ("code", "url")}
        for name in columns:
            if name != SERIAL and name not in known:
                raise BadSpec(f"there is no column {name!r}", payload=name, field="columns", value=name)
        self.spec = spec
        self._columns = [known.get(name) for name in columns]  # None is the serial
        self._newline = newline
        self._verifier = Verifier(key)

    def blocks(self, start: int, end: int) -> Iterator[Bytes]:
        """Serials ``start`` to ``end - 1`` as arrays (n, width): one array per number of digits."""
        while start < end:
            digits = len(str(start))
            stop = min(end, 10**digits)
            yield self._block(start, stop, digits)
            start = stop

    def _block(self, start: int, end: int, digits: int) -> Bytes:
        template = bytearray()
        serial_at: list[int] = []
        codes_at: list[tuple[int, Kind]] = []
        for column in self._columns:
            if column is None:
                serial_at.append(len(template))
                template += bytes(digits)
            else:
                kind, form = column
                template += self.spec.url_prefix.encode("ascii") if form == "url" else b""
                codes_at.append((len(template), kind))
                template += bytes(CODE_LENGTH)
            template += b","
        template[-1:] = self._newline
        out = np.empty((end - start, len(template)), dtype=np.uint8)
        out[:] = np.frombuffer(template, dtype=np.uint8)
        for kind in {kind for _, kind in codes_at}:
            codes = self._verifier.mint_range(self.spec.number, kind, start, end - start)
            for place in [place for place, each in codes_at if each == kind]:
                out[:, place : place + CODE_LENGTH] = codes
        for place in serial_at:
            left = np.arange(start, end, dtype=np.uint32)
            for digit in reversed(range(digits)):
                out[:, place + digit] = left % 10 + ord("0")
                left //= 10
        return out
