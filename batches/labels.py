"""Where everything stands on one label: name, symbol, code, and for cases and pallets the SSCC with its bars.

Worked out once for all labels of an order, in millimetres from the label's top left corner; PDF, ZPL and
preview draw what stands here. A label never shows its serial.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from batches.items import Kind
from batches.layouts import PAD_MM, POINTS_PER_MM, QUIET_MODULES, Layout, Warned, too_large, warnings_for
from batches.spec import BatchSpec
from batches.sscc import BARS_MODULES, SSCC_LENGTH, spaced
from batches.text import CODE_LENGTH

GROUP: Final = 5
KIND_NAMES: Final = {Kind.OUTER: "外码", Kind.INNER: "内码", Kind.CASE: "箱码", Kind.PALLET: "垛码"}
TEST_MARK: Final = "测试 TEST "
BARS_QUIET_MODULES: Final = 10
BARS_MODULE_MAX_MM: Final = 0.94  # GS1 General Specifications, table 5.12.3: logistic units, 0.495 to 0.94 mm
BARS_MODULE_RETAIL_MM: Final = 0.495
BARS_MODULE_MIN_MM: Final = 0.25  # less is not printed at all

WidthOf = Callable[[str, float], float]  # of a line of text at a size in points: its width in mm


@dataclass(frozen=True)
class Line:
    """A centred line of text: its baseline from the label's top, its size."""

    baseline_mm: float
    size_pt: float


@dataclass(frozen=True)
class Bars:
    """The bars of an SSCC, centred: top, height and module width."""

    top_mm: float
    height_mm: float
    module_mm: float


@dataclass(frozen=True)
class Label:
    """One label without its code. ``symbol_left_mm`` and ``symbol_top_mm`` are of the modules inside the quiet zone."""

    layout: Layout
    text: str
    modules: int
    module_mm: float
    symbol_left_mm: float
    symbol_top_mm: float
    name: Line | None
    code: Line | None
    sscc: Line | None
    bars: Bars | None

    @property
    def side_mm(self) -> float:
        """The side of the symbol without its quiet zone."""
        return self.modules * self.module_mm

    @property
    def quiet_mm(self) -> float:
        """The width of the quiet zone."""
        return QUIET_MODULES * self.module_mm

    def warnings(self) -> tuple[Warned, ...]:
        """What prints, but not as well as it could."""
        found = warnings_for(self.layout, self.module_mm)
        if self.sscc is not None and self.bars is None:
            found += (Warned("no_bars", {}),)
        elif self.bars is not None and self.bars.module_mm < BARS_MODULE_RETAIL_MM:
            facts = {"module_mm": f"{self.bars.module_mm:.3f}", "least_mm": f"{BARS_MODULE_RETAIL_MM}"}
            found += (Warned("bars_small", facts),)
        return found


def grouped(code: str) -> str:
    """A code as it stands on a label: groups of five."""
    return "-".join(code[start : start + GROUP] for start in range(0, CODE_LENGTH, GROUP))


def name_on(spec: BatchSpec) -> str:
    """The product's name as it stands on the label; test batches say that they are."""
    return (TEST_MARK if spec.is_test else "") + spec.product_name


def header_of(spec: BatchSpec, kind: Kind, first: int, last: int, page: str, *, number: str | None = None) -> str:
    """What stands at the top of a page, in the margin: it is cut off. ``number`` where the batch has none yet."""
    words = [f"订单 Order {spec.order_no}"] if spec.order_no else []
    words += [f"批次 Batch {spec.number if number is None else number}", f"{KIND_NAMES[kind]} {kind.label}"]
    words += [f"{first}–{last}", page, *(["测试 TEST"] if spec.is_test else [])]
    return " · ".join(words)


def row_ends(layout: Layout, first: int, last: int) -> list[tuple[str, str] | None]:
    """The serials at both ends of each row of a page, which stand beside it; None for a row without labels."""
    starts = [first + row * layout.columns for row in range(layout.rows)]
    return [(f"{start}", f"–{min(start + layout.columns - 1, last)}") if start <= last else None for start in starts]


def place(layout: Layout, *, modules: int, name: str, has_sscc: bool, width_of: WidthOf) -> Label:
    """Arrange a label. Raises DoesNotFit when the symbol or a line is larger than it."""
    bars = _bars(layout) if has_sscc else None
    below = 0.0 if bars is None else bars.height_mm + PAD_MM
    lines = layout.shows_name + layout.shows_code + has_sscc
    module = layout.module_for(modules, lines=lines, below_mm=below)
    quiet, side = QUIET_MODULES * module, modules * module
    y = 0.0
    name_line = None
    if layout.shows_name:
        size = _fit(layout, name, "product name", width_of)
        name_line = Line(PAD_MM + size / POINTS_PER_MM, size) if name else None
        y = PAD_MM + layout.line_mm
    top = y + quiet
    y = top + side + quiet
    code_line = sscc_line = None
    if layout.shows_code:
        size = _fit(layout, grouped("W" * CODE_LENGTH), "code", width_of)
        code_line = Line(y + size / POINTS_PER_MM, size)
        y += layout.line_mm + PAD_MM
    if has_sscc:
        size = _fit(layout, spaced("8" * SSCC_LENGTH), "SSCC", width_of)
        sscc_line = Line(y + size / POINTS_PER_MM, size)
        y += layout.line_mm + PAD_MM
    return Label(
        layout=layout,
        text=name,
        modules=modules,
        module_mm=module,
        symbol_left_mm=(layout.label_width_mm - side) / 2,
        symbol_top_mm=top,
        name=name_line,
        code=code_line,
        sscc=sscc_line,
        bars=None if bars is None else Bars(y, bars.height_mm, bars.module_mm),
    )


def _bars(layout: Layout) -> Bars | None:
    """How large the bars can be, or None where the label is too narrow for any scanner."""
    across = BARS_MODULES + 2 * BARS_QUIET_MODULES
    module = min((layout.label_width_mm - 2 * PAD_MM) / across, BARS_MODULE_MAX_MM)
    if layout.dpi is not None:  # whole dots
        dot = 25.4 / layout.dpi
        module = int(module / dot) * dot
    if module < BARS_MODULE_MIN_MM:
        return None
    return Bars(0.0, min(31.75, layout.label_height_mm / 5), module)


def _fit(layout: Layout, text: str, what: str, width_of: WidthOf) -> float:
    """The type size at which a line fits the label: the layout's, or down to 60 % of it."""
    room = layout.label_width_mm - 2 * PAD_MM
    size = layout.text_pt
    width = width_of(text, size)
    if width > room:
        size *= room / width
    if size < 0.6 * layout.text_pt:
        raise too_large(what, 0.6 * width + 2 * PAD_MM, layout.label_width_mm)
    return size
