"""A text with gaps, filled for many copies at once: how pages of labels are made without a string for any label."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from batches.text import Bytes


class GapText:
    """Fixed bytes with named gaps. All gaps of a name are filled together, in order."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._gaps: dict[str, list[range]] = {}
        self._copies: Bytes = np.empty((0, 0), dtype=np.uint8)

    def add(self, text: str) -> None:
        """Fixed characters, of ASCII."""
        self._text += text.encode("ascii")

    def gap(self, name: str, size_bytes: int) -> None:
        """Room for so many bytes."""
        self._gaps.setdefault(name, []).append(range(len(self._text), len(self._text) + size_bytes))
        self._text += bytes(size_bytes)

    def begin(self, copies: int) -> None:
        """Make so many copies, the gaps still empty."""
        self._copies = np.tile(np.frombuffer(self._text, dtype=np.uint8), (copies, 1))

    def fill(self, name: str, filling: Bytes) -> None:
        """Fill all gaps of a name: (copies, bytes of these gaps together)."""
        places: NDArray[np.intp] = np.concatenate([np.asarray(gap, dtype=np.intp) for gap in self._gaps[name]])
        self._copies[:, places] = filling

    def rows(self) -> Iterator[Bytes]:
        """The copies."""
        yield from self._copies
