"""What a label will look like, as SVG: for the order form and the pages of layouts.

The symbol says a sample of the right length that is no code, so a screenshot of it is worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final

from batches.items import Kind
from batches.labels import BARS_QUIET_MODULES, Label, Line, grouped, name_on, place
from batches.layouts import POINTS_PER_MM, Layout, Warned, dots_at
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
    lettering = Lettering(layout.font)
    name = name_on(spec)
    lettering.check(name)
    label = place(
        layout,
        modules=modules_for(len(spec.url_prefix) + CODE_LENGTH),
        name=name,
        has_sscc=kind in spec.shipped_kinds,
        width_of=lettering.width_mm,
    )
    quiet_side = label.side_mm + 2 * label.quiet_mm
    return Preview(
        _drawn(label, spec), label.modules, label.module_mm, quiet_side, dots_at(label.module_mm), label.warnings()
    )


def _drawn(label: Label, spec: BatchSpec) -> str:
    layout, out = label.layout, AROUND_MM + label.layout.bleed_mm
    width, height, bleed = layout.label_width_mm, layout.label_height_mm, layout.bleed_mm
    side, quiet = label.side_mm, label.quiet_mm
    ground = layout.tint or "#ffffff"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="label-preview" role="img" '
        f'viewBox="{-out:.2f} {-out:.2f} {width + 2 * out:.2f} {height + 2 * out:.2f}">',
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
    return "".join([*parts, "</svg>"])


def _box(x: float, y: float, width: float, height: float) -> str:
    return f'<rect x="{x:.4f}" y="{y:.4f}" width="{width:.4f}" height="{height:.4f}" fill="#fff"/>'


def _text(label: Label, line: Line, text: str) -> str:
    size = line.size_pt / POINTS_PER_MM
    return (
        f'<text x="{label.layout.label_width_mm / 2:.3f}" y="{line.baseline_mm:.3f}" font-size="{size:.3f}" '
        f'text-anchor="middle" font-family="sans-serif" fill="#000">{escape(text)}</text>'
    )
