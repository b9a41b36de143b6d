"""What is halted until a person lets it go on: claims and payouts after a restore, or because somebody said so."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once
from scancode.jobs.models import Stop


def stop(session: Session, *, name: str, reason: str, now: datetime) -> bool:
    """Halts ``name`` (``claims``, ``payouts``). False when it was halted already: the first reason stays."""
    return insert_once(session, Stop, name=name, reason=reason[:200], since=now)


def allow(session: Session, *, name: str) -> bool:
    """Lets ``name`` go on. False when nothing had halted it."""
    return affected(session, delete(Stop).where(Stop.name == name)) == 1


def is_stopped(session: Session, name: str) -> str | None:
    """Why ``name`` is halted, or None when it is not."""
    return session.scalar(select(Stop.reason).where(Stop.name == name))


def list_stops(session: Session) -> list[Stop]:
    return list(session.scalars(select(Stop).order_by(Stop.name)))
