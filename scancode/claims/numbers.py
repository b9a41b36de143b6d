"""Under which numbers claims and what they earn are booked. Pure."""

from __future__ import annotations

from batches.codes import Kind, split_code_id
from batches.codes import code_id as make_code_id


def cause_of(code_id: int, nth: int | None) -> str:
    """Why there are points or money: unique for each claim. ``nth`` is that of a second prize."""
    return f"claim:{code_id}" if nth is None else f"nth:{code_id}"


def second_id(code_id: int) -> int:
    """Under which the second prize is booked that a code brought its person: the number of the outer code of the same
    item, which never claims anything itself. So claim, payout and bill have a number of their own, found from the code
    alone, and the code itself still rewards once."""
    number, _, serial = split_code_id(code_id)
    return make_code_id(number, Kind.OUTER, serial)


def code_of(claim_id: int) -> int:
    """The code inside the package that a claim is of, or for a second prize the one that brought it."""
    number, kind, serial = split_code_id(claim_id)
    return make_code_id(number, Kind.INNER if kind == Kind.OUTER else kind, serial)
