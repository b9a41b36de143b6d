"""What a thermal printer would print of our ZPL: the commands that ``zpl`` writes, and no others, as dots.

Written from Zebra's guide and not from the writer, so that a mistake there shows here. Proving a pack
decodes the symbols of these pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from batches.errors import BadTable
from batches.symbols import Modules

LABEL_BYTES_MAX: Final = 4 << 20
SIDE_DOTS_MAX: Final = 40_000

_COMMAND: Final = re.compile(rb"\^([A-Z][A-Z0-9])([^^]*)")
_REPEATS: Final = {chr(ord("G") + place): place + 1 for place in range(19)} | {
    chr(ord("g") + place): 20 * (place + 1) for place in range(20)
}


def read_labels(path: Path) -> Iterator[Modules]:
    """Each label of a file as a bitmap (height, width), True is dark. Raises BadTable for anything unknown."""
    with path.open("rb") as file:
        gathered = b""
        for line in file:
            gathered += line
            if len(gathered) > LABEL_BYTES_MAX:
                raise _bad("a label that does not end")
            if line.rstrip().endswith(b"^XZ"):
                yield _label(gathered)
                gathered = b""
    if gathered.strip():
        raise _bad("the last label does not end")


def _label(text: bytes) -> Modules:
    canvas: Modules | None = None
    width = height = 0
    at = (0, 0)
    for match in _COMMAND.finditer(text):
        command, given = match[1].decode(), match[2].strip()
        if command == "PW":
            width = _number(given)
        elif command == "LL":
            height = _number(given)
        elif command == "FO":
            x, _, y = given.partition(b",")
            at = _number(x), _number(y)
        elif command == "GF":
            if canvas is None:
                canvas = np.zeros((height, width), dtype=np.bool_)
            _draw(canvas, at, given)
        elif command not in ("XA", "XZ", "LH", "FX", "FS"):
            raise _bad(f"^{command}")
    if canvas is None:
        raise _bad("a label without a graphic")
    return canvas


def _draw(canvas: Modules, at: tuple[int, int], given: bytes) -> None:
    form, total, _, across, *more = given.split(b",", 4)
    if form != b"A" or not more:
        raise _bad("^GF")
    row_bytes = _number(across)
    bits = np.unpackbits(_bytes(more[0].decode("ascii"), _number(total), row_bytes), axis=1).astype(np.bool_)
    x, y = at
    shown = bits[: max(0, canvas.shape[0] - y), : max(0, canvas.shape[1] - x)]
    if bits[shown.shape[0] :].any() or bits[:, shown.shape[1] :].any():
        raise _bad("a graphic beyond the label")
    canvas[y : y + shown.shape[0], x : x + shown.shape[1]] |= shown


def _bytes(text: str, total: int, row_bytes: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Unpack hexadecimal with run lengths into rows."""
    if not 0 < row_bytes <= SIDE_DOTS_MAX // 8 or total % row_bytes or total // row_bytes > SIDE_DOTS_MAX:
        raise _bad("the size of a graphic")
    digits = 2 * row_bytes
    rows: list[str] = []
    row, repeat = "", 0
    for sign in text:
        if sign in _REPEATS:
            repeat += _REPEATS[sign]
            continue
        if sign == ":":
            rows.append(rows[-1])
        elif sign in ",!":
            row = row.ljust(digits, "0" if sign == "," else "F")
        else:
            row += sign * (repeat or 1)
            repeat = 0
        if len(row) == digits:
            rows.append(row)
            row = ""
        elif len(row) > digits:
            raise _bad("a row that is too long")
    if row or len(rows) != total // row_bytes:
        raise _bad("the length of a graphic")
    return np.frombuffer(bytes.fromhex("".join(rows)), dtype=np.uint8).reshape(-1, row_bytes)


def _number(text: bytes) -> int:
    if not text.isdigit() or int(text) > 100_000_000:
        raise _bad(repr(text))
    return int(text)


def _bad(what: str) -> BadTable:
    return BadTable(f"ZPL that this program does not write: {what}", file="zpl", reason="zpl")
