"""Tokens of outside services that all processes share. One process at a time renews one: whoever wins the UPDATE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once
from scancode.jobs.models import OutsideToken


@dataclass(frozen=True)
class TokenFacts:
    """A token as it is kept, sealed. ``holder`` fetches the next one until ``held_until``."""

    version: int
    sealed: str | None
    renew_at: datetime | None
    expires_at: datetime | None
    holder: UUID | None
    held_until: datetime | None

    def is_fresh(self, now: datetime) -> bool:
        return self.sealed is not None and self.renew_at is not None and self.renew_at > now

    def is_good(self, now: datetime) -> bool:
        """It still works, though it may be time for the next one."""
        return self.sealed is not None and self.expires_at is not None and self.expires_at > now

    def has_failed(self, now: datetime) -> bool:
        """The last attempt to renew it failed a moment ago."""
        return self.holder is None and self.held_until is not None and self.held_until > now


def find_token(session: Session, *, name: str) -> TokenFacts:
    """What is kept under a name: an empty version 0 where nothing was ever kept."""
    row = session.get(OutsideToken, name, populate_existing=True)
    if row is None:
        return TokenFacts(0, None, None, None, None, None)
    return TokenFacts(row.version, row.sealed, row.renew_at, row.expires_at, row.holder, row.held_until)


def begin_renewal(session: Session, *, name: str, version: int, holder: UUID, until: datetime, now: datetime) -> bool:
    """Takes the turn to replace the token of that version. False where another has it, or has done it."""
    insert_once(
        session, OutsideToken, name=name, version=0, sealed=None, renew_at=None, expires_at=None, holder=None,
        held_until=None,
    )  # fmt: skip
    free = or_(OutsideToken.held_until.is_(None), OutsideToken.held_until <= now)
    mine = update(OutsideToken).where(OutsideToken.name == name, OutsideToken.version == version, free)
    return affected(session, mine.values(holder=holder, held_until=until)) == 1


def end_renewal(
    session: Session, *, name: str, holder: UUID, sealed: str, renew_at: datetime, expires_at: datetime
) -> bool:
    """Keeps the new token. False where the turn was lost meanwhile: then another has fetched a newer one."""
    mine = update(OutsideToken).where(OutsideToken.name == name, OutsideToken.holder == holder)
    values = {"sealed": sealed, "renew_at": renew_at, "expires_at": expires_at, "holder": None, "held_until": None}
    return affected(session, mine.values(version=OutsideToken.version + 1, **values)) == 1


def fail_renewal(session: Session, *, name: str, holder: UUID, until: datetime) -> None:
    """Gives the turn back; nobody tries again before ``until``."""
    mine = update(OutsideToken).where(OutsideToken.name == name, OutsideToken.holder == holder)
    affected(session, mine.values(holder=None, held_until=until))
