"""How a brand's consumer pages look: its colours and its letters, as a stylesheet. Pure.

The stylesheet is served under an address that carries its own hash, so pages need no inline style and browsers keep
it. Fonts are those that phones have: a Chinese font to be downloaded is larger than everything else of a page.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from scancode.catalog.colours import CONTRAST_MIN, WHITE, Rgb, contrast, is_colour, palette, parse
from scancode.errors import Refusal
from scancode.i18n import N_

FONTS: Final = {
    "": (N_("As the phone has it"), ""),
    "song": (
        N_("Song, with serifs"),
        '"Songti SC", STSong, "Noto Serif CJK SC", "Source Han Serif SC", SimSun, Georgia, serif',
    ),
    "kai": (N_("Kai, as with a brush"), '"Kaiti SC", STKaiti, "AR PL UKai CN", KaiTi, Georgia, serif'),
    "round": (N_("Rounded"), '"Yuanti SC", "Hiragino Maru Gothic ProN", ui-rounded, "PingFang SC", sans-serif'),
}
"""By name: what the console calls it, and the fonts in the order of preference."""


class BadFont(Refusal):
    code = "font"
    text = N_("Choose a font of the list.")
    status = 422


@dataclass(frozen=True)
class Look:
    """``colour`` and ``accent`` (the buttons of rewards; empty: gold) are ``#rrggbb``, ``font`` a name of ``FONTS``."""

    colour: str
    accent: str = ""
    font: str = ""


@dataclass(frozen=True)
class Contrast:
    """A colour, the text that is written on it, and their ratio (1 to 21). Text needs 4.5."""

    colour: str
    ink: str
    ratio: float
    of_white: float
    """The ratio of white text, which is what designers mostly expect; below 4.5 the text is dark instead."""

    @property
    def is_dark(self) -> bool:
        return self.of_white < CONTRAST_MIN


def stylesheet(look: Look) -> str:
    """Custom properties alone; what stands on the brand's colours is readable whatever they are."""
    brand = palette(look.colour)
    rules = {"--brand": brand.brand, "--brand-ink": brand.ink, "--brand-soft": brand.soft}
    if brand.edge:
        rules["--edge"] = brand.edge
    if look.accent:
        accent = palette(look.accent)
        rules |= {"--reward": accent.brand, "--reward-ink": accent.ink}
        if accent.edge:
            rules["--reward-edge"] = accent.edge
    text = "; ".join(f"{name}: {value}" for name, value in rules.items())
    font = FONTS.get(look.font, FONTS[""])[1]
    return f":root {{ {text} }}\n" + (f"html:root {{ --font: {font} }}\n" if font else "")


def version(look: Look) -> str:
    """What the address of the stylesheet carries."""
    return hashlib.sha256(stylesheet(look).encode()).hexdigest()[:8]


def contrast_of(colour: str) -> Contrast:
    """What stands on the colour, and how well it is read."""
    ink = palette(colour).ink
    back: Rgb = parse(colour)
    return Contrast(colour, ink, contrast(back, parse(ink)), contrast(back, WHITE))


def read_look(colour: str, accent: str, font: str, *, otherwise: Look) -> Look:
    """A look that somebody is trying out: what cannot be used is taken from ``otherwise``."""
    return Look(
        colour.lower() if is_colour(colour.lower()) else otherwise.colour,
        accent.lower() if not accent or is_colour(accent.lower()) else otherwise.accent,
        font if font in FONTS else otherwise.font,
    )
