"""What a code says: the batch, the kind and the serial of one item, and their integer form.

The integer, ``code_id``, is what databases and other programs keep; it is exact in JavaScript. Nothing
here knows a key or the characters of a code.
"""

from __future__ import annotations

import enum
from typing import Final, NamedTuple

from batches.errors import CodeError

SERIAL_BITS: Final = 25
KIND_BITS: Final = 2
SEALED_BITS: Final = KIND_BITS + SERIAL_BITS
MAX_BATCH_COUNT: Final = 1 << SERIAL_BITS  # items in a batch; batch numbers have as many values
SERIAL_MASK: Final = MAX_BATCH_COUNT - 1
SEALED_MASK: Final = (1 << SEALED_BITS) - 1


class OutOfRange(CodeError):
    """A batch, kind or serial that does not fit into a code. Facts: ``field``, ``value``, ``limit``."""

    code = "out_of_range"


class UnknownKind(CodeError):
    """A kind that does not exist. Facts: ``kinds``, the labels that do."""

    code = "unknown_kind"


class Kind(enum.IntEnum):
    """What a code is printed on; two bits of the code."""

    OUTER = 0
    INNER = 1
    CASE = 2
    PALLET = 3

    @property
    def label(self) -> str:
        """The lower-case word used in files, commands and the database."""
        return self.name.lower()

    @classmethod
    def of(cls, label: str) -> Kind:
        """The kind with this label, in any case. Raises UnknownKind."""
        try:
            return cls[label.upper()]
        except KeyError:
            labels = ", ".join(kind.label for kind in cls)
            raise UnknownKind(f"{label!r} is none of {labels}", payload=label, kinds=labels) from None


_KINDS: Final = tuple(Kind)


class Parts(NamedTuple):
    """What a genuine code says."""

    batch: int
    kind: Kind
    serial: int

    @property
    def code_id(self) -> int:
        """The integer form, 52 bits."""
        return self.batch << SEALED_BITS | self.kind << SERIAL_BITS | self.serial


def code_id(batch: int, kind: int, serial: int) -> int:
    """``batch << 27 | kind << 25 | serial``: 52 bits, exact in JavaScript. Raises OutOfRange."""
    check_parts(batch, kind, serial)
    return batch << SEALED_BITS | kind << SERIAL_BITS | serial


def split_code_id(code_id: int) -> Parts:
    """The inverse of ``code_id``. Raises OutOfRange."""
    if not 0 <= code_id < 1 << (SERIAL_BITS + SEALED_BITS):
        raise out_of_range("code_id", code_id, 1 << (SERIAL_BITS + SEALED_BITS))
    return parts_of(code_id >> SEALED_BITS, code_id & SEALED_MASK)


def parts_of(batch: int, open_bits: int) -> Parts:
    return Parts(batch, _KINDS[open_bits >> SERIAL_BITS], open_bits & SERIAL_MASK)


def check_parts(batch: int, kind: int, serial: int) -> None:
    limits = (("batch", batch, MAX_BATCH_COUNT), ("kind", kind, 4), ("serial", serial, MAX_BATCH_COUNT))
    for field, value, limit in limits:
        if not 0 <= value < limit:
            raise out_of_range(field, value, limit)


def out_of_range(field: str, value: int, limit: int) -> OutOfRange:
    message = f"{field} {value} is outside 0 to {limit - 1}"
    return OutOfRange(message, payload=str(value), field=field, value=value, limit=limit)
