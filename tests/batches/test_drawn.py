"""Pictures and label sheets: every symbol is decoded by an independent reader, as a phone would."""

import io
import re
import zipfile

import numpy as np
import pypdfium2
import pytest
import qrcode
import zxingcpp
from PIL import Image

from batches import codes
from batches.errors import BadSpec, DoesNotFit, TooMany, Unprintable
from batches.items import Kind
from batches.layouts import Layout
from batches.pictures import PNG_COUNT_MAX, write_png_zip
from batches.sheet import PDF_COUNT_MAX, write_pdf_sheet
from batches.spec import BatchSpec
from batches.symbols import symbol_of

KEY = bytes(range(32))


def make_spec(**over):
    return BatchSpec(
        **{
            "number": 7,
            "kinds": (Kind.INNER,),
            "count": 8,
            "first": 95,
            "host": "q.example.cn",
            "product_name": "示例茶饮 红茶 500ml",
            "order_no": "PO-2026-001",
            **over,
        }
    )


def addresses(spec, kind=Kind.INNER):
    return [
        spec.url_prefix + codes.mint_one(KEY, spec.number, kind, serial) for serial in range(spec.first, spec.last + 1)
    ]


def decoded(picture):
    found = zxingcpp.read_barcodes(picture.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode)
    # A symbol that is read in rows from the top left, as its labels stand.
    found.sort(key=lambda each: (round(each.position.top_left.y / 40), each.position.top_left.x))
    return [each.text for each in found]


def pages(path, scale=200 / 72):
    with pypdfium2.PdfDocument(path) as document:
        for page in document:
            yield page.render(scale=scale).to_pil(), page.get_textpage().get_text_bounded()


def test_a_symbol_is_the_one_of_the_qrcode_package():
    text = addresses(make_spec())[0]
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0)
    code.add_data(text)
    code.make()
    assert code.version == 3
    assert np.array_equal(symbol_of(text), np.array(code.get_matrix()))


def test_every_picture_of_the_zip_decodes_to_its_address(tmp_path):
    spec = make_spec()
    seen = []
    record = write_png_zip(spec, KEY, tmp_path / "a.zip", chunk_rows=3, on_progress=seen.append)
    assert seen == [3, 6, 8]
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"inner-{serial:08d}.png" for serial in range(95, 103)]
        for name, address in zip(archive.namelist(), addresses(spec), strict=True):
            picture = Image.open(io.BytesIO(archive.read(name)))
            assert (picture.mode, picture.size) == ("1", (370, 370))
            assert round(picture.info["dpi"][0]) == 600
            assert decoded(picture) == [address]
            quiet = np.array(picture)
            quiet[40:-40, 40:-40] = True
            assert quiet.all()
    assert (record.rows, record.format) == (8, "png")


def test_the_same_order_gives_the_same_bytes(tmp_path):
    for write in (write_png_zip, write_pdf_sheet):
        first = write(make_spec(), KEY, tmp_path / "first")
        assert write(make_spec(), KEY, tmp_path / "second").sha256 == first.sha256


def test_it_refuses_more_drawings_than_a_file_can_hold(tmp_path):
    for write, limit in ((write_png_zip, PNG_COUNT_MAX), (write_pdf_sheet, PDF_COUNT_MAX)):
        with pytest.raises(TooMany) as caught:
            write(make_spec(count=limit + 1), KEY, tmp_path / "a")
        assert caught.value.facts["limit"] == limit
    assert not list(tmp_path.iterdir())


def test_every_label_of_the_sheet_decodes_and_stands_in_order(tmp_path):
    spec = make_spec(kinds=(Kind.OUTER, Kind.INNER), count=57)
    seen = []
    write_pdf_sheet(spec, KEY, tmp_path / "a.pdf", kind=Kind.OUTER, on_progress=seen.append)
    found = [address for picture, _ in pages(tmp_path / "a.pdf") for address in decoded(picture)]
    assert found == addresses(spec, Kind.OUTER)
    assert seen == [57]


def test_the_sheet_says_name_code_order_batch_and_range_and_keeps_serials_in_the_margin(tmp_path):
    spec = make_spec(is_test=True)
    write_pdf_sheet(spec, KEY, tmp_path / "a.pdf")
    ((_, text),) = pages(tmp_path / "a.pdf")
    assert text.count("测试 TEST 示例茶饮 红茶 500ml") == 8
    head = "订单 Order PO-2026-001 · 批次 Batch 7 · 内码 inner · 95–102 · 1/1 · 测试 TEST"
    assert head in text
    for address in addresses(spec):
        code = address[-20:]
        assert "-".join(re.findall(".{5}", code)) in text
    with pypdfium2.PdfDocument(tmp_path / "a.pdf") as document:
        inside = document[0].get_textpage().get_text_bounded(left=45, right=550, top=790, bottom=40)
    assert not re.search(r"\b(9[5-9]|10[0-2])\b", inside)


def test_the_font_travels_in_the_file(tmp_path):
    write_pdf_sheet(make_spec(), KEY, tmp_path / "a.pdf")
    raw = (tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in raw
    assert b"Helvetica" not in raw


def test_a_longer_address_gets_smaller_modules_and_still_decodes(tmp_path):
    spec = make_spec(host="scan.some-long-brand-name.example.com", gtin="06901234567892", digital_link=True, count=5)
    write_pdf_sheet(spec, KEY, tmp_path / "a.pdf")
    ((picture, _),) = pages(tmp_path / "a.pdf", scale=300 / 72)
    assert decoded(picture) == addresses(spec)


def test_a_layout_of_ones_own_is_kept(tmp_path):
    layout = Layout(columns=2, rows=3, label_width_mm=60, label_height_mm=50, module_mm=1.0)
    write_pdf_sheet(make_spec(count=7), KEY, tmp_path / "a.pdf", layout=layout)
    found = [decoded(picture) for picture, _ in pages(tmp_path / "a.pdf")]
    assert [len(page) for page in found] == [6, 1]


def test_a_module_has_the_size_that_was_asked_for(tmp_path):
    write_pdf_sheet(make_spec(count=1), KEY, tmp_path / "a.pdf", layout=Layout(module_mm=0.423))
    ((picture, _),) = pages(tmp_path / "a.pdf", scale=600 / 72)
    (found,) = zxingcpp.read_barcodes(picture.convert("L"))
    width_px = found.position.top_right.x - found.position.top_left.x
    assert abs(width_px / 600 * 25.4 - 29 * 0.423) < 0.1


def test_it_refuses_what_does_not_fit(tmp_path):
    with pytest.raises(DoesNotFit, match="symbol"):
        write_pdf_sheet(make_spec(), KEY, tmp_path / "a.pdf", layout=Layout(module_mm=1.0))
    with pytest.raises(DoesNotFit, match="product name"):
        write_pdf_sheet(make_spec(product_name="很长的产品名称" * 10), KEY, tmp_path / "a.pdf")
    for wrong in ({"columns": 6}, {"rows": 11}, {"columns": 0}, {"label_width_mm": 1.0}, {"text_pt": 0}):
        with pytest.raises(BadSpec) as caught:
            Layout(**wrong)
        assert caught.value.facts["field"] == "layout"


def test_it_refuses_characters_that_would_print_as_boxes(tmp_path):
    with pytest.raises(Unprintable) as caught:
        write_pdf_sheet(make_spec(product_name="茶🍵"), KEY, tmp_path / "a.pdf")
    assert caught.value.facts["character"] == "🍵"


def test_it_refuses_a_file_that_is_no_font(tmp_path):
    (tmp_path / "font.ttf").write_bytes(b"no font")
    with pytest.raises(BadSpec) as caught:
        write_pdf_sheet(make_spec(), KEY, tmp_path / "a.pdf", layout=Layout(font=tmp_path / "font.ttf"))
    assert caught.value.facts["field"] == "font"
