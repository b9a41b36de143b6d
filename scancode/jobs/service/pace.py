"""Not too quick, all workers of all hosts together: each call takes its turn before it is made."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once
from scancode.jobs.models import Pace


def take_turn(session: Session, *, name: str, per_second: int, now: datetime) -> timedelta:
    """How long to wait before the call that this transaction is about; the next caller waits a little longer.

    Turns that nobody took are not saved up. The row stays locked until the commit: take it last.
    """
    insert_once(session, Pace, name=name, free_at=now)
    begin = session.scalars(select(Pace.free_at).where(Pace.name == name).with_for_update()).one()
    turn = max(begin, now)
    session.execute(update(Pace).where(Pace.name == name).values(free_at=turn + timedelta(seconds=1 / per_second)))
    return turn - now


def hold_back(session: Session, *, name: str, until: datetime) -> None:
    """The other side says that we are too quick: nobody calls before then."""
    affected(session, update(Pace).where(Pace.name == name, Pace.free_at < until).values(free_at=until))
