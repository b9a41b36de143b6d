"""What a label, and a sheet of them, will look like, as SVG: for the order form and the pages of layouts.

The symbol says a sample of the right length that is no code, so a screenshot of it is worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final

from batches.items import Kind
from batches.labels import BARS_QUIET_MODULES, Label, Line, grouped, header_of, name_on, place, row_ends
from batches.layouts import HEADER_UP_MM, MARK_GAP_MM, MARK_MM, POINTS_PER_MM, Layout, Warned, dots_at
from batches.lettering import Lettering
from batches.spec import BatchSpec
from batches.sscc import BARS_MODULES, bars_of, spaced, sscc_of
from batches.symbols import modules_for, symbol_of
from batches.text import CODE_LENGTH
from batches.vectors import path_of

SAMPLE_CODE: Final = "0" * CODE_LENGTH  # opens with no key
AROUND_MM: Final = 3.0


@dataclass(frozen=True)
class Preview:
    """A label drawn, the size of its symbol, and what to warn about. ``dots``: of a module, by printer resolution."""

    svg: str
    modules: int
    module_mm: float
    symbol_mm: float
    dots: dict[int, float]
    warnings: tuple[Warned, ...]


def preview_of(spec: BatchSpec, kind: Kind, layout: Layout) -> Preview:
    """Draw a sample label of this order. Raises DoesNotFit, Unprintable, BadSpec."""
    label = _placed(spec, kind, layout)
    quiet_side = label.side_mm + 2 * label.quiet_mm
    return Preview(
        _framed(label, spec), label.modules, label.module_mm, quiet_side, dots_at(label.module_mm), label.warnings()
    )


@dataclass(frozen=True)
class SheetPreview:
    """The first page drawn, its size and margins in mm, and how many pages there will be."""

    svg: str
    page_mm: tuple[float, float]
    margins_mm: tuple[float, float]
    labels: int
    pages: int


def sheet_of(spec: BatchSpec, kind: Kind, layout: Layout, *, number: str = "·······") -> SheetPreview | None:
    """Draw the first page with its margin, or nothing where a page is no more than its label.

    ``number`` stands for the batch's, which an order does not have yet. Raises DoesNotFit, Unprintable, BadSpec.
    """
    per_page = layout.labels_per_page
    if per_page == 1 and not layout.slug_mm:
        return None
    label, (width, height) = _placed(spec, kind, layout), layout.page_mm
    count, pages = min(per_page, spec.count), -(-spec.count // per_page)
    last = spec.first + count - 1
    mark = f"label-{kind.label}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sheet-preview" role="img" '
        f'viewBox="-1 -1 {width + 2:.2f} {height + 2:.2f}">',
        f'<rect width="{width}" height="{height}" fill="#fff" stroke="#aab" stroke-width=".4"/>',
        f'<defs><g id="{mark}">{_drawn(label, spec)}</g></defs>',
    ]
    for place_no in range(count):
        x, y = layout.corner_mm(*divmod(place_no, layout.columns))
        parts.append(f'<use href="#{mark}" x="{x:.4f}" y="{y:.4f}"/>')
    if layout.slug_mm:
        head = header_of(spec, kind, spec.first, last, f"1/{pages}", number=number)
        parts += [*(_marks(layout) if layout.crop_marks else ()), *_margin(layout, head, spec.first, last)]
    return SheetPreview("".join([*parts, "</svg>"]), (width, height), layout.margins_mm, count, pages)


def _marks(layout: Layout) -> list[str]:
    """The crop marks, as in ``sheet``."""
    (left, top), (wide, high) = layout.margins_mm, layout.block_mm
    near, far = layout.bleed_mm + MARK_GAP_MM, layout.bleed_mm + MARK_GAP_MM + MARK_MM
    across, down = layout.cuts_mm
    lines = [
        (x, edge + sign * near, x, edge + sign * far) for x in across for edge, sign in ((top, -1), (top + high, 1))
    ]
    lines += [
        (edge + sign * near, y, edge + sign * far, y) for y in down for edge, sign in ((left, -1), (left + wide, 1))
    ]
    path = "".join(f"M{x:.3f} {y:.3f}L{to_x:.3f} {to_y:.3f}" for x, y, to_x, to_y in lines)
    return [f'<path d="{path}" stroke="#000" stroke-width=".15" fill="none"/>']


def _margin(layout: Layout, head: str, first: int, last: int) -> list[str]:
    """Header and the serials of each row."""
    (left, top), over = layout.margins_mm, layout.bleed_mm
    style = 'font-family="sans-serif" fill="#000"'
    size, y = layout.header_pt / POINTS_PER_MM, top - over - HEADER_UP_MM
    parts = [f'<text x="{layout.header_left_mm:.3f}" y="{y:.3f}" font-size="{size:.3f}" {style}>{escape(head)}</text>']
    size = 5 / POINTS_PER_MM
    for row, ends in enumerate(row_ends(layout, first, last)):
        middle = layout.corner_mm(row, 0)[1] + layout.label_height_mm / 2
        for line, end in enumerate(ends or ()):
            x, y = left - over - 2, middle + line * 6 / POINTS_PER_MM
            at = f'x="{x:.3f}" y="{y:.3f}" font-size="{size:.3f}" text-anchor="end"'
            parts.append(f"<text {at} {style}>{end}</text>")
    return parts


def _placed(spec: BatchSpec, kind: Kind, layout: Layout) -> Label:
    lettering = Lettering(layout.font)
    name = name_on(spec)
    lettering.check(name)
    return place(
        layout,
        modules=modules_for(len(spec.url_prefix) + CODE_LENGTH),
        name=name,
        has_sscc=kind in spec.shipped_kinds,
        width_of=lettering.width_mm,
    )


def _framed(label: Label, spec: BatchSpec) -> str:
    """The label alone, with its bleed and something around it."""
    layout, out = label.layout, AROUND_MM + label.layout.bleed_mm
    width, height = layout.label_width_mm, layout.label_height_mm
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="label-preview" role="img" '
        f'viewBox="{-out:.2f} {-out:.2f} {width + 2 * out:.2f} {height + 2 * out:.2f}">{_drawn(label, spec)}</svg>'
    )


def _drawn(label: Label, spec: BatchSpec) -> str:
    """What one label shows, from its top left corner."""
    layout = label.layout
    width, height, bleed = layout.label_width_mm, layout.label_height_mm, layout.bleed_mm
    side, quiet = label.side_mm, label.quiet_mm
    ground = layout.tint or "#ffffff"
    parts = [
        f'<rect x="{-bleed}" y="{-bleed}" width="{width + 2 * bleed}" height="{height + 2 * bleed}" fill="{ground}"/>',
        _box(label.symbol_left_mm - quiet, label.symbol_top_mm - quiet, side + 2 * quiet, side + 2 * quiet),
        f'<path fill="#000" transform="translate({label.symbol_left_mm:.4f} {label.symbol_top_mm:.4f}) '
        f'scale({label.module_mm:.5f})" d="{path_of(symbol_of(spec.url_prefix + SAMPLE_CODE))}"/>',
    ]
    if label.name is not None:
        parts.append(_text(label, label.name, label.text))
    if label.code is not None:
        parts.append(_text(label, label.code, grouped(SAMPLE_CODE)))
    if label.sscc is not None:
        sscc = sscc_of(spec.sscc_prefix, 0)
        parts.append(_text(label, label.sscc, spaced(sscc)))
        if label.bars is not None:
            module, high = label.bars.module_mm, label.bars.height_mm
            wide = BARS_MODULES * module
            left, gap = (width - wide) / 2, BARS_QUIET_MODULES * module
            parts.append(_box(left - gap, label.bars.top_mm, wide + 2 * gap, high))
            parts.append(
                f'<path fill="#000" transform="translate({left:.4f} {label.bars.top_mm:.4f}) '
                f'scale({module:.5f} {high:.4f})" d="{path_of(bars_of(sscc).reshape(1, -1))}"/>'
            )
    # The cut, over everything: what lies beyond it is bleed.
    parts.append(
        f'<rect width="{width}" height="{height}" fill="none" stroke="#888" stroke-width=".15" '
        'stroke-dasharray="1 .7"/>'
    )
    return "".join(parts)


def _box(x: float, y: float, width: float, height: float) -> str:
    return f'<rect x="{x:.4f}" y="{y:.4f}" width="{width:.4f}" height="{height:.4f}" fill="#fff"/>'


def _text(label: Label, line: Line, text: str) -> str:
    size = line.size_pt / POINTS_PER_MM
    return (
        f'<text x="{label.layout.label_width_mm / 2:.3f}" y="{line.baseline_mm:.3f}" font-size="{size:.3f}" '
        f'text-anchor="middle" font-family="sans-serif" fill="#000">{escape(text)}</text>'
    )
