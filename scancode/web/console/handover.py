"""Handing the pack of a batch over: sealing it for a print house, links with passcodes, who has fetched what.

A password or a passcode stands in the answer to the POST that made it, and nowhere else.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.rules import BatchState
from scancode.errors import Invalid, Refusal
from scancode.handover import service as handover
from scancode.handover.models import SealedPack
from scancode.handover.passes import Passes
from scancode.handover.rules import LinkFacts, PackForm, SealState, Terms
from scancode.jobs import service as jobs
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.batches import visible_batch
from scancode.web.runtime import runtime
from scancode.web.sending import Sent, client_of_request, counting, send_pack_file


@console.get("/batches/<int:number>/handover")
@allow(Role.FACTORY)
def pack_handover(number: int) -> ResponseReturnValue:
    return _page(number)


@console.post("/batches/<int:number>/handover")
@allow(Role.FACTORY)
def seal_pack(number: int) -> ResponseReturnValue:
    """Has the pack encrypted. For a ZIP the answer shows its password, once."""
    shared, person = runtime(), current_staff()
    house, form = request.form.get("house", type=UUID), request.form.get("form", "")
    try:
        with shared.db.transaction() as session:
            visible_batch(session, number)
            if house is None or form not in set(PackForm):
                raise handover.HouseClosed
            row, password = handover.ask_seal(
                session,
                number=number,
                house_id=house,
                form=PackForm(form),
                sealer=shared.sealer,
                staff_id=person.id,
                actor=person.actor,
                now=shared.now(),
            )
    except (codes.PackGone, handover.HouseClosed, handover.NoRecipient) as refusal:
        return _page(number, refusal=refusal)
    if password is not None:
        return render_template("console/handover/password.html", number=number, row=row, password=password)
    flash(gettext("The pack is being encrypted; its plain files leave the disk when that is done."), "success")
    return redirect(url_for("console.pack_handover", number=number))


@console.post("/handover/<uuid:sealed_id>/<any(cancel, retry):verb>")
@allow(Role.FACTORY)
def change_seal(sealed_id: UUID, verb: str) -> ResponseReturnValue:
    act = {"cancel": handover.cancel_seal, "retry": handover.retry_seal}[verb]
    try:
        with runtime().db.transaction() as session:
            row = _visible_sealed(session, sealed_id)
            act(session, sealed_id=sealed_id, actor=current_staff().actor, now=runtime().now())
    except handover.NotSealing as refusal:
        flash(refusal.sentence(gettext), "warning")
    else:
        said = {"cancel": gettext("Encrypting is cancelled. The plain files stay."), "retry": gettext("Tried again.")}
        flash(said[verb], "success")
    return redirect(url_for("console.pack_handover", number=row.batch_number))


@console.get("/handover/<uuid:sealed_id>/file")
@allow(Role.FACTORY)
def sealed_file(sealed_id: UUID) -> ResponseReturnValue:
    """The sealed file, for who is signed in."""
    shared, person = runtime(), current_staff()
    with shared.db.reading() as session:
        row = _visible_sealed(session, sealed_id)
        brand_id = codes.get_batch(session, number=row.batch_number).brand_id
    path = handover.sealed_path(shared.settings.var_dir.absolute(), row)
    if row.state != SealState.READY or not path.is_file():
        raise codes.PackGone

    def begin(is_beginning: bool) -> Sent:
        now = shared.now()
        file = handover.FetchedFile(row.batch_number, brand_id, row.file_name, row.size_bytes, row.id)
        client = client_of_request(actor=person.actor, permit=f"{person.id}:{row.id}")
        download_id = shared.db.retrying(
            lambda session: handover.begin_download(
                session, file=file, client=client, is_beginning=is_beginning, sealer=shared.sealer, now=now
            )
        )
        return counting(download_id)

    return send_pack_file(path, name=row.file_name, sha256=row.sha256, begin=begin)


@console.post("/handover/<uuid:sealed_id>/links")
@allow(Role.FACTORY)
def make_link(sealed_id: UUID) -> ResponseReturnValue:
    """A link for one person. The answer shows its passcode, once."""
    shared, person, settings = runtime(), current_staff(), runtime().settings
    now, passes = shared.now(), _passes()
    days = min(max(1, request.form.get("days", settings.link_days, type=int)), settings.link_days)
    downloads = min(max(1, request.form.get("downloads", 1, type=int)), settings.link_downloads)
    with shared.db.reading() as session:
        row = _visible_sealed(session, sealed_id)
    try:
        with shared.db.transaction() as session:
            link_id, passcode = handover.make_link(
                session,
                sealed_id=sealed_id,
                for_whom=request.form.get("for_whom", "")[:200],
                expires_at=now + timedelta(days=days),
                downloads_max=downloads,
                passes=passes,
                staff_id=person.id,
                actor=person.actor,
                now=now,
            )
            link = handover.find_link(session, link_id=link_id)
    except (Invalid, handover.SealedNotReady) as refusal:
        return _page(row.batch_number, refusal=refusal)
    url = settings.base_url + url_for("pickup.page", token=passes.address(link_id))
    return render_template("console/handover/link.html", number=row.batch_number, link=link, url=url, passcode=passcode)


@console.post("/links/<uuid:link_id>/revoke")
@allow(Role.FACTORY)
def revoke_link(link_id: UUID) -> ResponseReturnValue:
    with runtime().db.transaction() as session:
        link = handover.find_link(session, link_id=link_id)
        number = link.batch_number if link else -1
        visible_batch(session, number)
        handover.revoke_link(session, link_id=link_id, actor=current_staff().actor, now=runtime().now())
    flash(gettext("The link is taken back. It opens nothing any more."), "success")
    return redirect(url_for("console.pack_handover", number=number))


def default_terms() -> Terms:
    """The installation's times."""
    settings = runtime().settings
    return Terms(settings.pack_days, settings.download_days, settings.activate_days)


def _visible_sealed(session: Session, sealed_id: UUID) -> SealedPack:
    row = handover.get_sealed(session, sealed_id=sealed_id)
    visible_batch(session, row.batch_number)
    return row


def _passes() -> Passes:
    return Passes(runtime().settings.link_keys.get_secret_value())


def _page(number: int, *, refusal: Refusal | None = None) -> ResponseReturnValue:
    shared, now = runtime(), runtime().now()
    with shared.db.reading() as session:
        batch = visible_batch(session, number)
        packs = handover.list_sealed(session, batch_number=number)
        links: dict[UUID, list[LinkFacts]] = {
            row.id: handover.list_links(session, sealed_id=row.id) for row, _ in packs
        }
        sealing = {row.id: jobs.find(session, key=handover.seal_key(row.id)) for row, _ in packs}
        downloads = handover.list_downloads(session, batch_number=number, sealer=shared.sealer)
        houses = handover.list_houses(session, brand_id=batch.brand_id, sealer=shared.sealer, only_active=True)
        leaves_at = _leaves_at(session, batch)
    page = render_template(
        "console/handover/page.html",
        row=batch,
        packs=packs,
        links=links,
        sealing=sealing,
        downloads=downloads,
        houses=houses,
        leaves_at=leaves_at,
        now=now,
        settings=shared.settings,
        problem=refusal.sentence(gettext) if refusal else None,
        is_under_way=any(row.state == SealState.QUEUED for row, _ in packs),
        can_seal=batch.state == BatchState.READY and batch.pack_gone_at is None and not batch.is_offline,
    )
    return page, 422 if refusal else 200


def _leaves_at(session: Session, batch: Batch) -> object:
    """When the plain files leave the disk; None where there are none."""
    if batch.ready_at is None or batch.pack_gone_at is not None or batch.is_offline:
        return None
    return handover.terms_of(session, brand_id=batch.brand_id, otherwise=default_terms()).leaves_at(batch.ready_at)
