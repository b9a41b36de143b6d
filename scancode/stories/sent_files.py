"""Files that a person or a machine sends for the worker, whichever face takes them in: returned files to be checked,
codes whose life is to change, codes to be shipped. (A line's association file asks for itself: ``packing.ask_import``.)

What can be refused before the file is read is refused here; the rest is the worker's to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.channels.rules import ShipmentKind
from scancode.codes.models import Batch
from scancode.codes.rules import Change, Range
from scancode.stories.life_orders import TimePast
from scancode.uploads import service as uploads
from scancode.uploads.rules import TooManyFiles, UploadKind
from scancode.uploads.service import Received


@dataclass(frozen=True)
class Sender:
    """Who sends files for which brand, when, and to which installation."""

    brand_id: UUID
    actor: str
    staff_id: UUID | None
    var_dir: Path
    now: datetime


def check(session: Session, *, sender: Sender, files: Sequence[Received], batch_number: int | None) -> UUID:
    """Has files that came back from a print house checked. Raises FilesMissing, TooManyFiles."""
    return _ask(session, sender, UploadKind.CHECK, {"batch": batch_number}, files)


def change_life(
    session: Session, *, sender: Sender, files: Sequence[Received], batch: Batch, what: Change, run_at: datetime | None
) -> UUID:
    """Has the codes of a file changed, after somebody has seen how many they are. Raises TimePast, TooManyFiles."""
    if run_at is not None and run_at <= sender.now:
        raise TimePast
    wish = {
        "batch": batch.number,
        "verb": what.verb,
        "what": asdict(what),
        "run_at": run_at.isoformat() if run_at else None,
    }
    return _ask(session, sender, UploadKind.LIFE, wish, only_one(files))


@dataclass(frozen=True)
class Consignment:
    """A shipment but for what is in it: number, where to (a return goes nowhere), and how strict it is."""

    number: str
    kind: ShipmentKind
    channel_id: UUID | None
    store_id: UUID | None
    note: str = ""
    move: bool = False
    leave_out_dead: bool = False


def ship(
    session: Session,
    *,
    sender: Sender,
    files: Sequence[Received],
    consignment: Consignment,
    selection: Mapping[int, Sequence[Range]],
) -> UUID:
    """Has the codes of a file, and the serials of ``selection``, booked as a shipment.

    Raises ShipmentNumberTaken, TooManyFiles, and as ``channels.check_place``.
    """
    number = consignment.number.strip()
    if consignment.kind is not ShipmentKind.RETURN:
        channels.check_place(
            session, brand_id=sender.brand_id, channel_id=consignment.channel_id, store_id=consignment.store_id
        )
    if channels.find_shipment(session, brand_id=sender.brand_id, number=number) is not None:
        raise channels.ShipmentNumberTaken(number=number)
    wish = {
        "number": number,
        "kind": consignment.kind.value,
        "channel": str(consignment.channel_id) if consignment.channel_id else None,
        "store": str(consignment.store_id) if consignment.store_id else None,
        "selection": {batch: [list(one) for one in ranges] for batch, ranges in selection.items()},
        "note": consignment.note,
        "move": consignment.move,
        "leave_out_dead": consignment.leave_out_dead,
    }
    return _ask(session, sender, UploadKind.SHIPMENT, wish, only_one(files))


def only_one(files: Sequence[Received]) -> Sequence[Received]:
    """The file of a kind that takes one. Raises TooManyFiles."""
    if len(files) > 1:
        raise TooManyFiles(limit=1)
    return files


def _ask(
    session: Session, sender: Sender, kind: UploadKind, wish: Mapping[str, Any], files: Sequence[Received]
) -> UUID:
    return uploads.ask(
        session,
        brand_id=sender.brand_id,
        kind=kind,
        wish=wish,
        files=files,
        var_dir=sender.var_dir,
        actor=sender.actor,
        staff_id=sender.staff_id,
        now=sender.now,
    )
