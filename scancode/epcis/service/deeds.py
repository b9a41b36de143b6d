"""Deeds that events ask for, done with the verbs that every other face calls: what those refuse is refused here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.channels.models import Shipment
from scancode.channels.rules import ShipmentKind, leave_out
from scancode.codes import service as codes
from scancode.codes.rules import Activate, Change, Life, Range, Void, VoidReason
from scancode.codes.typed import merge
from scancode.epcis.captured import Deed, Verb
from scancode.epcis.rules import stamp
from scancode.epcis.service.things import Things
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.packing import service as packing
from scancode.packing.rules import Unit
from scancode.packing.rules import select as selected

NOTE_LENGTH_MAX = 300


class EpcUnknown(Refusal):
    code = "epcis_epc"
    text = N_("“{epc}” names nothing of this brand.")
    status = 422


class PlaceUnknown(Refusal):
    code = "epcis_place"
    text = N_("No destination names a store or a channel of this brand: urn:uuid: and its id.")
    status = 422


class ThingsDead(Refusal):
    """Facts: ``count``."""

    code = "epcis_dead"
    text = N_("{count} of these are void or recalled: they do not live again by an event.")


class OtherParent(Refusal):
    code = "epcis_parent"
    text = N_("Some of these are not in the parent that the event names.")


class Doer:
    """Does deeds of one sender."""

    def __init__(self, session: Session, things: Things, *, actor: str, staff_id: UUID | None) -> None:
        self._session = session
        self._things = things
        self._by: dict[str, Any] = {"actor": actor, "staff_id": staff_id}

    def do(self, deeds: Sequence[Deed], *, name: str, now: datetime) -> None:
        """One deed, or several that are one of ours (``Deed.group``). Raises what the verbs raise, and BadEpc."""
        deed = deeds[0]
        by = {**self._by, "now": now}
        note = f"EPCIS {stamp(deed.at)} {name}"[:NOTE_LENGTH_MAX]
        units = [self._unit(text) for each in deeds for text in each.epcs]
        doing: dict[Verb, Callable[[], None]] = {
            Verb.COMMISSION: lambda: self._change(units, Activate(note), by),
            Verb.DECOMMISSION: lambda: self._change(units, Void(deed.reason or VoidReason.OTHER, note), by),
            Verb.PACK: lambda: self._pack(self._unit(str(deed.parent)), units, by),
            Verb.UNPACK: lambda: self._unpack(self._unit(str(deed.parent)), units, by),
            Verb.SHIP: lambda: self._ship(deed, units, name, by),
            Verb.RECEIVE: lambda: self._receive(deed, units, by),
        }
        doing[deed.verb]()

    def _unit(self, text: str) -> Unit:
        found = self._things.find(text)
        if found is None:
            raise EpcUnknown(epc=text[:120])
        return found

    def _change(self, units: Sequence[Unit], what: Change, by: dict[str, Any]) -> None:
        selection = packing.serials(self._session, selection=selected(units))
        for number, ranges in selection.items():
            done = codes.change(self._session, batch_number=number, ranges=ranges, what=what, **by)
            dead = done.left.get(Life.VOID, 0) + done.left.get(Life.RECALLED, 0)
            if dead and isinstance(what, Activate):
                raise ThingsDead(count=dead)

    def _pack(self, parent: Unit, units: Sequence[Unit], by: dict[str, Any]) -> None:
        brand_id = self._things.brand_id
        packing.open_container(self._session, parent=parent, capacity=None, brand_id=brand_id, **by)
        packing.pack(self._session, parent=parent, children=units, brand_id=brand_id, **by)

    def _unpack(self, parent: Unit, units: Sequence[Unit], by: dict[str, Any]) -> None:
        if not units:
            packing.empty(self._session, parent=parent, brand_id=self._things.brand_id, **by)
            return
        if any(packing.parent_of(self._session, unit=unit) != parent for unit in units):
            raise OtherParent
        packing.unpack(self._session, children=units, brand_id=self._things.brand_id, **by)

    def _ship(self, deed: Deed, units: Sequence[Unit], name: str, by: dict[str, Any]) -> None:
        kind = ShipmentKind.OUT
        if deed.is_return:
            kind = ShipmentKind.RETURN
        elif self._place(deed.sources) is not None:
            kind = ShipmentKind.TRANSFER
        place = self._place(deed.destinations)
        if place is None and kind is not ShipmentKind.RETURN:
            raise PlaceUnknown
        channel_id, store_id = place if place is not None and kind is not ShipmentKind.RETURN else (None, None)
        channels.ship(
            self._session,
            brand_id=self._things.brand_id,
            number=deed.reference or name[-60:],
            channel_id=channel_id,
            store_id=store_id,
            selection=packing.everything(self._session, units=units),
            kind=kind,
            note="EPCIS",
            **by,
        )

    def _place(self, names: Sequence[str]) -> tuple[UUID, UUID | None] | None:
        """The channel, and the store if it is one, that any of these names."""
        for name in names:
            place_id = _uuid(name)
            if place_id is None:
                continue
            for find in (self._store, self._channel):
                try:
                    return find(place_id)
                except NotFound:
                    continue
        return None

    def _store(self, place_id: UUID) -> tuple[UUID, UUID | None]:
        store, channel = channels.get_store(self._session, store_id=place_id)
        if channel.brand_id != self._things.brand_id:
            raise NotFound
        return channel.id, store.id

    def _channel(self, place_id: UUID) -> tuple[UUID, UUID | None]:
        channel = channels.get_channel(self._session, channel_id=place_id)
        if channel.brand_id != self._things.brand_id:
            raise NotFound
        return channel.id, None

    def _receive(self, deed: Deed, units: Sequence[Unit], by: dict[str, Any]) -> None:
        """What the shipment carried and the event does not name is missing."""
        shipment = self._shipment(deed.reference)
        came = packing.everything(self._session, units=units)
        sent: dict[int, list[Range]] = {}
        for line in channels.lines_of_shipment(self._session, shipment_id=shipment.id):
            sent.setdefault(line.batch_number, []).append((line.first, line.last))
        for number, ranges in came.items():
            strange = leave_out(merge(ranges), merge(sent.get(number, ())))
            if strange:
                first, last = strange[0]
                count = sum(high - low + 1 for low, high in strange)
                raise channels.NotShipped(first=first, last=last, batch=number, count=count)
        missing = {number: leave_out(merge(ranges), list(came.get(number, ()))) for number, ranges in sent.items()}
        channels.receive(
            self._session,
            shipment_id=shipment.id,
            missing={number: ranges for number, ranges in missing.items() if ranges},
            note="EPCIS",
            **by,
        )

    def _shipment(self, reference: str) -> Shipment:
        """Raises NotFound."""
        shipment_id, brand_id = _uuid(reference), self._things.brand_id
        if shipment_id is None:
            found = channels.find_shipment(self._session, brand_id=brand_id, number=reference)
        else:
            found = channels.get_shipment(self._session, shipment_id=shipment_id)
        if found is None or found.brand_id != brand_id:
            raise NotFound
        return found


def _uuid(text: str) -> UUID | None:
    """The id in ``urn:uuid:…``."""
    if not text.startswith("urn:uuid:"):
        return None
    try:
        return UUID(text)
    except ValueError:
        return None
