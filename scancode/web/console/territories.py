"""Where a channel and its stores may sell: a list of places on the page of each, and all of a brand's as a file."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scancode.channels import regions
from scancode.channels import service as channels
from scancode.diversion import service as diversion
from scancode.diversion.rules import COLUMNS, FileForm, TooManyPlaces, UnknownOwner, UnknownPlace, read_places
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff, visible
from scancode.web.console.chosen import brand_choices, brand_to_change, chosen_brand
from scancode.web.csv_files import csv_file
from scancode.web.runtime import runtime

marketing = allow(Role.MARKETING)
FILE_BYTES_MAX = 2_000_000


@console.route("/channels/<uuid:channel_id>/territory", methods=["GET", "POST"])
@marketing
def channel_territory(channel_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        channel = channels.get_channel(session, channel_id=channel_id)
    visible(channel.brand_id)
    here = url_for("console.channel", channel_id=channel_id)
    return _edit(channel_id, None, channel.name, [(channel.name, here)], here)


@console.route("/channels/stores/<uuid:store_id>/territory", methods=["GET", "POST"])
@marketing
def store_territory(store_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        store, channel = channels.get_store(session, store_id=store_id)
    visible(channel.brand_id)
    above, here = url_for("console.channel", channel_id=channel.id), url_for("console.store", store_id=store_id)
    return _edit(channel.id, store_id, store.name, [(channel.name, above), (store.name, here)], here)


def _edit(
    channel_id: UUID, store_id: UUID | None, name: str, trail: list[tuple[str, str]], back: str
) -> ResponseReturnValue:
    """The form of one owner's places, a line each."""
    shared, problem, typed = runtime(), None, request.form.get("places", "")
    if request.method == "POST":
        try:
            places = read_places(typed)
        except (UnknownPlace, TooManyPlaces) as refusal:
            problem = refusal.sentence(gettext)
        else:
            with shared.db.transaction() as session:
                diversion.set_territory(
                    session,
                    channel_id=channel_id,
                    store_id=store_id,
                    places=places,
                    actor=current_staff().actor,
                    now=shared.now(),
                )
            flash(gettext("Saved."), "success")
            return redirect(back)
    else:
        with shared.db.reading() as session:
            own = diversion.own_territory(session, channel_id=channel_id, store_id=store_id)
        typed = "\n".join(regions.name_of(code, "zh") for code in own)
    page = render_template(
        "console/diversion/territory.html",
        name=name,
        trail=trail,
        back=back,
        typed=typed,
        problem=problem,
        is_store=store_id is not None,
    )
    return page, 422 if problem else 200


@console.route("/diversion/territories", methods=["GET", "POST"])
@marketing
def territories() -> ResponseReturnValue:
    """Taking in a file, all of it or nothing."""
    shared, problem = runtime(), None
    with shared.db.reading() as session:
        brand, brands = brand_to_change(session), brand_choices(session)
    if request.method == "POST":
        try:
            count = _take_in(brand.id)
        except (FileForm, UnknownPlace, UnknownOwner, TooManyPlaces) as refusal:
            problem = refusal.sentence(gettext)
        else:
            flash(gettext("%(n)s channels and stores have their territories.", n=count), "success")
            return redirect(url_for("console.territories", brand=brand.slug if len(brands) > 1 else None))
    with shared.db.reading() as session:
        held = diversion.territories_of(session, brand_id=brand.id)
    page = render_template(
        "console/diversion/territories.html", brand=brand, brands=brands, problem=problem, count=len(held)
    )
    return page, 422 if problem else 200


def _take_in(brand_id: UUID) -> int:
    """Raises FileForm, UnknownPlace, UnknownOwner, TooManyPlaces."""
    shared, sent = runtime(), request.files.get("file")
    content = sent.stream.read(FILE_BYTES_MAX + 1) if sent else b""
    text = read_text(content)
    return shared.db.retrying(
        lambda session: diversion.put_file(
            session, brand_id=brand_id, text=text, actor=current_staff().actor, now=shared.now()
        )
    )


def read_text(content: bytes) -> str:
    """A CSV as people save it: UTF-8, or GBK from a spreadsheet. Raises FileForm."""
    readers: tuple[Callable[[bytes], str], ...] = (lambda raw: raw.decode("utf-8-sig"), lambda raw: raw.decode("gbk"))
    if content and len(content) <= FILE_BYTES_MAX:
        for reader in readers:
            try:
                return reader(content)
            except UnicodeDecodeError:
                continue
    raise FileForm(limit=20_000)


@console.get("/diversion/territories.csv")
@marketing
def territories_csv() -> ResponseReturnValue:
    """All of a brand, as the file that can be sent in again."""
    shared = runtime()
    with shared.db.reading() as session:
        brand = chosen_brand(session)
        rows = diversion.all_territories(session, brand_id=brand.id)
    with shared.db.transaction() as session:
        staff.audit(
            session,
            actor=current_staff().actor,
            brand_id=brand.id,
            action="territory.export",
            subject=f"brand:{brand.id}",
            facts={"rows": len(rows)},
            now=shared.now(),
        )
    places = ((channel, store, regions.name_of(region, "zh").partition(" ")) for channel, store, region in rows)
    cells = ([channel, store, province, city] for channel, store, (province, _, city) in places)
    return csv_file(f"territories-{brand.slug}.csv", COLUMNS, cells)
