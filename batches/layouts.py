"""Label layouts in millimetres: the page, where labels stand on it, and how large a module becomes.

A layout is a value without a printer: sheets as PDF, ZPL labels and previews all take their places from
here, so they agree. Lengths are measured from the top left corner, type sizes in points. A symbol keeps
four modules of quiet zone (ISO/IEC 18004), which is counted as part of the label.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from batches.errors import BadSpec, DoesNotFit

MM_PER_INCH: Final = 25.4
POINTS_PER_MM: Final = 72 / MM_PER_INCH
A4_MM: Final = (210.0, 297.0)
MEDIA: Final = ("a4", "roll", "single")
PRINTER_DPI: Final = (203, 300, 600)
QUIET_MODULES: Final = 4
LABEL_FONT: Final = Path(__file__).with_name("fonts") / "label-sans-sc.ttf"
# 4 dots at 203 dpi, 5 at 300 (10 at 600), the least of GS1's retail range, 4 at 300.
MODULE_STEPS_MM: Final = (0.5, 0.423, 0.396, 0.339)
MODULE_RETAIL_MM: Final = 0.396  # GS1 General Specifications, table 5.12.3: the least X-dimension at a till
MODULE_SAFE_MM: Final = 0.25  # below it phones of a few years ago fail at arm's length
MODULE_DOTS_MAX: Final = 40
PAD_MM: Final = 0.8
SLUG_MM: Final = 10.0  # what surrounds labels where marks and serials are printed; it is cut off
SIDE_MAX_MM: Final = 1200.0
MARK_GAP_MM: Final = 1.0  # crop marks begin so far beyond the bleed
MARK_MM: Final = 3.0
HEADER_UP_MM: Final = 5.0  # from the bleed up to the line of the header


@dataclass(frozen=True)
class Warned:
    """Something that prints, but not as well as it could. ``code`` is for programs, ``facts`` for its sentence."""

    code: str
    facts: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How labels stand on A4 (``a4``), on a roll of ``columns`` lanes (``roll``: a page a row) or alone (``single``).

    ``module_mm`` None takes the largest usual step that fits: whole dots of ``dpi`` where that is given,
    else of MODULE_STEPS_MM. ``tint`` (``#rrggbb``) colours the label and its bleed; the quiet zone stays white.
    Raises BadSpec for what cannot be.
    """

    medium: str = "a4"
    columns: int = 5
    rows: int = 10
    label_width_mm: float = 36.0
    label_height_mm: float = 26.0
    gap_x_mm: float = 0.0
    gap_y_mm: float = 0.0
    bleed_mm: float = 0.0
    crop_marks: bool = True
    module_mm: float | None = None
    dpi: int | None = None
    text_pt: float = 6.5
    shows_name: bool = True
    shows_code: bool = True
    tint: str = ""
    font: Path = LABEL_FONT

    def __post_init__(self) -> None:
        if self.medium not in MEDIA or self.dpi not in (None, *PRINTER_DPI):
            raise bad_layout(f"medium {self.medium}, {self.dpi} dpi")
        if not (1 <= self.columns <= 50 and 1 <= self.rows <= 50 and 3 <= self.text_pt <= 72):
            raise bad_layout(f"{self.columns}x{self.rows}, {self.text_pt} pt")
        lone = (self.medium == "roll" and self.rows != 1) or (self.medium == "single" and self.labels_per_page != 1)
        if lone:
            raise bad_layout(f"{self.columns}x{self.rows} on {self.medium}")
        if not all(5 <= side <= SIDE_MAX_MM for side in (self.label_width_mm, self.label_height_mm)):
            raise bad_layout(f"label {self.label_width_mm}x{self.label_height_mm} mm")
        if not (0 <= self.bleed_mm <= 10 and 0 <= self.gap_x_mm <= 50 and 0 <= self.gap_y_mm <= 50):
            raise bad_layout(f"bleed {self.bleed_mm} mm, gaps {self.gap_x_mm}x{self.gap_y_mm} mm")
        if self.module_mm is not None and not 0.1 <= self.module_mm <= 50:
            raise bad_layout(f"module {self.module_mm} mm")
        if self.tint and not _is_colour(self.tint):
            raise bad_layout(f"colour {self.tint}")
        if self.bleed_mm and self._bleeds_touch():
            raise bad_layout(f"bleed {self.bleed_mm} mm needs gaps of twice that")
        if self.medium == "a4" and min(self.margins_mm) < SLUG_MM:
            raise bad_layout(f"{self.columns}x{self.rows} labels of {self.label_width_mm}x{self.label_height_mm} mm")

    def _bleeds_touch(self) -> bool:
        across = self.columns > 1 and self.gap_x_mm < 2 * self.bleed_mm
        return across or (self.rows > 1 and self.gap_y_mm < 2 * self.bleed_mm)

    @property
    def labels_per_page(self) -> int:
        """Labels on one page."""
        return self.columns * self.rows

    @property
    def slug_mm(self) -> float:
        """What is left around the labels for crop marks, header and serials; 0 where the page is the label."""
        return SLUG_MM if self.crop_marks or self.medium == "a4" else 0.0

    @property
    def block_mm(self) -> tuple[float, float]:
        """Width and height of all labels of a page with the gaps between them."""
        width = self.columns * self.label_width_mm + (self.columns - 1) * self.gap_x_mm
        return width, self.rows * self.label_height_mm + (self.rows - 1) * self.gap_y_mm

    @property
    def page_mm(self) -> tuple[float, float]:
        """Width and height of a page."""
        if self.medium == "a4":
            return A4_MM
        around = 2 * (self.slug_mm + self.bleed_mm)
        width, height = self.block_mm
        return width + around, height + around

    @property
    def margins_mm(self) -> tuple[float, float]:
        """Left (and right) and top (and bottom) margin: from the page's edge to the first label's cut."""
        (page_width, page_height), (width, height) = self.page_mm, self.block_mm
        return (page_width - width) / 2, (page_height - height) / 2

    def corner_mm(self, row: int, column: int) -> tuple[float, float]:
        """The top left corner of a label, from the page's top left corner."""
        left, top = self.margins_mm
        return left + column * (self.label_width_mm + self.gap_x_mm), top + row * (self.label_height_mm + self.gap_y_mm)

    @property
    def header_pt(self) -> float:
        """The type size of the header: a roll has less room for it."""
        return 8 if self.medium == "a4" else 5

    @property
    def header_left_mm(self) -> float:
        """Where the header begins."""
        return self.margins_mm[0] if self.medium == "a4" else 2.0

    @property
    def cuts_mm(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Where the page is cut, from its left and from its top edge."""
        places = [self.corner_mm(0, column)[0] for column in range(self.columns)]
        across = {round(x + side, 4) for x in places for side in (0, self.label_width_mm)}
        places = [self.corner_mm(row, 0)[1] for row in range(self.rows)]
        down = {round(y + side, 4) for y in places for side in (0, self.label_height_mm)}
        return tuple(sorted(across)), tuple(sorted(down))

    @property
    def line_mm(self) -> float:
        """The height of one line of text."""
        return self.text_pt * 1.2 / POINTS_PER_MM

    @property
    def module_steps_mm(self) -> tuple[float, ...]:
        """The module sizes to try, the largest first."""
        if self.module_mm is not None:
            return (self.module_mm,)
        if self.dpi is None:
            return MODULE_STEPS_MM
        dots = range(MODULE_DOTS_MAX, 0, -1)
        steps = tuple(count * MM_PER_INCH / self.dpi for count in dots)
        return tuple(step for step in steps if MODULE_SAFE_MM <= step <= 1.0)

    def module_for(self, modules: int, *, lines: int = 2, below_mm: float = 0.0) -> float:
        """The module size in mm of a symbol so many modules wide, beside ``lines`` of text. Raises DoesNotFit.

        ``below_mm`` is what else stands on the label, as the bars of an SSCC.
        """
        room = min(self.label_width_mm, self.label_height_mm - lines * (self.line_mm + PAD_MM) - below_mm)
        across = modules + 2 * QUIET_MODULES
        steps = self.module_steps_mm
        for step in steps:
            if 0 < step * across <= room:
                return step
        raise too_large("symbol", steps[-1] * across, room)

    def described(self) -> str:
        """The layout in words, for the manifest; equal layouts have equal words, wherever they are installed."""
        module = "largest that fits" if self.module_mm is None else f"{self.module_mm} mm"
        words = [
            f"{self.medium.upper()} {self.columns}x{self.rows}",
            f"label {self.label_width_mm}x{self.label_height_mm} mm",
            f"module {module}" + (f" at {self.dpi} dpi" if self.dpi else ""),
            f"text {self.text_pt} pt",
            f"font {self.font.name}",
        ]
        if self.gap_x_mm or self.gap_y_mm:
            words.append(f"gaps {self.gap_x_mm}x{self.gap_y_mm} mm")
        words += [f"bleed {self.bleed_mm} mm"] if self.bleed_mm else []
        words += [] if self.crop_marks else ["no crop marks"]
        words += [] if self.shows_name else ["no name"]
        words += [] if self.shows_code else ["no code in text"]
        words += [f"tint {self.tint}"] if self.tint else []
        return ", ".join(words)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the font by its file's name: folders differ between computers."""
        return {**asdict(self), "font": self.font.name}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Layout:
        """The inverse of ``to_dict``. Raises BadSpec for unknown or impossible values."""
        known = {field.name for field in fields(cls)}
        if not set(given) <= known:
            raise bad_layout(", ".join(sorted(set(given) - known)))
        try:
            # A font of somebody else's is not here: its name is kept, and drawing with it is refused.
            font = str(given.get("font", LABEL_FONT.name))
            return cls(**{**given, "font": LABEL_FONT if font == LABEL_FONT.name else Path(font)})
        except TypeError as error:
            raise bad_layout("values of another kind") from error


def dots_at(module_mm: float) -> dict[int, float]:
    """How many printer dots make a module at 203, 300 and 600 dpi; whole numbers print sharply."""
    return {dpi: module_mm * dpi / MM_PER_INCH for dpi in PRINTER_DPI}


def is_whole(dots: float) -> bool:
    """Whether so many dots are a whole number, as nearly as 0.423 mm are five dots at 300 dpi."""
    return dots >= 1 and abs(dots - round(dots)) <= 0.02


def warnings_for(layout: Layout, module_mm: float) -> tuple[Warned, ...]:
    """What to tell whoever chose this module size before it is printed a million times."""
    found: list[Warned] = []
    shown = f"{module_mm:.3f}"
    dpis = PRINTER_DPI if layout.dpi is None else (layout.dpi,)
    whole = [dpi for dpi in dpis if is_whole(dots_at(module_mm)[dpi])]
    if not whole:
        dpi = dpis[-1]
        near = max(1, round(dots_at(module_mm)[dpi])) * MM_PER_INCH / dpi
        found.append(Warned("off_grid", {"module_mm": shown, "dpi": str(dpi), "near_mm": f"{near:.3f}"}))
    if module_mm < MODULE_SAFE_MM:
        found.append(Warned("tiny", {"module_mm": shown, "least_mm": f"{MODULE_SAFE_MM}"}))
    elif module_mm < MODULE_RETAIL_MM - 0.0005:
        found.append(Warned("below_retail", {"module_mm": shown, "least_mm": f"{MODULE_RETAIL_MM}"}))
    if layout.tint and not layout.bleed_mm:
        found.append(Warned("no_bleed", {}))
    return tuple(found)


def _is_colour(text: str) -> bool:
    return len(text) == 7 and text[0] == "#" and all(sign in "0123456789abcdefABCDEF" for sign in text[1:])


def bad_layout(what: str) -> BadSpec:
    """The refusal of a layout that cannot be printed."""
    return BadSpec(f"{what} is no layout that can be printed", payload=what, field="layout", value=what)


def too_large(what: str, needs_mm: float, has_mm: float) -> DoesNotFit:
    """The refusal of something that is larger than its label."""
    needs, has = f"{needs_mm:.1f}", f"{has_mm:.1f}"
    return DoesNotFit(f"the {what} needs {needs} mm, the label has {has} mm", what=what, needs_mm=needs, has_mm=has)
