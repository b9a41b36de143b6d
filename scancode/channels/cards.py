"""The printed codes of stores, guides and scenes: QR pictures, an A6 card for the counter, a sheet of four to cut.

The QR says ``HTTPS://HOST/T/TOKEN`` in the alphanumeric mode, so it stays small and reads from a distance. Pure
drawing: the same facts give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, A6
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from batches.sheet import LABEL_FONT
from batches.symbols import QUIET_MODULES, Modules, packed_rows, png_of, symbol_of

CARDS_MAX: Final = 200
FONT: Final = "ScancodeCard"
_SYMBOL_MM: Final = 58.0
_BAND_MM: Final = 30.0


@dataclass(frozen=True)
class Card:
    """What stands on one card: ``title`` in the band, ``call`` and ``line`` below the QR, a footnote."""

    url: str
    brand: str
    title: str
    line: str
    call: str
    footnote: str
    colour: str
    ink: str


def touch_url(base_url: str, token: str) -> str:
    """What a placed code says: upper case, for the alphanumeric mode; hosts and this path do not mind."""
    return f"{base_url}/T/{token}".upper()


def picture(url: str, *, module_px: int = 16) -> bytes:
    """A PNG of the QR with its quiet zone, sharp at any whole multiple; 300 dots per inch."""
    return png_of(symbol_of(url), module_px=module_px, dpi=300)


def drawing(url: str) -> str:
    """The QR as SVG, one path: for printers, scaled to any size."""
    modules = symbol_of(url)
    side = len(modules) + 2 * QUIET_MODULES
    runs = "".join(
        f"M{start + QUIET_MODULES} {row + QUIET_MODULES}h{length}v1h-{length}z" for row, start, length in _runs(modules)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{runs}"/></svg>'
    )


def _runs(modules: Modules) -> list[tuple[int, int, int]]:
    """Row, first column and length of every run of dark modules."""
    found: list[tuple[int, int, int]] = []
    for number, row in enumerate(modules.tolist()):
        start = None
        for column, dark in enumerate([*row, False]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                found.append((number, start, column - start))
                start = None
    return found


def one_card(card: Card) -> bytes:
    """A PDF of one A6 page."""
    out = io.BytesIO()
    canvas = _canvas(out, A6, card.title)
    _draw(canvas, card)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def sheet(cards: Sequence[Card], *, title: str) -> bytes:
    """A PDF of A4 pages with four A6 cards each, and hairlines to cut along. At most ``CARDS_MAX`` cards."""
    out = io.BytesIO()
    canvas = _canvas(out, A4, title)
    shown = cards[:CARDS_MAX]
    for start in range(0, len(shown), 4):
        for place, card in enumerate(shown[start : start + 4]):
            row, column = divmod(place, 2)
            canvas.saveState()
            canvas.translate(column * A4[0] / 2, A4[1] / 2 * (1 - row))
            _draw(canvas, card)
            canvas.restoreState()
        canvas.setStrokeColor(HexColor("#b8bec6"))
        canvas.setLineWidth(0.25)
        canvas.setDash(2, 2)
        canvas.line(A4[0] / 2, 0, A4[0] / 2, A4[1])
        canvas.line(0, A4[1] / 2, A4[0], A4[1] / 2)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _canvas(out: io.BytesIO, size: tuple[float, float], title: str) -> Canvas:
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(FONT, str(LABEL_FONT)))
    canvas = Canvas(out, pagesize=size, invariant=1, initialFontName=FONT, pageCompression=1)
    canvas.setTitle(title)
    return canvas


def _draw(canvas: Canvas, card: Card) -> None:
    """One card with its lower left corner at the origin. The band stops short of the edge: no printer needs bleed."""
    width, height = A6
    edge, middle = 5 * mm, width / 2
    canvas.setFillColor(HexColor(card.colour))
    canvas.roundRect(edge, height - edge - _BAND_MM * mm, width - 2 * edge, _BAND_MM * mm, 3 * mm, stroke=0, fill=1)
    canvas.setFillColor(HexColor(card.ink))
    room = width - 4 * edge
    _centred(canvas, card.brand, middle, height - edge - 10.5 * mm, 12, room)
    _centred(canvas, card.title, middle, height - edge - 22 * mm, 20, room)
    canvas.setFillColor(HexColor("#101418"))
    top = height - edge - _BAND_MM * mm - 8 * mm
    _symbol(canvas, card.url, middle - _SYMBOL_MM * mm / 2, top - _SYMBOL_MM * mm)
    _centred(canvas, card.call, middle, top - _SYMBOL_MM * mm - 12 * mm, 15, room)
    canvas.setFillColor(HexColor("#5b6672"))
    _centred(canvas, card.line, middle, top - _SYMBOL_MM * mm - 20 * mm, 9.5, room)
    small = " · ".join(part for part in (card.url.split("://", 1)[-1], card.footnote) if part)
    _centred(canvas, small, middle, edge + 1 * mm, 6.5, room)


def _symbol(canvas: Canvas, url: str, x: float, y: float) -> None:
    modules = symbol_of(url)
    side = _SYMBOL_MM * mm
    pixels = packed_rows(modules).hex()
    canvas.addLiteral(
        f"q {side:.4f} 0 0 {side:.4f} {x:.4f} {y:.4f} cm "
        f"BI /W {len(modules)} /H {len(modules)} /IM true /D [1 0] /F /AHx ID {pixels}> EI Q"
    )


def _centred(canvas: Canvas, text: str, x: float, y: float, size: float, room: float) -> None:
    """A line of text, made smaller, and at last shorter, until it fits."""
    width = pdfmetrics.stringWidth(text, FONT, size)
    if width > room:
        size = max(size * room / width, size * 0.55)
    while len(text) > 1 and pdfmetrics.stringWidth(text, FONT, size) > room:
        text = text[:-2] + "…"
    canvas.setFont(FONT, size)
    canvas.drawCentredString(x, y, text)
