"""PDF written straight to a file, object after object: nothing of a document stays in memory but its list of places.

Only what label sheets need: pages, content that pages share, one TrueType font in subsets, a title. The same
calls give the same bytes: no dates, no random ids. Source: ISO 32000-1, 7.3 to 7.8, 9.6 and 9.10.
"""

from __future__ import annotations

import hashlib
import zlib
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import SUBSETN, TTFError, TTFont, makeToUnicodeCMap

from batches.errors import BadSpec, Unprintable

COMPRESSION: Final = 1  # half of a page is symbols, which do not shrink: 6 would save three hundredths

_SYMBOLIC: Final = 4
_NONSYMBOLIC: Final = 32


def number(value: float) -> str:
    """A length in points, to a thousandth."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


class Typeface:
    """One TrueType font and the characters of it that a document uses, in subsets of at most 256.

    ASCII keeps its places in the first subset, so text of it alone is one run.
    """

    def __init__(self, path: Path) -> None:
        """Raises BadSpec for a file that is no TrueType font."""
        self._font = _registered(path)
        self._places: dict[str, tuple[int, str]] = {}  # of each character used: its subset, its byte in hexadecimal
        self._widths: dict[str, int] = {}  # in thousandths of the type size

    def check(self, text: str) -> None:
        """Raises Unprintable for a character that the font lacks."""
        for symbol in text:
            if ord(symbol) not in self._font.face.charToGlyph:
                raise Unprintable(f"the label font has no {symbol!r}", payload=text, character=symbol)

    def width(self, text: str, size: float) -> float:
        """How wide a line is, in points."""
        for symbol in set(text).difference(self._widths):
            self._widths[symbol] = self._font.face.getCharWidth(ord(symbol))
        return sum(self._widths[symbol] for symbol in text) * size / 1000

    def show(self, text: str, size: float) -> bytes:
        """The operators that show a line at the current place of a text object."""
        shown = []
        for subset, run in groupby((self._place(symbol) for symbol in text), key=itemgetter(0)):
            shown.append(f"/F{subset} {number(size)} Tf<{''.join(byte for _, byte in run)}>Tj")
        return "\n".join(shown).encode("ascii")

    def _place(self, symbol: str) -> tuple[int, str]:
        if symbol not in self._places:
            ((subset, run),) = self._font.splitString(symbol, self)
            self._places[symbol] = subset, run.hex()
        return self._places[symbol]

    def line(self, x: float, y: float, text: str, size: float) -> bytes:
        """A line of text from a place on."""
        return f"BT {number(x)} {number(y)} Td\n".encode() + self.show(text, size) + b" ET\n"

    def write(self, pdf: PdfWriter) -> str:
        """Write what was used; return the dictionary of fonts. Nothing can be shown afterwards."""
        state = self._font.state.pop(self, None)
        subsets = [] if state is None else state.subsets
        fonts = [f"/F{place} {self._write_subset(pdf, place, subset)} 0 R" for place, subset in enumerate(subsets)]
        return f"<<{' '.join(fonts)}>>"

    def _write_subset(self, pdf: PdfWriter, place: int, subset: list[int]) -> int:
        face = self._font.face
        name = f"{SUBSETN(place).decode()}+{face.name.decode() if isinstance(face.name, bytes) else face.name}"
        program = face.makeSubset(subset)
        file = pdf.stream(program, f"/Length1 {len(program)}", level=9)
        flags = face.flags & ~_NONSYMBOLIC | _SYMBOLIC
        box = " ".join(number(side) for side in face.bbox)
        descriptor = pdf.add(
            f"<</Type/FontDescriptor/FontName/{name}/Flags {flags}/FontBBox[{box}]/StemV {number(face.stemV)}"
            f"/ItalicAngle {number(face.italicAngle)}/Ascent {number(face.ascent)}/Descent {number(face.descent)}"
            f"/CapHeight {number(face.capHeight)}/MissingWidth {number(face.defaultWidth)}/FontFile2 {file} 0 R>>"
        )
        meanings = pdf.stream(makeToUnicodeCMap(name, subset).encode("ascii"), level=9)
        widths = " ".join(number(face.getCharWidth(code)) for code in subset)
        return pdf.add(
            f"<</Type/Font/Subtype/TrueType/BaseFont/{name}/FirstChar 0/LastChar {len(subset) - 1}/Widths[{widths}]"
            f"/FontDescriptor {descriptor} 0 R/ToUnicode {meanings} 0 R>>"
        )


def _registered(path: Path) -> TTFont:
    """The font of this file, read once in a process."""
    name = f"Label-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    if name not in pdfmetrics.getRegisteredFontNames():
        try:
            pdfmetrics.registerFont(TTFont(name, str(path)))
        except TTFError as error:
            raise BadSpec(f"{path} is no TrueType font", payload=str(path), field="font", value=str(path)) from error
    return pdfmetrics.getFont(name)


class PdfWriter:
    """A document under way. ``finish`` must be called last."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0
        self._places: list[int] = []
        self._pages: list[int] = []
        self._tree = self.reserve()
        self.resources = self.reserve()  # fonts and shared content, named by what uses them before they are known
        self._write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")

    def _write(self, words: bytes) -> None:
        self._file.write(words)
        self._at += len(words)

    def reserve(self) -> int:
        """The number of an object that comes later."""
        self._places.append(0)
        return len(self._places)

    def put(self, reserved: int, body: bytes) -> None:
        """Write the object with this number."""
        self._places[reserved - 1] = self._at
        self._write(b"%d 0 obj\n%s\nendobj\n" % (reserved, body))

    def add(self, body: str) -> int:
        """Write an object; return its number."""
        added = self.reserve()
        self.put(added, body.encode("ascii"))
        return added

    def stream(self, content: bytes, entries: str = "", *, level: int = COMPRESSION) -> int:
        """Write a compressed stream with these entries in its dictionary; return its number."""
        packed = zlib.compress(content, level)
        added = self.reserve()
        head = b"<<%s/Filter/FlateDecode/Length %d>>stream\n" % (entries.encode("ascii"), len(packed))
        self.put(added, head + packed + b"\nendstream")
        return added

    def page(self, content: bytes, boxes: str) -> None:
        """Write the next page; size and resources are those of all pages."""
        shown = self.stream(content)
        self._pages.append(self.add(f"<</Type/Page/Parent {self._tree} 0 R/Contents {shown} 0 R{boxes}>>"))

    def finish(self, *, width: float, height: float, resources: str, title: str) -> None:
        """Write what holds the pages together, and where everything stands."""
        self.put(self.resources, resources.encode("ascii"))
        kids = " ".join(f"{page} 0 R" for page in self._pages)
        self.put(
            self._tree,
            f"<</Type/Pages/Count {len(self._pages)}/MediaBox[0 0 {number(width)} {number(height)}]"
            f"/Resources {self.resources} 0 R/Kids[{kids}]>>".encode("ascii"),
        )
        catalog = self.add(f"<</Type/Catalog/Pages {self._tree} 0 R>>")
        about = self.add(f"<</Title<feff{title.encode('utf-16-be').hex()}>/Producer(scancode)>>")
        start, count = self._at, len(self._places) + 1
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % count)
        self._write(b"".join(b"%010d 00000 n \n" % place for place in self._places))
        trailer = f"trailer\n<</Size {count}/Root {catalog} 0 R/Info {about} 0 R>>\nstartxref\n{start}\n%%EOF\n"
        self._write(trailer.encode("ascii"))
