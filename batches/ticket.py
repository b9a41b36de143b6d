"""The job ticket: how the files of a pack are written and drawn, apart from what stands in them.

It travels with the order, is kept with the batch and stands in the manifest, so that a pack can be made
again byte for byte and a stranger knows how to read it. What a format usually wants is the default: CSV
for Excel in China (UTF-8 with byte-order mark, CRLF), plain lines for print engines.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from batches.errors import BadSpec
from batches.items import MAX_BATCH_COUNT
from batches.layouts import Layout

USUAL: Final = "usual"
ENCODINGS: Final = (USUAL, "utf-8-bom", "utf-8", "gbk")
NEWLINES: Final = (USUAL, "crlf", "lf")
HEADERS: Final = ("en", "zh", "none")
ROWS_PER_FILE_MIN: Final = 100
BOM: Final = b"\xef\xbb\xbf"  # without it Excel in China reads UTF-8 as GBK

_NEWLINE_BYTES: Final = {"crlf": b"\r\n", "lf": b"\n"}
_USUAL_ENCODING: Final = {"csv": "utf-8-bom", "txt": "utf-8"}
_USUAL_NEWLINE: Final = {"csv": "crlf", "txt": "lf"}


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """How to make the files. Raises BadSpec for a choice that does not exist.

    ``rows_per_file`` splits CSV, TXT and XLSX (0: only where the format has a limit). ``with_product`` adds
    columns that are the same in every row. Of the items ordered, ``spoilage`` are spare: so many may spoil.
    """

    encoding: str = USUAL
    newline: str = USUAL
    header: str = "en"
    with_product: bool = False
    rows_per_file: int = 0
    spoilage: int = 0
    layout: Layout = field(default_factory=Layout)

    def __post_init__(self) -> None:
        chosen = (("encoding", self.encoding, ENCODINGS), ("newline", self.newline, NEWLINES))
        for name, value, offered in (*chosen, ("header", self.header, HEADERS)):
            if value not in offered:
                raise _refused(name, value, f"is none of {', '.join(offered)}")
        if self.rows_per_file and not ROWS_PER_FILE_MIN <= self.rows_per_file <= MAX_BATCH_COUNT:
            raise _refused("rows_per_file", self.rows_per_file, f"is outside {ROWS_PER_FILE_MIN} to {MAX_BATCH_COUNT}")
        if not 0 <= self.spoilage < MAX_BATCH_COUNT:
            raise _refused("spoilage", self.spoilage, f"is outside 0 to {MAX_BATCH_COUNT - 1}")

    def encoding_of(self, file_format: str) -> str:
        """``utf-8-bom``, ``utf-8`` or ``gbk``."""
        return _USUAL_ENCODING[file_format] if self.encoding == USUAL else self.encoding

    def newline_of(self, file_format: str) -> bytes:
        """What ends a line."""
        return _NEWLINE_BYTES[_USUAL_NEWLINE[file_format] if self.newline == USUAL else self.newline]

    def encode(self, text: str, file_format: str) -> bytes:
        """A piece of a text file, without byte-order mark. Raises BadSpec for characters that GBK lacks."""
        encoding = "gbk" if self.encoding_of(file_format) == "gbk" else "utf-8"
        try:
            return text.encode(encoding)
        except UnicodeEncodeError as error:
            raise _refused("encoding", text[error.start], "does not occur in GBK") from error

    def bom_of(self, file_format: str) -> bytes:
        """The byte-order mark, or nothing."""
        return BOM if self.encoding_of(file_format) == "utf-8-bom" else b""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "layout": self.layout.to_dict()}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Ticket:
        """The inverse of ``to_dict``; what is missing is as usual. Raises BadSpec."""
        known = {each.name for each in fields(cls)}
        if not set(given) <= known:
            raise _refused("ticket", ", ".join(sorted(set(given) - known)), "is unknown")
        try:
            return cls(**{**given, "layout": Layout.from_dict(given.get("layout", {}))})
        except TypeError as error:
            raise _refused("ticket", "", "has values of another kind") from error


def _refused(name: str, value: str | int, why: str) -> BadSpec:
    return BadSpec(f"{name} {value!r} {why}", payload=str(value), field=name, value=str(value)[:80])
