"""What a complaint must say, and what may become of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.members.rules import mask_phone, normalise_phone

TEXT_LENGTH_MAX = 1000
NOTE_LENGTH_MAX = 1000
OF_VISITOR_MAX = 5
"""Complaints of one browser within ``OF_VISITOR_PERIOD``."""
OF_VISITOR_PERIOD = timedelta(days=1)


class ComplaintState(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class ComplaintKind(StrEnum):
    FAKE = "fake"
    OPENED = "opened"
    CLAIMED = "claimed"
    QUALITY = "quality"
    OTHER = "other"


class NothingSaid(Refusal):
    code = "complaint_empty"
    text = N_("Write in a few words what looks wrong, or add a photo.")
    status = 422


class TextTooLong(Refusal):
    code = "complaint_long"
    text = N_("At most {limit} characters, please.")
    status = 422


class ContactNotAgreed(Refusal):
    code = "complaint_consent"
    text = N_("To be called back, please agree that your number is kept for this; or leave the number out.")
    status = 422


class TooManyComplaints(Refusal):
    code = "too_many_complaints"
    text = N_("Thank you: you have told us about several items today. Please call customer service about more.")
    status = 429


class NothingToAnswer(Refusal):
    code = "complaint_words"
    text = N_("Write something first.")
    status = 422


class ComplaintMoved(Refusal):
    code = "complaint_moved"
    text = N_("This complaint has moved on meanwhile, or its words were erased. Look at it again.")


@dataclass(frozen=True)
class Draft:
    """A complaint as a person made it. ``contact`` is a phone number, or empty."""

    kind: ComplaintKind
    text: str
    contact: str = ""
    is_agreed: bool = False
    has_photo: bool = False

    def checked(self) -> Draft:
        """Tidied. Raises NothingSaid, TextTooLong, ContactNotAgreed, and BadPhone for a number that is none."""
        text, contact = self.text.strip(), self.contact.strip()
        if not text and not self.has_photo:
            raise NothingSaid
        if len(text) > TEXT_LENGTH_MAX:
            raise TextTooLong(limit=TEXT_LENGTH_MAX)
        if contact and not self.is_agreed:
            raise ContactNotAgreed
        return Draft(self.kind, text, normalise_phone(contact) if contact else "", bool(contact), self.has_photo)

    @property
    def hint(self) -> str:
        return mask_phone(self.contact) if self.contact else ""
