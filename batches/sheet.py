"""Labels as PDF: A4 sheets of n by m, a page a row of a roll, or single labels, ready to print and cut.

A label shows the product's name, the symbol with its quiet zone, and the code in groups of five; never
its serial, which stands in the page's margin with the order, the batch and the range. Crop marks outside
the bleed say where to cut. All text uses one embedded font, so the sheet looks the same
on a computer that has no Chinese font; symbols are one-bit image masks, exact at any resolution.

What all full pages share is drawn once and named by each. Of the rest a page is a row of bytes with gaps
for symbols, codes and places, which are filled for many pages at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from batches.codes import Verifier
from batches.errors import TooMany
from batches.files import one_kind
from batches.gaps import GapText
from batches.items import Kind
from batches.labels import GROUP, Line, header_of, name_on, place, row_ends
from batches.layouts import HEADER_UP_MM, MARK_GAP_MM, MARK_MM, Layout
from batches.layouts import LABEL_FONT as LABEL_FONT
from batches.layouts import POINTS_PER_MM as MM
from batches.linear import symbols_for
from batches.part import FileRecord, PartFile, Progress, Stop, record_of
from batches.pdf import PdfWriter, Typeface, number
from batches.spec import BatchSpec
from batches.sscc import BARS_MODULES, bars_of, spaced
from batches.symbols import packed_rows
from batches.text import CODE_LENGTH, Bytes

PDF_COUNT_MAX: Final = 20_000  # in one file: viewers and printers are slow with more
LABEL_SIZE_BYTES: Final = 700
SHEET_SIZE_BYTES: Final = 60_000  # font and frame of a file, whatever it holds
BLOCK_LABELS: Final = 1_000


def write_pdf_sheet(
    spec: BatchSpec,
    key: bytes,
    path: Path,
    *,
    kind: Kind | None = None,
    layout: Layout | None = None,
    on_progress: Progress | None = None,
    stop: Stop | None = None,
) -> FileRecord:
    """Write label sheets for one kind. Rows count as proved only at the end: a PDF is whole or nothing.

    Raises TooMany above PDF_COUNT_MAX labels, DoesNotFit, Unprintable, BadSpec, Stopped, OSError.
    """
    chosen = one_kind(spec, kind)
    if spec.count > PDF_COUNT_MAX:
        raise TooMany(
            f"{spec.count} labels are more than the {PDF_COUNT_MAX} that one PDF may hold",
            format="pdf",
            count=spec.count,
            limit=PDF_COUNT_MAX,
        )
    sheet = _Sheet(spec, chosen, layout or Layout())
    with PartFile(path, on_progress, stop) as part:
        pdf = PdfWriter(part.file)
        for _ in sheet.write(pdf, Verifier(key)):
            part.check_stop()
        part.prove(spec.count)
    return record_of(path, spec, "pdf", (chosen,))


class _Sheet:
    """One document under way: what is the same on every label is worked out once."""

    def __init__(self, spec: BatchSpec, kind: Kind, layout: Layout) -> None:
        self.spec = spec
        self.kind = kind
        self.layout = layout
        self.face = Typeface(layout.font)
        self.symbols = symbols_for(spec.url_prefix)
        name = name_on(spec)
        self.face.check(name + spec.order_no)
        self.label = place(
            layout,
            modules=self.symbols.modules,
            name=name,
            has_sscc=kind in spec.shipped_kinds,
            width_of=lambda text, size: self.face.width(text, size) / MM,
        )

    def write(self, pdf: PdfWriter, verifier: Verifier) -> Iterator[int]:
        """Write page after page, some at a time; yields the number of labels that are drawn."""
        spec, per_page = self.spec, self.layout.labels_per_page
        pages = -(-spec.count // per_page)
        boxes, width, height = self._boxes(), *(side * MM for side in self.layout.page_mm)
        whole = self._frame(per_page)
        entries = f"/Type/XObject/Subtype/Form/BBox[0 0 {number(width)} {number(height)}]/Resources {pdf.resources} 0 R"
        shared = pdf.stream(whole, entries, level=9)
        step = max(1, BLOCK_LABELS // per_page) * per_page
        for start in range(spec.first, spec.last + 1, step):
            count = min(step, spec.last + 1 - start)
            codes = verifier.mint_range(spec.number, self.kind, start, count)
            drawn, _ = self.symbols.standard(codes)
            full = count // per_page * per_page
            filled = [*self._filled(codes[:full], drawn[:full], per_page)]
            filled += self._filled(codes[full:], drawn[full:], count - full) if count > full else []
            for place_no, content in enumerate(filled):
                first = start + place_no * per_page
                last = min(first + per_page - 1, spec.last)
                page = (first - spec.first) // per_page + 1
                frame = b"/P Do\n" if last - first + 1 == per_page else self._frame(last - first + 1)
                parts = (frame, self._margin(first, last, f"{page}/{pages}"), content, self._units(first, last))
                pdf.page(b"".join(parts), boxes)
            yield count
        resources = f"<</Font {self.face.write(pdf)}/XObject<</P {shared} 0 R>>>>"
        title = f"{spec.order_no} {spec.number} {self.kind.label} {spec.first}-{spec.last}".strip()
        pdf.finish(width=width, height=height, resources=resources, title=title)

    def _corner(self, place_no: int) -> tuple[float, float]:
        """The top left corner of a label in points, from the bottom left of the page."""
        x, y = self.layout.corner_mm(*divmod(place_no, self.layout.columns))
        return x * MM, (self.layout.page_mm[1] - y) * MM

    def _boxes(self) -> str:
        """Where the sheet is cut, and how far colour runs over it, for the software of a print house."""
        (width, height), over = self.layout.block_mm, self.layout.bleed_mm * MM
        x, y = self._corner(0)
        trim = (x, y - height * MM, x + width * MM, y)
        bleed = (trim[0] - over, trim[1] - over, trim[2] + over, trim[3] + over)
        shown = (" ".join(number(side) for side in box) for box in (trim, bleed))
        return "/TrimBox[{}]/BleedBox[{}]".format(*shown)

    def _frame(self, count: int) -> bytes:
        """What a page of so many labels shows whichever they are: colour, names, crop marks."""
        parts = [self._tint(count)] if self.layout.tint else []
        if self.label.name is not None:
            for place_no in range(count):
                parts.append(self._centred(place_no, self.label.name, self.label.text))
        if self.layout.slug_mm and self.layout.crop_marks:
            parts.append(self._marks())
        return b"".join(parts)

    def _centred(self, place_no: int, line: Line, text: str) -> bytes:
        x, y = self._corner(place_no)
        middle = x + self.layout.label_width_mm * MM / 2
        left = middle - self.face.width(text, line.size_pt) / 2
        return self.face.line(left, y - line.baseline_mm * MM, text, line.size_pt)

    def _tint(self, count: int) -> bytes:
        """Colour each label beyond its cut, and leave the quiet zone white."""
        layout, label, over = self.layout, self.label, self.layout.bleed_mm * MM
        colour = " ".join(number(int(layout.tint[at : at + 2], 16) / 255) for at in (1, 3, 5))
        width, height = layout.label_width_mm * MM, layout.label_height_mm * MM
        side, quiet = (label.side_mm + 2 * label.quiet_mm) * MM, label.quiet_mm * MM
        parts = ["q"]
        for place_no in range(count):
            x, y = self._corner(place_no)
            parts += [f"{colour} rg", _box(x - over, y - height - over, width + 2 * over, height + 2 * over), "1 g"]
            left, top = x + label.symbol_left_mm * MM - quiet, y - label.symbol_top_mm * MM + quiet
            parts.append(_box(left, top - side, side, side))
            if label.bars is not None:
                high, wide = label.bars.height_mm * MM, (BARS_MODULES + 20) * label.bars.module_mm * MM
                parts.append(_box(x + (width - wide) / 2, y - label.bars.top_mm * MM - high, wide, high))
        return "\n".join([*parts, "Q\n"]).encode("ascii")

    def _marks(self) -> bytes:
        """A mark at every cut, outside the bleed."""
        layout, over = self.layout, self.layout.bleed_mm * MM
        left, top = self._corner(0)
        right, bottom = left + layout.block_mm[0] * MM, top - layout.block_mm[1] * MM
        near, far = over + MARK_GAP_MM * MM, over + (MARK_GAP_MM + MARK_MM) * MM
        across, down = layout.cuts_mm
        parts = ["0.25 w"]
        for x in (cut * MM for cut in across):
            parts += [_stroke(x, top + near, x, top + far), _stroke(x, bottom - near, x, bottom - far)]
        for y in ((layout.page_mm[1] - cut) * MM for cut in down):
            parts += [_stroke(left - near, y, left - far, y), _stroke(right + near, y, right + far, y)]
        return "\n".join([*parts, ""]).encode("ascii")

    def _margin(self, first: int, last: int, page: str) -> bytes:
        """Header and the serials of each row: what is cut off."""
        layout, spec, face = self.layout, self.spec, self.face
        if not layout.slug_mm:
            return b""
        left, top = self._corner(0)
        over = layout.bleed_mm * MM
        head, up = header_of(spec, self.kind, first, last, page), HEADER_UP_MM * MM
        parts = [face.line(layout.header_left_mm * MM, top + over + up, head, layout.header_pt)]
        for row, ends in enumerate(row_ends(layout, first, last)):
            y = self._corner(row * layout.columns)[1] - layout.label_height_mm * MM / 2
            for place_no, end in enumerate(ends or ()):
                x = left - over - 2 * MM - face.width(end, 5)
                parts.append(face.line(x, y - 6 * place_no, end, 5))
        return b"".join(parts)

    def _filled(self, codes: Bytes, drawn: Bytes, count: int) -> Iterator[bytes]:
        """Symbols and codes of (n, 20) codes and (n, modules, row bytes) symbols, ``count`` labels a page."""
        if not len(codes):
            return
        text, line = self._template(count), self.label.code
        pages = len(codes) // count
        text.begin(pages)
        text.fill("symbol", drawn.reshape(pages, -1))
        if line is not None:
            text.fill("code", codes.reshape(pages, -1))
            text.fill("left", self._lefts(codes, line, count).reshape(pages, -1))
        for row in text.rows():
            yield row.tobytes()

    def _template(self, count: int) -> GapText:
        """What ``_filled`` fills: an inline image a label, then a text object for all codes of the page."""
        label, modules = self.label, self.symbols.modules
        side = label.side_mm * MM
        text = GapText()
        for place_no in range(count):
            x, y = self._corner(place_no)
            left, bottom = x + label.symbol_left_mm * MM, y - label.symbol_top_mm * MM - side
            text.add(f"q {side:.4f} 0 0 {side:.4f} {number(left)} {number(bottom)} cm\n")
            text.add(f"BI/W {modules}/H {modules}/IM true/D[1 0]ID ")
            text.gap("symbol", modules * self.symbols.row_bytes)
            text.add("\nEI Q\n")
        if label.code is not None:
            text.add(f"BT/F0 {number(label.code.size_pt)} Tf\n")
            for place_no in range(count):
                text.add("1 0 0 1 ")
                text.gap("left", _DIGITS + 3)
                text.add(f" {number(self._corner(place_no)[1] - label.code.baseline_mm * MM)} Tm(")
                for group in range(0, CODE_LENGTH, GROUP):
                    text.add("-" if group else "")
                    text.gap("code", GROUP)
                text.add(")Tj\n")
            text.add("ET\n")
            self.face.show("0-Z", label.code.size_pt)  # so that the font is written even where no name is
        return text

    def _lefts(self, codes: Bytes, line: Line, count: int) -> Bytes:
        """Where (n, 20) codes begin, so that they stand centred: (n, digits + 3) ASCII, hundredths of a point."""
        widths = np.array([self.face.width(chr(code), 1) for code in range(128)])
        hyphens = (CODE_LENGTH // GROUP - 1) * widths[ord("-")]
        half = (widths[codes].sum(axis=1) + hyphens) * line.size_pt / 2
        middles = (
            np.array([self._corner(place_no)[0] for place_no in range(count)]) + self.layout.label_width_mm * MM / 2
        )
        left = np.maximum(0, np.rint((np.tile(middles, len(codes) // count) - half) * 100)).astype(np.int64)
        out = np.empty((len(codes), _DIGITS + 3), dtype=np.uint8)
        out[:, _DIGITS] = ord(".")
        for column in (_DIGITS + 2, _DIGITS + 1, *reversed(range(_DIGITS))):
            out[:, column] = left % 10 + ord("0")
            left //= 10
        return out

    def _units(self, first: int, last: int) -> bytes:
        """The SSCCs of cases and pallets, in figures and as bars."""
        label, parts = self.label, []
        for place_no, serial in enumerate(range(first, last + 1) if label.sscc is not None else ()):
            sscc = self.spec.sscc_for(self.kind, serial)
            if sscc is None or label.sscc is None:
                continue
            parts.append(self._centred(place_no, label.sscc, spaced(sscc)))
            if label.bars is not None:
                x, y = self._corner(place_no)
                width, height = BARS_MODULES * label.bars.module_mm * MM, label.bars.height_mm * MM
                left, bottom = x + (self.layout.label_width_mm * MM - width) / 2, y - label.bars.top_mm * MM - height
                box = f"q {width:.4f} 0 0 {height:.4f} {number(left)} {number(bottom)} cm\n"
                image = f"BI/W {BARS_MODULES}/H 1/IM true/D[1 0]ID "
                parts.append((box + image).encode("ascii") + packed_rows(bars_of(sscc).reshape(1, -1)) + b"\nEI Q\n")
        return b"".join(parts)


_DIGITS: Final = 4  # before the point: pages are at most 1.2 m wide


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"{number(x)} {number(y)} {number(width)} {number(height)} re f"


def _stroke(x: float, y: float, to_x: float, to_y: float) -> str:
    return f"{number(x)} {number(y)} m {number(to_x)} {number(to_y)} l S"
