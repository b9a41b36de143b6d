"""The manifest of a pack: what is handed to the printer, in JSON that people can read as well.

It says what was ordered, which range of which batch the files hold, their sizes and SHA-256, one sample
address, and how to check all of it. The same order made at the same time gives the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from batches.codes import mint_one
from batches.errors import BadManifest
from batches.items import Kind
from batches.part import FileRecord
from batches.spec import BatchSpec, base_url
from batches.symbols import symbol_of
from batches.ticket import Ticket

MANIFEST_NAME: Final = "manifest.json"
FORMAT: Final = "scancode-pack"
FORMAT_VERSION: Final = 1
MANIFEST_SIZE_MAX: Final = 16 << 20

HOW_TO_CHECK: Final = {
    "en": "python -m batches check FOLDER --key-file FILE: hashes every file, verifies every code. "
    "Without a key the hashes and counts are checked. A symbol of the sheet must read as an address of its file.",
    "zh": "运行 python -m batches check 文件夹 --key-file 密钥文件：核对每个文件的哈希并逐码验签；"
    "没有密钥时核对哈希与数量。抽扫标签，内容应与文件中的网址一致。",
}


@dataclass(frozen=True)
class Proved:
    """What was proved before the pack was offered: codes verified in tables, symbols decoded of how many drawn."""

    codes_verified: int
    symbols_decoded: int
    symbols: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One pack. ``count`` items from serial ``first`` to ``last``, each with a code of every kind.

    ``sample_url`` is the address of the first item's first code and ``sample_symbol`` what it looks like, ``#`` for
    dark; as it depends on the key, two manifests that agree in it and in the batch were made with the same key.
    ``part`` of ``parts`` batches of one order; ``replaces`` is the batch that was spoiled and voided.
    """

    order_no: str
    batch: int
    product_name: str
    gtin: str | None
    lot: str | None
    is_test: bool
    kinds: tuple[Kind, ...]
    first: int
    last: int
    count: int
    base_url: str
    digital_link: bool
    url_prefix: str
    sample_url: str
    sample_symbol: tuple[str, ...]
    sscc_prefix: str
    sscc_first: int
    part: int
    parts: int
    replaces: int | None
    formats: tuple[str, ...]
    ticket: Ticket
    created_at: datetime
    files: tuple[FileRecord, ...]
    proof: Proved | None = None

    @property
    def code_count(self) -> int:
        """Codes in the pack over all kinds; a code that stands in several files counts once."""
        return self.count * len(self.kinds)

    def spec(self) -> BatchSpec:
        """What was ordered. Raises BadSpec where the manifest says something impossible."""
        return BatchSpec(
            number=self.batch,
            kinds=self.kinds,
            count=self.count,
            host=self.base_url,
            first=self.first,
            product_name=self.product_name,
            gtin=self.gtin,
            lot=self.lot,
            order_no=self.order_no,
            is_test=self.is_test,
            digital_link=self.digital_link,
            sscc_prefix=self.sscc_prefix,
            sscc_first=self.sscc_first,
            part=self.part,
            parts=self.parts,
            replaces=self.replaces,
        )

    @classmethod
    def announce(
        cls, spec: BatchSpec, key: bytes, *, formats: tuple[str, ...], ticket: Ticket, now: datetime
    ) -> Manifest:
        """The manifest of a pack that has no files yet. ``now`` must know its time zone; seconds are kept."""
        if now.tzinfo is None:
            raise ValueError("now has no time zone")
        sample = spec.url_prefix + mint_one(key, spec.number, spec.kinds[0], spec.first)
        return cls(
            order_no=spec.order_no,
            batch=spec.number,
            product_name=spec.product_name,
            gtin=spec.gtin,
            lot=spec.lot,
            is_test=spec.is_test,
            kinds=spec.kinds,
            first=spec.first,
            last=spec.last,
            count=spec.count,
            base_url=base_url(spec.host),
            digital_link=spec.digital_link,
            url_prefix=spec.url_prefix,
            sample_url=sample,
            sample_symbol=tuple("".join("#" if dark else "." for dark in row) for row in symbol_of(sample)),
            sscc_prefix=spec.sscc_prefix,
            sscc_first=spec.sscc_first,
            part=spec.part,
            parts=spec.parts,
            replaces=spec.replaces,
            formats=formats,
            ticket=ticket,
            created_at=now.astimezone(UTC).replace(microsecond=0),
            files=(),
        )

    def to_json(self) -> bytes:
        """UTF-8, two spaces of indent, a newline at the end; the same manifest gives the same bytes."""
        body: dict[str, Any] = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(self)}
        body["kinds"] = [kind.label for kind in self.kinds]
        body["created_at"] = self.created_at.isoformat().replace("+00:00", "Z")
        body["code_count"] = self.code_count
        body["ticket"] = self.ticket.to_dict()
        body["spoilage_allowance"] = self.ticket.spoilage
        for record in body["files"]:
            record["kinds"] = [kind.label for kind in record["kinds"]]
        body["files"] = body.pop("files")
        body["how_to_check"] = HOW_TO_CHECK
        return json.dumps(body, ensure_ascii=False, indent=2).encode() + b"\n"

    @classmethod
    def from_json(cls, text: bytes, name: str = MANIFEST_NAME) -> Manifest:
        """Read what ``to_json`` wrote. Raises BadManifest for anything else, or a later version."""
        try:
            body = json.loads(text)
            if body.pop("format") != FORMAT:
                raise _bad(name, "is no manifest of a pack")
            if body.pop("format_version") != FORMAT_VERSION:
                raise _bad(name, "is of another version")
            body["files"] = tuple(_file_record(record) for record in body["files"])
            body["kinds"] = tuple(Kind.of(label) for label in body["kinds"])
            body["formats"] = tuple(body["formats"])
            body["created_at"] = datetime.fromisoformat(body["created_at"])
            body["proof"] = None if body["proof"] is None else Proved(**body["proof"])
            body["sample_symbol"] = tuple(body["sample_symbol"])
            body["ticket"] = Ticket.from_dict(body["ticket"])
            body.pop("spoilage_allowance")
            counted = body.pop("code_count")
            body.pop("how_to_check")
            manifest = cls(**body)
            manifest.spec()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            if isinstance(error, BadManifest):
                raise
            raise _bad(name, f"cannot be read ({type(error).__name__})") from error
        if counted != manifest.code_count or manifest.last - manifest.first + 1 != manifest.count:
            raise _bad(name, "contradicts itself in its counts")
        return manifest


def read_manifest(path: Path) -> Manifest:
    """The manifest in this file. Raises BadManifest when it is missing or no manifest."""
    try:
        with path.open("rb") as file:
            text = file.read(MANIFEST_SIZE_MAX + 1)
    except FileNotFoundError:
        raise _bad(path.name, "is missing") from None
    if len(text) > MANIFEST_SIZE_MAX:
        raise _bad(path.name, "is too large to be one")
    return Manifest.from_json(text, path.name)


def _file_record(record: dict[str, Any]) -> FileRecord:
    name = record["name"]
    # Names come from outside; one that leads out of the folder must not be opened.
    if not name or name.startswith(".") or any(sign in name for sign in "/\\:\0"):
        raise ValueError("a file name that is none")
    return FileRecord(**{**record, "kinds": tuple(Kind.of(label) for label in record["kinds"])})


def _bad(name: str, why: str) -> BadManifest:
    return BadManifest(f"{name} {why}", payload=name, file=name, reason=why)
