"""What other parts ask of batches: the facts that the scan path keeps, the fresh life of one serial, lists, history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, defer

from batches.codes import Verifier
from scancode.catalog.models import Product
from scancode.codes.keys import Keyring
from scancode.codes.models import Batch, LifeEvent, LifeRange, PackFile
from scancode.codes.orders import kinds_of
from scancode.codes.ranges import Span, SpanMap
from scancode.codes.rules import INACTIVE, BatchFacts, BatchState, Life, LifeFacts
from scancode.errors import NotFound
from scancode.staff.models import Staff

EVENTS_MAX = 100


def load_numbers(session: Session) -> frozenset[int]:
    """The numbers of all batches."""
    return frozenset(session.scalars(select(Batch.number)))


def load_kids(session: Session) -> frozenset[str]:
    """The ids of the code secrets that batches were made with: ``Keyring.missing`` must find none of them gone."""
    return frozenset(session.scalars(select(Batch.kid).distinct()))


def load_batch(session: Session, *, number: int, keyring: Keyring) -> BatchFacts | None:
    """A batch with its key and the life of its codes, ready to be kept. Raises ConfigError when its secret is gone."""
    batch = session.get(Batch, number)
    if batch is None:
        return None
    return BatchFacts(
        number=batch.number,
        brand_id=batch.brand_id,
        product_id=batch.product_id,
        count=batch.count,
        kinds=kinds_of(batch.kinds),
        base_url=batch.base_url,
        is_test=batch.is_test,
        state=BatchState(batch.state),
        lot=batch.lot,
        life=SpanMap(load_life(session, batch_number=number)),
        verifier=Verifier(keyring.derive(batch.kid, batch.salt)),
    )


def load_life(session: Session, *, batch_number: int, first: int = 0, last: int = 1 << 25) -> list[Span[LifeFacts]]:
    """The spans of a batch that meet ``first`` to ``last``, in order."""
    query = (
        select(
            LifeRange.first,
            LifeRange.last,
            LifeRange.state,
            LifeRange.reason,
            LifeRange.message_zh,
            LifeRange.message_en,
            LifeRange.changed_at,
            LifeRange.prior,
        )
        .where(LifeRange.batch_number == batch_number, LifeRange.first <= last, LifeRange.last >= first)
        .order_by(LifeRange.first)
    )
    return [Span(row[0], row[1], LifeFacts(Life(row[2]), *row[3:])) for row in session.execute(query)]


def life_of(session: Session, *, batch_number: int, serial: int) -> LifeFacts:
    """The state of one serial as this transaction sees it."""
    spans = load_life(session, batch_number=batch_number, first=serial, last=serial)
    return spans[0].value if spans else INACTIVE


def find_batch(session: Session, *, number: int) -> Batch | None:
    return session.get(Batch, number)


def find_order(session: Session, *, brand_id: UUID, order_no: str) -> Batch | None:
    """The first batch of a brand's order."""
    return next(iter(list_order(session, brand_id=brand_id, order_no=order_no)), None)


def list_order(session: Session, *, brand_id: UUID, order_no: str) -> list[Batch]:
    """All batches of a brand's order; numbers are the brand's own, so another's does not stand in the way."""
    query = select(Batch).where(Batch.brand_id == brand_id, Batch.order_no == order_no.strip())
    return list(session.scalars(query.order_by(Batch.part)))


def get_batch(session: Session, *, number: int, brand_id: UUID | None = None) -> Batch:
    """Raises NotFound, also where the batch belongs to another brand than ``brand_id``."""
    batch = session.get(Batch, number, populate_existing=True)  # states change by UPDATE, past the session
    if batch is None or (brand_id is not None and batch.brand_id != brand_id):
        raise NotFound
    return batch


@dataclass(frozen=True)
class BatchRow:
    """A line of a list of batches."""

    batch: Batch
    gtin: str
    product_zh: str
    product_en: str

    def product(self, locale: str) -> str:
        return self.product_zh if locale.startswith("zh") else self.product_en


def list_batches(
    session: Session,
    *,
    brand_id: UUID | None,
    query: str = "",
    state: BatchState | None = None,
    product_id: UUID | None = None,
    offset: int = 0,
    limit: int = 50,
) -> list[BatchRow]:
    """The newest batches that fit; ``query`` is looked for in order number, lot, product name, GTIN and number."""
    statement = _fitting(
        select(Batch, Product.gtin, Product.name_zh, Product.name_en), brand_id, query, state, product_id
    )
    statement = statement.order_by(Batch.ordered_at.desc(), Batch.number).offset(offset).limit(limit)
    statement = statement.options(defer(Batch.manifest))
    return [BatchRow(*row) for row in session.execute(statement)]


def count_batches(
    session: Session,
    *,
    brand_id: UUID | None,
    query: str = "",
    state: BatchState | None = None,
    product_id: UUID | None = None,
) -> int:
    return session.scalar(_fitting(select(func.count()), brand_id, query, state, product_id)) or 0


def _fitting(
    statement: Any, brand_id: UUID | None, query: str, state: BatchState | None, product_id: UUID | None
) -> Any:
    statement = statement.select_from(Batch).join(Product, Product.id == Batch.product_id)
    if brand_id is not None:
        statement = statement.where(Batch.brand_id == brand_id)
    if state is not None:
        statement = statement.where(Batch.state == state.value)
    if product_id is not None:
        statement = statement.where(Batch.product_id == product_id)
    wanted = query.strip()
    if wanted:
        columns = (Batch.order_no, Batch.lot, Product.name_zh, Product.name_en, Product.gtin)
        matches = [column.icontains(wanted, autoescape=True) for column in columns]
        if wanted.isascii() and wanted.isdigit() and len(wanted) <= 8:
            matches.append(Batch.number == int(wanted))
        statement = statement.where(or_(*matches))
    return statement


def list_files(session: Session, *, batch_number: int) -> Sequence[PackFile]:
    return session.scalars(
        select(PackFile).where(PackFile.batch_number == batch_number).order_by(PackFile.name).limit(1000)
    ).all()


def find_file(session: Session, *, batch_number: int, name: str) -> PackFile | None:
    return session.get(PackFile, (batch_number, name))


def pack_folder(var_dir: Path, number: int) -> Path:
    """Where the files of a batch are."""
    return var_dir / "packs" / str(number)


@dataclass(frozen=True)
class EventFacts:
    """Something that was done to codes: ``first`` to ``last`` is its hull, ``count`` how many really changed."""

    first: int
    last: int
    count: int
    state: Life
    reason: str
    note: str
    at: datetime
    staff_name: str | None


def history(
    session: Session, *, batch_number: int, serial: int | None = None, limit: int = EVENTS_MAX
) -> list[EventFacts]:
    """What was done to a batch, or to one serial of it, newest first; one act over many ranges is one line."""
    group = (LifeEvent.state, LifeEvent.reason, LifeEvent.note, LifeEvent.at, Staff.name)
    query = (
        select(
            func.min(LifeEvent.first),
            func.max(LifeEvent.last),
            func.sum(LifeEvent.last - LifeEvent.first + 1),
            *group,
        )
        .outerjoin(Staff, Staff.id == LifeEvent.staff_id)
        .where(LifeEvent.batch_number == batch_number)
        .group_by(*group)
        .order_by(LifeEvent.at.desc(), LifeEvent.state)
        .limit(limit)
    )
    if serial is not None:
        query = query.where(LifeEvent.first <= serial, LifeEvent.last >= serial)
    return [EventFacts(row[0], row[1], int(row[2]), Life(row[3]), *row[4:]) for row in session.execute(query)]
