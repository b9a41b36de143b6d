"""Links to sealed packs: made for one person, opened with a passcode, revoked.

A try is counted before it is compared, in one guarded UPDATE: however many guesses arrive at once, no more are
compared than the lock allows. Commit between the two steps.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from scancode.codes.models import Batch
from scancode.db import affected, new_id
from scancode.errors import Invalid, NotFound, Refusal
from scancode.handover.models import PackLink, SealedPack
from scancode.handover.passes import Passes, new_passcode
from scancode.handover.rules import FAILURES_TOTAL_MAX, LinkFacts, LinkState, PackForm, SealState
from scancode.handover.service.sealing import get_sealed
from scancode.i18n import N_
from scancode.staff import service as staff

FOR_WHOM_LENGTH_MAX = 80
LINKS_MAX = 20
"""Of one sealed pack."""


class LinkOver(Refusal):
    """Facts: ``state``."""

    code = "pack_link_over"
    text = N_("This link does not serve any more: it has expired, was used up or was taken back. Ask for a new one.")
    status = 410


class LinkLocked(Refusal):
    """Facts: ``minutes``."""

    code = "pack_link_locked"
    text = N_("Too many wrong passcodes: wait {minutes} minutes, then try again.")
    status = 429


class WrongPasscode(Refusal):
    code = "pack_passcode"
    text = N_("The passcode is wrong. It was given to you apart from this link.")
    status = 403


class SealedNotReady(Refusal):
    code = "sealed_not_ready"
    text = N_("There is no sealed file to link to: it is not ready yet, or has left the disk.")


def make_link(
    session: Session,
    *,
    sealed_id: UUID,
    for_whom: str,
    expires_at: datetime,
    downloads_max: int,
    passes: Passes,
    staff_id: UUID | None,
    actor: str,
    now: datetime,
) -> tuple[UUID, str]:
    """A link for one person: its id and its passcode, which nobody can read again. Raises Invalid, SealedNotReady."""
    sealed = get_sealed(session, sealed_id=sealed_id)
    if sealed.state != SealState.READY or sealed.leaves_at is None:
        raise SealedNotReady
    for_whom = for_whom.strip()
    if not 1 <= len(for_whom) <= FOR_WHOM_LENGTH_MAX or not for_whom.isprintable():
        raise Invalid(field="for_whom", problem=N_("1 to 80 characters."))
    if len(list_links(session, sealed_id=sealed_id)) >= LINKS_MAX:
        raise Invalid(field="for_whom", problem=N_("There are too many links to this file already."))
    link_id, passcode = new_id(now), new_passcode()
    session.add(
        PackLink(
            id=link_id,
            sealed_id=sealed_id,
            for_whom=for_whom,
            passcode_mac=passes.passcode_mac(link_id, passcode),
            created_at=now,
            created_by=staff_id,
            expires_at=min(expires_at, sealed.leaves_at),
            downloads=0,
            downloads_max=downloads_max,
            failures=0,
            failures_total=0,
        )
    )
    session.flush()
    _audit(session, "pack.link", link_id, sealed, actor, now)
    return link_id, passcode


def find_link(session: Session, *, link_id: UUID) -> LinkFacts | None:
    row = session.execute(_facts_query().where(PackLink.id == link_id)).one_or_none()
    return LinkFacts(**_values(row._asdict())) if row else None


def list_links(session: Session, *, sealed_id: UUID) -> list[LinkFacts]:
    query = _facts_query().where(PackLink.sealed_id == sealed_id).order_by(PackLink.id.desc()).limit(LINKS_MAX + 1)
    return [LinkFacts(**_values(row._asdict())) for row in session.execute(query)]


def _facts_query() -> Any:
    return (
        select(
            PackLink.id,
            PackLink.sealed_id,
            SealedPack.batch_number,
            Batch.brand_id,
            SealedPack.form,
            SealedPack.file_name,
            SealedPack.size_bytes,
            SealedPack.sha256,
            SealedPack.state.label("sealed_state"),
            PackLink.for_whom,
            PackLink.passcode_mac,
            PackLink.created_at,
            PackLink.expires_at,
            PackLink.downloads,
            PackLink.downloads_max,
            PackLink.failures_total,
            PackLink.locked_until,
            PackLink.revoked_at,
        )
        .join(SealedPack, SealedPack.id == PackLink.sealed_id)
        .join(Batch, Batch.number == SealedPack.batch_number)
    )


def _values(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "form": PackForm(row["form"]), "sealed_state": SealState(row["sealed_state"])}


def take_try(session: Session, *, link: LinkFacts, now: datetime, failures_max: int, lock_minutes: int) -> None:
    """Counts a try as a failure before it is compared. Raises LinkOver, LinkLocked."""
    state = link.state(now)
    if state not in (LinkState.OPEN, LinkState.LOCKED):
        raise LinkOver(state=state.value)
    expired = (PackLink.id == link.id, PackLink.locked_until <= now)
    affected(session, update(PackLink).where(*expired).values(failures=0, locked_until=None))
    until = now + timedelta(minutes=lock_minutes)
    taken = (
        update(PackLink)
        .where(
            PackLink.id == link.id,
            PackLink.locked_until.is_(None),
            PackLink.failures_total < FAILURES_TOTAL_MAX,
            PackLink.revoked_at.is_(None),
        )
        .values(
            failures=PackLink.failures + 1,
            failures_total=PackLink.failures_total + 1,
            locked_until=case((PackLink.failures + 1 >= failures_max, until)),
        )
    )
    if affected(session, taken) != 1:
        seen = find_link(session, link_id=link.id)
        until = seen.locked_until if seen is not None and seen.locked_until is not None else until
        raise LinkLocked(minutes=max(1, -int((now - until).total_seconds() // 60)))


def give_back(session: Session, *, link_id: UUID) -> None:
    """The passcode was right: its try was no failure, and the row of failures is over."""
    statement = update(PackLink).where(PackLink.id == link_id)
    values = {"failures": 0, "failures_total": PackLink.failures_total - 1, "locked_until": None}
    affected(session, statement.values(values))


def revoke_link(session: Session, *, link_id: UUID, actor: str, now: datetime) -> None:
    """Takes a link back; taking it back again changes nothing. Raises NotFound."""
    link = session.get(PackLink, link_id)
    if link is None:
        raise NotFound
    ended = update(PackLink).where(PackLink.id == link_id, PackLink.revoked_at.is_(None)).values(revoked_at=now)
    if affected(session, ended) == 1:
        _audit(session, "pack.revoke_link", link_id, get_sealed(session, sealed_id=link.sealed_id), actor, now)


def _audit(session: Session, action: str, link_id: UUID, sealed: SealedPack, actor: str, now: datetime) -> None:
    staff.audit(
        session,
        actor=actor,
        brand_id=session.scalar(select(Batch.brand_id).where(Batch.number == sealed.batch_number)),
        action=action,
        subject=f"batch:{sealed.batch_number}",
        facts={"link": str(link_id), "sealed": str(sealed.id)},
        now=now,
    )
