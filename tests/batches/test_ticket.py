"""How text files and workbooks are written: encodings, line ends, headers, splitting, SSCCs; and that it is proved."""

import csv
import io

import numpy as np
import pytest
import zxingcpp

from batches import files, press, sscc, workbook
from batches.check import check_pack
from batches.codes import mint_one
from batches.errors import BadSpec, BadTable, TooMany
from batches.items import Kind
from batches.layouts import Layout
from batches.spec import BatchSpec
from batches.ticket import Ticket
from tests.batches.test_press import KEY, NOW, make_spec


def table(path, encoding):
    return list(csv.reader(io.StringIO(path.read_bytes().decode(encoding), newline="")))


def test_a_table_in_gbk_names_the_product_in_chinese(tmp_path):
    spec = make_spec(count=2, gtin="06901234567892", lot="L1")
    ticket = Ticket(encoding="gbk", header="zh", with_product=True, newline="lf")
    files.write_csv(spec, KEY, tmp_path / "a.csv", ticket=ticket)
    rows = table(tmp_path / "a.csv", "gbk")
    assert rows[0] == ["序号", "外码", "外码网址", "内码", "内码网址", "产品", "GTIN", "生产批号"]
    assert rows[2][0] == "1"
    assert rows[2][3] == mint_one(KEY, 7, Kind.INNER, 1)
    assert rows[2][5:] == ["红茶", "06901234567892", "L1"]
    assert b"\r" not in (tmp_path / "a.csv").read_bytes()


def test_a_text_file_has_the_byte_order_mark_and_line_ends_that_were_asked_for(tmp_path):
    spec = make_spec(count=2)
    files.write_txt(spec, KEY, tmp_path / "a.txt", kind=Kind.INNER, ticket=Ticket(encoding="utf-8-bom", newline="crlf"))
    raw = (tmp_path / "a.txt").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfHTTPS://")
    assert raw.count(b"\r\n") == 2


def test_it_refuses_a_name_that_gbk_lacks_before_anything_is_written(tmp_path):
    ticket = Ticket(encoding="gbk", with_product=True)
    with pytest.raises(BadSpec) as caught:
        press.plan(make_spec(product_name="茶🍵"), ("csv",), ticket)
    assert caught.value.facts["field"] == "encoding"


def test_a_name_with_comma_quote_or_formula_stays_one_harmless_cell(tmp_path):
    for name, cell in (('红茶, "特级"', '红茶, "特级"'), ("=1+1", "'=1+1")):
        files.write_csv(make_spec(product_name=name), KEY, tmp_path / "a.csv", ticket=Ticket(with_product=True))
        assert {row[5] for row in table(tmp_path / "a.csv", "utf-8-sig")[1:]} == {cell}


@pytest.mark.parametrize("encoding", ["usual", "utf-8", "gbk"])
@pytest.mark.parametrize("name", ["红茶", '红茶, "特级"', "=1"])
def test_every_way_of_writing_is_proved_by_the_check(tmp_path, encoding, name):
    ticket = Ticket(encoding=encoding, header="zh", with_product=True, rows_per_file=100, newline="lf")
    spec = make_spec(count=250, product_name=name, kinds=(Kind.CASE, Kind.PALLET), sscc_prefix="6901234")
    manifest = press.run(spec, KEY, tmp_path, formats=("csv", "txt", "xlsx"), ticket=ticket, now=NOW)
    assert [each.rows for each in manifest.files] == [100, 100, 50] * 4
    report = check_pack(tmp_path, KEY)
    assert report.findings == ()
    assert report.codes_verified == 250 * (4 + 2 + 4)


def test_the_check_finds_an_sscc_and_a_product_that_were_changed(tmp_path):
    spec = make_spec(count=3, kinds=(Kind.CASE,), sscc_prefix="6901234", sscc_first=8)
    press.run(spec, KEY, tmp_path, formats=("csv",), ticket=Ticket(with_product=True), now=NOW)
    path = tmp_path / "batch-7-00000000-00000002.csv"
    raw = path.read_bytes()
    own = sscc.sscc_of("6901234", 9).encode()
    assert own in raw
    path.write_bytes(
        raw.replace(own, own[:-1] + b"%d" % ((own[-1] - 47) % 10)).replace("红茶".encode(), "绿茶".encode(), 1)
    )
    assert {(each.code, each.row) for each in check_pack(tmp_path, KEY).findings} >= {("sscc", 3), ("product", 2)}


def test_a_workbook_holds_codes_as_text_and_has_the_same_bytes_each_time(tmp_path):
    spec = make_spec(count=3)
    first = workbook.write_xlsx(spec, KEY, tmp_path / "a.xlsx")
    assert workbook.write_xlsx(spec, KEY, tmp_path / "b.xlsx").sha256 == first.sha256
    rows = list(workbook.read_rows(tmp_path / "a.xlsx"))
    assert rows[0] == list(files.csv_columns(spec.kinds))
    assert [row[0] for row in rows[1:]] == ["0", "1", "2"]
    assert rows[3][4] == f"HTTPS://Q.EXAMPLE.CN/{mint_one(KEY, 7, Kind.INNER, 2)}"
    assert first.size_bytes <= workbook.xlsx_size_bytes(spec)


def test_workbooks_are_split_below_the_row_limit_of_excel():
    pieces = press.plan(make_spec(count=2_500_000), ("xlsx",))
    assert [piece.spec.count for piece in pieces] == [1_000_000, 1_000_000, 500_000]
    assert max(piece.spec.count for piece in pieces) + 1 <= workbook.EXCEL_ROWS_MAX
    with pytest.raises(TooMany):
        press.plan(make_spec(count=5_000_001), ("xlsx",))
    with pytest.raises(TooMany) as caught:
        press.plan(make_spec(count=1 << 25), ("csv",), Ticket(rows_per_file=100))
    assert caught.value.facts["format"] == "files"


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04nothing", b"no workbook"])
def test_what_is_no_workbook_is_refused(tmp_path, raw):
    (tmp_path / "a.xlsx").write_bytes(raw)
    with pytest.raises(BadTable):
        list(workbook.read_rows(tmp_path / "a.xlsx"))


def test_a_ticket_survives_its_own_text_and_refuses_what_it_does_not_know():
    ticket = Ticket(encoding="gbk", rows_per_file=500, spoilage=7, layout=Layout(medium="roll", rows=1, dpi=203))
    assert Ticket.from_dict(ticket.to_dict()) == ticket
    assert Ticket.from_dict({}) == Ticket()
    wrong = ({"colour": 1}, {"rows_per_file": 7}, {"rows_per_file": "9"}, {"layout": {"x": 1}}, {"header": None})
    for given in (*wrong, {"layout": {"columns": "five"}}, {"spoilage": -1}, {"encoding": "latin-1"}):
        with pytest.raises(BadSpec):
            Ticket.from_dict(given)


def test_an_sscc_is_the_one_of_the_standard():
    # GS1 EPC Tag Data Standard: urn:epc:id:sscc:0614141.1234567890
    assert sscc.sscc_of("0614141", 1234567890) == "106141412345678908"
    assert sscc.is_sscc("106141412345678908")
    assert not sscc.is_sscc("106141412345678909")
    assert sscc.spaced("106141412345678908") == "(00) 1061 4141 2345 6789 08"


def test_ssccs_of_a_range_are_counted_on_and_differ():
    rows = sscc.sscc_range("690123456789", 99_998, 2)
    found = [row.tobytes().decode() for row in rows]
    assert [text[0] + text[13:17] for text in found] == ["99998", "99999"]
    assert all(map(sscc.is_sscc, found))
    for wrong in (("123", 0), ("12345678901234", 0), ("69O1234", 0), ("690123456789", 100_000)):
        with pytest.raises(BadSpec):
            sscc.sscc_of(*wrong)


def test_a_case_and_a_pallet_of_one_serial_have_different_ssccs():
    spec = make_spec(kinds=(Kind.OUTER, Kind.CASE, Kind.PALLET), sscc_prefix="6901234", sscc_first=10)
    found = [spec.sscc_for(kind, serial) for serial in range(3) for kind in (Kind.CASE, Kind.PALLET)]
    assert found == [sscc.sscc_of("6901234", reference) for reference in range(10, 16)]
    assert spec.sscc_for(Kind.OUTER, 0) is None
    with pytest.raises(BadSpec) as caught:
        BatchSpec(number=1, kinds=(Kind.CASE,), count=2, host="q.cn", sscc_prefix="690123456789", sscc_first=99_999)
    assert caught.value.facts["field"] == "sscc_first"


def test_the_bars_of_an_sscc_read_as_gs1_128():
    bars = np.pad(sscc.bars_of("106141412345678908"), 10)
    picture = np.where(np.repeat(bars, 3)[None, :].repeat(60, axis=0), 0, 255).astype(np.uint8)
    (found,) = zxingcpp.read_barcodes(picture)
    assert (found.text, found.content_type) == ("(00)106141412345678908", zxingcpp.ContentType.GS1)
