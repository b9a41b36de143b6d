"""Ordering batches, following their making, fetching their files."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Response, url_for
from pydantic import Field
from sqlalchemy.orm import Session

from batches.manifest import MANIFEST_NAME
from scancode.catalog import service as catalog
from scancode.catalog.models import Product
from scancode.catalog.rules import check_gtin
from scancode.codes import listing
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.orders import kinds_of
from scancode.codes.rules import BatchState, Life
from scancode.errors import NotFound
from scancode.handover import service as handover
from scancode.jobs import service as jobs
from scancode.web.api.access import caller, find_brand_of_call
from scancode.web.api.approvals import Approval, approval_of
from scancode.web.api.order_shapes import Order, base_url_of, ticket_of
from scancode.web.api.refusals import FileGone, ProductUnknown
from scancode.web.api.routes import BATCHES, get, post
from scancode.web.api.shapes import (
    Answer,
    Asked,
    BatchNumber,
    BatchPath,
    BatchStateName,
    BrandSlug,
    Cursor,
    FormatName,
    KindName,
    Limit,
    OrderNumber,
    ProductAnswer,
    ProductRef,
    moment,
    number,
    read_cursor,
    reply,
    write_cursor,
)
from scancode.web.runtime import Runtime, runtime
from scancode.web.sending import Sent, client_of_request, counting, send_pack_file

FILE_TYPES = {
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zpl": "application/zpl",
}


class BatchAnswer(Answer):
    """A batch: one order of codes."""

    number: int = Field(examples=[1234567])
    order_no: str = Field(examples=["PO-2026-1122"])
    state: BatchStateName
    brand: str = Field(description="short name", examples=["shanquan"])
    product: ProductAnswer
    count: int = Field(description="items; serials run from 0 to `count` - 1", examples=[100000])
    kinds: list[KindName]
    formats: list[FormatName]
    lot: str
    note: str
    is_test: bool
    base_url: str = Field(description="printed on every code", examples=["https://q.example.cn"])
    part: int = Field(description="of `parts`: a large order is several batches", examples=[1])
    parts: int = Field(examples=[1])
    digital_link: bool = Field(description="symbols say GS1 Digital Links")
    replaces: int | None = Field(description="batch whose void codes these stand in for")
    offline: bool = Field(description="made elsewhere with a press kit")
    ordered_at: datetime
    ready_at: datetime | None


class BatchPage(Answer):
    """Batches, the newest first."""

    items: list[BatchAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


class Progress(Answer):
    """How far the press is."""

    job: Literal["queued", "leased", "done", "dead", "cancelled"]
    stage: str
    done_rows: int = Field(description="rows proved written")
    total_rows: int
    error: str | None = Field(description="why it failed, in Chinese and English")


class PackFileAnswer(Answer):
    """A finished file."""

    name: str = Field(examples=["batch-1234567-00000000-00099999.csv"])
    rows: int
    size_bytes: int
    sha256: str = Field(description="in hexadecimal")
    path: str = Field(description="where to fetch it", examples=["/api/v1/batches/1234567/files/codes.csv"])


class LifeCounts(Answer):
    """How many serials are in each state."""

    inactive: int
    active: int
    void: int
    recalled: int


class BatchDetail(BatchAnswer):
    """A batch with what is known of its making, its files and its codes."""

    approval: Approval | None = Field(description="null for an order that never had to wait")
    order_batches: list[int] = Field(description="numbers of all batches of this order, this one among them")
    progress: Progress | None
    files: list[PackFileAnswer] = Field(description="empty until the batch is ready")
    manifest: dict[str, Any] | None = Field(description="what is handed to the printer; null until the batch is ready")
    life: LifeCounts


class BatchQuery(Asked):
    """Which batches to list."""

    state: BatchStateName | None = None
    product: ProductRef | None = None
    order_no: OrderNumber | None = None
    brand: BrandSlug | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class FilePath(Asked):
    """Names a file of a batch."""

    number: BatchNumber
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,120}$", description="a name from `files`, or manifest.json")]


@post(
    "/batches",
    scope="batches:write",
    tag=BATCHES,
    answers={201: BatchDetail, 200: BatchDetail},
    refusals=(409,),
)
def order_batch(body: Order) -> Response:
    """Order a batch.

    A large order is `waiting` until a second person approves it, or `rejected`, with the reason in `approval`. 201 when
    it is new; 200 with the same batch when this order was made before; 409 `order_no_taken` when the number was used
    for something else. Its files are ready when `state` is `ready`: ask for the batch again.
    """
    shared, now = runtime(), runtime().now()

    def work(session: Session) -> tuple[BatchDetail, bool]:
        product = _product(session, body.product)
        earlier = codes.find_order(session, brand_id=product.brand_id, order_no=body.order_no)
        batch = codes.order(
            session,
            brand_id=product.brand_id,
            product_id=product.id,
            order_no=body.order_no,
            count=body.count,
            kinds=kinds_of(",".join(body.kinds)),
            lot=body.lot,
            note=body.note,
            formats=tuple(body.formats),
            # An order made before keeps its own address, though the setting may have changed since.
            base_url=base_url_of(body.base_url, shared, earlier),
            digital_link=body.digital_link,
            ticket=ticket_of(session, body, product.brand_id),
            is_test=body.is_test,
            replaces=body.replaces,
            is_offline=body.offline,
            approval_above=shared.settings.order_limit,
            kid=shared.keyring.newest,
            staff_id=caller().staff_id,
            actor=caller().actor,
            now=now,
        )
        return _detail(session, shared, batch), earlier is None and batch.ordered_at == now

    detail, is_new = shared.db.retrying(work)
    return reply(detail, 201 if is_new else 200, Location=url_for("api.show_batch", number=detail.number))


@get("/batches", scope="batches:read", tag=BATCHES, answers={200: BatchPage})
def list_batches(query: BatchQuery) -> Response:
    """List batches, the newest first."""
    after = read_cursor(query.cursor, moment, number) if query.cursor else None
    shared = runtime()
    with shared.db.reading() as session:
        brand = find_brand_of_call(session, query.brand)
        product = find_product(session, query.product) if query.product else None
        if query.product and product is None:
            return reply(BatchPage(items=[], next=None))
        rows = listing.page_of_batches(
            session,
            brand_id=brand.id if brand else None,
            state=BatchState(query.state) if query.state else None,
            product_id=product.id if product else None,
            order_no=query.order_no.strip() if query.order_no else None,
            after=(after[0], after[1]) if after else None,
            limit=query.limit + 1,
        )
        items = [BatchAnswer(**_facts(session, shared, row)) for row in rows[: query.limit]]
    last = items[-1] if len(rows) > query.limit else None
    return reply(BatchPage(items=items, next=write_cursor(last.ordered_at.isoformat(), last.number) if last else None))


@get("/batches/<number>", scope="batches:read", tag=BATCHES, answers={200: BatchDetail}, refusals=(404,))
def show_batch(path: BatchPath) -> Response:
    """Show a batch with its progress, files, manifest, and how many of its codes are live."""
    shared = runtime()
    with shared.db.reading() as session:
        batch = codes.get_batch(session, number=path.number, brand_id=caller().brand_id)
        detail = _detail(session, shared, batch)
    return reply(detail)


@get(
    "/batches/<number>/files/<name>",
    scope="batches:files",
    tag=BATCHES,
    answers={
        200: {
            "description": "The file.",
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in (*FILE_TYPES.values(), "application/json")
            },
        }
    },
    refusals=(404, 410, 416),
)
def fetch_file(path: FilePath) -> Response:
    """Fetch a file of a batch.

    Whoever has the file can print the codes, so each fetching leaves a row in the audit record; the range requests of
    one token are one. Ranges and `If-None-Match` (the file's SHA-256) are understood.
    """
    shared, token = runtime(), caller()
    with shared.db.reading() as session:
        batch = codes.get_batch(session, number=path.number, brand_id=token.brand_id)
        brand_id, is_gone = batch.brand_id, batch.pack_gone_at is not None
        digest = _digest(session, batch, path.name)
    found = codes.pack_folder(shared.settings.var_dir.absolute(), path.number) / path.name
    if is_gone or not found.is_file():
        raise FileGone

    def begin(is_beginning: bool) -> Sent:
        file = handover.FetchedFile(path.number, brand_id, path.name, found.stat().st_size)
        client = client_of_request(actor=token.actor, permit=f"{token.id}:{path.number}:{path.name}")
        download_id = shared.db.retrying(
            lambda session: handover.begin_download(
                session, file=file, client=client, is_beginning=is_beginning, sealer=shared.sealer, now=shared.now()
            )
        )
        return counting(download_id)

    kind = "application/json" if path.name == MANIFEST_NAME else FILE_TYPES.get(found.suffix, "")
    return send_pack_file(
        found, name=path.name, sha256=digest, begin=begin, mimetype=kind or "application/octet-stream"
    )


def _digest(session: Session, batch: Batch, name: str) -> str | None:
    """The SHA-256 of a file of the pack; None for the manifest. Raises NotFound."""
    if name == MANIFEST_NAME and batch.manifest is not None:
        return None
    file = codes.find_file(session, batch_number=batch.number, name=name)
    if file is None:
        raise NotFound
    return file.sha256


def find_product(session: Session, ref: str) -> Product | None:
    """The product that a GTIN or an id names, if this token may see it. Raises BadGtin, BadCheckDigit."""
    own = caller().brand_id
    product = session.get(Product, UUID(ref)) if "-" in ref else catalog.find_product(session, gtin=check_gtin(ref))
    return product if product is not None and own in (None, product.brand_id) else None


def _product(session: Session, ref: str) -> Product:
    product = find_product(session, ref)
    if product is None:
        raise ProductUnknown
    return product


def product_answer(session: Session, product_id: UUID) -> ProductAnswer:
    """The product of a batch or a code."""
    product = session.get_one(Product, product_id)
    return ProductAnswer(id=product.id, gtin=product.gtin, name_zh=product.name_zh, name_en=product.name_en)


def _facts(session: Session, shared: Runtime, batch: Batch) -> dict[str, Any]:
    brand = shared.brands.get(batch.brand_id) or catalog.load_brand(session, brand_id=batch.brand_id)
    return {
        "number": batch.number,
        "order_no": batch.order_no,
        "state": batch.state,
        "brand": brand.slug if brand else "",
        "product": product_answer(session, batch.product_id),
        "count": batch.count,
        "kinds": batch.kinds.split(","),
        "formats": batch.formats.split(","),
        "lot": batch.lot,
        "note": batch.note,
        "is_test": batch.is_test,
        "base_url": batch.base_url,
        "part": batch.part,
        "parts": batch.parts,
        "digital_link": batch.digital_link,
        "replaces": batch.replaces,
        "offline": batch.is_offline,
        "ordered_at": batch.ordered_at,
        "ready_at": batch.ready_at,
    }


def _detail(session: Session, shared: Runtime, batch: Batch) -> BatchDetail:
    counts = listing.count_life(session, batch_number=batch.number, count=batch.count)
    return BatchDetail(
        **_facts(session, shared, batch),
        approval=approval_of(session, batch.number),
        order_batches=[
            each.number for each in codes.list_order(session, brand_id=batch.brand_id, order_no=batch.order_no)
        ],
        progress=progress_of(session, codes.mint_key(batch.number)),
        files=[
            PackFileAnswer(
                name=file.name,
                rows=file.rows,
                size_bytes=file.size_bytes,
                sha256=file.sha256,
                path=url_for("api.fetch_file", number=batch.number, name=file.name),
            )
            for file in codes.list_files(session, batch_number=batch.number)
        ],
        manifest=json.loads(batch.manifest) if batch.manifest else None,
        life=LifeCounts(**{str(state): counts[state] for state in Life}),
    )


def progress_of(session: Session, job_key: str) -> Progress | None:
    """How far a job is; None where there is none (any more)."""
    job = jobs.find(session, key=job_key)
    if job is None:
        return None
    return Progress(
        job=job.state.value,
        stage=job.stage,
        done_rows=job.done_rows,
        total_rows=job.total_rows,
        error=job.error,
    )
