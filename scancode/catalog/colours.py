"""A brand's colour made fit for reading: text that stands on it, and a pale tint of it. Pure arithmetic on sRGB.

Source: WCAG 2.2, relative luminance and contrast ratio (4.5 for text).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CONTRAST_MIN = 4.5
EDGE_BELOW = 1.4
"""An area whose colour is that near to the page's is drawn with an edge, by day or by night."""
WHITE = (255, 255, 255)
NIGHT = (14, 16, 18)
"""The page when the phone is dark: ``--page`` in static/h5/site.css."""
Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    """CSS colours: the brand's own, text on it, a tint of it for large areas, and its edge where it needs one."""

    brand: str
    ink: str
    soft: str
    edge: str = ""


def is_colour(text: str) -> bool:
    return re.fullmatch(r"#[0-9a-f]{6}", text) is not None


def palette(colour: str) -> Palette:
    """The palette of ``#rrggbb``."""
    brand = parse(colour)
    if contrast(brand, WHITE) >= CONTRAST_MIN:
        ink = WHITE
    else:
        # Near-black is kinder than black, where it is dark enough.
        ink = (17, 24, 39) if contrast(brand, (17, 24, 39)) >= CONTRAST_MIN else (0, 0, 0)
    soft = mix(brand, WHITE, 0.09)
    return Palette(_written(brand), _written(ink), _written(soft), _edge(brand))


def _edge(brand: Rgb) -> str:
    if contrast(brand, WHITE) < EDGE_BELOW:
        return "rgb(0 0 0 / 22%)"
    return "rgb(255 255 255 / 32%)" if contrast(brand, NIGHT) < EDGE_BELOW else ""


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """``share`` of one and the rest of the other."""
    red, green, blue = (round(a * share + b * (1 - share)) for a, b in zip(one, other, strict=True))
    return (red, green, blue)


def _luminance(colour: Rgb) -> float:
    parts = [value / 255 for value in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def parse(colour: str) -> Rgb:
    """The parts of ``#rrggbb``."""
    return (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))


def _written(colour: Rgb) -> str:
    return "#" + "".join(f"{value:02x}" for value in colour)
