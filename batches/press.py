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
from typing import Final

from batches.errors import BadSpec, NoSpace, OtherPack, TooMany
from batches.files import csv_size_bytes, txt_size_bytes, write_csv, write_txt
from batches.items import Kind
from batches.layouts import Layout
from batches.manifest import MANIFEST_NAME, Manifest, read_manifest
from batches.part import PART_SUFFIX, FileRecord, Progress, Stop, sha256_of, write_whole
from batches.pictures import PNG_SIZE_BYTES, write_png_zip
from batches.sheet import LABEL_SIZE_BYTES, SHEET_SIZE_BYTES, write_pdf_sheet
from batches.spec import BatchSpec

FORMATS: Final = ("csv", "txt", "png", "pdf")
DRAWN_COUNT_MAX: Final = 200_000  # pictures or labels of one kind in one run: a quarter of an hour
DRAWN_FILE_COUNT: Final = 5_000  # a file of them: half a minute
SPARE_BYTES: Final = 1 << 20

_BEGUN_NAME: Final = "begun." + MANIFEST_NAME

RunProgress = Callable[[int, int, str], None]  # rows proved written, rows in all, format being written


@dataclass(frozen=True)
class Piece:
    """One file of a pack that is to be made; ``kind`` None stands for all kinds of the spec."""

    name: str
    format: str
    kind: Kind | None
    spec: BatchSpec

    @property
    def size_bytes(self) -> int:
        """How large the file becomes at most."""
        if self.format == "csv":
            return csv_size_bytes(self.spec)
        if self.format == "txt":
            return txt_size_bytes(self.spec)
        if self.format == "png":
            return PNG_SIZE_BYTES * self.spec.count
        return LABEL_SIZE_BYTES * self.spec.count + SHEET_SIZE_BYTES

    def write(self, key: bytes, folder: Path, layout: Layout, on_progress: Progress, stop: Stop | None) -> FileRecord:
        """Make the file; see the writers for what they raise."""
        path = folder / self.name
        if self.format == "csv":
            return write_csv(self.spec, key, path, on_progress=on_progress, stop=stop)
        if self.format == "txt":
            return write_txt(self.spec, key, path, kind=self.kind, on_progress=on_progress, stop=stop)
        if self.format == "png":
            return write_png_zip(self.spec, key, path, kind=self.kind, on_progress=on_progress, stop=stop)
        return write_pdf_sheet(self.spec, key, path, kind=self.kind, layout=layout, on_progress=on_progress, stop=stop)


def plan(spec: BatchSpec, formats: tuple[str, ...]) -> tuple[Piece, ...]:
    """The files of a pack, in the order in which they are made. Raises BadSpec, TooMany."""
    for name in formats:
        if name not in FORMATS:
            raise BadSpec(f"there is no format {name!r}", payload=name, field="formats", value=name)
    if not formats or len(set(formats)) != len(formats):
        named = ",".join(formats)
        raise BadSpec("formats must be named once each", payload=named, field="formats", value=named)
    pieces: list[Piece] = []
    for name in formats:
        if name == "csv":
            pieces.append(Piece(f"{_stem(spec)}.csv", name, None, spec))
        elif name == "txt":
            pieces += [Piece(f"{_stem(spec)}-{kind.label}.txt", name, kind, spec) for kind in spec.kinds]
        else:
            pieces += _drawn(spec, name)
    return tuple(pieces)


def _drawn(spec: BatchSpec, name: str) -> list[Piece]:
    if spec.count > DRAWN_COUNT_MAX:
        raise TooMany(
            f"{spec.count} symbols as {name} are more than the {DRAWN_COUNT_MAX} of one run",
            format=name,
            count=spec.count,
            limit=DRAWN_COUNT_MAX,
        )
    ending = "png.zip" if name == "png" else name
    pieces = []
    for kind in spec.kinds:
        for first in range(spec.first, spec.last + 1, DRAWN_FILE_COUNT):
            part = replace(spec, first=first, count=min(DRAWN_FILE_COUNT, spec.last + 1 - first))
            pieces.append(Piece(f"{_stem(part)}-{kind.label}.{ending}", name, kind, part))
    return pieces


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
    layout: Layout | None = None,
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> Manifest:
    """Make a pack in ``folder`` (created if need be), or finish the one that was begun there.

    A finished pack of the same order is returned as it is, its ``created_at`` included. Rows of
    ``on_progress`` count over all files. Raises OtherPack, NoSpace, TooMany, DoesNotFit, Unprintable,
    BadSpec, Stopped, OSError.
    """
    pieces = plan(spec, formats)
    layout = layout or Layout()
    settings = layout.described() if "pdf" in formats else ""
    wanted = Manifest.announce(spec, key, formats=formats, settings=settings, now=now)
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
        kept[piece.name] = piece.write(key, folder, layout, progress, stop)
        done += piece.spec.count
        manifest = replace(manifest, files=tuple(kept[each.name] for each in pieces if each.name in kept))
        write_whole(folder / _BEGUN_NAME, manifest.to_json())
    write_whole(folder / MANIFEST_NAME, manifest.to_json())
    (folder / _BEGUN_NAME).unlink(missing_ok=True)
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
            if replace(found, created_at=wanted.created_at, files=()) != wanted:
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
