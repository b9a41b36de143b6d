"""Label sheets as PDF: A4, n by m labels, ready to print and cut.

A label shows the product's name, the symbol with its quiet zone, and the code in groups of five; never
its serial, which stands in the page's margin with the order, the batch and the range. Labels touch, and
crop marks in the margin say where to cut. All text uses one embedded font, so the sheet looks the same
on a computer that has no Chinese font; symbols are one-bit image masks, exact at any resolution.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

from batches.codes import Verifier
from batches.errors import BadSpec, TooMany, Unprintable
from batches.files import one_kind
from batches.items import Kind
from batches.layouts import LABEL_FONT as LABEL_FONT
from batches.layouts import PAD_MM as _PAD_MM
from batches.layouts import Layout, too_large
from batches.part import FileRecord, PartFile, Progress, Stop, record_of
from batches.spec import BatchSpec
from batches.symbols import QUIET_MODULES, modules_for, packed_rows, symbol_of
from batches.text import CODE_LENGTH

PDF_COUNT_MAX: Final = 20_000  # in one file: it is composed in memory
LABEL_SIZE_BYTES: Final = 700
SHEET_SIZE_BYTES: Final = 60_000  # font and frame of a file, whatever it holds
KIND_NAMES: Final = {Kind.OUTER: "外码", Kind.INNER: "内码", Kind.CASE: "箱码", Kind.PALLET: "垛码"}

_MARK_MM: Final = 3.0
_GROUP: Final = 5


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
        self._module_mm = layout.module_for(modules_for(len(spec.url_prefix) + CODE_LENGTH))
        self._name = ("测试 TEST " if spec.is_test else "") + spec.product_name
        _check_printable(self.font, self._name + spec.order_no)
        self._name_pt = self._fit(self._name, "product name")
        self._code_pt = self._fit("-".join(["W" * _GROUP] * (CODE_LENGTH // _GROUP)), "code")

    def _fit(self, text: str, what: str) -> float:
        """The type size at which a line fits the label: the layout's, or down to 60 % of it."""
        room = (self.layout.label_width_mm - 2 * _PAD_MM) * mm
        size = self.layout.text_pt
        width = pdfmetrics.stringWidth(text, self.font, size)
        if width > room:
            size *= room / width
        if size < 0.6 * self.layout.text_pt:
            raise too_large(what, 0.6 * width / mm + 2 * _PAD_MM, self.layout.label_width_mm)
        return size

    def draw(self, canvas: Canvas, verifier: Verifier) -> Iterator[int]:
        """Draw page after page; yields the number of each page when it is done."""
        per_page = self.layout.labels_per_page
        pages = -(-self.spec.count // per_page)
        for page in range(pages):
            first = self.spec.first + page * per_page
            last = min(first + per_page - 1, self.spec.last)
            self._draw_margin(canvas, first, last, f"{page + 1}/{pages}")
            for place, serial in enumerate(range(first, last + 1)):
                row, column = divmod(place, self.layout.columns)
                self._draw_label(canvas, row, column, verifier.mint(self.spec.number, self.kind, serial))
            canvas.showPage()
            yield page

    def _corner(self, row: int, column: int) -> tuple[float, float]:
        """The top left corner of a label in points; rows and columns may be one past the last."""
        x, y = self.layout.corner_mm(row, column)
        return x * mm, (self.layout.page_mm[1] - y) * mm

    def _draw_label(self, canvas: Canvas, row: int, column: int, code: str) -> None:
        x, y = self._corner(row, column)
        middle = x + self.layout.label_width_mm * mm / 2
        symbol = symbol_of(self.spec.url_prefix + code)
        side = len(symbol) * self._module_mm * mm
        quiet = QUIET_MODULES * self._module_mm * mm
        top = y - (_PAD_MM + self.layout.line_mm) * mm - quiet
        if self._name:
            canvas.setFont(self.font, self._name_pt)
            canvas.drawCentredString(middle, y - _PAD_MM * mm - self._name_pt, self._name)
        pixels = packed_rows(symbol).hex()
        canvas.addLiteral(
            f"q {side:.4f} 0 0 {side:.4f} {middle - side / 2:.4f} {top - side:.4f} cm "
            f"BI /W {len(symbol)} /H {len(symbol)} /IM true /D [1 0] /F /AHx ID {pixels}> EI Q"
        )
        canvas.setFont(self.font, self._code_pt)
        groups = [code[start : start + _GROUP] for start in range(0, CODE_LENGTH, _GROUP)]
        canvas.drawCentredString(middle, top - side - quiet - self._code_pt, "-".join(groups))

    def _draw_margin(self, canvas: Canvas, first: int, last: int, page: str) -> None:
        """Header, serials of each row, crop marks: everything that is cut off."""
        layout, spec = self.layout, self.spec
        left, top = self._corner(0, 0)
        right, bottom = self._corner(layout.rows, layout.columns)
        canvas.setFont(self.font, 8)
        words = [f"订单 Order {spec.order_no}"] if spec.order_no else []
        words += [f"批次 Batch {spec.number}", f"{KIND_NAMES[self.kind]} {self.kind.label}", f"{first}–{last}", page]
        words += ["测试 TEST"] if spec.is_test else []
        canvas.drawString(left, top + 5 * mm, " · ".join(words))
        canvas.setFont(self.font, 5)
        for row in range(layout.rows):
            serial = first + row * layout.columns
            if serial <= last:
                _, y = self._corner(row, 0)
                y -= layout.label_height_mm * mm / 2
                ends = f"{serial}", f"–{min(serial + layout.columns - 1, last)}"
                canvas.drawRightString(left - 2 * mm, y, ends[0])
                canvas.drawRightString(left - 2 * mm, y - 6, ends[1])
        canvas.setLineWidth(0.25)
        near, far = 1 * mm, (1 + _MARK_MM) * mm
        for column in range(layout.columns + 1):
            x, _ = self._corner(0, column)
            canvas.line(x, top + near, x, top + far)
            canvas.line(x, bottom - near, x, bottom - far)
        for row in range(layout.rows + 1):
            _, y = self._corner(row, 0)
            canvas.line(left - near, y, left - far, y)
            canvas.line(right + near, y, right + far, y)


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
