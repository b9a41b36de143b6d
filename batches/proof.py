"""Proving a finished pack before anybody gets it: every code by verifying, symbols by decoding the files themselves.

Tables are checked row by row (``check``). Of pictures and labels every symbol is read by a decoder that
has nothing to do with what drew them, from the very file: all of them up to SYMBOLS_ALL, beyond that a
random sample that reaches every file and spreads over its pages. A symbol that does not say the address
which the manifest implies spoils the pack. What is proved of a file holds for its hash, so a run that
follows a killed one does not prove that file again.
"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pypdfium2
import zxingcpp
from numpy.typing import NDArray
from PIL import Image

from batches.check import check_pack
from batches.codes import Verifier
from batches.errors import Stopped, Unproved
from batches.layouts import MM_PER_INCH, POINTS_PER_MM, Layout
from batches.manifest import Manifest, Proved
from batches.part import FileRecord, Stop
from batches.svg_reader import modules_in
from batches.zpl import thermal
from batches.zpl_reader import read_labels

SYMBOLS_ALL: Final = 10_000
SAMPLE: Final = 2_000
SAMPLE_PER_FILE: Final = 20
PIXELS_PER_MODULE: Final = 4

Picture = NDArray[np.uint8]
Choice = list[int]  # serials


class Proven:
    """The files that were proved already, by hash, with how many codes or symbols: a line each, of this run or of one
    before it that was killed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text("ascii").splitlines(keepends=True) if path.exists() else []
        whole = [line.split() for line in lines if line.endswith("\n")]  # the kill may have torn the last one
        self._found = {f"{line[0]} {line[1]}": int(line[2]) for line in whole if len(line) == 3}

    def find(self, what: str, record: FileRecord) -> int | None:
        return self._found.get(f"{what} {record.sha256}")

    def add(self, what: str, record: FileRecord, count: int) -> None:
        """Remember it. Nothing waits for the disk: what a power cut loses is proved again."""
        with self._path.open("a", encoding="ascii") as file:
            file.write(f"{what} {record.sha256} {count}\n")


def prove(
    folder: Path,
    manifest: Manifest,
    key: bytes,
    *,
    stop: Stop | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
    proven: Proven | None = None,
) -> Proved:
    """Prove the files of a pack against its manifest. Raises Unproved with the first fault, Stopped, OSError.

    ``on_progress`` gets rows proved and rows in all as "proof", then symbols decoded and to decode as "symbols".
    """
    tell = on_progress or (lambda done, total, stage: None)
    known = {each.name: count for each in manifest.files if (count := _found(proven, "table", each)) is not None}
    report = check_pack(
        folder,
        key,
        manifest=manifest,
        stop=stop,
        on_progress=lambda done, total, _: tell(done, total, "proof"),
        known=known,
        on_checked=partial(proven.add, "table") if proven else None,
    )
    for finding in report.findings:
        where = f"{finding.file}, row {finding.row}"
        raise Unproved(f"{where}: {finding.message}", file=finding.file, row=finding.row, what=finding.code)
    drawn = [record for record in manifest.files if record.format in READERS]
    total = sum(record.rows for record in drawn)
    choices = {record.name: chosen_serials(record, total) for record in drawn}
    wanted = sum(map(len, choices.values()))
    decoded = 0
    for record in drawn:
        chosen, before = choices[record.name], decoded
        if _found(proven, "symbols", record) == len(chosen):
            decoded += len(chosen)
            tell(decoded, wanted, "symbols")
            continue
        for serial in _decoded(folder, manifest, record, Verifier(key), chosen):
            if stop is not None and stop():
                raise Stopped(f"stopped while proving {record.name} at {serial}", file=record.name)
            decoded += 1
            tell(decoded, wanted, "symbols")
        if proven is not None:
            proven.add("symbols", record, decoded - before)
    return Proved(report.codes_verified, decoded, total)


def _found(proven: Proven | None, what: str, record: FileRecord) -> int | None:
    return proven.find(what, record) if proven else None


def _decoded(folder: Path, manifest: Manifest, record: FileRecord, verifier: Verifier, chosen: Choice) -> Iterator[int]:
    """The chosen serials of a file, each after its symbol was read and says what it must. Raises Unproved."""
    kind, prefix = record.kinds[0], manifest.url_prefix
    wanted = {serial: prefix + verifier.mint(manifest.batch, kind, serial) for serial in chosen}
    for serial, picture in READERS[record.format](folder / record.name, record, manifest.ticket.layout, chosen):
        if wanted.pop(serial) not in texts_in(picture):
            raise Unproved(
                f"{record.name}: the symbol of serial {serial} does not read as it must",
                file=record.name,
                row=serial,
                what="symbol",
            )
        yield serial
    if wanted:
        missing = min(wanted)
        raise Unproved(f"{record.name} lacks serial {missing}", file=record.name, row=missing, what="symbol")


def chosen_serials(record: FileRecord, total: int) -> Choice:
    """The serials of one file whose symbols are decoded, in order.

    The choice follows from the file's hash: a run that was killed proves the same symbols again, and nobody can
    know beforehand which they are.
    """
    if total <= SYMBOLS_ALL:
        return list(range(record.first, record.last + 1))
    share = max(SAMPLE_PER_FILE, SAMPLE * record.rows // total)
    edges = {record.first, record.last}
    drawn = random.Random(record.sha256).sample(range(record.first, record.last + 1), min(share, record.rows))
    return sorted(edges | set(drawn))


def texts_in(picture: Picture) -> list[str]:
    """What the symbols in a picture say."""
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return [found.text for found in zxingcpp.read_barcodes(picture, formats=formats, try_rotate=False)]


def _from_png(path: Path, record: FileRecord, layout: Layout, chosen: Choice) -> Iterator[tuple[int, Picture]]:
    with zipfile.ZipFile(path) as archive:
        for serial in chosen:
            with Image.open(io.BytesIO(archive.read(f"{record.kinds[0].label}-{serial:08d}.png"))) as picture:
                yield serial, np.asarray(picture.convert("L"))


def _from_svg(path: Path, record: FileRecord, layout: Layout, chosen: Choice) -> Iterator[tuple[int, Picture]]:
    with zipfile.ZipFile(path) as archive:
        for serial in chosen:
            modules = modules_in(archive.read(f"{record.kinds[0].label}-{serial:08d}.svg"))
            yield serial, _enlarged(modules, PIXELS_PER_MODULE)


def _from_zpl(path: Path, record: FileRecord, layout: Layout, chosen: Choice) -> Iterator[tuple[int, Picture]]:
    paper = thermal(layout)
    wanted = set(chosen)
    dots = (paper.dpi or 203) / MM_PER_INCH
    width = round(paper.label_width_mm * dots)
    for row, label in enumerate(read_labels(path)):
        for lane in range(paper.columns):
            serial = record.first + row * paper.columns + lane
            if serial in wanted:
                left = round(paper.corner_mm(0, lane)[0] * dots)
                yield serial, np.where(label[:, left : left + width], 0, 255).astype(np.uint8)


def _from_pdf(path: Path, record: FileRecord, layout: Layout, chosen: Choice) -> Iterator[tuple[int, Picture]]:
    """Render each page that holds a chosen label once, and cut the labels out."""
    pages: dict[int, list[int]] = {}
    for serial in chosen:
        pages.setdefault((serial - record.first) // layout.labels_per_page, []).append(serial)
    least_mm = min(layout.module_steps_mm)
    pixels_per_mm = PIXELS_PER_MODULE / least_mm
    with pypdfium2.PdfDocument(path) as document:
        for page, serials in pages.items():
            picture = _rendered(document[page], pixels_per_mm / POINTS_PER_MM)
            for serial in serials:
                place = (serial - record.first) % layout.labels_per_page
                x, y = layout.corner_mm(*divmod(place, layout.columns))
                left, top = round(x * pixels_per_mm), round(y * pixels_per_mm)
                right = left + round(layout.label_width_mm * pixels_per_mm)
                bottom = top + round(layout.label_height_mm * pixels_per_mm)
                yield serial, np.ascontiguousarray(picture[top:bottom, left:right])


def _rendered(page: pypdfium2.PdfPage, scale: float) -> Picture:
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        pixels = np.array(bitmap.to_numpy(), dtype=np.uint8)
    finally:
        bitmap.close()
        page.close()
    return pixels[:, :, 0] if pixels.ndim == 3 else pixels


def _enlarged(modules: NDArray[np.bool_], pixels: int) -> Picture:
    large = np.repeat(np.repeat(modules, pixels, axis=0), pixels, axis=1)
    return np.where(large, 0, 255).astype(np.uint8)


READERS: Final[dict[str, Callable[[Path, FileRecord, Layout, Choice], Iterator[tuple[int, Picture]]]]] = {
    "png": _from_png,
    "svg": _from_svg,
    "zpl": _from_zpl,
    "pdf": _from_pdf,
}
