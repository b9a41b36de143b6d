"""Saved layouts of labels: a brand's own, by name. Orders copy them, so changing one touches nothing ordered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from batches.errors import PressError
from batches.layouts import Layout
from scancode.codes.models import LabelLayout
from scancode.codes.orders import unprintable
from scancode.db import affected, insert_once, new_id
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.staff import service as staff

NAME_LENGTH_MAX = 60
LAYOUTS_MAX = 200


class LayoutNameTaken(Refusal):
    code = "layout_name_taken"
    text = N_("Another layout of this brand has this name.")


class LayoutNameMissing(Refusal):
    code = "layout_name"
    text = N_("A layout needs a name of 1 to 60 characters.")
    status = 422


class TooManyLayouts(Refusal):
    code = "layouts_full"
    text = N_("A brand has {limit} layouts at most. Delete one that nobody uses.")


@dataclass(frozen=True)
class SavedLayout:
    id: UUID
    brand_id: UUID
    name: str
    layout: Layout
    changed_at: datetime


def list_layouts(session: Session, *, brand_id: UUID | None) -> list[SavedLayout]:
    """A brand's layouts by name; every brand's for operators."""
    query = select(LabelLayout).order_by(LabelLayout.name, LabelLayout.id).limit(LAYOUTS_MAX)
    if brand_id is not None:
        query = query.where(LabelLayout.brand_id == brand_id)
    return [_facts(row) for row in session.scalars(query)]


def get_layout(session: Session, *, layout_id: UUID) -> SavedLayout:
    """Raises NotFound."""
    row = session.get(LabelLayout, layout_id, populate_existing=True)
    if row is None:
        raise NotFound
    return _facts(row)


def find_layout(session: Session, *, brand_id: UUID, name: str) -> SavedLayout | None:
    row = session.scalar(select(LabelLayout).where(LabelLayout.brand_id == brand_id, LabelLayout.name == name.strip()))
    return None if row is None else _facts(row)


def save_layout(
    session: Session,
    *,
    layout_id: UUID | None,
    brand_id: UUID,
    name: str,
    layout: Layout,
    actor: str,
    now: datetime,
) -> UUID:
    """Saves a new layout (``layout_id`` None) or changes one; writes the audit row.

    Raises LayoutNameMissing, LayoutNameTaken, TooManyLayouts, NotFound.
    """
    name = name.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not name.isprintable():
        raise LayoutNameMissing
    text = json.dumps(layout.to_dict(), sort_keys=True)
    held = find_layout(session, brand_id=brand_id, name=name)
    if held is not None and held.id != layout_id:
        raise LayoutNameTaken
    if layout_id is None:
        count = select(func.count()).select_from(LabelLayout).where(LabelLayout.brand_id == brand_id)
        if (session.scalar(count) or 0) >= LAYOUTS_MAX:
            raise TooManyLayouts(limit=LAYOUTS_MAX)
        action, row_id = "layout.create", new_id(now)
        if not insert_once(session, LabelLayout, id=row_id, brand_id=brand_id, name=name, layout=text, changed_at=now):
            raise LayoutNameTaken
    else:
        action, row_id = "layout.change", layout_id
        mine = update(LabelLayout).where(LabelLayout.id == layout_id, LabelLayout.brand_id == brand_id)
        if affected(session, mine.values(name=name, layout=text, changed_at=now)) != 1:
            raise NotFound
    _audit(session, action, row_id, brand_id, actor, now, name=name)
    return row_id


def delete_layout(session: Session, *, layout_id: UUID, actor: str, now: datetime) -> None:
    """Takes a layout away; what was ordered with it keeps its copy. Raises NotFound."""
    row = get_layout(session, layout_id=layout_id)
    affected(session, delete(LabelLayout).where(LabelLayout.id == layout_id))
    _audit(session, "layout.delete", layout_id, row.brand_id, actor, now, name=row.name)


def layout_from(given: dict[str, Any]) -> Layout:
    """A layout that somebody typed. Raises BadOrder with the press's sentence."""
    try:
        return Layout(**given)
    except PressError as error:
        raise unprintable(error) from error


def _audit(
    session: Session, action: str, layout_id: UUID, brand_id: UUID, actor: str, now: datetime, **facts: object
) -> None:
    subject = f"layout:{layout_id}"
    staff.audit(session, actor=actor, brand_id=brand_id, action=action, subject=subject, facts=facts, now=now)


def _facts(row: LabelLayout) -> SavedLayout:
    return SavedLayout(row.id, row.brand_id, row.name, Layout.from_dict(json.loads(row.layout)), row.changed_at)
