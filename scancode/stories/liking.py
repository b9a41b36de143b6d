"""What people like, by what they open: counted of everybody without saying who, and kept of a member alone who agreed
to that. Taking the consent back deletes it, in the same transaction.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.catalog.rules import BrandFacts
from scancode.channels import service as channels
from scancode.channels.service.liking import Opened
from scancode.members import service as members
from scancode.members.rules import PREFERENCES


def note_opened(session: Session, *, opened: Opened, member_id: UUID | None, day: str, now: datetime) -> bool:
    """Counts that a link was opened. True when it was kept for the member, too. ``day`` is in the brand's zone."""
    is_kept = member_id is not None and members.hold_consent(session, member_id=member_id, purpose=PREFERENCES)
    if is_kept and member_id is not None:
        channels.like(session, member_id=member_id, opened=opened, now=now)
    channels.count_opening(session, opened=opened, day=day, now=now)
    return is_kept


def agree(session: Session, *, brand: BrandFacts, member_id: UUID, language: str, now: datetime) -> bool:
    """From now on it is kept what the member opens. True when it is news."""
    return members.consent(
        session, member_id=member_id, purpose=PREFERENCES, version=brand.privacy_version, language=language, now=now
    )


def forget(session: Session, *, member_id: UUID, now: datetime) -> int:
    """Takes the consent back and deletes what was kept; returns how many rows those were."""
    members.withdraw(session, member_id=member_id, purpose=PREFERENCES, now=now)
    return channels.forget_likings(session, member_id=member_id)
