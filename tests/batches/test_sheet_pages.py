"""Many pages at once: every label stands on its page, the file is a sound PDF, and small."""

import re

import pypdfium2
import pytest
import zxingcpp

from batches import codes
from batches.items import Kind
from batches.layouts import Layout
from batches.sheet import BLOCK_LABELS, write_pdf_sheet
from batches.spec import BatchSpec

KEY = bytes(range(32))
COUNT = BLOCK_LABELS + 60
SPEC = BatchSpec(
    number=7,
    kinds=(Kind.INNER,),
    count=COUNT,
    first=95,
    host="q.example.cn",
    product_name="示例茶饮 红茶 500ml",
    order_no="PO-(1)\\订单",
)


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    path = tmp_path_factory.mktemp("sheet") / "a.pdf"
    write_pdf_sheet(SPEC, KEY, path)
    return path


def read(page, scale):
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return {found.text for found in zxingcpp.read_barcodes(page.render(scale=scale).to_pil().convert("L"), formats)}


def addresses(first, last):
    return {SPEC.url_prefix + bytes(row).decode() for row in codes.mint_range(KEY, 7, 1, first, last - first + 1)}


def test_pages_hold_their_labels_at_the_edges_of_blocks_and_at_the_end(sheet):
    with pypdfium2.PdfDocument(sheet) as document:
        assert len(document) == -(-COUNT // 50)
        for number in (0, BLOCK_LABELS // 50 - 1, BLOCK_LABELS // 50, len(document) - 1):
            first = 95 + 50 * number
            last = min(first + 49, SPEC.last)
            assert read(document[number], 200 / 72) == addresses(first, last)
            text = document[number].get_textpage().get_text_bounded()
            assert f"{first}–{last} · {number + 1}/{len(document)}" in text
            assert text.count("示例茶饮 红茶 500ml") == last - first + 1


def test_signs_that_mean_something_in_pdf_are_text(sheet):
    with pypdfium2.PdfDocument(sheet) as document:
        assert "订单 Order PO-(1)\\订单 · 批次 Batch 7" in document[0].get_textpage().get_text_bounded()
        assert document.get_metadata_value("Title") == f"PO-(1)\\订单 7 inner 95-{SPEC.last}"


def test_codes_stand_centred_below_their_symbols(sheet):
    with pypdfium2.PdfDocument(sheet) as document:
        text = document[0].get_textpage()
        code = bytes(codes.mint_range(KEY, 7, 1, 95, 1)[0]).decode()
        place, length = text.search("-".join(re.findall(".{5}", code))).get_next()
        left, right = text.get_charbox(place)[0], text.get_charbox(place + length - 1)[2]
        middle = (Layout().corner_mm(0, 0)[0] + Layout().label_width_mm / 2) / 25.4 * 72
        assert abs((left + right) / 2 - middle) < 0.3


def test_every_object_stands_where_the_table_says(sheet):
    raw = sheet.read_bytes()
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", raw).group(1))
    head, *entries = raw[start:].split(b"trailer")[0].splitlines()[1:]
    assert head == b"0 %d" % len(entries)
    for number, entry in enumerate(entries[1:], start=1):
        assert raw[int(entry[:10]) :].startswith(b"%d 0 obj\n" % number)
    for found in re.finditer(rb"/Length (\d+)>>stream\n", raw):
        end = found.end() + int(found.group(1))
        assert raw[end : end + 17] == b"\nendstream\nendobj"


def test_a_label_takes_at_most_200_bytes(sheet):
    assert sheet.stat().st_size <= 200 * COUNT


def test_a_layout_without_text_still_opens(tmp_path):
    layout = Layout(medium="single", columns=1, rows=1, crop_marks=False, shows_name=False, shows_code=False)
    spec = BatchSpec(number=7, kinds=(Kind.INNER,), count=2, first=95, host="q.example.cn")
    write_pdf_sheet(spec, KEY, tmp_path / "a.pdf", layout=layout)
    with pypdfium2.PdfDocument(tmp_path / "a.pdf") as document:
        assert [read(page, 300 / 72) for page in document] == [addresses(95, 95), addresses(96, 96)]
