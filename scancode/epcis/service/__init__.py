"""The verbs of EPCIS: telling what happened, and carrying out what others tell."""

from scancode.epcis.service.capturing import (
    JOB,
    EventIdTaken,
    ask_capture,
    carry_out,
    due_captures,
    get_capture,
    job_key,
    list_captures,
    state_of,
)
from scancode.epcis.service.deeds import EpcUnknown, OtherParent, PlaceUnknown, ThingsDead
from scancode.epcis.service.telling import Page, Place, page
from scancode.epcis.service.things import Things

__all__ = [
    "JOB",
    "EpcUnknown",
    "EventIdTaken",
    "OtherParent",
    "Page",
    "Place",
    "PlaceUnknown",
    "Things",
    "ThingsDead",
    "ask_capture",
    "carry_out",
    "due_captures",
    "get_capture",
    "job_key",
    "list_captures",
    "page",
    "state_of",
]
