"""The print house's preflight: whatever is wrong with files that came back is found, and named by file and row."""

import json

import numpy as np
import pytest
import xlsxwriter
from click.testing import CliRunner

from batches import files, preflight, press, reported, seen
from batches.__main__ import main
from batches.codes import mint_one
from batches.errors import TooMany
from batches.items import Kind
from batches.reported import sentences
from batches.ticket import Ticket
from tests.batches.test_press import KEY, NOW, make_spec

URL = "HTTPS://Q.EXAMPLE.CN/"


def address(serial, kind=Kind.INNER, number=7, key=KEY):
    return URL + mint_one(key, number, kind, serial)


@pytest.fixture
def put(tmp_path):
    """Writes lines into a file and returns its path."""

    def write(name, lines, *, newline="\n", encoding="utf-8"):
        (tmp_path / name).write_bytes((newline.join(lines) + newline).encode(encoding))
        return tmp_path / name

    return write


def found(*paths, keyed=True, **more):
    report = preflight.check_files(paths, verifiers=preflight.any_of([KEY]) if keyed else None, **more)
    for finding in report.findings:
        assert all(reported.sentences(finding))
    return [(each.code, each.file, each.row) for each in report.findings]


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_good_table_passes_however_it_is_written(put, keyed, encoding, newline, delimiter):
    lines = [delimiter.join((str(serial), "红茶", address(serial))) for serial in range(30)]
    path = put("a.csv", [delimiter.join(("序号", "产品", "网址")), *lines], newline=newline, encoding=encoding)
    report = preflight.check_files([path], verifiers=preflight.any_of([KEY]) if keyed else None)
    (facts,) = report.files
    assert facts.shape.encoding == encoding.replace("-sig", "-bom")
    assert (facts.shape.delimiter, facts.codes, facts.batches) == (delimiter, 30, (7,))
    assert facts.ranges == ({(7, Kind.INNER): (0, 29)} if keyed else {})
    assert {each.code for each in report.findings} == ({"encoding"} if encoding == "utf-16" else set())


def test_blank_truncated_and_torn_rows_are_named(put):
    lines = [f"{serial},{address(serial)}" for serial in range(9)]
    lines[2], lines[4], lines[6], lines[8] = "", lines[4][:-3], "6", f"8,{URL}UUUUUUUUUUUUUUUUUUUU"
    path = put("a.csv", lines)
    assert found(path) == [
        ("blank", "a.csv", 3),
        ("columns", "a.csv", 7),
        ("truncated", "a.csv", 5),
        ("malformed", "a.csv", 9),
    ]


@pytest.mark.parametrize("keyed", [True, False])
def test_duplicates_are_found_within_and_across_files(put, keyed):
    one = put("one.txt", [address(serial) for serial in (0, 1, 2, 1)])
    two = put("two.txt", [address(serial) for serial in (5, 2, 6, 0)])
    report = preflight.check_files([one, two], verifiers=preflight.any_of([KEY]) if keyed else None)
    duplicates = {
        (each.file, each.row, each.facts["other"], each.facts["other_row"])
        for each in report.findings
        if each.code == "duplicate"
    }
    assert duplicates == {
        ("one.txt", 4, "one.txt", "2"),
        ("two.txt", 2, "one.txt", "3"),
        ("two.txt", 4, "one.txt", "1"),
    }


def test_code_and_address_of_a_row_are_one_code_and_must_agree(put):
    rows = [f"{address(serial)[-20:]},{address(serial)}" for serial in range(5)]
    assert found(put("a.csv", rows)) == []
    rows[3] = f"{address(9)[-20:]},{address(3)}"
    assert found(put("a.csv", rows)) == [("pair", "a.csv", 4)]


def test_outer_and_inner_code_of_a_row_are_two_codes(put):
    rows = [f"{address(serial, Kind.OUTER)},{address(serial)}" for serial in range(5)]
    report = preflight.check_files([put("a.csv", rows)], verifiers=preflight.any_of([KEY]))
    assert report.ok
    assert report.codes_verified == 10
    assert report.files[0].ranges == {(7, Kind.OUTER): (0, 4), (7, Kind.INNER): (0, 4)}


def test_forged_and_foreign_codes_are_told_apart(put):
    forged = address(3, key=bytes(32))
    foreign = address(3, number=8, key=bytes(range(1, 33)))
    path = put("a.txt", [address(0), forged, foreign, address(1)])
    assert found(path) == [("forged", "a.txt", 2), ("foreign", "a.txt", 3), ("mixed", "a.txt", 0)]
    manifest = press.Manifest.announce(make_spec(), KEY, formats=("txt",), ticket=Ticket(), now=NOW)
    assert ("foreign", "a.txt", 3) in found(path, manifest=manifest)
    assert found(path, keyed=False, manifest=manifest) == [("foreign", "a.txt", 3), ("mixed", "a.txt", 0)]


def test_ranges_that_overlap_and_codes_that_are_missing_are_named(put):
    one = put("one.txt", [address(serial) for serial in (0, 2, 4, 6)])
    two = put("two.txt", [address(serial) for serial in (5, 7, 9)])
    manifest = press.Manifest.announce(make_spec(), KEY, formats=("txt",), ticket=Ticket(), now=NOW)
    report = preflight.check_files([one, two], verifiers=preflight.any_of([KEY]), manifest=manifest)
    overlap, missing = report.findings
    assert (overlap.code, overlap.file, overlap.facts["other"]) == ("overlap", "two.txt", "one.txt")
    assert (overlap.facts["first"], overlap.facts["last"]) == ("5", "6")
    assert (missing.code, missing.facts["count"], missing.facts["gaps"]) == ("missing", "5", "1, 3, 8, 10-11")


def test_another_host_and_lower_case_are_noted_and_still_verified(put):
    lines = [address(0), address(1).replace("Q.", "R."), address(2).lower(), address(3)[-20:], address(4)]
    report = preflight.check_files([put("a.txt", lines)], verifiers=preflight.any_of([KEY]))
    assert [(each.code, each.row) for each in report.findings] == [("address", 2), ("case", 3), ("address", 4)]
    assert report.codes_verified == 5


def test_a_workbook_that_came_back_is_read(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:  # with shared strings, as Excel writes it
        sheet = book.add_worksheet()
        for row, serial in enumerate((0, 1, 1)):
            sheet.write(row, 1, f"{address(serial)}", None)
    assert found(tmp_path / "a.xlsx") == [("duplicate", "a.xlsx", 3)]


def test_what_holds_no_codes_is_said(put):
    assert found(put("a.csv", ["name,price", "tea,3"])) == [("no_codes", "a.csv", 0)]
    empty = put("b.csv", [])
    empty.write_bytes(b"")
    assert found(empty) == [("empty", "b.csv", 0)]


def test_lines_of_mixed_ends_and_of_old_macs_are_noted(put, tmp_path):
    (tmp_path / "a.txt").write_bytes(f"{address(0)}\r\n{address(1)}\n".encode())
    (tmp_path / "b.txt").write_bytes(f"{address(2)}\r{address(3)}\r".encode())
    assert found(tmp_path / "a.txt", tmp_path / "b.txt") == [("newline", "a.txt", 0), ("newline", "b.txt", 0)]


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_checked(put, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"x" * (5 << 20))
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    report = preflight.check_files([tmp_path / "a.txt", tmp_path / "b.xlsx", put("c.txt", [address(0)])])
    assert [(each.file, each.facts["reason"]) for each in report.findings] == [
        ("a.txt", "line"),
        ("b.xlsx", "workbook"),
    ]
    assert report.files[-1].codes == 1
    assert sentences(report.findings[1])[1] == "cannot be read: it is no workbook that can be read"


def test_many_faults_are_counted_and_some_are_shown(put):
    report = preflight.check_files([put("a.txt", [address(0)] * 1000)], verifiers=preflight.any_of([KEY]))
    assert report.counts == {"duplicate": 999}
    assert len(report.findings) == preflight.SHOWN_MAX


def test_chunks_and_blocks_do_not_lose_a_duplicate(tmp_path, monkeypatch):
    monkeypatch.setattr("batches.tables.CHUNK_BYTES", 1000)
    spec = make_spec(count=500)
    files.write_csv(spec, KEY, tmp_path / "a.csv")
    assert found(tmp_path / "a.csv") == []
    raw = (tmp_path / "a.csv").read_bytes().splitlines(keepends=True)
    (tmp_path / "a.csv").write_bytes(b"".join([*raw, raw[7], raw[-1]]))
    # outer and inner code of both rows
    assert found(tmp_path / "a.csv") == [("duplicate", "a.csv", row) for row in (502, 503, 502, 503)]


def test_serials_remember_the_first_row_in_any_order():
    table = seen.Serials()
    rows = np.arange(1, 6, dtype=np.uint32)
    again, earlier = table.add(7, 1, np.array([3, 9, 3, 4, 9], dtype=np.uint64), rows)
    assert (again.tolist(), earlier.tolist()) == ([3, 5], [1, 2])
    again, earlier = table.add(7, 1, np.array([4, 4, 5], dtype=np.uint64), rows[:3] + 5)
    assert (again.tolist(), earlier.tolist()) == ([6, 7], [4, 4])
    assert table.missing(7, 1, 0, 5) == (3, [(0, 2)])


def test_there_is_a_limit_without_a_key(monkeypatch):
    monkeypatch.setattr(seen, "UNKEYED_COUNT_MAX", 2)
    codes = np.full((3, 20), ord("0"), dtype=np.uint8)
    with pytest.raises(TooMany):
        seen.Unkeyed().add(codes, np.zeros(3, dtype=np.uint32))


def test_the_command_says_it_in_both_languages_and_in_json(put, tmp_path):
    key_file = tmp_path / "key"
    key_file.write_text(KEY.hex())
    path = put("a.txt", [address(0), address(0)])
    made = CliRunner().invoke(main, ["check", str(path), "--key-file", str(key_file)])
    assert made.exit_code == 1
    assert "a.txt:2: duplicate: 重复：此码已见于 a.txt 第 1 行 / duplicate: this code" in made.output
    made = CliRunner().invoke(main, ["check", str(path), "--json"])
    body = json.loads(made.output)
    assert (body["ok"], body["counts"], body["files"][0]["encoding"]) == (False, {"duplicate": 1}, "ascii")
    path = put("a.txt", [address(0), address(1)])
    made = CliRunner().invoke(main, ["check", str(path), "--key-file", str(key_file)])
    assert made.exit_code == 0
    assert "没有发现问题，已验签 2 个码 / no faults, 2 codes verified" in made.output
