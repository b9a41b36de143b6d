"""Print houses: who they are, whom to call, and the public key that their packs are sealed for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from batches.errors import BadRecipient
from batches.sealed import check_recipient
from scancode.db import new_id
from scancode.errors import Invalid, NotFound, Refusal
from scancode.handover.models import PrintHouse
from scancode.i18n import N_
from scancode.sealing import Sealer
from scancode.staff import service as staff

NAME_LENGTH_MAX = 80
CONTACT_LENGTH_MAX = 200
HOUSES_MAX = 500
CONTACT_PURPOSE = "print_house.contact"


class HouseUnknown(Refusal):
    """Facts: ``name``."""

    code = "house_unknown"
    text = N_("The brand has no print house “{name}”. “scancode handover houses” lists them.")
    status = 404


@dataclass(frozen=True)
class HouseFacts:
    """A print house. ``contact`` is whom to call, opened for the page that shows it."""

    id: UUID
    brand_id: UUID
    name: str
    contact: str
    recipient: str
    is_active: bool


def save_house(
    session: Session,
    *,
    house_id: UUID | None = None,
    brand_id: UUID,
    name: str,
    contact: str,
    recipient: str,
    is_active: bool = True,
    sealer: Sealer,
    actor: str,
    now: datetime,
) -> UUID:
    """A new print house, or a changed one. Raises Invalid, NotFound."""
    name, contact, recipient = name.strip(), contact.strip(), recipient.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not name.isprintable():
        raise Invalid(field="name", problem=N_("1 to 80 characters."))
    if len(contact) > CONTACT_LENGTH_MAX:
        raise Invalid(field="contact", problem=N_("At most 200 characters."))
    if recipient:
        try:
            recipient = check_recipient(recipient)
        except BadRecipient as error:
            problem = N_("This is no age public key: it begins with age1. The print house makes it with “keygen”.")
            raise Invalid(field="recipient", problem=problem) from error
    taken = session.scalar(select(PrintHouse.id).where(PrintHouse.brand_id == brand_id, PrintHouse.name == name))
    if taken is not None and taken != house_id:
        raise Invalid(field="name", problem=N_("There is a print house of this name."))
    row = _row(session, house_id, brand_id, now)
    is_new_key = bool(recipient) and row.recipient != recipient
    row.name, row.recipient, row.is_active = name, recipient, is_active
    row.contact = sealer.seal(contact, purpose=CONTACT_PURPOSE)
    session.add(row)
    session.flush()
    staff.audit(
        session,
        actor=actor,
        brand_id=brand_id,
        action="house.save",
        subject=f"house:{row.id}",
        facts={"is_new": house_id is None, "is_new_key": is_new_key, "is_active": is_active},
        now=now,
    )
    return row.id


def _row(session: Session, house_id: UUID | None, brand_id: UUID, now: datetime) -> PrintHouse:
    if house_id is None:
        return PrintHouse(id=new_id(now), brand_id=brand_id, created_at=now, recipient="")
    row = session.get(PrintHouse, house_id)
    if row is None or row.brand_id != brand_id:
        raise NotFound
    return row


def get_house(session: Session, *, house_id: UUID, sealer: Sealer) -> HouseFacts:
    """Raises NotFound."""
    row = session.get(PrintHouse, house_id)
    if row is None:
        raise NotFound
    return _facts(row, sealer)


def house_named(session: Session, *, brand_id: UUID, name: str) -> UUID:
    """The id of a brand's print house that is named so, or has that id as text. Raises HouseUnknown."""
    for house_id, called in session.execute(
        select(PrintHouse.id, PrintHouse.name).where(PrintHouse.brand_id == brand_id).limit(HOUSES_MAX)
    ):
        if name.strip() in (called, str(house_id)):
            return UUID(str(house_id))
    raise HouseUnknown(name=name.strip()[:NAME_LENGTH_MAX])


def list_houses(
    session: Session, *, brand_id: UUID | None, sealer: Sealer, only_active: bool = False
) -> list[HouseFacts]:
    statement = select(PrintHouse).order_by(PrintHouse.name).limit(HOUSES_MAX)
    if brand_id is not None:
        statement = statement.where(PrintHouse.brand_id == brand_id)
    if only_active:
        statement = statement.where(PrintHouse.is_active)
    return [_facts(row, sealer) for row in session.scalars(statement)]


def _facts(row: PrintHouse, sealer: Sealer) -> HouseFacts:
    contact = sealer.open(row.contact, purpose=CONTACT_PURPOSE)
    return HouseFacts(row.id, row.brand_id, row.name, contact, row.recipient, row.is_active)
