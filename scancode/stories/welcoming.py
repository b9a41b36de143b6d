"""Greeting who has just joined, across the features: on the first page and on their own from then on, and in WeChat
where the brand has a template and the person agreed to messages and has shown their WeChat.

The welcome is a row of the member, written in the transaction in which they join; a job sends what can be sent. Why no
message went out stands beside it, for staff.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.catalog import service as catalog
from scancode.catalog.rules import BrandFacts
from scancode.channels import service as channels
from scancode.channels.rules import Attribution
from scancode.channels.welcomes import LETTER_TIME, TEMPLATE_WORDS, GivenFacts
from scancode.jobs import service as jobs
from scancode.letters import LetterState, Template, day_in_words, thing
from scancode.members import service as members
from scancode.sealing import Sealer
from scancode.stories.reminding import find_way

JOB = "welcome"


def welcome(
    session: Session, *, brand_id: UUID, member_id: UUID, origin: Attribution, can_write: bool, now: datetime
) -> bool:
    """Gives a new member the welcome of what they are credited to, and has the worker send it where it can be.
    ``can_write``: messages can go out at all. False where the brand has no welcome for them."""
    given = channels.give_welcome(session, member_id=member_id, brand_id=brand_id, attribution=origin, now=now)
    if given is None:
        return False
    template = channels.load_welcome_terms(session, brand_id=brand_id).template
    if template and can_write:
        payload = {"member": str(member_id)}
        jobs.enqueue(session, kind=JOB, key=f"{JOB}:{member_id}", payload=payload, run_at=now, now=now)
    else:
        _end(session, member_id, "no_channel" if template else "no_template", now)
    return True


@dataclass(frozen=True)
class Letter:
    """A message to a new member. It lives for the length of one call."""

    openid: str
    template: Template
    fields: dict[str, str]
    brand: BrandFacts
    key: str


def next_letter(session: Session, *, member_id: UUID, sealer: Sealer, now: datetime) -> Letter | None:
    """What is to be said, and to whom. None where nothing is: a message that cannot go out is ended with the reason."""
    given = channels.find_given(session, member_id=member_id)
    if given is None or given.state is not LetterState.WAITING:
        return None
    if now - given.given_at > LETTER_TIME:
        _end(session, member_id, "stale", now)
        return None
    brand = catalog.load_brand(session, brand_id=given.welcome.brand_id)
    terms = channels.load_welcome_terms(session, brand_id=given.welcome.brand_id)
    template = Template.read(terms.template, TEMPLATE_WORDS)
    found = find_way(session, member_id=member_id, template=template, sealer=sealer)
    if brand is None or isinstance(found, str):
        _end(session, member_id, str(found), now)
        return None
    language = members.get_member(session, member_id=member_id).language
    return Letter(*found, _fields(found[1], given, brand, language), brand, member_id.hex)


def _fields(template: Template, given: GivenFacts, brand: BrandFacts, language: str) -> dict[str, str]:
    text = given.welcome.text(language) or given.welcome.title(language)
    return template.filled(
        title=thing(given.welcome.title(language)),
        text=thing(text),
        brand=thing(brand.name(language)),
        day=day_in_words(brand.local(given.given_at).date()),
    )


def note_sent(session: Session, *, member_id: UUID, now: datetime) -> None:
    channels.end_welcome_letter(session, member_id=member_id, state=LetterState.SENT, now=now)


def note_no_way(session: Session, *, member_id: UUID, now: datetime) -> None:
    """Messages cannot go out any more."""
    _end(session, member_id, "no_channel", now)


def note_refused(session: Session, *, member_id: UUID, now: datetime) -> None:
    """WeChat does not reach this person, now or later."""
    _end(session, member_id, "refused", now)


def _end(session: Session, member_id: UUID, reason: str, now: datetime) -> None:
    channels.end_welcome_letter(session, member_id=member_id, state=LetterState.PAGE_ONLY, reason=reason, now=now)
