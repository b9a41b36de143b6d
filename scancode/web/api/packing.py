"""Packing for machines: a line that packs case by case tells each of them here; what a case or a pallet holds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from scancode.errors import NotFound
from scancode.packing import service as packing
from scancode.packing.rules import CAPACITY_MAX, CHILDREN_MAX, Level, Unit
from scancode.web.api.access import caller
from scancode.web.api.codes import CodePath
from scancode.web.api.once import Repeating, made_once
from scancode.web.api.routes import PACKING, get, post
from scancode.web.api.shapes import Answer, Asked, reply
from scancode.web.reading import read_code
from scancode.web.runtime import runtime

LevelName = Literal["item", "case", "pallet"]
Code = Annotated[str, Field(min_length=1, max_length=100, examples=["15NM7GKYV6QA0BMHYHKJ"])]
Capacity = Annotated[int, Field(strict=True, ge=1, le=CAPACITY_MAX, description="how many belong into it")]
Children = Annotated[list[Code], Field(min_length=1, max_length=CHILDREN_MAX, description="codes; each once")]


class Packing(Asked):
    """Which codes go into which case or onto which pallet."""

    parent: Code = Field(description="code of the case or the pallet")
    children: Children
    capacity: (
        Annotated[int, Field(strict=True, ge=1, le=CAPACITY_MAX, description="how many belong into it")] | None
    ) = None
    move: Annotated[bool, Field(strict=True, description="take them out of where they are")] = False
    close: Annotated[bool, Field(strict=True, description="end packing: refuses another count than `capacity`")] = True


class Unpacking(Asked):
    """Which codes to take out of whatever holds them."""

    children: Children


class UnitAnswer(Answer):
    """An item, a case or a pallet."""

    level: LevelName
    batch: int
    serial: int


class FilledAnswer(UnitAnswer):
    """How full a case or a pallet is."""

    count: int
    capacity: int | None
    closed: bool


class UnpackedAnswer(Answer):
    """What was taken out."""

    unpacked: int


class UnitRange(Answer):
    """Serials from `first` to `last`, both included."""

    level: LevelName
    batch: int
    first: int
    last: int


class ContentsAnswer(FilledAnswer):
    """What a case or a pallet holds, and what holds it."""

    items: int = Field(description="items in it, all the way down")
    cases: int
    parents: list[UnitAnswer] = Field(description="what holds it, from the inside out")
    direct: list[UnitRange] = Field(description="what lies directly in it")
    all: list[UnitRange]


@post("/packing/pack", scope="batches:write", tag=PACKING, answers={200: FilledAnswer}, refusals=(404, 409))
def pack_codes(header: Repeating, body: Packing) -> Response:
    """Pack codes into a case or onto a pallet.

    All of them or none. What was packed already answers 409 `already_inside` or `already_packed`, unless the same
    `Idempotency-Key` came with both calls.
    """
    shared, token = runtime(), caller()
    parent, children = unit_of(body.parent), [unit_of(code) for code in body.children]

    def work(session: Session) -> FilledAnswer:
        by: dict[str, Any] = {
            "brand_id": token.brand_id,
            "actor": token.actor,
            "staff_id": token.staff_id,
            "now": shared.now(),
        }
        packing.open_container(session, parent=parent, capacity=body.capacity, **by)
        filled = packing.pack(session, parent=parent, children=children, move=body.move, **by)
        if body.close:
            filled = packing.close(session, parent=parent, **by)
        return FilledAnswer.model_validate(_filled(filled))

    return made_once(header.key, work, status=200)


@post("/packing/unpack", scope="batches:write", tag=PACKING, answers={200: UnpackedAnswer}, refusals=(404, 409))
def unpack_codes(body: Unpacking) -> Response:
    """Take codes out of whatever holds them, all or none."""
    shared, token = runtime(), caller()
    children = [unit_of(code) for code in body.children]
    runs = shared.db.retrying(
        lambda session: packing.unpack(
            session,
            children=children,
            brand_id=token.brand_id,
            actor=token.actor,
            staff_id=token.staff_id,
            now=shared.now(),
        )
    )
    return reply(UnpackedAnswer(unpacked=sum(run.count for run in runs)))


@get("/codes/<code>/contents", scope="batches:read", tag=PACKING, answers={200: ContentsAnswer}, refusals=(404,))
def show_contents(path: CodePath) -> Response:
    """What a case or a pallet holds; for an item, what holds it."""
    unit = unit_of(path.code)
    with runtime().db.reading() as session:
        inside = packing.contents(session, parent=unit)
        filled = packing.find_container(session, unit=unit)
        parents = packing.parents(session, unit=unit)
    answer = {
        **_filled(filled),
        "items": inside.items,
        "cases": inside.cases,
        "parents": [_named(above) for above in parents],
        "direct": _ranges(inside.direct),
        "all": _ranges(inside.all),
    }
    return reply(ContentsAnswer.model_validate(answer))


def unit_of(text: str) -> Unit:
    """Raises what ``read_code`` raises, and NotFound for another brand's."""
    code = read_code(runtime(), text)
    if caller().brand_id not in (None, code.brand.id):
        raise NotFound
    return Unit(code.batch.number, Level.of(code.kind), code.serial)


def _named(unit: Unit) -> dict[str, object]:
    return {"level": unit.level.label, "batch": unit.batch, "serial": unit.serial}


def _filled(filled: packing.Filled) -> dict[str, object]:
    return {
        **_named(filled.unit), "count": filled.count, "capacity": filled.capacity, "closed": filled.is_closed,
    }  # fmt: skip


def _ranges(selection: dict[tuple[int, Level], tuple[tuple[int, int], ...]]) -> list[dict[str, object]]:
    return [
        {"level": level.label, "batch": batch, "first": first, "last": last}
        for (batch, level), ranges in sorted(selection.items())
        for first, last in ranges
    ]
