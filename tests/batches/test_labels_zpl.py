"""ZPL and SVG: every symbol decodes from the file itself, in the dots of the printer; the bytes are always the same."""

import dataclasses
import zipfile

import numpy as np
import pytest
import zxingcpp

from batches.codes import mint_one
from batches.errors import BadTable, DoesNotFit, TooMany, Unprintable
from batches.items import Kind
from batches.layouts import Layout
from batches.svg_reader import modules_in
from batches.symbols import symbol_of
from batches.vectors import svg_of, write_svg_zip
from batches.zpl import ZPL_COUNT_MAX, graphic, write_zpl, zpl_size_bytes
from batches.zpl_reader import read_labels
from tests.batches.test_press import KEY, make_spec

URL = "HTTPS://Q.EXAMPLE.CN/"


def label_layout(**over):
    return Layout(**{"medium": "roll", "columns": 1, "rows": 1, "label_width_mm": 40, "label_height_mm": 30, **over})


def decoded(bits):
    picture = np.where(np.pad(bits, 20), 0, 255).astype(np.uint8)
    return sorted(found.text for found in zxingcpp.read_barcodes(picture))


@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_every_label_decodes_from_its_dots(tmp_path, dpi):
    spec = make_spec(kinds=(Kind.INNER,), count=7, first=95, is_test=True)
    record = write_zpl(spec, KEY, tmp_path / "a.zpl", layout=label_layout(dpi=dpi, columns=3, gap_x_mm=2))
    labels = list(read_labels(tmp_path / "a.zpl"))
    assert [label.shape[1] for label in labels] == [round(124 * dpi / 25.4)] * 3
    found = [text for label in labels for text in decoded(label)]
    assert sorted(found) == sorted(URL + mint_one(KEY, 7, Kind.INNER, serial) for serial in range(95, 102))
    assert (record.rows, record.format) == (7, "zpl")
    assert record.size_bytes <= zpl_size_bytes(spec, label_layout(dpi=dpi))
    assert (
        write_zpl(spec, KEY, tmp_path / "b.zpl", layout=label_layout(dpi=dpi, columns=3, gap_x_mm=2)).sha256
        == record.sha256
    )


def test_a_module_is_a_whole_number_of_dots_with_a_quiet_zone_of_four(tmp_path):
    spec = make_spec(kinds=(Kind.INNER,), count=1, product_name="")
    write_zpl(spec, KEY, tmp_path / "a.zpl", layout=label_layout(dpi=203, shows_code=False, shows_name=False))
    (label,) = read_labels(tmp_path / "a.zpl")
    rows, columns = np.flatnonzero(label.any(axis=1)), np.flatnonzero(label.any(axis=0))
    side = rows[-1] - rows[0] + 1
    assert side == columns[-1] - columns[0] + 1
    assert side % 29 == 0
    module = side // 29
    assert min(rows[0], label.shape[0] - rows[-1] - 1, columns[0], label.shape[1] - columns[-1] - 1) >= 4 * module
    symbol = label[rows[0] : rows[-1] + 1 : module, columns[0] : columns[-1] + 1 : module]
    assert np.array_equal(symbol, symbol_of(URL + mint_one(KEY, 7, Kind.INNER, 0)))


def test_the_serial_stands_in_a_comment_and_the_name_in_dots(tmp_path):
    spec = make_spec(kinds=(Kind.INNER,), count=1, first=987654)
    write_zpl(spec, KEY, tmp_path / "a.zpl", layout=label_layout())
    raw = (tmp_path / "a.zpl").read_bytes()
    assert [line for line in raw.split(b"\n") if b"987654" in line] == ["^FX 内码 7 987654-987654^FS".encode()]
    assert "红茶".encode() not in raw
    (label,) = read_labels(tmp_path / "a.zpl")
    write_zpl(dataclasses.replace(spec, product_name=""), KEY, tmp_path / "b.zpl", layout=label_layout())
    (nameless,) = read_labels(tmp_path / "b.zpl")
    differs = np.flatnonzero((label != nameless).any(axis=1))
    assert 0 < len(differs) < 30  # a line of text at 203 dpi, and nothing else


def test_a_case_label_has_its_sscc_in_bars(tmp_path):
    spec = make_spec(kinds=(Kind.CASE,), count=2, sscc_prefix="6901234")
    layout = label_layout(label_width_mm=100, label_height_mm=100, dpi=203)
    write_zpl(spec, KEY, tmp_path / "a.zpl", layout=layout)
    found = [decoded(label) for label in read_labels(tmp_path / "a.zpl")]
    assert [each[0] for each in found] == [f"(00){spec.sscc_for(Kind.CASE, serial)}" for serial in (0, 1)]
    assert all(len(each) == 2 for each in found)


@pytest.mark.parametrize("shape", [(1, 8), (5, 9), (3, 4000), (40, 300)])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.98, 1.0])
def test_a_graphic_comes_out_as_it_went_in(tmp_path, shape, share):
    bits = np.random.default_rng(7).random(shape) < share
    bits[shape[0] // 2 :] = bits[shape[0] // 2]
    field = graphic(bits, 3, 2)
    (tmp_path / "a.zpl").write_bytes(b"^XA^PW%d^LL%d\n%s^XZ\n" % (shape[1] + 3, shape[0] + 2, field))
    (label,) = read_labels(tmp_path / "a.zpl")
    assert np.array_equal(label[2:, 3:], bits)
    assert not label[:2].any()


@pytest.mark.parametrize(
    "raw",
    [
        b"^XA^PW8^LL8^FO0,0^BQN,2,4^FDx^FS^XZ\n",
        b"^XA^PW8^LL8^XZ\n",
        b"^XA^PW8^LL8^FO0,0^GFA,2,2,1,FF^FS^XZ\n",
        b"^XA^PW8^LL8^FO0,0^GFA,1,1,1,FFF^FS^XZ\n",
        b"^XA^PW8^LL8^FO4,0^GFA,1,1,1,FF^FS^XZ\n",
        b"^XA^PW8^LL8^FO0,0^GFA,1,1,1,FF^FS\n",
        b"^XA^PW8^LL8^FO-1,0^GFA,1,1,1,FF^FS^XZ\n",
    ],
)
def test_what_it_does_not_understand_is_never_taken_for_proved(tmp_path, raw):
    (tmp_path / "a.zpl").write_bytes(raw)
    with pytest.raises(BadTable):
        list(read_labels(tmp_path / "a.zpl"))


def test_labels_refuse_what_does_not_fit_or_cannot_be_printed(tmp_path):
    with pytest.raises(DoesNotFit):
        write_zpl(make_spec(kinds=(Kind.INNER,)), KEY, tmp_path / "a", layout=label_layout(label_height_mm=12))
    with pytest.raises(Unprintable):
        write_zpl(make_spec(kinds=(Kind.INNER,), product_name="茶🍵"), KEY, tmp_path / "a", layout=label_layout())
    with pytest.raises(TooMany):
        write_zpl(make_spec(kinds=(Kind.INNER,), count=ZPL_COUNT_MAX + 1), KEY, tmp_path / "a", layout=label_layout())
    assert not list(tmp_path.iterdir())


def test_svg_pictures_are_the_symbols_and_have_the_same_bytes_each_time(tmp_path):
    spec = make_spec(kinds=(Kind.INNER,), count=5)
    record = write_svg_zip(spec, KEY, tmp_path / "a.zip")
    assert write_svg_zip(spec, KEY, tmp_path / "b.zip").sha256 == record.sha256
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == [f"inner-{serial:08d}.svg" for serial in range(5)]
        for serial, name in enumerate(archive.namelist()):
            modules = modules_in(archive.read(name))
            assert not modules[:4].any()
            assert np.array_equal(modules[4:-4, 4:-4], symbol_of(URL + mint_one(KEY, 7, Kind.INNER, serial)))
            assert b'width="15.651mm"' in archive.read(name)  # 37 modules of 0.423 mm


def test_an_svg_with_other_shapes_is_not_taken_for_a_symbol():
    good = svg_of(symbol_of("HTTPS://Q.CN/1"))
    for wrong in (good.replace(b'z"/></svg>', b'zM0 0l9 9z"/></svg>'), good.replace(b"viewBox", b"box"), b"<svg/>"):
        with pytest.raises(BadTable):
            modules_in(wrong)
