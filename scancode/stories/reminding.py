"""Telling people that points expire, across the features: on their page from that moment on, and in WeChat where the
brand has a template and the person agreed to messages and has shown their WeChat.

The reminder is the row of the ledger; a job carries it out, in the transaction that wrote it. Why no message went out
stands beside it, for staff.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.catalog import service as catalog
from scancode.catalog.rules import BrandFacts
from scancode.jobs import service as jobs
from scancode.ledger import service as ledger
from scancode.ledger.rules import TEMPLATE_WORDS, ReminderFacts
from scancode.letters import LetterState, Template, day_in_words, thing
from scancode.members import service as members
from scancode.members.models import IdentityKind
from scancode.sealing import Sealer

JOB = "remind"
DAY_END = timedelta(seconds=1)
"""Points end with a day: at its last moment they are still good."""


def announce(session: Session, *, brand: BrandFacts, can_send: bool, now: datetime) -> int:
    """Writes the reminders that are due and has the worker send what can be sent; returns how many are new."""
    until = now + timedelta(days=brand.points.remind_days)
    made = ledger.remind(session, brand_id=brand.id, until=until, now=now)
    of_account: dict[UUID, list[UUID]] = {}
    for one in made:
        of_account.setdefault(one.account_id, []).append(one.lot_id)
    for account_id, lot_ids in of_account.items():
        if can_send and brand.points.template:
            payload = {"account": str(account_id)}
            jobs.enqueue(session, kind=JOB, key=f"{JOB}:{lot_ids[0]}", payload=payload, run_at=now, now=now)
        else:
            reason = "no_template" if can_send or not brand.points.template else "no_channel"
            _end(session, account_id, lot_ids, reason, now)
    return len(made)


@dataclass(frozen=True)
class Letter:
    """A message about lots that expire on one day. It lives for the length of one call."""

    openid: str
    template: Template
    fields: dict[str, str]
    brand: BrandFacts
    lot_ids: tuple[UUID, ...]

    @property
    def key(self) -> str:
        return self.lot_ids[0].hex


def next_letter(session: Session, *, account_id: UUID, sealer: Sealer, now: datetime) -> Letter | None:
    """What is to be said next, and to whom. None where nothing is: what waited for a message that cannot go out is
    ended with the reason."""
    waiting = ledger.waiting_reminders(session, account_id=account_id)
    if not waiting:
        return None
    late = [one.lot_id for one in waiting if one.expires_at <= now]
    spent = [one.lot_id for one in waiting if one.points == 0 and one.expires_at > now]
    _end(session, account_id, late, "late", now)
    _end(session, account_id, spent, "spent", now)
    waiting = [one for one in waiting if one.lot_id not in {*late, *spent}]
    if not waiting:
        return None
    brand = catalog.load_brand(session, brand_id=waiting[0].brand_id)
    template = Template.read(brand.points.template, TEMPLATE_WORDS) if brand else None
    found = find_way(session, member_id=account_id, template=template, sealer=sealer)
    if brand is None or isinstance(found, str):
        _end(session, account_id, [one.lot_id for one in waiting], str(found), now)
        return None
    openid, template = found
    _, first = next(groupby(waiting, key=lambda one: brand.day(one.expires_at - DAY_END)))
    return _letter(openid, template, brand, tuple(first))


def find_way(
    session: Session, *, member_id: UUID, template: Template | None, sealer: Sealer
) -> tuple[str, Template] | str:
    """The member's openid, and the template again; or why there is no way (a word of ``letters.REASONS``)."""
    member = members.find_member(session, member_id=member_id)
    if member is None or not member.is_here:
        return "guest" if member is None else "left"
    if template is None:
        return "no_template"
    if not members.reaches_by_wechat(session, member_id=member_id):
        return "no_consent"
    known = members.identities_of(session, member_id=member_id)
    openids = [one.id for one in known if one.kind == IdentityKind.OPENID and not one.is_snapshot]
    if not openids:
        return "no_channel"
    return members.reveal(session, identity_id=openids[-1], sealer=sealer), template


def _letter(openid: str, template: Template, brand: BrandFacts, lots: Sequence[ReminderFacts]) -> Letter:
    fields = template.filled(
        points=str(sum(one.points for one in lots)),
        day=day_in_words(brand.local(lots[0].expires_at - DAY_END).date()),
        brand=thing(brand.name_zh),
    )
    return Letter(openid, template, fields, brand, tuple(one.lot_id for one in lots))


def note_sent(session: Session, *, account_id: UUID, lot_ids: Sequence[UUID], now: datetime) -> None:
    ledger.end_reminders(session, account_id=account_id, lot_ids=lot_ids, state=LetterState.SENT, now=now)


def note_refused(session: Session, *, account_id: UUID, lot_ids: Sequence[UUID], now: datetime) -> None:
    """WeChat does not reach this person, now or later."""
    _end(session, account_id, lot_ids, "refused", now)


def _end(session: Session, account_id: UUID, lot_ids: Sequence[UUID], reason: str, now: datetime) -> None:
    if lot_ids:
        ledger.end_reminders(
            session, account_id=account_id, lot_ids=lot_ids, state=LetterState.PAGE_ONLY, reason=reason, now=now
        )
