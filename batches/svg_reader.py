"""Reading our SVG symbols back as modules, for proving them: rectangles of whole modules and nothing else."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from batches.errors import BadTable
from batches.symbols import Modules

SIDE_MAX: Final = 200

_BOX: Final = re.compile(rb'viewBox="(-?\d+) (-?\d+) (\d+) (\d+)"')
_DARK: Final = re.compile(rb'<path d="([^"]*)"/>')
_RUN: Final = re.compile(rb"M(\d+) (\d+)h(\d+)v1h-(\d+)z")


def modules_in(svg: bytes) -> Modules:
    """The picture with its quiet zone, True is dark. Raises BadTable for any other SVG."""
    box, dark = _BOX.search(svg), _DARK.search(svg)
    if box is None or dark is None:
        raise BadTable("this is no picture of the press", file="svg", reason="svg")
    left, top, width, height = map(int, box.groups())
    if not (0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX):
        raise BadTable("this picture has an impossible size", file="svg", reason="svg")
    canvas = np.zeros((height, width), dtype=np.bool_)
    read = 0
    for run in _RUN.finditer(dark[1]):
        x, y, length, back = map(int, run.groups())
        if length != back:
            raise BadTable("a rectangle that does not close", file="svg", reason="svg")
        canvas[y - top, x - left : x - left + length] = True
        read += len(run[0])
    if read != len(dark[1]):
        raise BadTable("this picture holds other shapes", file="svg", reason="svg")
    return canvas
