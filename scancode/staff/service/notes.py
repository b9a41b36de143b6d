"""What staff did about something, and wrote, step by step. Whatever is worked on keeps a table of these of its own."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.db import new_id
from scancode.staff.models import Staff, StaffNote

Note = TypeVar("Note", bound=StaffNote)
SHOWN_MAX = 200


def note(
    session: Session,
    table: type[StaffNote],
    *,
    about_id: UUID,
    step: str,
    text: str,
    staff_id: UUID | None,
    actor: str,
    now: datetime,
) -> None:
    session.add(
        table(about_id=about_id, id=new_id(now), step=step, text=text, staff_id=staff_id, actor=actor[:80], at=now)
    )


def notes_about(session: Session, table: type[Note], *, about_id: UUID) -> list[tuple[Note, str | None]]:
    """The oldest first, each with the name of who did it."""
    query = (
        select(table, Staff.name)
        .outerjoin(Staff, Staff.id == table.staff_id)
        .where(table.about_id == about_id)
        .order_by(table.id)
        .limit(SHOWN_MAX)
    )
    return [(row, name) for row, name in session.execute(query)]
