"""Draws the demo's product pictures: bottles of tea on a table, hills in the mist. Nobody's photograph is needed.

Everything is drawn at twice its size and scaled down, which makes the edges smooth.
"""

from __future__ import annotations

import io
import math
import random
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from batches.sheet import LABEL_FONT

SIZE = 1000
SCALE = 2
Colour = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Flavour:
    """The colours and words of one tea."""

    sky: Colour
    floor: Colour
    tea_top: Colour
    tea_foot: Colour
    cap: Colour
    label: Colour
    ink: Colour
    name: str
    latin: str
    fruit: str
    """``jasmine`` or ``peach``: what lies beside the bottle."""


JASMINE = Flavour(
    (222, 236, 224), (198, 216, 200), (228, 206, 118), (190, 150, 52), (31, 107, 82), (250, 248, 240), (26, 84, 64),
    "茉莉", "JASMINE", "jasmine",
)  # fmt: skip
PEACH = Flavour(
    (253, 231, 222), (246, 206, 192), (224, 132, 78), (166, 74, 36), (178, 72, 60), (255, 249, 244), (140, 48, 40),
    "蜜桃", "PEACH", "peach",
)  # fmt: skip


def bottle(flavour: Flavour) -> bytes:
    """A square picture of a bottle, as PNG."""
    size = SIZE * SCALE
    picture = _backdrop(size, flavour)
    _shadow(picture, size)
    draw = ImageDraw.Draw(picture)
    if flavour.fruit == "peach":
        _peach(picture, (0.80 * size, 0.80 * size), 0.135 * size)
        _peach(picture, (0.19 * size, 0.845 * size), 0.095 * size)
    else:
        _leaf(draw, (0.83 * size, 0.84 * size), 0.16 * size, -0.5, (62, 128, 84))
        _leaf(draw, (0.17 * size, 0.87 * size), 0.13 * size, 3.5, (78, 142, 92))
        for x, y, r in ((0.79, 0.82, 0.062), (0.88, 0.885, 0.048), (0.20, 0.86, 0.054)):
            _flower(draw, (x * size, y * size), r * size)
    _bottle(picture, size, flavour)
    return _png(picture, SIZE, SIZE)


def garden() -> bytes:
    """Rows of tea under hills in the morning mist: 1200 by 750, as PNG."""
    width, height = 1200 * SCALE, 750 * SCALE
    picture = _gradient(width, height, (252, 234, 208), (196, 222, 214))
    glow = Image.new("L", (width, height), 0)
    ImageDraw.Draw(glow).ellipse((0.66 * width, 0.12 * height, 0.80 * width, 0.345 * height), fill=255)
    glow = glow.filter(ImageFilter.GaussianBlur(width // 90))
    picture.paste((255, 247, 226), mask=glow)
    draws = random.Random(7)
    for row, (level, colour) in enumerate(
        ((0.40, (170, 200, 192)), (0.48, (132, 176, 162)), (0.57, (92, 148, 124)), (0.66, (58, 118, 88)))
    ):
        _hill(picture, level * height, 0.075 * height, colour, draws.uniform(0, 6), row)
    draw = ImageDraw.Draw(picture)
    for row in range(9):
        _tea_row(draw, width, height, row, draws)
    return _png(picture, 1200, 750)


def _backdrop(size: int, flavour: Flavour) -> Image.Image:
    picture = _gradient(size, size, (255, 255, 255), flavour.sky)
    floor = _gradient(size, size - int(0.78 * size), flavour.floor, flavour.sky)
    picture.paste(floor, (0, int(0.78 * size)))
    light = Image.new("L", (size, size), 0)
    ImageDraw.Draw(light).ellipse((0.08 * size, -0.05 * size, 0.92 * size, 0.82 * size), fill=150)
    picture.paste((255, 255, 255), mask=light.filter(ImageFilter.GaussianBlur(size // 9)))
    return picture


def _gradient(width: int, height: int, top: Colour, foot: Colour) -> Image.Image:
    column = Image.new("RGB", (1, height))
    for y in range(height):
        column.putpixel((0, y), _mix(top, foot, y / max(1, height - 1)))
    return column.resize((width, height))


def _mix(one: Colour, other: Colour, part: float) -> Colour:
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one, other, strict=True))
    return (red, green, blue)


def _shadow(picture: Image.Image, size: int) -> None:
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).ellipse((0.27 * size, 0.885 * size, 0.78 * size, 0.955 * size), fill=110)
    picture.paste((70, 60, 50), mask=mask.filter(ImageFilter.GaussianBlur(size // 60)))


def _bottle(picture: Image.Image, size: int, flavour: Flavour) -> None:
    outline = _outline(size)
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).polygon(outline, fill=255)
    picture.paste(_gradient(size, size, flavour.tea_top, flavour.tea_foot), mask=mask)
    _shine(picture, mask, size)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0.432 * size, 0.055 * size, 0.568 * size, 0.135 * size), 0.014 * size, fill=flavour.cap)
    for step in range(11):
        x = (0.440 + step * 0.0120) * size
        draw.line((x, 0.068 * size, x, 0.126 * size), fill=_mix(flavour.cap, (0, 0, 0), 0.22), width=size // 400)
    draw.rounded_rectangle(
        (0.438 * size, 0.139 * size, 0.562 * size, 0.156 * size), 0.006 * size, fill=_mix(flavour.cap, (0, 0, 0), 0.15)
    )
    _label(picture, mask, size, flavour)


def _outline(size: int) -> list[Point]:
    """Half a bottle from neck to foot, mirrored."""
    half = [
        (0.052, 0.155), (0.052, 0.215), (0.060, 0.255), (0.082, 0.300), (0.112, 0.345), (0.134, 0.395), (0.141, 0.450),
        (0.141, 0.845), (0.139, 0.885), (0.130, 0.912), (0.112, 0.925),
    ]  # fmt: skip
    for _ in range(3):
        half = [half[0], *_corners_cut(half), half[-1]]
    right = [((0.5 + x) * size, y * size) for x, y in half]
    left = [((0.5 - x) * size, y * size) for x, y in reversed(half)]
    return right + left


def _corners_cut(line: list[Point]) -> list[Point]:
    """Chaikin's way to make a curve of a line with corners."""
    cut = []
    for (x, y), (u, v) in pairwise(line):
        cut += [(0.75 * x + 0.25 * u, 0.75 * y + 0.25 * v), (0.25 * x + 0.75 * u, 0.25 * y + 0.75 * v)]
    return cut


def _shine(picture: Image.Image, mask: Image.Image, size: int) -> None:
    """Darker at both edges, a bright stripe at the left: round, not flat."""
    for box, colour, strength in (
        ((0.355, 0.14, 0.385, 0.94), (60, 30, 0), 90),
        ((0.610, 0.14, 0.650, 0.94), (60, 30, 0), 120),
        ((0.398, 0.22, 0.424, 0.90), (255, 255, 255), 165),
        ((0.566, 0.40, 0.574, 0.90), (255, 255, 255), 70),
    ):
        stripe = Image.new("L", picture.size, 0)
        ImageDraw.Draw(stripe).rectangle([edge * size for edge in box], fill=strength)
        stripe = stripe.filter(ImageFilter.GaussianBlur(size // 85))
        picture.paste(colour, mask=_both(stripe, mask))


def _both(one: Image.Image, other: Image.Image) -> Image.Image:
    black = Image.new("L", one.size, 0)
    return Image.composite(one, black, other)


def _label(picture: Image.Image, mask: Image.Image, size: int, flavour: Flavour) -> None:
    paper = Image.new("RGB", picture.size, flavour.label)
    draw = ImageDraw.Draw(paper)
    band = (0.505 * size, 0.820 * size)
    for y in (band[0] + 0.014 * size, band[1] - 0.014 * size):
        draw.line((0, y, size, y), fill=flavour.cap, width=size // 300)
    _centred(draw, "晴岚", 0.545 * size, 0.088 * size, flavour.ink, size)
    _centred(draw, "QINGLAN TEA", 0.650 * size, 0.024 * size, flavour.ink, size)
    draw.line((0.455 * size, 0.692 * size, 0.545 * size, 0.692 * size), fill=flavour.ink, width=size // 600)
    _centred(draw, flavour.name, 0.708 * size, 0.044 * size, flavour.cap, size)
    _centred(draw, flavour.latin, 0.768 * size, 0.020 * size, flavour.cap, size)
    shape = Image.new("L", picture.size, 0)
    ImageDraw.Draw(shape).rectangle((0, band[0], size, band[1]), fill=255)
    shape = _both(shape, mask)
    picture.paste(paper, mask=shape)
    for left, right, strength in ((0.355, 0.382, 70), (0.618, 0.650, 95)):
        dim = Image.new("L", picture.size, 0)
        ImageDraw.Draw(dim).rectangle((left * size, band[0], right * size, band[1]), fill=strength)
        picture.paste((70, 60, 50), mask=_both(dim.filter(ImageFilter.GaussianBlur(size // 70)), shape))


def _centred(draw: ImageDraw.ImageDraw, text: str, top: float, height: float, colour: Colour, size: int) -> None:
    font = ImageFont.truetype(str(LABEL_FONT), round(height))
    draw.text(((size - draw.textlength(text, font)) / 2, top), text, font=font, fill=colour)


def _peach(picture: Image.Image, centre: Point, radius: float) -> None:
    x, y = centre
    box = [round(edge) for edge in (x - radius, y - radius, x + radius, y + radius)]
    fruit = _gradient(box[2] - box[0], box[3] - box[1], (252, 178, 142), (226, 92, 92))
    mask = Image.new("L", fruit.size, 0)
    ImageDraw.Draw(mask).ellipse((0, 0, *fruit.size), fill=255)
    draw = ImageDraw.Draw(fruit)
    draw.arc((-0.9 * radius, -0.2 * radius, 1.05 * radius, 2.2 * radius), 280, 30, (206, 72, 78), round(radius / 22))
    glow = Image.new("L", fruit.size, 0)
    ImageDraw.Draw(glow).ellipse((0.35 * radius, 0.25 * radius, 0.95 * radius, 0.85 * radius), fill=120)
    fruit.paste((255, 240, 224), mask=glow.filter(ImageFilter.GaussianBlur(radius / 5)))
    picture.paste(fruit, (box[0], box[1]), mask)
    pen = ImageDraw.Draw(picture)
    pen.line((x, y - radius * 0.93, x + radius * 0.1, y - radius * 1.18), fill=(110, 74, 44), width=round(radius / 11))
    _leaf(pen, (x + radius * 0.1, y - radius * 1.05), radius * 0.85, -0.35, (92, 150, 76))


def _leaf(draw: ImageDraw.ImageDraw, root: Point, length: float, angle: float, colour: Colour) -> None:
    def place(along: float, aside: float) -> Point:
        return (
            root[0] + length * (along * math.cos(angle) - aside * math.sin(angle)),
            root[1] + length * (along * math.sin(angle) + aside * math.cos(angle)),
        )

    steps = [step / 24 for step in range(25)]
    upper = [place(t, 0.22 * math.sin(math.pi * t**0.8)) for t in steps]
    lower = [place(t, -0.22 * math.sin(math.pi * t**0.8)) for t in reversed(steps)]
    draw.polygon(upper + lower, fill=colour)
    draw.line([place(0, 0), place(1, 0)], fill=_mix(colour, (255, 255, 255), 0.35), width=max(2, round(length / 45)))


def _flower(draw: ImageDraw.ImageDraw, centre: Point, radius: float) -> None:
    x, y = centre
    for petal in range(6):
        angle = petal * math.pi / 3 + 0.25
        px, py = x + 0.55 * radius * math.cos(angle), y + 0.55 * radius * math.sin(angle)
        r = 0.46 * radius
        draw.ellipse(
            (px - r, py - r, px + r, py + r), fill=(255, 255, 252), outline=(226, 230, 214), width=round(r / 12)
        )
    r = 0.26 * radius
    draw.ellipse((x - r, y - r, x + r, y + r), fill=(244, 208, 96))


def _hill(picture: Image.Image, level: float, swing: float, colour: Colour, phase: float, row: int) -> None:
    width, height = picture.size
    line = [
        (x, level + swing * (math.sin(x / width * (5 + row) + phase) + 0.45 * math.sin(x / width * 13 + 2 * phase)))
        for x in range(0, width + 8, 8)
    ]
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).polygon([*line, (width, height), (0, height)], fill=255)
    mist = _gradient(width, height, colour, _mix(colour, (236, 242, 232), 0.75))
    picture.paste(mist, mask=mask)


def _tea_row(draw: ImageDraw.ImageDraw, width: int, height: int, row: int, draws: random.Random) -> None:
    """A hedge: round bushes side by side, larger and brighter the nearer they are."""
    near = row / 8
    level = (0.745 + 0.033 * row) * height
    radius = (0.016 + 0.020 * near) * height
    base = _mix((52, 112, 70), (92, 160, 72), near)
    x = -radius
    while x < width + radius:
        dip = 0.012 * height * math.sin(x / width * 3.2 + row * 0.5)
        shade = _mix(base, (255, 255, 210), draws.uniform(0, 0.22))
        _bush(draw, (x, level + dip), radius * draws.uniform(0.9, 1.15), shade)
        x += radius * 1.15


def _bush(draw: ImageDraw.ImageDraw, centre: Point, radius: float, colour: Colour) -> None:
    x, y = centre
    draw.ellipse((x - radius, y - radius * 0.6, x + radius, y + radius * 1.3), fill=_mix(colour, (0, 40, 20), 0.25))
    draw.ellipse((x - radius * 0.9, y - radius * 0.75, x + radius * 0.9, y + radius * 0.5), fill=colour)


def _png(picture: Image.Image, width: int, height: int) -> bytes:
    file = io.BytesIO()
    picture.resize((width, height), Image.Resampling.LANCZOS).save(file, "PNG")
    return file.getvalue()
