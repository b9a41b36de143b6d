"""Regions of network addresses from ip2region's offline databases (xdb files), held in memory.

A file is read whole at start: 11 MB for IPv4. An answer takes some twenty microseconds and touches no disk, and no
address leaves the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from ip2region import searcher, util

from scancode.channels import regions

CHINA = "中国"
ISLANDS = {"香港", "澳门", "台湾"}
"""Older files put these first, where others have the country."""


class Regions:
    """Implements ``ports.RegionFinder``; at most one file for each version of the protocol."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Raises OSError, and ValueError for what is no such file."""
        self._searchers = {}
        for path in paths:
            content = path.read_bytes()
            version = util.version_from_header(util.Header(content)) if len(content) > util.VectorIndexLength else None
            if version is None:
                raise ValueError(f"{path} is no ip2region xdb file")
            self._searchers[version.byte_num] = searcher.new_with_buffer(version, content)

    def region_of(self, address: str) -> int | None:
        try:
            parsed = ip_address(address)
        except ValueError:
            return None
        plain = getattr(parsed, "ipv4_mapped", None) or parsed
        found = self._searchers.get(len(plain.packed))
        try:
            return read_region(found.search(plain.packed)) if found else None
        except (ValueError, IndexError):  # a damaged file: nothing is known
            return None


def read_region(text: str) -> int | None:
    """The place of ``中国|广东省|深圳市|电信|CN``, or of ``中国|0|广东省|深圳市|电信``; 0 is missing."""
    parts = ["" if part == "0" else part for part in text.split("|")]
    country, rest = parts[0], parts[1:]
    if rest and not rest[0] and len(parts) == 5:
        rest = rest[1:]
    province, city = [*rest, "", ""][:2]
    if country in ISLANDS or (country == CHINA and province):
        return regions.find(country if country in ISLANDS else province, city)
    if not country or country == CHINA or "内网" in text or country == "Reserved":
        return None
    return regions.ABROAD
