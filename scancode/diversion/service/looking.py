"""Looks through the scans of the last days for items outside their territory, and opens or renews cases.

One grouping query tells where the items of each channel and store were scanned; only what is outside is read singly.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, distinct, exists, func, select, update
from sqlalchemy.orm import Session

from batches.codes import Kind, code_id, split_code_id
from scancode.catalog.rules import BrandFacts
from scancode.channels import service as channels
from scancode.channels.models import Shipment, ShippedRange
from scancode.channels.rules import Place
from scancode.codes.ranges import SpanMap
from scancode.db import affected, insert_once, new_id
from scancode.diversion.models import DiversionCase, DiversionScan
from scancode.diversion.rules import CLOSED, WAITING, CaseState, DiversionTerms, Sighted, Surfaced, is_outside, surfaced
from scancode.diversion.service.territories import Owner, territories_of
from scancode.packing import service as packing
from scancode.packing.rules import Level, Unit
from scancode.scans.models import Scan, Suspicion
from scancode.scans.rules import SUSPECT, Verdict

SCANS_MAX = 5_000
"""Scans outside that are looked at of one brand and run; the newest first."""
PACKED_MAX = 500
ITEM_KINDS = (Kind.OUTER, Kind.INNER)
COUNTED = (Verdict.FIRST, Verdict.REPEAT)
NOT_SUSPECT = ~exists().where(Suspicion.code_id == Scan.code_id, Suspicion.state.in_(SUSPECT))
"""A copied code surfaces everywhere and says nothing about where the item is: neither by the scans that met it as
suspect nor by those made before it was."""


@dataclass(frozen=True)
class Parcel:
    """What is looked at together: a shipment to a place, and what of it was scanned outside."""

    shipment_id: UUID
    owner: Owner
    scans: list[Sighted]


def look(session: Session, *, brand: BrandFacts, terms: DiversionTerms, now: datetime) -> int:
    """Opens a case for each shipment and province that looks like diversion, and renews those that are open.

    Returns how many were opened.
    """
    territories = territories_of(session, brand_id=brand.id)
    if not territories:
        return 0
    since = now - timedelta(days=terms.days)
    outside = _outside(session, brand, territories, terms, since)
    if not outside:
        return 0
    opened = 0
    for parcel in _parcels(session, brand, outside, since):
        territory = _territory(territories, parcel.owner)
        scanned = _scanned_items(session, parcel.shipment_id, since)
        for found in surfaced(parcel.scans, territory, scanned_items=scanned, terms=terms):
            opened += _open(session, brand.id, parcel, found, scanned, now)
    return opened


def _territory(territories: dict[Owner, list[int]], owner: Owner) -> list[int]:
    return territories.get(owner) or territories.get((owner[0], None)) or []


def _outside(
    session: Session, brand: BrandFacts, territories: dict[Owner, list[int]], terms: DiversionTerms, since: datetime
) -> set[tuple[UUID, UUID | None, int]]:
    """Channel, store and place of scans outside."""
    where = (Scan.item_channel_id, Scan.item_store_id, Scan.region)
    query = (
        select(*where)
        .where(
            Scan.brand_id == brand.id,
            Scan.day >= brand.day(since),
            Scan.region.is_not(None),
            Scan.item_channel_id.in_({channel for channel, _ in territories}),
            Scan.is_test.is_(False),
            Scan.is_confirmed.is_(True),
        )
        .group_by(*where)
    )
    found = set()
    for channel_id, store_id, region in session.execute(query):
        if channel_id is None or region is None:
            continue
        territory = _territory(territories, (channel_id, store_id))
        if territory and is_outside(region, territory, beyond_km=terms.kilometres):
            found.add((channel_id, store_id, region))
    return found


def _parcels(
    session: Session, brand: BrandFacts, outside: Collection[tuple[UUID, UUID | None, int]], since: datetime
) -> list[Parcel]:
    query = (
        select(
            Scan.code_id,
            Scan.id,
            Scan.visitor_id,
            Scan.scanned_at,
            Scan.region,
            Scan.item_store_id,
            Scan.item_channel_id,
        )
        .where(
            Scan.brand_id == brand.id,
            Scan.day >= brand.day(since),
            Scan.region.in_({region for _, _, region in outside}),
            Scan.item_channel_id.in_({channel for channel, _, _ in outside}),
            Scan.verdict.in_([verdict.value for verdict in COUNTED]),
            NOT_SUSPECT,
            Scan.is_test.is_(False),
            Scan.is_confirmed.is_(True),
            Scan.scanned_at >= since,
        )
        .order_by(Scan.day.desc(), Scan.id.desc())
        .limit(SCANS_MAX)
    )
    places = _Places(session)
    parcels: dict[UUID, Parcel] = {}
    for code, scan_id, visitor_id, scanned_at, region, store_id, channel_id in session.execute(query):
        if channel_id is None or region is None or (channel_id, store_id, region) not in outside:
            continue
        number, _, serial = split_code_id(code)
        place = places.of(number, serial, sent_before=scanned_at)
        if place is None or (place.channel_id, place.store_id) != (channel_id, store_id):
            continue  # it has moved on since
        parent = places.parent_of(number, serial)
        sighted = Sighted((number, serial), scan_id, code, visitor_id, scanned_at, region, parent)
        parcel = parcels.setdefault(place.shipment_id, Parcel(place.shipment_id, (channel_id, store_id), []))
        parcel.scans.append(sighted)
    return list(parcels.values())


class _Places:
    """Where items are, and in which case; each batch, shipment and item is asked for once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shipped: dict[int, SpanMap[Place]] = {}
        self._sent: dict[UUID, datetime | None] = {}
        self._parents: dict[tuple[int, int], int | None] = {}

    def of(self, number: int, serial: int, *, sent_before: datetime) -> Place | None:
        if number not in self._shipped:
            self._shipped[number] = channels.load_shipped(self._session, batch_number=number)
        span = self._shipped[number].find(serial)
        if span is None:
            return None
        shipment_id = span.value.shipment_id
        if shipment_id not in self._sent:
            query = select(Shipment.shipped_at).where(Shipment.id == shipment_id)
            self._sent[shipment_id] = self._session.scalar(query)
        sent = self._sent[shipment_id]
        return span.value if sent is not None and sent <= sent_before else None

    def parent_of(self, number: int, serial: int) -> int | None:
        """The case that the item was packed into; nothing any more once ``PACKED_MAX`` items were asked for."""
        item = (number, serial)
        if item not in self._parents and len(self._parents) < PACKED_MAX:
            parent = packing.parent_of(self._session, unit=Unit(number, Level.ITEM, serial))
            self._parents[item] = parent.id if parent else None
        return self._parents.get(item)


def _scanned_items(session: Session, shipment_id: UUID, since: datetime) -> int:
    """How many items of a shipment were scanned anywhere that is known."""
    ranges = session.scalars(select(ShippedRange).where(ShippedRange.shipment_id == shipment_id)).all()
    return sum(max(_scanned_codes(session, row, kind, since) for kind in ITEM_KINDS) for row in ranges)


def _scanned_codes(session: Session, row: ShippedRange, kind: Kind, since: datetime) -> int:
    first, last = (code_id(row.batch_number, kind, serial) for serial in (row.first, row.last))
    query = select(func.count(distinct(Scan.code_id))).where(
        Scan.code_id >= first,
        Scan.code_id <= last,
        Scan.region.is_not(None),
        Scan.scanned_at >= since,
        Scan.is_confirmed.is_(True),
        NOT_SUSPECT,
    )
    return session.scalar(query) or 0


def _open(session: Session, brand_id: UUID, parcel: Parcel, found: Surfaced, scanned: int, now: datetime) -> int:
    """1 for a new case. One that waits gets the new figures; one that was closed stays closed until there is news."""
    same = (DiversionCase.shipment_id == parcel.shipment_id) & (DiversionCase.region == found.region)
    figures = {
        "items": found.items,
        "scanned": scanned,
        "of_case": found.of_case,
        "kilometres": found.kilometres,
        "latest_at": found.latest_at,
    }
    last = session.scalars(select(DiversionCase).where(same).order_by(DiversionCase.opened_at.desc()).limit(1)).first()
    if last is not None and last.state in WAITING:
        affected(session, update(DiversionCase).where(DiversionCase.id == last.id).values(figures))
        _drop_suspects(session, last.id)
        _put_scans(session, last.id, found)
        return 0
    if last is not None and last.state in CLOSED and found.latest_at <= last.changed_at:
        return 0
    case_id, (channel_id, store_id) = new_id(now), parcel.owner
    session.add(
        DiversionCase(
            id=case_id,
            brand_id=brand_id,
            shipment_id=parcel.shipment_id,
            channel_id=channel_id,
            store_id=store_id,
            region=found.region,
            state=CaseState.OPEN.value,
            opened_at=now,
            changed_at=now,
            staff_id=None,
            **figures,
        )
    )
    session.flush()
    _put_scans(session, case_id, found)
    return 1


def _drop_suspects(session: Session, case_id: UUID) -> None:
    """A case that waits does not rest any more on codes that were marked since."""
    suspect = exists().where(Suspicion.code_id == DiversionScan.code_id, Suspicion.state.in_(SUSPECT))
    affected(session, delete(DiversionScan).where(DiversionScan.case_id == case_id, suspect))


def _put_scans(session: Session, case_id: UUID, found: Surfaced) -> None:
    for scan in found.scans:
        insert_once(
            session,
            DiversionScan,
            case_id=case_id,
            scan_id=scan.scan_id,
            code_id=scan.code_id,
            region=scan.region,
            scanned_at=scan.scanned_at,
        )
