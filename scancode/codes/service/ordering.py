"""Ordering codes and what becomes of an order: minting, ready, failed, cancelled, tried again.

The order number makes ordering idempotent: asked twice for the same, the same batch is returned; asked for something
else under the same number, the order is refused. Large orders wait for a second person first.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Update, func, select, update
from sqlalchemy.orm import Session

from batches.codes import BATCH_SALT_BYTES, MAX_BATCH_COUNT, Kind
from batches.errors import PressError
from batches.files import USUAL_TICKET
from batches.part import FileRecord
from batches.spec import BatchSpec
from batches.ticket import Ticket
from scancode.catalog import revision
from scancode.catalog.models import Product
from scancode.codes.models import Batch, LifeRange, PackFile
from scancode.codes.orders import OrderDraft, kinds_of, kinds_text, ticket_of, ticket_text, unprintable
from scancode.codes.rules import BatchState, Life
from scancode.codes.service import approving
from scancode.codes.service.approving import mint_key
from scancode.codes.service.reading import get_batch, list_order
from scancode.codes.service.units import take_ssccs
from scancode.db import affected, insert_once
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.staff import service as staff
from scancode.staff.models import Staff

NUMBER_TRIES = 20


class OrderNumberTaken(Refusal):
    code = "order_no_taken"
    text = N_("This order number was used before, for a different order. Use a new number.")


class ProductArchived(Refusal):
    code = "product_archived"
    text = N_("This product is archived. No codes can be ordered for it.")


class BatchStateRefusal(Refusal):
    """Facts: ``number``, ``state``."""

    code = "batch_state"
    text = N_("Batch {number} has moved on meanwhile: this is not possible any more. Look at its page again.")


class NeverTwice(Refusal):
    code = "pack_never_twice"
    text = N_(
        "A pack is never made twice: the files of batch {number} were finished once. Void what is spoiled, and order a "
        "replacement that names this batch."
    )


class NothingToReplace(Refusal):
    """Facts: ``number``, ``left``: how many of its codes are void and not replaced yet."""

    code = "order_replaces"
    text = N_(
        "An order replaces codes of the same product that are void: batch {number} has {left} of them left. Void the "
        "spoiled codes first."
    )


def order(
    session: Session,
    *,
    brand_id: UUID,
    product_id: UUID,
    order_no: str,
    count: int,
    kinds: Iterable[Kind],
    lot: str = "",
    note: str = "",
    formats: Iterable[str] = ("csv",),
    base_url: str,
    is_test: bool = False,
    replaces: int | None = None,
    is_offline: bool = False,
    digital_link: bool = False,
    ticket: Ticket = USUAL_TICKET,
    approval_above: int = approving.ORDER_LIMIT,
    kid: str,
    staff_id: UUID | None = None,
    actor: str,
    now: datetime,
) -> Batch:
    """Orders a batch and asks for its minting; writes its audit row. The same order again returns the same batch.

    An order above a batch's size becomes several, of which the first is returned (``list_order`` has all).
    An order beyond the brand's limit (``approval_above`` where it has none) waits for a second person. Raises
    OrderNumberTaken, NotFound (the brand has no such product), ProductArchived, NothingToReplace, OrdererUnknown,
    and what ``OrderDraft`` raises.
    """
    draft = OrderDraft(
        product_id=product_id,
        order_no=order_no,
        count=count,
        kinds=tuple(kinds),
        formats=tuple(formats),
        base_url=base_url,
        lot=lot,
        note=note,
        is_test=is_test,
        replaces=replaces,
        is_offline=is_offline,
        digital_link=digital_link,
        ticket=ticket,
    ).checked()
    earlier = list_order(session, brand_id=brand_id, order_no=draft.order_no)
    if earlier:
        return _same_order(earlier, draft)
    _check_order(session, draft, brand_id, staff_id)
    must_wait, limit = approving.waits(
        session, brand_id=brand_id, staff_id=staff_id, count=draft.count, otherwise=approval_above, now=now
    )
    if must_wait and staff_id is None:
        raise approving.OrdererUnknown
    state = BatchState.WAITING if must_wait else BatchState.ORDERED
    made = _make(session, draft, _Place(brand_id, kid, staff_id, state), limit=limit, actor=actor, now=now)
    if made is None:  # somebody else was faster with the same number
        return _same_order(list_order(session, brand_id=brand_id, order_no=draft.order_no), draft)
    revision.bump(session)
    return made


@dataclass(frozen=True)
class _Place:
    """What a new batch has besides its draft."""

    brand_id: UUID
    kid: str
    staff_id: UUID | None
    state: BatchState
    part: int = 1
    parts: int = 1


def _make(session: Session, draft: OrderDraft, place: _Place, *, limit: int, actor: str, now: datetime) -> Batch | None:
    """Makes the batches of an order and returns the first; None when somebody else has the number."""
    first: Batch | None = None
    for number, count in enumerate(draft.counts, start=1):
        part = replace(draft, count=count)
        batch = _insert(session, part, replace(place, part=number, parts=len(draft.counts)), now=now)
        if batch is None:
            return None
        if place.state is BatchState.WAITING:
            approving.ask(session, number=batch.number, limit=limit, now=now)
        else:
            approving.release(session, batch=batch, now=now)
        _audit(session, "batch.order", batch.number, actor, now, **_told(part, place.state))
        first = first or batch
    return first


def _told(draft: OrderDraft, state: BatchState) -> dict[str, object]:
    """What the audit record keeps of an order."""
    facts: dict[str, object] = {
        "count": draft.count,
        "kinds": kinds_text(draft.kinds),
        "formats": ",".join(draft.formats),
        "is_test": draft.is_test,
    }
    if state is BatchState.WAITING:
        facts["waits"] = True
    if draft.replaces is not None:
        facts["replaces"] = draft.replaces
    if draft.is_offline:
        facts["is_offline"] = True
    return facts


def _check_order(session: Session, draft: OrderDraft, brand_id: UUID, staff_id: UUID | None) -> None:
    """Raises NotFound, ProductArchived, BadOrder (GBK lacks a character of the product's name), NothingToReplace."""
    # Orders of one person take turns, so that the limit counts all; replacements of one batch, so that no void code is
    # replaced twice.
    session.execute(select(Staff.id).where(Staff.id == staff_id).with_for_update())
    product = session.get(Product, draft.product_id)
    if product is None or product.brand_id != brand_id:
        raise NotFound
    if product.is_archived:
        raise ProductArchived
    if draft.ticket.with_product and "csv" in draft.formats:
        try:
            draft.ticket.encode(product.name_zh, "csv")
        except PressError as error:
            raise unprintable(error) from error
    if draft.replaces is None:
        return
    session.execute(select(Batch.number).where(Batch.number == draft.replaces).with_for_update())
    spoiled = get_batch(session, number=draft.replaces, brand_id=brand_id)
    if spoiled.product_id != draft.product_id:
        raise NothingToReplace(number=spoiled.number, left="0")
    void = _void_count(session, spoiled.number) - _replaced_count(session, spoiled.number)
    if draft.count > void:
        raise NothingToReplace(number=spoiled.number, left=f"{max(void, 0):,}")


def _void_count(session: Session, number: int) -> int:
    spans = select(func.sum(LifeRange.last - LifeRange.first + 1)).where(
        LifeRange.batch_number == number, LifeRange.state == Life.VOID.value
    )
    return int(session.scalar(spans) or 0)


def _replaced_count(session: Session, number: int) -> int:
    dead = [BatchState.CANCELLED.value, BatchState.REJECTED.value]
    statement = select(func.sum(Batch.count)).where(Batch.replaces == number, Batch.state.not_in(dead))
    return int(session.scalar(statement) or 0)


def _insert(session: Session, draft: OrderDraft, place: _Place, *, now: datetime) -> Batch | None:
    """The new batch, or None when somebody else ordered under the same number just now."""
    prefix, first = take_ssccs(session, draft, place.brand_id)
    for _ in range(NUMBER_TRIES):
        # Drawn at random, so that a code does not tell how many batches there are.
        number = secrets.randbelow(MAX_BATCH_COUNT)
        is_new = insert_once(
            session,
            Batch,
            number=number,
            brand_id=place.brand_id,
            product_id=draft.product_id,
            order_no=draft.order_no,
            part=place.part,
            parts=place.parts,
            kid=place.kid,
            salt=secrets.token_bytes(BATCH_SALT_BYTES),
            kinds=kinds_text(draft.kinds),
            count=draft.count,
            base_url=draft.base_url,
            digital_link=draft.digital_link,
            sscc_prefix=prefix,
            sscc_first=first,
            lot=draft.lot,
            note=draft.note,
            formats=",".join(draft.formats),
            ticket=ticket_text(draft.ticket),
            is_test=draft.is_test,
            replaces=draft.replaces,
            is_offline=draft.is_offline,
            pack_gone_why="",
            state=place.state.value,
            ordered_at=now,
            ordered_by=place.staff_id,
            life_changes=0,
        )
        if is_new:
            return get_batch(session, number=number)
        if list_order(session, brand_id=place.brand_id, order_no=draft.order_no)[place.part - 1 :]:
            return None
    raise AssertionError("no free batch number found: the numbers are used up")


def _same_order(batches: list[Batch], draft: OrderDraft) -> Batch:
    """The first batch, when together they are what the draft asks for. Raises OrderNumberTaken."""
    ordered = replace(draft_of(batches[0], note=draft.note), count=sum(batch.count for batch in batches))
    if ordered != draft:
        raise OrderNumberTaken
    return batches[0]


def spec_of(batch: Batch, product: Product) -> BatchSpec:
    """What the press is told of a batch. Raises BadSpec."""
    return replace(
        draft_of(batch).spec(number=batch.number, product_name=product.name_zh, gtin=product.gtin),
        sscc_prefix=batch.sscc_prefix,
        sscc_first=batch.sscc_first,
        part=batch.part,
        parts=batch.parts,
    )


def draft_of(batch: Batch, *, note: str | None = None) -> OrderDraft:
    """The order that made a batch."""
    return OrderDraft(
        product_id=batch.product_id,
        order_no=batch.order_no,
        count=batch.count,
        kinds=kinds_of(batch.kinds),
        formats=tuple(batch.formats.split(",")),
        base_url=batch.base_url,
        lot=batch.lot,
        note=batch.note if note is None else note,
        is_test=batch.is_test,
        replaces=batch.replaces,
        is_offline=batch.is_offline,
        digital_link=batch.digital_link,
        ticket=ticket_of(batch.ticket),
    )


def mark_minting(session: Session, *, number: int) -> bool:
    """The press takes the order up, or again after a crash. False when it was cancelled, failed or done."""
    if affected(session, _moving(number, BatchState.ORDERED, to=BatchState.MINTING)) == 1:
        revision.bump(session)
        return True
    return session.scalar(select(Batch.state).where(Batch.number == number)) == BatchState.MINTING


def mark_ready(session: Session, *, number: int, manifest: str, files: Iterable[FileRecord], now: datetime) -> bool:
    """The pack is whole. False when the order is no longer being minted (cancelled, or done by another worker)."""
    statement = _moving(number, BatchState.MINTING, to=BatchState.READY).values(manifest=manifest, ready_at=now)
    if affected(session, statement) != 1:
        return False
    session.add_all(
        PackFile(batch_number=number, name=file.name, rows=file.rows, size_bytes=file.size_bytes, sha256=file.sha256)
        for file in files
    )
    session.flush()
    revision.bump(session)
    return True


def mark_failed(session: Session, *, number: int) -> bool:
    """The press gave up; why stands in the job. False when the order is not being minted."""
    if affected(session, _moving(number, BatchState.MINTING, to=BatchState.FAILED)) != 1:
        return False
    revision.bump(session)
    return True


def is_wanted(session: Session, *, number: int) -> bool:
    """Whether the press shall go on."""
    return session.scalar(select(Batch.state).where(Batch.number == number)) == BatchState.MINTING


def cancel(session: Session, *, number: int, actor: str, now: datetime) -> None:
    """Ends an order that is not ready; its codes will never be live. The press stops at its next look.

    Raises NotFound, BatchStateRefusal.
    """
    open_states = (BatchState.WAITING, BatchState.ORDERED, BatchState.MINTING, BatchState.FAILED)
    if affected(session, _moving(number, *open_states, to=BatchState.CANCELLED)) != 1:
        raise _wrong_state(session, number)
    _take_out_job(session, number, now)
    revision.bump(session)
    _audit(session, "batch.cancel", number, actor, now)


def _take_out_job(session: Session, number: int, now: datetime) -> None:
    """A job that has not begun is taken out. One that runs sees the batch's state itself; one that has failed runs once
    more, to remove what it wrote."""
    job = jobs.find(session, key=mint_key(number))
    if job is None or job.state is jobs.JobState.LEASED:
        return
    if job.started_at is None:
        jobs.cancel(session, job_id=job.id, now=now)
    else:
        jobs.requeue(session, key=mint_key(number), run_at=now, now=now)


def retry(session: Session, *, number: int, actor: str, now: datetime) -> None:
    """Has a failed order minted again; files that are whole are kept.

    Raises NotFound, NeverTwice (its pack was handed out already), BatchStateRefusal.
    """
    if get_batch(session, number=number).state == BatchState.READY:
        raise NeverTwice(number=number)
    failed = [BatchState.FAILED]
    if has_given_up(jobs.find(session, key=mint_key(number))):
        failed += [BatchState.ORDERED, BatchState.MINTING]
    if affected(session, _moving(number, *failed, to=BatchState.ORDERED)) != 1:
        raise _wrong_state(session, number)
    jobs.requeue(session, key=mint_key(number), run_at=now, now=now)
    revision.bump(session)
    _audit(session, "batch.retry", number, actor, now)


def _moving(number: int, *states: BatchState, to: BatchState) -> Update:
    guarded = update(Batch).where(Batch.number == number, Batch.state.in_([state.value for state in states]))
    return guarded.values(state=to.value)


def has_given_up(job: jobs.JobFacts | None) -> bool:
    """Whether the job of a batch stands still for good, whatever the batch says: its workers died on it."""
    return job is not None and job.state is jobs.JobState.DEAD


def _audit(session: Session, action: str, number: int, actor: str, now: datetime, **facts: object) -> None:
    brand_id = get_batch(session, number=number).brand_id
    subject = f"batch:{number}"
    staff.audit(session, actor=actor, brand_id=brand_id, action=action, subject=subject, facts=facts, now=now)


def _wrong_state(session: Session, number: int) -> BatchStateRefusal:
    return BatchStateRefusal(number=number, state=get_batch(session, number=number).state)
