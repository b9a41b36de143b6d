"""Which small texts may be put at the root of the host: those by which a platform sees that the host is ours. Pure.

The name says which platform may have given it; whatever a browser could take for a page is kept out, as are the names
that mean something to everybody (``robots.txt``).
"""

from __future__ import annotations

import re

CONTENT_BYTES_MAX = 4096
_NAMES = re.compile(
    r"(?:MP_verify_[0-9A-Za-z]{4,40}|WW_verify_[0-9A-Za-z]{4,40}|(?!(?:robots|humans|security|ads|app-ads)\.)[0-9A-Za-z_-]{4,60})\.txt"
    r"|ByteDanceVerify\.html|baidu_verify_[0-9A-Za-z_-]{4,50}\.html",
    re.ASCII,
)


def is_site_file(name: str) -> bool:
    """``MP_verify_*.txt`` (WeChat), ``WW_verify_*.txt`` (WeCom), ``abc123.txt`` (mini programs, Alipay, QQ), and two
    that end in ``.html`` (Douyin, Baidu)."""
    return _NAMES.fullmatch(name) is not None


def read_content(upload: bytes) -> str | None:
    """The text of a file; None for what is too large, empty, no text, or a page with scripts."""
    if not 0 < len(upload) <= CONTENT_BYTES_MAX:
        return None
    try:
        text = upload.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if not text.strip() or any(not char.isprintable() and char not in "\r\n\t" for char in text):
        return None
    return text
