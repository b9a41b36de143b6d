"""Checking a pack: whatever was changed, lost, doubled or exchanged is found and named."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from batches import press
from batches.check import FINDINGS_MAX, check_pack
from batches.codes import mint_one
from batches.errors import BadManifest, Stopped
from batches.items import Kind
from batches.manifest import read_manifest
from batches.part import sha256_of
from batches.spec import BatchSpec

KEY = bytes(range(32))
NOW = datetime(2026, 11, 22, tzinfo=UTC)
CSV = "batch-7-00000000-00000019.csv"
TXT = "batch-7-00000000-00000019-inner.txt"
URL = b"HTTPS://Q.EXAMPLE.CN/"


@pytest.fixture
def pack(tmp_path):
    spec = BatchSpec(number=7, kinds=(Kind.OUTER, Kind.INNER), count=20, host="q.example.cn")
    press.run(spec, KEY, tmp_path, formats=("csv", "txt", "png"), now=NOW)
    return tmp_path


def reseal(folder, name):
    """What a careful forger would do: put the changed file's size and hash into the manifest."""
    manifest = read_manifest(folder / "manifest.json")
    path = folder / name
    files = tuple(
        replace(each, size_bytes=path.stat().st_size, sha256=sha256_of(path)) if each.name == name else each
        for each in manifest.files
    )
    (folder / "manifest.json").write_bytes(replace(manifest, files=files).to_json())


def change_line(folder, name, line, change):
    lines = (folder / name).read_bytes().splitlines(keepends=True)
    lines[line - 1] = change(lines[line - 1])
    (folder / name).write_bytes(b"".join(lines))
    reseal(folder, name)


def found(folder, key=KEY):
    return [(each.code, each.file, each.row) for each in check_pack(folder, key).findings]


def test_an_untouched_pack_is_in_order_with_and_without_the_key(pack):
    assert check_pack(pack, KEY).codes_verified == 20 * (4 + 2)
    report = check_pack(pack)
    assert report.ok
    assert report.codes_verified == 0
    assert report.rows == 20 * 5


def test_progress_is_told_within_files_and_a_check_stops_within_one(pack, monkeypatch):
    seen = []
    check_pack(pack, KEY, on_progress=lambda *each: seen.append(each))
    assert seen[0] == (0, 100, "csv")
    assert seen[-1] == (100, 100, "png")
    monkeypatch.setattr("batches.tables.CHUNK_BYTES", 200)
    within = []
    with pytest.raises(Stopped):
        check_pack(pack, KEY, on_progress=lambda *each: within.append(each), stop=lambda: len(within) >= 4)
    assert 0 < within[-1][0] < 20
    assert within[-1][2] == "csv"


def test_it_finds_a_changed_and_a_missing_file(pack):
    (pack / TXT).write_bytes((pack / TXT).read_bytes().replace(b"HTTPS", b"https", 1))
    (pack / CSV).unlink()
    assert found(pack) == [("missing", CSV, 0), ("changed", TXT, 0), ("url", TXT, 1)]


def test_it_finds_a_file_that_is_far_too_large_without_reading_it(pack):
    with (pack / TXT).open("ab") as file:
        file.truncate(100 << 20)
    assert found(pack) == [("changed", TXT, 0)]


def test_it_finds_a_code_that_was_changed_even_under_a_new_hash(pack):
    change_line(pack, TXT, 5, lambda line: line[:-2] + (b"1\n" if line[-2:] != b"1\n" else b"2\n"))
    assert found(pack) == [("forged", TXT, 5)]
    assert found(pack, key=None) == []


@pytest.mark.parametrize(
    ("batch", "kind", "serial"), [(7, Kind.INNER, 3), (7, Kind.OUTER, 4), (8, Kind.INNER, 4), (7, Kind.INNER, 99)]
)
def test_it_finds_doubled_and_foreign_codes_under_a_new_hash(pack, batch, kind, serial):
    code = mint_one(KEY, batch, kind, serial).encode()
    change_line(pack, TXT, 5, lambda line: URL + code + b"\n")
    assert found(pack) == [("foreign", TXT, 5)]


def test_it_finds_faults_of_rows(pack):
    change_line(pack, CSV, 3, lambda line: b"\r\n")
    change_line(pack, CSV, 4, lambda line: b"7" + line[1:])
    change_line(pack, CSV, 5, lambda line: line.replace(URL, b"HTTPS://Q.EXAMPLE.CM/"))
    change_line(pack, CSV, 6, lambda line: line[:2] + line[6:])
    change_line(pack, CSV, 7, lambda line: line.replace(b"\r\n", b",\xff\r\n"))
    assert sorted(found(pack)) == sorted(
        [
            ("row", CSV, 3),
            ("serial", CSV, 4),
            ("url", CSV, 5),
            ("url", CSV, 5),
            ("code", CSV, 6),
            ("row", CSV, 7),
        ]
    )


def test_it_finds_lost_and_added_rows(pack):
    lines = (pack / TXT).read_bytes().splitlines(keepends=True)
    (pack / TXT).write_bytes(b"".join(lines[:-1]))
    reseal(pack, TXT)
    assert found(pack) == [("count", TXT, 0)]
    (pack / TXT).write_bytes(b"".join([*lines, lines[-1]]))
    reseal(pack, TXT)
    assert found(pack) == [("foreign", TXT, 21), ("count", TXT, 0)]


def test_it_finds_a_foreign_header_and_a_broken_archive(pack):
    change_line(pack, CSV, 1, lambda line: b"a;b;c\r\n")
    name = "batch-7-00000000-00000019-inner.png.zip"
    (pack / name).write_bytes(b"PK no more")
    reseal(pack, name)
    assert found(pack) == [("header", CSV, 1), ("count", CSV, 0), ("damaged", name, 0), ("count", name, 0)]


def test_it_finds_gaps_between_files(pack):
    manifest = read_manifest(pack / "manifest.json")
    (pack / "manifest.json").write_bytes(replace(manifest, files=manifest.files[1:]).to_json())
    assert found(pack) == [("range", "manifest.json", 0)] * 2


def test_the_wrong_key_finds_everything_but_tells_no_more_than_it_must(pack):
    report = check_pack(pack, bytes(32))
    assert len(report.findings) == FINDINGS_MAX
    assert {each.code for each in report.findings} == {"forged"}


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(BadManifest, match="missing"):
        check_pack(tmp_path, KEY)
