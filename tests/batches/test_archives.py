"""ZIP files from strangers: tables come out under numbers, whatever the archive calls them; nothing else does."""

import io
import struct
import zipfile

import pytest

from batches import archives
from batches.archives import Sent, is_archive, open_archives, opened_bytes
from batches.errors import TooMany


def packed(path, **entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as writing:
        for name, content in entries.items():
            writing.writestr(name, content)
    return Sent(path, path.name)


def test_tables_come_out_under_numbers_and_the_rest_is_named(tmp_path):
    entries = {"../../evil.csv": "a", "C:\\x\\b.TXT": "b", "c.pdf": "c", "__MACOSX/._c.csv": "d", "e/": ""}
    plain = Sent(tmp_path / "plain.csv", "plain.csv")
    plain.path.write_text("p")
    opened = open_archives([packed(tmp_path / "a.zip", **entries), plain], tmp_path / "out")
    assert [each.name for each in opened.files] == ["a.zip/evil.csv", "a.zip/b.TXT", "plain.csv"]
    assert opened.skipped == ("a.zip/c.pdf",)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["000000", "000001"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "out", "plain.csv"]


def test_a_workbook_is_no_archive(tmp_path):
    packed(tmp_path / "a.xlsx", **{"[Content_Types].xml": "x", "xl/workbook.xml": "x"})
    assert not is_archive(tmp_path / "a.xlsx")


def test_an_encrypted_and_a_damaged_entry_are_faults_of_their_own(tmp_path):
    made = packed(tmp_path / "a.zip", **{"a.csv": "x" * 100})
    whole = made.path.read_bytes()
    place = whole.index(b"PK\x01\x02") + 8  # the flags in the directory, and in the entry's own head
    locked = bytearray(whole)
    locked[place] |= 1
    locked[6] |= 1
    made.path.write_bytes(locked)
    assert [each.fault for each in open_archives([made], tmp_path / "1").files] == ["encrypted"]
    broken = bytearray(whole)
    broken[place + 8 : place + 12] = struct.pack("<L", 1)  # another checksum
    made.path.write_bytes(broken)
    assert [each.fault for each in open_archives([made], tmp_path / "2").files] == ["zip"]


def test_what_would_fill_the_disk_is_refused_before_a_byte_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "OPENED_BYTES_MAX", 1000)
    made = packed(tmp_path / "a.zip", **{"a.csv": "x" * 2000})
    with pytest.raises(TooMany):
        open_archives([made], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert opened_bytes([Sent(tmp_path / "b.csv", "b")] if (tmp_path / "b.csv").write_text("x") else []) == 0


def test_no_more_comes_out_than_an_entry_says_of_itself(tmp_path):
    made = packed(tmp_path / "a.zip", **{"a.csv": "x" * 5000})
    lying = bytearray(made.path.read_bytes())
    directory = lying.index(b"PK\x01\x02")
    lying[directory + 24 : directory + 28] = struct.pack("<L", 10)
    lying[22:26] = struct.pack("<L", 10)
    made.path.write_bytes(lying)
    opened = open_archives([made], tmp_path / "out")
    assert opened.files[0].fault == "zip" or opened.files[0].path.stat().st_size <= 10


def test_too_many_entries_are_a_fault_and_stopping_stops(tmp_path, monkeypatch):
    made = packed(tmp_path / "a.zip", **{"a.csv": "x", "b.csv": "y"})

    def stop(done):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        open_archives([made], tmp_path / "1", on_bytes=stop)
    monkeypatch.setattr(archives, "ENTRIES_MAX", 1)
    assert [each.fault for each in open_archives([made], tmp_path / "2").files] == ["files"]
    assert not is_archive(_text(tmp_path))


def _text(folder):
    path = folder / "t.zip"
    path.write_bytes(io.BytesIO(b"PK\x03\x04 and then nothing").getvalue())
    return path
