"""Handing packs over: sealing one for a print house, links with passcodes, who has fetched what.

A password or a passcode stands in the answer to the call that made it, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from flask import Response, url_for
from sqlalchemy.orm import Session

from scancode.codes import service as codes
from scancode.errors import NotFound
from scancode.handover import service as handover
from scancode.handover.models import PrintHouse, SealedPack
from scancode.handover.passes import Passes
from scancode.handover.rules import LinkFacts, PackForm, SealState
from scancode.web.api.access import caller, find_brand_of_call
from scancode.web.api.batches import progress_of
from scancode.web.api.handover_shapes import (
    DownloadAnswer,
    DownloadList,
    FreshLink,
    FreshSeal,
    HouseAnswer,
    HouseList,
    HouseQuery,
    LinkAnswer,
    Linking,
    LinkList,
    LinkPath,
    SealedAnswer,
    SealedList,
    SealedPath,
    Sealing,
)
from scancode.web.api.once import Repeating, made_once
from scancode.web.api.refusals import FileGone
from scancode.web.api.routes import HANDOVER, get, post
from scancode.web.api.shapes import Answer, BatchPath, Nothing, reply
from scancode.web.runtime import runtime
from scancode.web.sending import Sent, client_of_request, counting, send_pack_file


@get("/houses", scope="batches:read", tag=HANDOVER, answers={200: HouseList})
def list_houses(query: HouseQuery) -> Response:
    """List print houses."""
    shared = runtime()
    with shared.db.reading() as session:
        brand = find_brand_of_call(session, query.brand)
        rows = handover.list_houses(session, brand_id=brand.id if brand else None, sealer=shared.sealer)
    items = [
        HouseAnswer(id=row.id, name=row.name, has_key=bool(row.recipient), is_active=row.is_active) for row in rows
    ]
    return reply(HouseList(items=items))


@post(
    "/batches/<number>/seal",
    scope="batches:handover",
    tag=HANDOVER,
    answers={201: FreshSeal},
    refusals=(404, 410),
)
def seal_pack(header: Repeating, path: BatchPath, body: Sealing) -> Response:
    """Have a pack encrypted for a print house.

    When that is done its plain files leave the disk. Send an `Idempotency-Key`: after a lost answer the same call tells
    the same password, where another call would make another file.
    """
    shared, token = runtime(), caller()

    def work(session: Session) -> FreshSeal:
        codes.get_batch(session, number=path.number, brand_id=token.brand_id)
        row, password = handover.ask_seal(
            session,
            number=path.number,
            house_id=body.house,
            form=PackForm(body.form),
            sealer=shared.sealer,
            staff_id=token.staff_id,
            actor=token.actor,
            now=shared.now(),
        )
        house = session.get_one(PrintHouse, row.house_id).name
        return FreshSeal(**_sealed(session, row, house).model_dump(), password=password)

    return made_once(header.key, work)


@get("/batches/<number>/sealed", scope="batches:read", tag=HANDOVER, answers={200: SealedList}, refusals=(404,))
def list_sealed(path: BatchPath) -> Response:
    """List the sealed packs of a batch."""

    def read(session: Session) -> SealedList:
        rows = handover.list_sealed(session, batch_number=path.number)
        return SealedList(items=[_sealed(session, row, house) for row, house in rows])

    return of_batch(path, read)


@post(
    "/sealed/<sealed_id>/cancel",
    scope="batches:handover",
    tag=HANDOVER,
    answers={200: SealedAnswer},
    refusals=(404, 409),
)
def cancel_seal(path: SealedPath, body: Nothing) -> Response:
    """Cancel an encrypting that is not done. The plain files stay."""
    return _changed(path.sealed_id, is_retry=False)


@post(
    "/sealed/<sealed_id>/retry",
    scope="batches:handover",
    tag=HANDOVER,
    answers={200: SealedAnswer},
    refusals=(404, 409),
)
def retry_seal(path: SealedPath, body: Nothing) -> Response:
    """Try a failed encrypting again, with the same password."""
    return _changed(path.sealed_id, is_retry=True)


@get(
    "/sealed/<sealed_id>/file",
    scope="batches:files",
    tag=HANDOVER,
    answers={
        200: {
            "description": "The sealed file.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    refusals=(404, 410, 416),
)
def fetch_sealed(path: SealedPath) -> Response:
    """Fetch a sealed pack.

    Ranges and `If-None-Match` are understood; the range requests of one token are one download, which goes on record.
    """
    shared, token = runtime(), caller()
    with shared.db.reading() as session:
        row = _visible(session, path.sealed_id)
        brand_id = codes.get_batch(session, number=row.batch_number).brand_id
    found = handover.sealed_path(shared.settings.var_dir.absolute(), row)
    if row.state != SealState.READY or not found.is_file():
        raise FileGone

    def begin(is_beginning: bool) -> Sent:
        file = handover.FetchedFile(row.batch_number, brand_id, row.file_name, row.size_bytes, row.id)
        client = client_of_request(actor=token.actor, permit=f"{token.id}:{row.id}")
        download_id = shared.db.retrying(
            lambda session: handover.begin_download(
                session, file=file, client=client, is_beginning=is_beginning, sealer=shared.sealer, now=shared.now()
            )
        )
        return counting(download_id)

    return send_pack_file(found, name=row.file_name, sha256=row.sha256, begin=begin)


@post(
    "/sealed/<sealed_id>/links",
    scope="batches:handover",
    tag=HANDOVER,
    answers={201: FreshLink},
    refusals=(404, 409),
)
def make_link(header: Repeating, path: SealedPath, body: Linking) -> Response:
    """Make a link for one person.

    Whoever opens it is asked for the passcode. Tell the two apart from each other.
    """
    shared, token, settings = runtime(), caller(), runtime().settings
    passes = Passes(settings.link_keys.get_secret_value())

    def work(session: Session) -> FreshLink:
        _visible(session, path.sealed_id)
        now = shared.now()
        link_id, passcode = handover.make_link(
            session,
            sealed_id=path.sealed_id,
            for_whom=body.for_whom,
            expires_at=now + timedelta(days=min(body.days, settings.link_days)),
            downloads_max=min(body.downloads, settings.link_downloads),
            passes=passes,
            staff_id=token.staff_id,
            actor=token.actor,
            now=now,
        )
        link = handover.find_link(session, link_id=link_id)
        if link is None:
            raise NotFound
        url = settings.base_url + url_for("pickup.page", token=passes.address(link_id))
        return FreshLink(**_link(link, now).model_dump(), url=url, passcode=passcode)

    return made_once(header.key, work)


@get("/sealed/<sealed_id>/links", scope="batches:handover", tag=HANDOVER, answers={200: LinkList}, refusals=(404,))
def list_links(path: SealedPath) -> Response:
    """List the links to a sealed pack."""
    now = runtime().now()
    with runtime().db.reading() as session:
        _visible(session, path.sealed_id)
        rows = handover.list_links(session, sealed_id=path.sealed_id)
    return reply(LinkList(items=[_link(row, now) for row in rows]))


@post("/links/<link_id>/revoke", scope="batches:handover", tag=HANDOVER, answers={200: LinkAnswer}, refusals=(404,))
def revoke_link(path: LinkPath, body: Nothing) -> Response:
    """Take a link back. Taking it back again changes nothing."""
    shared, token = runtime(), caller()

    def work(session: Session) -> LinkFacts:
        link = handover.find_link(session, link_id=path.link_id)
        if link is None or token.brand_id not in (None, link.brand_id):
            raise NotFound
        handover.revoke_link(session, link_id=path.link_id, actor=token.actor, now=shared.now())
        return handover.find_link(session, link_id=path.link_id) or link

    return reply(_link(shared.db.retrying(work), shared.now()))


@get(
    "/batches/<number>/downloads", scope="batches:handover", tag=HANDOVER, answers={200: DownloadList}, refusals=(404,)
)
def list_downloads(path: BatchPath) -> Response:
    """Show who has fetched files of a batch, and how much of them arrived."""

    def read(session: Session) -> DownloadList:
        rows = handover.list_downloads(session, batch_number=path.number, sealer=runtime().sealer)
        names = DownloadAnswer.model_fields
        return DownloadList(items=[DownloadAnswer(**{name: getattr(row, name) for name in names}) for row in rows])

    response = of_batch(path, read)
    response.headers["Cache-Control"] = "no-store"
    return response


def of_batch(path: BatchPath, read: Callable[[Session], Answer]) -> Response:
    """Answers what ``read`` finds about a batch that the token may see. Raises NotFound."""
    with runtime().db.reading() as session:
        codes.get_batch(session, number=path.number, brand_id=caller().brand_id)
        return reply(read(session))


def _changed(sealed_id: UUID, *, is_retry: bool) -> Response:
    shared, token = runtime(), caller()

    def work(session: Session) -> SealedAnswer:
        _visible(session, sealed_id)
        act = handover.retry_seal if is_retry else handover.cancel_seal
        act(session, sealed_id=sealed_id, actor=token.actor, now=shared.now())
        row = handover.get_sealed(session, sealed_id=sealed_id)
        return _sealed(session, row, session.get_one(PrintHouse, row.house_id).name)

    return reply(shared.db.retrying(work))


def _visible(session: Session, sealed_id: UUID) -> SealedPack:
    """Raises NotFound."""
    row = handover.get_sealed(session, sealed_id=sealed_id)
    codes.get_batch(session, number=row.batch_number, brand_id=caller().brand_id)
    return row


def _sealed(session: Session, row: SealedPack, house: str) -> SealedAnswer:
    names = ("id", "form", "state", "file_name", "size_bytes", "sha256", "asked_at", "ready_at", "leaves_at")
    progress = progress_of(session, handover.seal_key(row.id))
    values = {name: getattr(row, name) for name in names}
    return SealedAnswer(batch=row.batch_number, house=house, progress=progress, **values)


def _link(link: LinkFacts, now: datetime) -> LinkAnswer:
    return LinkAnswer(
        id=link.id,
        sealed=link.sealed_id,
        for_whom=link.for_whom,
        state=link.state(now).value,
        created_at=link.created_at,
        expires_at=link.expires_at,
        downloads=link.downloads,
        downloads_max=link.downloads_max,
    )
