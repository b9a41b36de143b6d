"""Symbols as PNG pictures in a ZIP file, for print houses that place pictures.

One picture an item, named by kind and serial. Names, order and times inside the ZIP are fixed, so the
same order gives the same bytes.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

from batches.codes import Verifier
from batches.errors import TooMany
from batches.files import one_kind
from batches.items import Kind
from batches.linear import symbols_for
from batches.part import FileRecord, PartFile, Progress, Stop, record_of
from batches.spec import BatchSpec
from batches.symbols import png_of

PNG_COUNT_MAX: Final = 10_000  # in one ZIP: more are slow to unpack and slower to look at
PNG_SIZE_BYTES: Final = 1600  # a picture and its two ZIP headers, generously
CHUNK_ROWS: Final = 200

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP can hold


def write_png_zip(
    spec: BatchSpec,
    key: bytes,
    path: Path,
    *,
    kind: Kind | None = None,
    module_px: int = 10,
    dpi: int = 600,
    chunk_rows: int = CHUNK_ROWS,
    on_progress: Progress | None = None,
    stop: Stop | None = None,
) -> FileRecord:
    """Write ``KIND-SERIAL.png`` for one kind; 10 dots at 600 dpi make a module of 0.423 mm.

    Raises TooMany above PNG_COUNT_MAX items, BadSpec, Stopped, OSError.
    """
    chosen = one_kind(spec, kind)
    if spec.count > PNG_COUNT_MAX:
        raise TooMany(
            f"{spec.count} pictures are more than the {PNG_COUNT_MAX} that one ZIP may hold",
            format="png",
            count=spec.count,
            limit=PNG_COUNT_MAX,
        )
    verifier, symbols = Verifier(key), symbols_for(spec.url_prefix)
    with PartFile(path, on_progress, stop) as part:
        with zipfile.ZipFile(part.file, "w", zipfile.ZIP_STORED) as archive:
            for done, serial in enumerate(range(spec.first, spec.last + 1), start=1):
                code = verifier.mint(spec.number, chosen, serial)
                picture = png_of(symbols.of(code), module_px=module_px, dpi=dpi)
                archive.writestr(_entry(f"{chosen.label}-{serial:08d}.png"), picture)
                if done % chunk_rows == 0 and done < spec.count:
                    part.prove(done)
        part.prove(spec.count)
    return record_of(path, spec, "png", (chosen,))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = 3  # else the bytes differ between Windows and Linux
    entry.external_attr = 0o644 << 16
    return entry
