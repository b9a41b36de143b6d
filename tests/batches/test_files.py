"""CSV and TXT: their bytes, their progress, and what happens when writing is interrupted."""

import csv
import hashlib
import io

import pytest

from batches import codes, files
from batches.errors import BadSpec, Stopped
from batches.items import Kind
from batches.spec import BatchSpec
from batches.ticket import Ticket

KEY = bytes(range(32))


def make_spec(**over):
    return BatchSpec(
        **{"number": 7, "kinds": (Kind.OUTER, Kind.INNER), "count": 25, "first": 95, "host": "q.example.cn", **over}
    )


def expected_rows(spec):
    for serial in range(spec.first, spec.last + 1):
        row = [str(serial)]
        for kind in spec.kinds:
            code = codes.mint_one(KEY, spec.number, kind, serial)
            row += [code, f"HTTPS://Q.EXAMPLE.CN/{code}"]
        yield row


def test_outer_and_inner_code_of_an_item_stand_in_one_row(tmp_path):
    spec = make_spec()
    record = files.write_csv(spec, KEY, tmp_path / "a.csv")
    raw = (tmp_path / "a.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfserial,outer_code,outer_url,inner_code,inner_url\r\n")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert rows[1:] == list(expected_rows(spec))
    assert raw.count(b"\r\n") == raw.count(b"\n") == 26
    assert (record.rows, record.first, record.last) == (25, 95, 119)
    assert record.size_bytes == len(raw) <= files.csv_size_bytes(spec)
    assert record.sha256 == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize("chunk_rows", [1, 3, 7, 1000])
def test_the_bytes_do_not_depend_on_the_chunks(tmp_path, chunk_rows):
    whole = files.write_csv(make_spec(first=0, count=120), KEY, tmp_path / "whole.csv")
    parts = files.write_csv(make_spec(first=0, count=120), KEY, tmp_path / "parts.csv", chunk_rows=chunk_rows)
    assert parts.sha256 == whole.sha256


def test_columns_byte_order_mark_and_line_ends_can_be_chosen(tmp_path):
    spec = make_spec(count=2)
    files.write_csv(
        spec, KEY, tmp_path / "a.csv", columns=("inner_url", "serial"), ticket=Ticket(encoding="utf-8", newline="lf")
    )
    first, second = ([row[4], row[0]] for row in expected_rows(spec))
    assert (tmp_path / "a.csv").read_text() == f"inner_url,serial\n{','.join(first)}\n{','.join(second)}\n"


def test_it_refuses_a_column_that_does_not_exist(tmp_path):
    with pytest.raises(BadSpec, match="case_code"):
        files.write_csv(make_spec(), KEY, tmp_path / "a.csv", columns=("case_code",))
    assert not list(tmp_path.iterdir())


def test_a_text_file_is_one_address_a_line(tmp_path):
    spec = make_spec()
    record = files.write_txt(spec, KEY, tmp_path / "a.txt", kind=Kind.INNER)
    raw = (tmp_path / "a.txt").read_bytes()
    assert raw.decode("ascii") == "".join(row[4] + "\n" for row in expected_rows(spec))
    assert record.kinds == (Kind.INNER,)
    assert record.size_bytes <= files.txt_size_bytes(spec)


def test_a_text_file_of_two_kinds_must_say_which(tmp_path):
    for kind in (None, Kind.CASE):
        with pytest.raises(BadSpec):
            files.write_txt(make_spec(), KEY, tmp_path / "a.txt", kind=kind)
    assert files.write_txt(make_spec(kinds=(Kind.CASE,)), KEY, tmp_path / "a.txt").kinds == (Kind.CASE,)


def test_digital_links_are_written_whole(tmp_path):
    spec = make_spec(kinds=(Kind.INNER,), count=1, gtin="06901234567892", digital_link=True)
    files.write_txt(spec, KEY, tmp_path / "a.txt")
    code = codes.mint_one(KEY, 7, 1, 95)
    assert (tmp_path / "a.txt").read_text() == f"HTTPS://Q.EXAMPLE.CN/01/06901234567892/21/{code}\n"


def test_it_reports_only_rows_that_are_in_the_file(tmp_path):
    path, seen = tmp_path / "a.txt", []

    def on_progress(rows):
        assert not path.exists()
        assert len((tmp_path / "a.txt.part").read_bytes().splitlines()) >= rows
        seen.append(rows)

    files.write_txt(make_spec(), KEY, path, kind=Kind.OUTER, chunk_rows=10, on_progress=on_progress)
    assert seen == [10, 20, 25]
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


def test_a_stopped_file_leaves_nothing_behind(tmp_path):
    seen = []
    with pytest.raises(Stopped):
        files.write_csv(
            make_spec(), KEY, tmp_path / "a.csv", chunk_rows=10, on_progress=seen.append, stop=lambda: len(seen) == 2
        )
    assert seen == [10, 20]
    assert not list(tmp_path.iterdir())


def test_an_existing_file_stands_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(Stopped):
        files.write_txt(make_spec(), KEY, path, kind=Kind.OUTER, stop=lambda: True)
    assert path.read_text() == "before"
    (tmp_path / "a.txt.part").write_text("torn by a crash" * 1000)
    files.write_txt(make_spec(), KEY, path, kind=Kind.OUTER)
    assert len(path.read_text().splitlines()) == 25
