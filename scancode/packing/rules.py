"""Packing decided purely: units and their levels, runs of children that fill parents one after the other, and what is
refused.

A line fills cases in the order in which it prints them, so a million rows of its file are usually one ``Run``: the
children ``first`` to ``last`` lie ``size`` at a time in parents that count up from ``parent_first``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from batches.codes import Kind, split_code_id
from batches.items import SERIAL_BITS, SERIAL_MASK
from batches.items import code_id as id_of
from scancode.codes.rules import Range
from scancode.codes.typed import merge
from scancode.errors import Refusal
from scancode.i18n import N_

CAPACITY_MAX = 100_000
CHILDREN_MAX = 1000
"""Units that one call packs or unpacks."""
Ids = NDArray[np.int64]


class Level(IntEnum):
    """What holds and is held. An item has one level, however many codes are printed on it; the numbers are those of
    the kinds of code."""

    ITEM = Kind.INNER
    CASE = Kind.CASE
    PALLET = Kind.PALLET

    @classmethod
    def of(cls, kind: Kind) -> Level:
        return cls.ITEM if kind in (Kind.OUTER, Kind.INNER) else cls(int(kind))

    @property
    def label(self) -> str:
        return self.name.lower()


class Action(StrEnum):
    PACK = "pack"
    UNPACK = "unpack"


@dataclass(frozen=True, order=True)
class Unit:
    """An item, a case or a pallet."""

    batch: int
    level: Level
    serial: int

    @property
    def id(self) -> int:
        """The code id of its own kind (of the inner code for an item)."""
        return id_of(self.batch, self.level, self.serial)

    @classmethod
    def of(cls, unit_id: int) -> Unit:
        parts = split_code_id(unit_id)
        return cls(parts.batch, Level.of(parts.kind), parts.serial)


@dataclass(frozen=True)
class Run:
    """Units ``first`` to ``last`` of a batch, ``size`` at a time in parents from ``parent_first`` on; of the first
    parent ``offset`` places are taken by others before them."""

    batch: int
    level: Level
    first: int
    last: int
    parent_batch: int
    parent_level: Level
    parent_first: int
    size: int
    offset: int = 0

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    @property
    def parent_last(self) -> int:
        return self.parent_first + (self.count - 1 + self.offset) // self.size

    def parent_of(self, serial: int) -> Unit:
        return Unit(
            self.parent_batch, self.parent_level, self.parent_first + (serial - self.first + self.offset) // self.size
        )

    def within(self, parent_first: int, parent_last: int) -> Range | None:
        """The children that lie in these parents, which are neighbours as their parents are."""
        low = max(self.first, self.first - self.offset + (parent_first - self.parent_first) * self.size)
        high = min(self.last, self.first - self.offset + (parent_last - self.parent_first + 1) * self.size - 1)
        return (low, high) if low <= high else None

    def cut(self, first: int, last: int) -> Run | None:
        """The part of it within ``first`` to ``last``, or None."""
        low, high = max(self.first, first), min(self.last, last)
        if low > high:
            return None
        moved = low - self.first + self.offset
        part = replace(
            self, first=low, last=high, parent_first=self.parent_first + moved // self.size, offset=moved % self.size
        )
        if part.parent_first == part.parent_last:
            return replace(part, size=part.count, offset=0)
        return part

    def without(self, ranges: Iterable[Range]) -> tuple[list[Run], list[Run]]:
        """What is left of it without these serials (sorted, no overlaps), and what was taken."""
        left: list[Run] = []
        taken: list[Run] = []
        start = self.first
        for first, last in ranges:
            part = self.cut(first, last)
            if part is None:
                continue
            taken.append(part)
            before = self.cut(start, part.first - 1)
            left += [before] if before else []
            start = part.last + 1
        rest = self.cut(start, self.last)
        return left + ([rest] if rest else []), taken

    def one_by_one(self, limit: int) -> list[tuple[Unit, Range]]:
        """Each parent with its children, at most ``limit`` of them."""
        found = []
        for serial in range(self.parent_first, min(self.parent_last, self.parent_first + limit - 1) + 1):
            inside = self.within(serial, serial)
            if inside is not None:
                found.append((Unit(self.parent_batch, self.parent_level, serial), inside))
        return found


def runs_of(children: Ids, parents: Ids) -> list[Run]:
    """The runs of ``children`` (n,) in ``parents`` (n,), both unit ids; no child stands there twice."""
    if not len(children):
        return []
    order = np.argsort(children, kind="stable")
    child, parent = children[order], parents[order]
    is_start = np.ones(len(child), dtype=np.bool_)
    is_start[1:] = (np.diff(child) != 1) | (np.diff(parent) != 0) | (np.diff(child >> SERIAL_BITS) != 0)
    starts = np.flatnonzero(is_start)
    counts = np.diff(np.append(starts, len(child))).tolist()
    return _joined(child[starts].tolist(), parent[starts].tolist(), counts)


def _joined(firsts: list[int], parents: list[int], counts: list[int]) -> list[Run]:
    """Stretches that lie in one parent each, made runs where one full parent follows the other."""
    runs: list[Run] = []
    start = 0
    for place in range(1, len(firsts) + 1):
        if place < len(firsts):
            before = place - 1
            follows = (
                firsts[place] == firsts[before] + counts[before]
                and firsts[place] >> SERIAL_BITS == firsts[before] >> SERIAL_BITS
                and parents[place] == parents[before] + 1
                and parents[place] >> SERIAL_BITS == parents[before] >> SERIAL_BITS
                and counts[before] == counts[start]
                and counts[place] <= counts[start]
            )
            if follows:
                continue
        child, parent = Unit.of(firsts[start]), Unit.of(parents[start])
        last = (firsts[place - 1] & SERIAL_MASK) + counts[place - 1] - 1
        size = counts[start]
        runs.append(Run(child.batch, child.level, child.serial, last, parent.batch, parent.level, parent.serial, size))
        start = place
    return runs


Selection = dict[tuple[int, Level], tuple[Range, ...]]
"""Units by batch and level, as ranges of serials."""


def select(units: Iterable[Unit]) -> Selection:
    found: dict[tuple[int, Level], list[Range]] = {}
    for unit in units:
        found.setdefault((unit.batch, unit.level), []).append((unit.serial, unit.serial))
    return {key: merge(ranges) for key, ranges in found.items()}


def count_of(selection: Selection, level: Level) -> int:
    """How many units of a level are in it."""
    return sum(last - first + 1 for (_, at), ranges in selection.items() if at is level for first, last in ranges)


def has_own_life(level: Level, kinds: Iterable[Kind]) -> bool:
    """Whether a serial of this level has a life of its own. Where a batch carries items as well, the serial of its case
    code is that of an item: what becomes of that says nothing about the case."""
    return level is Level.ITEM or not any(Level.of(kind) is Level.ITEM for kind in kinds)


def check_levels(parent: Unit, children: Sequence[Unit]) -> None:
    """Raises WrongKind where something would hold its like or something larger."""
    if parent.level is Level.ITEM:
        raise NotAContainer
    for child in children:
        if child.level >= parent.level:
            raise WrongKind(child=child.level.label, parent=parent.level.label)


class NotAContainer(Refusal):
    code = "not_a_container"
    text = N_("This is the code of an item: nothing can be packed into it. Scan a case or a pallet.")
    status = 422


LEVEL_WORDS = {"item": N_("item"), "case": N_("case"), "pallet": N_("pallet")}


class NamesLevels(Refusal):
    """A refusal with levels among its facts, which are words of the reader's language."""

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        told = {
            name: translate(LEVEL_WORDS[value]) if value in LEVEL_WORDS else value for name, value in self.facts.items()
        }
        return super(NamesLevels, type(self)(**told)).sentence(translate)


class WrongKind(NamesLevels):
    """Facts: ``child`` and ``parent``, the levels."""

    code = "wrong_kind"
    text = N_("A {child} does not go into a {parent}.")
    status = 422


class AlreadyInside(Refusal):
    code = "already_inside"
    text = N_("This one is in there already: scanned twice.")


class AlreadyPacked(NamesLevels):
    """Facts: ``batch`` and ``serial`` of the parent that holds it, how many of what was asked are held by others."""

    code = "already_packed"
    text = N_("This one is packed elsewhere already, in {level} {batch}:{serial}. Unpack or move it first.")


class NotPacked(Refusal):
    code = "not_packed"
    text = N_("This one is in no case and on no pallet.")


class ContainerFull(Refusal):
    code = "container_full"
    text = N_("It is full: {capacity} belong into it.")


class ContainerClosed(Refusal):
    code = "container_closed"
    text = N_("It is closed. Open it again before changing what is in it.")


class WrongCount(Refusal):
    code = "wrong_count"
    text = N_("{count} are in it, {capacity} belong into it.")


class DeadUnit(Refusal):
    code = "dead_unit"
    text = N_("Its code is void or recalled: it cannot be packed.")


class OtherProduct(Refusal):
    code = "other_product"
    text = N_("This is another product than what is in there already.")


class TooManyUnits(Refusal):
    code = "too_many_units"
    text = N_("At most {limit} can be packed or unpacked at once.")
    status = 422


class BadCapacity(Refusal):
    code = "bad_capacity"
    text = N_("The count must lie between 1 and {limit}.")
    status = 422


class UnitOutside(Refusal):
    code = "unit_outside"
    text = N_("This code does not belong to this brand, or its batch is not ready.")
    status = 422
