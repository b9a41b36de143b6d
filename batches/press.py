"""Making a whole pack: every file of an order in one folder, and the manifest that speaks for them.

A run may be killed at any moment and started again with the same order. Until the pack is complete its
manifest grows as ``begun.manifest.json``, one finished file at a time; a new run keeps the files whose
hash still agrees and makes the others again, byte for byte as they would have been. Pictures and sheets
are split into files small enough that little is lost.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from batches.errors import BadSpec, NoSpace, OtherPack, TooMany
from batches.files import TABLES, USUAL_TICKET, constant_cells, csv_size_bytes, txt_size_bytes, write_csv, write_txt
from batches.items import Kind
from batches.manifest import MANIFEST_NAME, Manifest, read_manifest
from batches.manifest_page import PAGE_NAME, page_of
from batches.part import PART_SUFFIX, FileRecord, Progress, Stop, sha256_of, write_whole
from batches.pictures import PNG_SIZE_BYTES, write_png_zip
from batches.proof import Proven, prove
from batches.sheet import LABEL_SIZE_BYTES, SHEET_SIZE_BYTES, write_pdf_sheet
from batches.spec import BatchSpec
from batches.ticket import Ticket
from batches.vectors import SVG_SIZE_BYTES, write_svg_zip
from batches.workbook import XLSX_COUNT_MAX, XLSX_FILE_ROWS, write_xlsx, xlsx_size_bytes
from batches.zpl import write_zpl, zpl_size_bytes

FORMATS: Final = ("csv", "txt", "xlsx", "png", "svg", "zpl", "pdf")
DRAWN_COUNT_MAX: Final = 200_000  # pictures or labels of one kind in one run: a quarter of an hour
DRAWN_FILE_COUNT: Final = 5_000  # a file of them: half a minute
FILES_MAX: Final = 5_000  # of one pack: the manifest names each of them
SPARE_BYTES: Final = 1 << 20

_BEGUN_NAME: Final = "begun." + MANIFEST_NAME
_PROVEN_NAME: Final = "begun.proof.txt"
_ENDINGS: Final = {"png": "png.zip", "svg": "svg.zip"}
_LABEL_BYTES: Final = {"png": PNG_SIZE_BYTES, "svg": SVG_SIZE_BYTES, "pdf": LABEL_SIZE_BYTES}
_COUNT_MAX: Final = {"xlsx": XLSX_COUNT_MAX}

# Rows proved written, rows in all, format being written; then the same of what is proved, as "proof" and "symbols".
RunProgress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Piece:
    """One file of a pack that is to be made; ``kind`` None stands for all kinds of the spec."""

    name: str
    format: str
    kind: Kind | None
    spec: BatchSpec
    ticket: Ticket

    @property
    def size_bytes(self) -> int:
        """How large the file becomes at most."""
        if self.format == "csv":
            return csv_size_bytes(self.spec, self.ticket)
        if self.format == "txt":
            return txt_size_bytes(self.spec)
        if self.format == "xlsx":
            return xlsx_size_bytes(self.spec, self.ticket)
        if self.format == "zpl":
            return zpl_size_bytes(self.spec, self.ticket.layout)
        return _LABEL_BYTES[self.format] * self.spec.count + SHEET_SIZE_BYTES

    def write(self, key: bytes, folder: Path, on_progress: Progress, stop: Stop | None) -> FileRecord:
        """Make the file; see the writers for what they raise."""
        path, ticket = folder / self.name, self.ticket
        watched: dict[str, Any] = {"on_progress": on_progress, "stop": stop}
        if self.format == "csv":
            return write_csv(self.spec, key, path, ticket=ticket, **watched)
        if self.format == "txt":
            return write_txt(self.spec, key, path, kind=self.kind, ticket=ticket, **watched)
        if self.format == "xlsx":
            return write_xlsx(self.spec, key, path, ticket=ticket, **watched)
        if self.format == "png":
            return write_png_zip(self.spec, key, path, kind=self.kind, **watched)
        if self.format == "svg":
            return write_svg_zip(self.spec, key, path, kind=self.kind, **watched)
        write = write_zpl if self.format == "zpl" else write_pdf_sheet
        return write(self.spec, key, path, kind=self.kind, layout=ticket.layout, **watched)


def plan(spec: BatchSpec, formats: tuple[str, ...], ticket: Ticket = USUAL_TICKET) -> tuple[Piece, ...]:
    """The files of a pack, in the order in which they are made. Raises BadSpec, TooMany."""
    for name in formats:
        if name not in FORMATS:
            raise BadSpec(f"there is no format {name!r}", payload=name, field="formats", value=name)
    if not formats or len(set(formats)) != len(formats):
        named = ",".join(formats)
        raise BadSpec("formats must be named once each", payload=named, field="formats", value=named)
    pieces: list[Piece] = []
    for name in formats:
        limit = _COUNT_MAX.get(name, spec.count) if name in TABLES else DRAWN_COUNT_MAX
        if spec.count > limit:
            raise _too_many(name, spec.count, limit)
        for kind in (None,) if name in ("csv", "xlsx") else spec.kinds:
            pieces += _split(spec, name, kind, ticket, FILES_MAX - len(pieces))
    for text in constant_cells(spec).values() if ticket.with_product and "csv" in formats else ():
        ticket.encode(text, "csv")
    return tuple(pieces)


def _split(spec: BatchSpec, name: str, kind: Kind | None, ticket: Ticket, room: int) -> list[Piece]:
    """One format and kind in as many files as it takes. Raises TooMany above ``room`` files."""
    rows = ticket.rows_per_file or spec.count
    if name == "xlsx":
        rows = min(rows, XLSX_FILE_ROWS)
    elif name not in TABLES:
        rows = DRAWN_FILE_COUNT
    if -(-spec.count // rows) > room:
        raise _too_many("files", -(-spec.count // rows), FILES_MAX)
    pieces = []
    for first in range(spec.first, spec.last + 1, rows):
        part = replace(spec, first=first, count=min(rows, spec.last + 1 - first))
        label = "" if kind is None else f"-{kind.label}"
        pieces.append(Piece(f"{_stem(part)}{label}.{_ENDINGS.get(name, name)}", name, kind, part, ticket))
    return pieces


def _too_many(name: str, count: int, limit: int) -> TooMany:
    return TooMany(f"{count} of {name} are more than the {limit} of one run", format=name, count=count, limit=limit)


def _stem(spec: BatchSpec) -> str:
    test = "test-" if spec.is_test else ""
    return f"{test}batch-{spec.number}-{spec.first:08d}-{spec.last:08d}"


def run(
    spec: BatchSpec,
    key: bytes,
    folder: Path,
    *,
    formats: tuple[str, ...] = ("csv",),
    now: datetime,
    on_progress: RunProgress | None = None,
    stop: Stop | None = None,
    ticket: Ticket = USUAL_TICKET,
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> Manifest:
    """Make a pack in ``folder`` (created if need be), or finish the one that was begun there.

    A finished pack of the same order is returned as it is, its ``created_at`` included. Rows of
    ``on_progress`` count over all files, and once more while they are proved. Only what was proved gets its
    manifest. Raises OtherPack, NoSpace, TooMany, DoesNotFit, Unprintable, Unproved, BadSpec, Stopped, OSError.
    """
    pieces = plan(spec, formats, ticket)
    wanted = Manifest.announce(spec, key, formats=formats, ticket=ticket, now=now)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = _begun(wanted, folder)
    kept = {record.name: record for record in manifest.files if _is_whole(folder, record)}
    missing = [piece for piece in pieces if piece.name not in kept]
    for piece in missing:  # what a killed run left half-written would only take up space
        (folder / (piece.name + PART_SUFFIX)).unlink(missing_ok=True)
    _check_space(folder, sum(piece.size_bytes for piece in missing), free_bytes)

    total = sum(piece.spec.count for piece in pieces)
    done = sum(record.rows for record in kept.values())
    report = on_progress or (lambda done, total, stage: None)
    report(done, total, missing[0].format if missing else "manifest")
    for piece in missing:
        # Both are bound now: a lambda would read them when the loop has moved on.
        progress = partial(_report_rows, report, done, total, piece.format)
        kept[piece.name] = piece.write(key, folder, progress, stop)
        done += piece.spec.count
        manifest = replace(manifest, proof=None, files=tuple(kept[each.name] for each in pieces if each.name in kept))
        write_whole(folder / _BEGUN_NAME, manifest.to_json())
    if manifest.proof is None:
        proven = Proven(folder / _PROVEN_NAME)
        manifest = replace(manifest, proof=prove(folder, manifest, key, stop=stop, on_progress=report, proven=proven))
    write_whole(folder / PAGE_NAME, page_of(manifest))
    write_whole(folder / MANIFEST_NAME, manifest.to_json())
    for name in (_BEGUN_NAME, _PROVEN_NAME):
        (folder / name).unlink(missing_ok=True)
    report(total, total, "manifest")
    return manifest


def _report_rows(report: RunProgress, before: int, total: int, stage: str, rows: int) -> None:
    report(before + rows, total, stage)


def _begun(wanted: Manifest, folder: Path) -> Manifest:
    """The manifest of an earlier run of the same order in this folder, else ``wanted``, written down.

    Raises OtherPack when the folder holds anything else's manifest.
    """
    for name in (MANIFEST_NAME, _BEGUN_NAME):
        if (folder / name).exists():
            found = read_manifest(folder / name)
            if replace(found, created_at=wanted.created_at, files=(), proof=None).to_json() != wanted.to_json():
                raise OtherPack(f"{folder} holds another order, or this one with other settings", folder=str(folder))
            return found
    write_whole(folder / _BEGUN_NAME, wanted.to_json())
    return wanted


def _is_whole(folder: Path, record: FileRecord) -> bool:
    path = folder / record.name
    return path.is_file() and path.stat().st_size == record.size_bytes and sha256_of(path) == record.sha256


def _check_space(folder: Path, needs_bytes: int, free_bytes: Callable[[Path], int]) -> None:
    needs_mb = (needs_bytes + SPARE_BYTES) / 1e6
    has_mb = free_bytes(folder) / 1e6
    if needs_bytes and needs_mb > has_mb:
        raise NoSpace(
            f"the pack needs {needs_mb:.0f} MB, {folder} has {has_mb:.0f} MB",
            needs_mb=round(needs_mb),
            has_mb=round(has_mb),
            folder=str(folder),
        )
