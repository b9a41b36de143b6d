"""Labels in ZPL for thermal printers, written by hand: what stands on them is drawn here, dot by dot.

The symbol, the bars of an SSCC and every line of text go as graphics (``^GFA`` with ZPL's own run-length
letters), so a printer needs no Chinese font and chooses no mask of its own: it prints the very modules that
were proved. Each label stands alone between ``^XA`` and ``^XZ`` and can be printed again by itself. Its
serials stand in a comment (``^FX``), which no printer prints. Source: Zebra, "Programming Guide for ZPL II".
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np

from batches.codes import Verifier
from batches.errors import TooMany
from batches.files import one_kind
from batches.items import Kind
from batches.labels import KIND_NAMES, Label, grouped, name_on, place
from batches.layouts import MM_PER_INCH, Layout
from batches.lettering import Lettering
from batches.linear import symbols_for
from batches.part import FileRecord, PartFile, Progress, Stop, record_of
from batches.spec import BatchSpec
from batches.sscc import bars_of, spaced
from batches.symbols import Modules

ZPL_COUNT_MAX: Final = 20_000  # in one file: some printers keep it all in memory
DPI: Final = 203  # where a layout names no printer
CHUNK_ROWS: Final = 200

_RUN_MAX: Final = 400


def write_zpl(
    spec: BatchSpec,
    key: bytes,
    path: Path,
    *,
    kind: Kind | None = None,
    layout: Layout | None = None,
    chunk_rows: int = CHUNK_ROWS,
    on_progress: Progress | None = None,
    stop: Stop | None = None,
) -> FileRecord:
    """Write labels for one kind; the lanes of a roll stand side by side in one ``^XA``.

    Raises TooMany above ZPL_COUNT_MAX labels, DoesNotFit, Unprintable, BadSpec, Stopped, OSError.
    """
    chosen = one_kind(spec, kind)
    if spec.count > ZPL_COUNT_MAX:
        raise TooMany(
            f"{spec.count} labels are more than the {ZPL_COUNT_MAX} that one ZPL file may hold",
            format="zpl",
            count=spec.count,
            limit=ZPL_COUNT_MAX,
        )
    drawing = _Drawing(spec, chosen, thermal(layout or Layout()))
    verifier = Verifier(key)
    lanes = drawing.layout.columns
    with PartFile(path, on_progress, stop) as part:
        for first in range(spec.first, spec.last + 1, lanes):
            last = min(first + lanes - 1, spec.last)
            part.file.write(drawing.row(verifier, first, last))
            done = last + 1 - spec.first
            if done % chunk_rows < lanes and done < spec.count:
                part.prove(done)
        part.prove(spec.count)
    return record_of(path, spec, "zpl", (chosen,))


def thermal(layout: Layout) -> Layout:
    """The layout as a thermal printer takes it: a roll without margins, in whole dots; of a sheet, one label."""
    columns = layout.columns if layout.medium == "roll" else 1
    return replace(
        layout,
        medium="roll",
        columns=columns,
        rows=1,
        bleed_mm=0.0,
        tint="",
        crop_marks=False,
        dpi=layout.dpi or DPI,
    )


def zpl_size_bytes(spec: BatchSpec, layout: Layout) -> int:
    """How large ``write_zpl`` makes the file at most, in bytes: edges cost, and finer dots have more rows of them."""
    paper = thermal(layout)
    dots = paper.label_width_mm * paper.label_height_mm * ((paper.dpi or DPI) / MM_PER_INCH) ** 2
    return spec.count * (3_000 + round(dots / 50))


class _Drawing:
    """What is the same on every label is drawn once."""

    def __init__(self, spec: BatchSpec, kind: Kind, layout: Layout) -> None:
        self.spec = spec
        self.kind = kind
        self.layout = layout
        self._dpi = layout.dpi or DPI
        self._symbols = symbols_for(spec.url_prefix)
        self._lettering = Lettering(layout.font)
        name = name_on(spec)
        self._lettering.check(name)
        self.label = place(
            layout,
            modules=self._symbols.modules,
            name=name,
            has_sscc=kind in spec.shipped_kinds,
            width_of=self._lettering.width_mm,
        )
        # A module of a fraction of a dot cannot be printed: the nearest whole number is.
        self._module = max(1, round(self.label.module_mm * self._dpi / MM_PER_INCH))
        self._name = b""
        if self.label.name is not None:
            self._name = self._line(name, self.label.name.baseline_mm, self.label.name.size_pt, 0)
        width, height = layout.page_mm
        self._head = f"^XA^PW{self._dots(width)}^LL{self._dots(height)}^LH0,0\n".encode()

    def row(self, verifier: Verifier, first: int, last: int) -> bytes:
        """The labels of one row of the roll."""
        parts = [self._head, f"^FX {KIND_NAMES[self.kind]} {self.spec.number} {first}-{last}^FS\n".encode()]
        for lane, serial in enumerate(range(first, last + 1)):
            x, _ = self.layout.corner_mm(0, lane)
            code = verifier.mint(self.spec.number, self.kind, serial)
            parts += self._label(code, serial, self._dots(x))
        return b"".join([*parts, b"^XZ\n"])

    def _label(self, code: str, serial: int, left: int) -> list[bytes]:
        label = self.label
        found = [_moved(self._name, left)] if self._name else []
        symbol = self._symbols.of(code)
        at = left + self._centred(len(symbol) * self._module), self._dots(label.symbol_top_mm)
        found.append(graphic(_enlarged(symbol, self._module), *at))
        if label.code is not None:
            found.append(self._line(grouped(code), label.code.baseline_mm, label.code.size_pt, left))
        sscc = self.spec.sscc_for(self.kind, serial)
        if label.sscc is not None and sscc is not None:
            found.append(self._line(spaced(sscc), label.sscc.baseline_mm, label.sscc.size_pt, left))
            found += self._bars(label, sscc, left)
        return found

    def _bars(self, label: Label, sscc: str, left: int) -> list[bytes]:
        if label.bars is None:
            return []
        module = max(1, self._dots(label.bars.module_mm))
        row = np.repeat(bars_of(sscc), module)
        bits = np.repeat(row[None, :], self._dots(label.bars.height_mm), axis=0)
        return [graphic(bits, left + self._centred(len(row)), self._dots(label.bars.top_mm))]

    def _line(self, text: str, baseline_mm: float, size_pt: float, left: int) -> bytes:
        bits, ascent = self._lettering.bits(text, size_pt, self._dpi)
        return graphic(bits, left + self._centred(bits.shape[1]), max(0, self._dots(baseline_mm) - ascent))

    def _centred(self, width: int) -> int:
        return max(0, (self._dots(self.layout.label_width_mm) - width) // 2)

    def _dots(self, length_mm: float) -> int:
        return round(length_mm * self._dpi / MM_PER_INCH)


def _enlarged(symbol: Modules, dots: int) -> Modules:
    return np.repeat(np.repeat(symbol, dots, axis=0), dots, axis=1)


def _moved(field: bytes, left: int) -> bytes:
    """A field that was drawn for the first lane, in another."""
    x, _, rest = field.removeprefix(b"^FO").partition(b",")
    return b"^FO%d,%s" % (int(x) + left, rest)


def graphic(bits: Modules, x: int, y: int) -> bytes:
    """A field that prints a bitmap, True is dark, with its top left dot at x, y."""
    packed = np.packbits(bits, axis=1)
    height, width = packed.shape
    rows, before = [], None
    for row in packed:
        text = row.tobytes().hex().upper()
        rows.append(":" if text == before else _shortened(text))
        before = text
    return f"^FO{x},{y}^GFA,{height * width},{height * width},{width},{''.join(rows)}^FS\n".encode()


def _shortened(text: str) -> str:
    """A row of hexadecimal digits by ZPL's rules: a comma for a white rest, an exclamation mark for a black one."""
    for digit, sign in (("0", ","), ("F", "!")):
        kept = text.rstrip(digit)
        if len(text) - len(kept) > 1:
            return _runs(kept) + sign
    return _runs(text)


def _runs(text: str) -> str:
    """Repeated digits behind letters: G to Y stand for 1 to 19, g to z for 20 to 400 in twenties."""
    found = []
    for digit, group in groupby(text):
        left = len(list(group))
        while left > 2:
            step = min(left, _RUN_MAX + 19)
            twenties, ones = divmod(step, 20)
            found.append(
                (chr(ord("g") + twenties - 1) if twenties else "") + (chr(ord("G") + ones - 1) if ones else "")
            )
            found.append(digit)
            left -= step
        found.append(digit * left)
    return "".join(found)
