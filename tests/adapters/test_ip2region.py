"""Regions from xdb files, made here in the forms that ip2region's own tools write: structure 2, which knows IPv4 alone,
and structure 3 for IPv4 and IPv6."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from pathlib import Path

import pytest

from scancode.adapters.ip2region import Regions, read_region
from scancode.channels.regions import ABROAD

VECTORS = 256 * 256 * 8


def write_xdb(path: Path, rows: list[tuple[str, str, str]], *, structure: int = 3) -> Path:
    """Rows of first address, last address (both within one /16) and text."""
    vectors, texts, segments = bytearray(VECTORS), b"", b""
    texts_at = 256 + VECTORS
    segments_at = texts_at + sum(len(text.encode()) for _, _, text in rows)
    for first, last, text in rows:
        low, high = (ip_address(each).packed for each in (first, last))
        slot = low[0] * 256 * 8 + low[1] * 8
        at = segments_at + len(segments)
        begins = struct.unpack_from("<I", vectors, slot)[0] or at
        struct.pack_into("<II", vectors, slot, begins, at)
        ends = low + high if len(low) == 16 else low[::-1] + high[::-1]  # IPv4 is kept with its last byte first
        segments += ends + struct.pack("<HI", len(text.encode()), texts_at + len(texts))
        texts += text.encode()
    version = 6 if ":" in rows[0][0] else 4
    known = (version, 4) if structure == 3 else (0, 0)
    at_last = segments_at + len(segments) - (38 if version == 6 else 14)
    header = struct.pack("<HHIIIHH", structure, 1, 0, segments_at, at_last, *known)
    path.write_bytes(header.ljust(256, b"\0") + bytes(vectors) + texts + segments)
    return path


@pytest.fixture
def finder(tmp_path: Path) -> Regions:
    rows = [
        ("113.90.0.0", "113.90.127.255", "中国|广东省|深圳市|电信|CN"),
        ("113.90.128.0", "113.90.255.255", "中国|0|广东省|广州市|电信"),
        ("8.8.0.0", "8.8.255.255", "美国|加利福尼亚|0|Google|US"),
    ]
    return Regions([write_xdb(tmp_path / "v4.xdb", rows)])


@pytest.mark.parametrize(
    ("address", "region"),
    [
        ("113.90.1.2", 440300),
        ("113.90.200.1", 440100),
        ("::ffff:113.90.1.2", 440300),
        ("8.8.8.8", ABROAD),
        ("9.9.9.9", None),
        ("2001:db8::1", None),
        ("unknown", None),
    ],
)
def test_it_tells_the_region_of_an_address(finder: Regions, address: str, region: int | None) -> None:
    assert finder.region_of(address) == region


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("中国|浙江省|0|移动|CN", 330000),
        ("中国|香港|0|0|HK", 810000),
        ("香港|0|0|0|HK", 810000),
        ("中国|0|0|0|CN", None),
        ("0|0|0|内网IP|内网IP", None),
        ("Reserved|Reserved|Reserved|0|0", None),
        ("", None),
    ],
)
def test_it_reads_what_the_database_says(text: str, region: int | None) -> None:
    assert read_region(text) == region


def test_it_reads_the_older_structure_and_a_file_of_ipv6_beside_it(tmp_path: Path) -> None:
    old = write_xdb(tmp_path / "v4.xdb", [("36.128.0.0", "36.128.255.255", "中国|0|辽宁省|朝阳市|移动")], structure=2)
    new = write_xdb(
        tmp_path / "v6.xdb",
        [
            ("2409:8000::", "2409:8000:7fff:ffff:ffff:ffff:ffff:ffff", "中国|内蒙古|锡林郭勒|移动|CN"),
            ("2409:8000:8000::", "2409:8000:ffff:ffff:ffff:ffff:ffff:ffff", "日本|东京都|0|0|JP"),
        ],
    )
    finder = Regions([old, new])
    found = [finder.region_of(each) for each in ("36.128.9.9", "2409:8000::1", "2409:8000:9000::1", "2001:db8::1")]
    assert found == [211300, 152500, ABROAD, None]


def test_it_refuses_another_file(tmp_path: Path) -> None:
    path = tmp_path / "x.xdb"
    path.write_bytes(b"no database")
    with pytest.raises(ValueError, match=r"no ip2region xdb file"):
        Regions([path])
