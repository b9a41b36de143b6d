"""Text as dots and as widths, for everything that is not a PDF: ZPL labels and previews."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from batches.errors import BadSpec, Unprintable
from batches.layouts import POINTS_PER_MM
from batches.symbols import Modules

_MEASURED_PX = 100


class Lettering:
    """One font. Raises BadSpec when the file is no TrueType font."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sizes: dict[int, ImageFont.FreeTypeFont] = {}
        self._missing = self._drawn("\uffff")
        self._known: set[str] = set()

    def width_mm(self, text: str, size_pt: float) -> float:
        """How wide a line is."""
        return float(self._sized(_MEASURED_PX).getlength(text)) / _MEASURED_PX * size_pt / POINTS_PER_MM

    def bits(self, text: str, size_pt: float, dpi: int) -> tuple[Modules, int]:
        """A line as a bitmap, True is dark, and how many dots of it stand above the baseline."""
        font = self._sized(max(6, round(size_pt * dpi / 72)))
        ascent, descent = font.getmetrics()
        width = max(1, int(font.getlength(text)) + 1)
        picture = Image.new("L", (width, ascent + descent), 255)
        ImageDraw.Draw(picture).text((0, ascent), text, font=font, fill=0, anchor="ls")
        return np.asarray(picture) < 128, ascent

    def check(self, text: str) -> None:
        """Raises Unprintable for a character that the font lacks."""
        for symbol in text:
            if symbol in self._known or symbol.isspace():
                continue
            if self._drawn(symbol) == self._missing:
                raise Unprintable(f"the label font has no {symbol!r}", payload=text, character=symbol)
            self._known.add(symbol)

    def _drawn(self, symbol: str) -> bytes:
        return bytes(self._sized(32).getmask(symbol, mode="1"))

    def _sized(self, pixels: int) -> ImageFont.FreeTypeFont:
        if pixels not in self._sizes:
            try:
                self._sizes[pixels] = ImageFont.truetype(str(self._path), pixels)
            except OSError as error:
                raise BadSpec(
                    f"{self._path} is no TrueType font", payload=str(self._path), field="font", value=str(self._path)
                ) from error
        return self._sizes[pixels]
