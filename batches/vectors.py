"""Symbols as SVG: one picture an item in a ZIP, and single ones for previews and pages."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

import numpy as np

from batches.codes import Verifier
from batches.errors import TooMany
from batches.files import one_kind
from batches.items import Kind
from batches.layouts import QUIET_MODULES
from batches.linear import symbols_for
from batches.part import FileRecord, PartFile, Progress, Stop, record_of
from batches.pictures import PNG_COUNT_MAX
from batches.spec import BatchSpec
from batches.symbols import Modules

SVG_SIZE_BYTES: Final = 6_000  # a picture and its two ZIP headers, generously
MODULE_MM: Final = 0.423
CHUNK_ROWS: Final = 200

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP can hold


def path_of(modules: Modules) -> str:
    """The dark modules as an SVG path, a module a unit: one rectangle for each run in a row."""
    found = []
    for y, row in enumerate(modules):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(np.int8)))
        found += [f"M{start} {y}h{end - start}v1h-{end - start}z" for start, end in edges.reshape(-1, 2).tolist()]
    return "".join(found)


def svg_of(modules: Modules, *, module_mm: float = MODULE_MM) -> bytes:
    """A picture with its quiet zone on white, of the size at which it is to be printed."""
    side = len(modules) + 2 * QUIET_MODULES
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side * module_mm:.3f}mm" height="{side * module_mm:.3f}mm" '
        f'viewBox="{-QUIET_MODULES} {-QUIET_MODULES} {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M{-QUIET_MODULES} {-QUIET_MODULES}h{side}v{side}h-{side}z"/>'
        f'<path d="{path_of(modules)}"/></svg>\n'
    ).encode("ascii")


def write_svg_zip(
    spec: BatchSpec,
    key: bytes,
    path: Path,
    *,
    kind: Kind | None = None,
    module_mm: float = MODULE_MM,
    chunk_rows: int = CHUNK_ROWS,
    on_progress: Progress | None = None,
    stop: Stop | None = None,
) -> FileRecord:
    """Write ``KIND-SERIAL.svg`` for one kind. Raises TooMany above PNG_COUNT_MAX items, BadSpec, Stopped, OSError."""
    chosen = one_kind(spec, kind)
    if spec.count > PNG_COUNT_MAX:
        raise TooMany(
            f"{spec.count} pictures are more than the {PNG_COUNT_MAX} that one ZIP may hold",
            format="svg",
            count=spec.count,
            limit=PNG_COUNT_MAX,
        )
    verifier, symbols = Verifier(key), symbols_for(spec.url_prefix)
    with PartFile(path, on_progress, stop) as part:
        with zipfile.ZipFile(part.file, "w", zipfile.ZIP_STORED) as archive:
            for done, serial in enumerate(range(spec.first, spec.last + 1), start=1):
                symbol = symbols.of(verifier.mint(spec.number, chosen, serial))
                entry = zipfile.ZipInfo(f"{chosen.label}-{serial:08d}.svg", _EPOCH)
                entry.create_system = 3  # else the bytes differ between Windows and Linux
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, svg_of(symbol, module_mm=module_mm))
                if done % chunk_rows == 0 and done < spec.count:
                    part.prove(done)
        part.prove(spec.count)
    return record_of(path, spec, "svg", (chosen,))
