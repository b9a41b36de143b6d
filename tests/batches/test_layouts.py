"""Layouts and labels: geometry, module sizes, warnings; rolls, bleed, SSCCs as they come out in the PDF."""

import numpy as np
import pypdfium2
import pytest
import zxingcpp

from batches.errors import BadSpec, DoesNotFit
from batches.items import Kind
from batches.labels import place
from batches.layouts import MODULE_RETAIL_MM, Layout, dots_at, is_whole, warnings_for
from batches.preview import sheet_of
from batches.sheet import write_pdf_sheet
from tests.batches.test_press import KEY, make_spec


def width_of(text, size):
    return len(text) * size * 0.2


def pages(path, scale=8.0):
    with pypdfium2.PdfDocument(path) as document:
        return [(page.get_size(), page.render(scale=scale).to_pil().convert("L")) for page in document]


def texts(picture):
    return sorted(found.text for found in zxingcpp.read_barcodes(picture))


def test_module_sizes_are_whole_dots_of_the_printer():
    for dpi in (203, 300, 600):
        layout = Layout(dpi=dpi)
        step = layout.module_for(29)
        assert is_whole(dots_at(step)[dpi])
        assert not warnings_for(layout, step) or step < MODULE_RETAIL_MM
    assert [round(dots) for dots in dots_at(0.5).values()] == [4, 6, 12]
    assert is_whole(dots_at(0.423)[300])
    assert not is_whole(dots_at(0.42)[203])


@pytest.mark.parametrize(
    ("over", "module_mm", "codes"),
    [
        ({"dpi": 203}, 0.5, []),
        ({"dpi": 203}, 0.42, ["off_grid"]),
        ({"dpi": 300}, 0.339, ["below_retail"]),
        ({}, 0.423, []),
        ({}, 0.2, ["off_grid", "tiny"]),
        ({"tint": "#00ff00"}, 0.423, ["no_bleed"]),
    ],
)
def test_a_module_that_prints_badly_is_warned_about(over, module_mm, codes):
    found = warnings_for(Layout(**over), module_mm)
    assert [each.code for each in found] == codes


def test_the_warning_names_the_nearest_size_that_prints_sharply():
    (found,) = warnings_for(Layout(dpi=300), 0.45)
    assert found.facts["near_mm"] == "0.423"


@pytest.mark.parametrize(
    "wrong",
    [
        {"medium": "a3"},
        {"dpi": 301},
        {"medium": "roll", "rows": 2},
        {"medium": "single"},
        {"bleed_mm": 1.0},
        {"bleed_mm": 11.0},
        {"tint": "red"},
        {"gap_x_mm": 5.0},
        {"module_mm": 0.0},
        {"label_width_mm": 2000.0, "medium": "roll", "rows": 1},
    ],
)
def test_what_cannot_be_printed_is_refused(wrong):
    with pytest.raises(BadSpec) as caught:
        Layout(**wrong)
    assert caught.value.facts["field"] == "layout"


def test_a_layout_survives_its_own_text():
    layout = Layout(medium="single", columns=1, rows=1, bleed_mm=2, tint="#aabbcc", dpi=600, shows_name=False)
    assert Layout.from_dict(layout.to_dict()) == layout
    assert "tint #aabbcc" in layout.described()


def test_nothing_on_a_label_overlaps_and_all_of_it_is_inside():
    for has_sscc in (False, True):
        layout = Layout(medium="single", columns=1, rows=1, label_width_mm=100, label_height_mm=100, dpi=203)
        label = place(layout, modules=29, name="红茶", has_sscc=has_sscc, width_of=width_of)
        edges = [label.name.baseline_mm, label.symbol_top_mm - label.quiet_mm + 0.01]
        edges += [label.symbol_top_mm + label.side_mm + label.quiet_mm, label.code.baseline_mm]
        if has_sscc:
            edges += [label.sscc.baseline_mm, label.bars.top_mm, label.bars.top_mm + label.bars.height_mm]
            assert label.bars.module_mm >= 0.495
        assert edges == sorted(edges)
        assert edges[-1] <= 100


def test_a_label_too_narrow_for_bars_says_so_and_keeps_the_digits():
    layout = Layout(medium="roll", columns=1, rows=1, label_width_mm=40, label_height_mm=40, dpi=203)
    label = place(layout, modules=29, name="", has_sscc=True, width_of=width_of)
    assert label.bars is None
    assert label.sscc is not None
    assert "no_bars" in [each.code for each in label.warnings()]


def test_a_pallet_label_carries_its_code_and_its_sscc_in_bars(tmp_path):
    spec = make_spec(kinds=(Kind.PALLET,), count=3, first=5, sscc_prefix="6901234")
    layout = Layout(medium="single", columns=1, rows=1, label_width_mm=100, label_height_mm=150, text_pt=12, dpi=203)
    write_pdf_sheet(spec, KEY, tmp_path / "a.pdf", layout=layout)
    found = [texts(picture) for _, picture in pages(tmp_path / "a.pdf", 4.0)]
    assert [each[0] for each in found] == [f"(00){spec.sscc_for(Kind.PALLET, serial)}" for serial in (5, 6, 7)]
    assert all(each[1].startswith("HTTPS://Q.EXAMPLE.CN/") for each in found)
    with pypdfium2.PdfDocument(tmp_path / "a.pdf") as document:
        page = document[0]
        text = page.get_textpage().get_text_range()
        assert page.get_trimbox() != page.get_mediabox()
    digits = spec.sscc_for(Kind.PALLET, 5)
    assert f"(00) {digits[:4]} {digits[4:8]}" in text


def test_a_roll_has_a_page_a_row_with_its_serials_beside(tmp_path):
    layout = Layout(medium="roll", columns=3, rows=1, label_width_mm=30, label_height_mm=30, gap_x_mm=3)
    write_pdf_sheet(make_spec(kinds=(Kind.INNER,), count=7), KEY, tmp_path / "a.pdf", layout=layout)
    found = pages(tmp_path / "a.pdf")
    assert [len(texts(picture)) for _, picture in found] == [3, 3, 1]
    width, height = found[0][0]
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (96 + 20, 30 + 20)


def test_a_thermal_label_is_its_page_and_nothing_else_is_on_it(tmp_path):
    layout = Layout(medium="roll", columns=1, rows=1, label_width_mm=50, label_height_mm=40, crop_marks=False, dpi=203)
    write_pdf_sheet(make_spec(kinds=(Kind.INNER,), count=2, first=9870), KEY, tmp_path / "a.pdf", layout=layout)
    with pypdfium2.PdfDocument(tmp_path / "a.pdf") as document:
        text = document[0].get_textpage().get_text_range()
        assert [round(side / 72 * 25.4) for side in document[0].get_size()] == [50, 40]
    assert "9870" not in text
    assert "红茶" in text


def test_colour_runs_over_the_cut_and_leaves_the_quiet_zone_white(tmp_path):
    layout = Layout(
        medium="single", columns=1, rows=1, label_width_mm=40, label_height_mm=40, bleed_mm=3, tint="#33aa66"
    )
    write_pdf_sheet(make_spec(kinds=(Kind.INNER,), count=1), KEY, tmp_path / "a.pdf", layout=layout)
    with pypdfium2.PdfDocument(tmp_path / "a.pdf") as document:
        picture = np.array(
            document[0].render(scale=10 * 72 / 25.4 / 10).to_pil().convert("RGB")
        )  # a pixel is 0.1 inch/…
        scale = picture.shape[0] / layout.page_mm[1]
    left, top = layout.margins_mm

    def colour(x_mm, y_mm):
        return tuple(picture[int((top + y_mm) * scale), int((left + x_mm) * scale)])

    assert colour(-2, 20) == (0x33, 0xAA, 0x66)
    assert colour(1, 38) == (0x33, 0xAA, 0x66)
    assert colour(-4, 20) == (255, 255, 255)
    label = place(layout, modules=29, name="红茶", has_sscc=False, width_of=width_of)
    assert colour(label.symbol_left_mm - label.quiet_mm / 2, 20) == (255, 255, 255)


def test_a_label_too_small_for_its_symbol_is_refused():
    with pytest.raises(DoesNotFit):
        place(Layout(label_width_mm=10, label_height_mm=10), modules=29, name="", has_sscc=False, width_of=width_of)


def test_the_preview_of_a_page_shows_what_the_sheet_will():
    layout = Layout(columns=3, rows=4, label_width_mm=40, label_height_mm=40, gap_x_mm=4, gap_y_mm=4, bleed_mm=2)
    spec = make_spec(count=25, order_no="PO <7>")
    page = sheet_of(spec, Kind.INNER, layout)
    assert (page.labels, page.pages, page.page_mm, page.margins_mm) == (12, 3, (210, 297), (41, 62.5))
    assert page.svg.count("<use ") == 12
    assert "订单 Order PO &lt;7&gt; · 批次 Batch ······· · 内码 inner · 0–11 · 1/3" in page.svg
    assert [f">{serial}</text>" in page.svg for serial in ("9", "–11", "12")] == [True, True, False]
    across, down = layout.cuts_mm
    assert (across, len(down)) == ((41, 81, 85, 125, 129, 169), 8)
    assert page.svg.count("L") == 2 * (len(across) + len(down))  # the crop marks, at both sides
    assert sheet_of(make_spec(count=2), Kind.INNER, layout).svg.count("<use ") == 2
    lone = Layout(medium="single", columns=1, rows=1, crop_marks=False)
    assert sheet_of(spec, Kind.INNER, lone) is None
