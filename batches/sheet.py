"""Labels as PDF: A4 sheets of n by m, a page a row of a roll, or single labels, ready to print and cut.

A label shows the product's name, the symbol with its quiet zone, and the code in groups of five; never
its serial, which stands in the page's margin with the order, the batch and the range. Crop marks outside
the bleed say where to cut. All text uses one embedded font, so the sheet looks the same
on a computer that has no Chinese font; symbols are one-bit image masks, exact at any resolution.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

from batches.codes import Verifier
from batches.errors import BadSpec, TooMany, Unprintable
from batches.files import one_kind
from batches.items import Kind
from batches.labels import KIND_NAMES, Line, grouped, name_on, place
from batches.layouts import LABEL_FONT as LABEL_FONT
from batches.layouts import Layout
from batches.part import FileRecord, PartFile, Progress, Stop, record_of
from batches.spec import BatchSpec
from batches.sscc import BARS_MODULES, bars_of, spaced
from batches.symbols import Modules, modules_for, packed_rows, symbol_of
from batches.text import CODE_LENGTH

PDF_COUNT_MAX: Final = 20_000  # in one file: it is composed in memory
LABEL_SIZE_BYTES: Final = 700
SHEET_SIZE_BYTES: Final = 60_000  # font and frame of a file, whatever it holds

_MARK_MM: Final = 3.0


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
        canvas = Canvas(
            part.file,
            pagesize=tuple(side * mm for side in sheet.layout.page_mm),
            invariant=1,
            initialFontName=sheet.font,
            pageCompression=1,
        )
        canvas.setTitle(f"{spec.order_no} {spec.number} {chosen.label} {spec.first}-{spec.last}".strip())
        for drawn in sheet.draw(canvas, Verifier(key)):
            part.check_stop()
            del drawn
        canvas.save()
        part.prove(spec.count)
    return record_of(path, spec, "pdf", (chosen,))


class _Sheet:
    """One document under way: what is the same on every label is worked out once."""

    def __init__(self, spec: BatchSpec, kind: Kind, layout: Layout) -> None:
        self.spec = spec
        self.kind = kind
        self.layout = layout
        self.font = _load_font(layout.font)
        name = name_on(spec)
        _check_printable(self.font, name + spec.order_no)
        self.label = place(
            layout,
            modules=modules_for(len(spec.url_prefix) + CODE_LENGTH),
            name=name,
            has_sscc=kind in spec.shipped_kinds,
            width_of=lambda text, size: pdfmetrics.stringWidth(text, self.font, size) / mm,
        )

    def draw(self, canvas: Canvas, verifier: Verifier) -> Iterator[int]:
        """Draw page after page; yields the number of each page when it is done."""
        per_page = self.layout.labels_per_page
        pages = -(-self.spec.count // per_page)
        for page in range(pages):
            first = self.spec.first + page * per_page
            last = min(first + per_page - 1, self.spec.last)
            self._set_boxes(canvas)
            if self.layout.tint:
                self._draw_tint(canvas, last - first + 1)
            if self.layout.slug_mm:
                self._draw_margin(canvas, first, last, f"{page + 1}/{pages}")
            for place_no, serial in enumerate(range(first, last + 1)):
                row, column = divmod(place_no, self.layout.columns)
                self._draw_label(canvas, row, column, serial, verifier.mint(self.spec.number, self.kind, serial))
            canvas.showPage()
            yield page

    def _corner(self, row: int, column: int) -> tuple[float, float]:
        """The top left corner of a label in points; rows and columns may be one past the last."""
        x, y = self.layout.corner_mm(row, column)
        return x * mm, (self.layout.page_mm[1] - y) * mm

    def _set_boxes(self, canvas: Canvas) -> None:
        """Where the sheet is cut, and how far colour runs over it, for the software of a print house."""
        (width, height), bleed = self.layout.block_mm, self.layout.bleed_mm
        x, y = self._corner(0, 0)
        left, bottom, right, top = x, y - height * mm, x + width * mm, y
        canvas.setTrimBox((left, bottom, right, top))
        over = bleed * mm
        canvas.setBleedBox((left - over, bottom - over, right + over, top + over))

    def _draw_tint(self, canvas: Canvas, count: int) -> None:
        """Colour each label beyond its cut, and leave the quiet zone white."""
        layout, label, over = self.layout, self.label, self.layout.bleed_mm * mm
        canvas.saveState()
        for place_no in range(count):
            x, y = self._corner(*divmod(place_no, layout.columns))
            width, height = layout.label_width_mm * mm, layout.label_height_mm * mm
            canvas.setFillColor(HexColor(layout.tint))
            canvas.rect(x - over, y - height - over, width + 2 * over, height + 2 * over, stroke=0, fill=1)
            canvas.setFillColor(HexColor("#ffffff"))
            side = (label.side_mm + 2 * label.quiet_mm) * mm
            left, top = (
                x + (label.symbol_left_mm - label.quiet_mm) * mm,
                y - (label.symbol_top_mm - label.quiet_mm) * mm,
            )
            canvas.rect(left, top - side, side, side, stroke=0, fill=1)
            if label.bars is not None:
                high, wide = label.bars.height_mm * mm, (BARS_MODULES + 20) * label.bars.module_mm * mm
                canvas.rect(x + (width - wide) / 2, y - label.bars.top_mm * mm - high, wide, high, stroke=0, fill=1)
        canvas.restoreState()

    def _draw_label(self, canvas: Canvas, row: int, column: int, serial: int, code: str) -> None:
        label = self.label
        x, y = self._corner(row, column)
        middle = x + self.layout.label_width_mm * mm / 2
        if label.name is not None:
            self._write(canvas, middle, y, label.name, label.text)
        symbol = symbol_of(self.spec.url_prefix + code)
        side, top = label.side_mm * mm, y - label.symbol_top_mm * mm
        _draw_bits(canvas, symbol, (middle - side / 2, top - side, side, side))
        if label.code is not None:
            self._write(canvas, middle, y, label.code, grouped(code))
        sscc = self.spec.sscc_for(self.kind, serial)
        if label.sscc is not None and sscc is not None:
            self._write(canvas, middle, y, label.sscc, spaced(sscc))
            if label.bars is not None:
                width, height = BARS_MODULES * label.bars.module_mm * mm, label.bars.height_mm * mm
                bars = bars_of(sscc).reshape(1, -1)
                _draw_bits(canvas, bars, (middle - width / 2, y - label.bars.top_mm * mm - height, width, height))

    def _write(self, canvas: Canvas, middle: float, top: float, line: Line, text: str) -> None:
        canvas.setFont(self.font, line.size_pt)
        canvas.drawCentredString(middle, top - line.baseline_mm * mm, text)

    def _draw_margin(self, canvas: Canvas, first: int, last: int, page: str) -> None:
        """Header, serials of each row, crop marks: everything that is cut off."""
        layout, spec = self.layout, self.spec
        left, top = self._corner(0, 0)
        over = layout.bleed_mm * mm
        is_sheet = layout.medium == "a4"
        canvas.setFont(self.font, 8 if is_sheet else 5)
        words = [f"订单 Order {spec.order_no}"] if spec.order_no else []
        words += [f"批次 Batch {spec.number}", f"{KIND_NAMES[self.kind]} {self.kind.label}", f"{first}–{last}", page]
        words += ["测试 TEST"] if spec.is_test else []
        canvas.drawString(left if is_sheet else 2 * mm, top + over + 5 * mm, " · ".join(words))
        canvas.setFont(self.font, 5)
        for row in range(layout.rows):
            serial = first + row * layout.columns
            if serial <= last:
                _, y = self._corner(row, 0)
                y -= layout.label_height_mm * mm / 2
                ends = f"{serial}", f"–{min(serial + layout.columns - 1, last)}"
                canvas.drawRightString(left - over - 2 * mm, y, ends[0])
                canvas.drawRightString(left - over - 2 * mm, y - 6, ends[1])
        if layout.crop_marks:
            self._draw_marks(canvas)

    def _draw_marks(self, canvas: Canvas) -> None:
        """A mark at every cut, outside the bleed."""
        layout, over = self.layout, self.layout.bleed_mm * mm
        left, top = self._corner(0, 0)
        width, height = (side * mm for side in layout.block_mm)
        right, bottom = left + width, top - height
        canvas.setLineWidth(0.25)
        near, far = over + 1 * mm, over + (1 + _MARK_MM) * mm
        across = [self._corner(0, column)[0] for column in range(layout.columns)]
        down = [self._corner(row, 0)[1] for row in range(layout.rows)]
        for x in sorted({round(x + side, 3) for x in across for side in (0, layout.label_width_mm * mm)}):
            canvas.line(x, top + near, x, top + far)
            canvas.line(x, bottom - near, x, bottom - far)
        for y in sorted({round(y - side, 3) for y in down for side in (0, layout.label_height_mm * mm)}):
            canvas.line(left - near, y, left - far, y)
            canvas.line(right + near, y, right + far, y)


def _draw_bits(canvas: Canvas, bits: Modules, box: tuple[float, float, float, float]) -> None:
    """Draw a symbol or bars, True is dark, into a box (left, bottom, width, height) as a one-bit image mask."""
    left, bottom, width, height = box
    canvas.addLiteral(
        f"q {width:.4f} 0 0 {height:.4f} {left:.4f} {bottom:.4f} cm "
        f"BI /W {bits.shape[1]} /H {bits.shape[0]} /IM true /D [1 0] /F /AHx ID {packed_rows(bits).hex()}> EI Q"
    )


def _load_font(path: Path) -> str:
    """Register a TrueType font under a name of its own and return the name. Raises BadSpec."""
    name = f"Label-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    if name not in pdfmetrics.getRegisteredFontNames():
        try:
            pdfmetrics.registerFont(TTFont(name, str(path)))
        except TTFError as error:
            raise BadSpec(f"{path} is no TrueType font", payload=str(path), field="font", value=str(path)) from error
    return name


def _check_printable(font: str, text: str) -> None:
    glyphs = pdfmetrics.getFont(font).face.charToGlyph
    for symbol in text:
        if ord(symbol) not in glyphs:
            raise Unprintable(f"the label font has no {symbol!r}", payload=text, character=symbol)
