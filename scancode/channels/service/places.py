"""Channels, stores, guides and placed scene codes: made, changed, switched off. Stores and guides get a code at birth.

Nothing here is deleted: packages and printed codes outlive an agreement with a shop, and reports speak of the past.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from batches.text import ALPHABET
from scancode.catalog import revision
from scancode.channels.models import BatchChannel, Channel, ChannelKind, Guide, Store, TouchKind, Touchpoint
from scancode.channels.rotation import read_shifts
from scancode.channels.rules import TOKEN_LENGTH
from scancode.channels.service.reading import get_channel, get_guide, get_store, get_touchpoint
from scancode.db import insert_once, new_id
from scancode.errors import Invalid, NotFound, Refusal
from scancode.i18n import N_
from scancode.staff import service as staff


class NameTaken(Refusal):
    code = "name_taken"
    text = N_("There is already one named “{name}” here. Choose another name.")


class PlaceOff(Refusal):
    code = "place_off"
    text = N_("“{name}” is switched off. Switch it on first.")


def create_channel(session: Session, *, brand_id: UUID, name: str, kind: str, actor: str, now: datetime) -> Channel:
    """Raises NameTaken, Invalid."""
    channel_id = new_id(now)
    made = insert_once(
        session,
        Channel,
        id=channel_id,
        brand_id=brand_id,
        name=named(name),
        kind=ChannelKind(kind).value,
        is_active=True,
        created_at=now,
    )
    if not made:
        raise NameTaken(name=name)
    record(session, "channel.create", f"channel:{channel_id}", brand_id, {"kind": kind}, actor, now)
    return get_channel(session, channel_id=channel_id)


def change_channel(
    session: Session, *, channel_id: UUID, name: str, kind: str, is_active: bool, actor: str, now: datetime
) -> Channel:
    """Raises NotFound, NameTaken, Invalid."""
    channel = get_channel(session, channel_id=channel_id)
    same = select(Channel.id).where(
        Channel.brand_id == channel.brand_id, Channel.name == named(name), Channel.id != channel_id
    )
    if session.scalar(same) is not None:
        raise NameTaken(name=name)
    channel.name, channel.kind, channel.is_active = named(name), ChannelKind(kind).value, is_active
    facts = {"kind": kind, "is_active": is_active}
    record(session, "channel.change", f"channel:{channel_id}", channel.brand_id, facts, actor, now)
    return channel


def create_store(
    session: Session,
    *,
    channel_id: UUID,
    name: str,
    province: str = "",
    city: str = "",
    address: str = "",
    actor: str,
    now: datetime,
) -> Store:
    """A store and its code. Raises NotFound, PlaceOff, NameTaken, Invalid."""
    channel = get_channel(session, channel_id=channel_id)
    if not channel.is_active:
        raise PlaceOff(name=channel.name)
    store_id = new_id(now)
    made = insert_once(
        session,
        Store,
        id=store_id,
        channel_id=channel_id,
        name=named(name),
        province=province.strip(),
        city=city.strip(),
        address=address.strip(),
        is_active=True,
        created_at=now,
    )
    if not made:
        raise NameTaken(name=name)
    place(session, channel, TouchKind.STORE, named(name), now, store_id=store_id)
    facts = {"channel": str(channel_id)}
    record(session, "store.create", f"store:{store_id}", channel.brand_id, facts, actor, now)
    return get_store(session, store_id=store_id)[0]


def change_store(
    session: Session,
    *,
    store_id: UUID,
    name: str,
    province: str,
    city: str,
    address: str,
    is_active: bool,
    actor: str,
    now: datetime,
) -> Store:
    """Raises NotFound, NameTaken, Invalid. While a store is off, its codes and those of its guides credit nobody."""
    store, channel = get_store(session, store_id=store_id)
    same = select(Store.id).where(Store.channel_id == store.channel_id, Store.name == named(name), Store.id != store_id)
    if session.scalar(same) is not None:
        raise NameTaken(name=name)
    store.name, store.is_active = named(name), is_active
    store.province, store.city, store.address = province.strip(), city.strip(), address.strip()
    own = update(Touchpoint).where(Touchpoint.store_id == store_id, Touchpoint.kind == TouchKind.STORE)
    session.execute(own.values(name=store.name))
    facts = {"is_active": is_active}
    record(session, "store.change", f"store:{store_id}", channel.brand_id, facts, actor, now)
    return store


def create_guide(
    session: Session,
    *,
    store_id: UUID,
    name: str,
    staff_no: str = "",
    shifts: str = "",
    is_on_duty: bool = True,
    actor: str,
    now: datetime,
) -> Guide:
    """A guide and their code; ``shifts`` as ``rotation.read_shifts`` takes them.

    Raises NotFound, PlaceOff, Invalid, BadShifts.
    """
    store, channel = get_store(session, store_id=store_id)
    if not (store.is_active and channel.is_active):
        raise PlaceOff(name=store.name if channel.is_active else channel.name)
    guide = Guide(
        id=new_id(now),
        store_id=store_id,
        name=named(name),
        staff_no=staff_no.strip(),
        shifts=_shifts(shifts),
        is_on_duty=is_on_duty,
        is_active=True,
        created_at=now,
    )
    session.add(guide)
    session.flush()
    place(session, channel, TouchKind.GUIDE, guide.name, now, store_id=store_id, guide_id=guide.id)
    facts = {"store": str(store_id)}
    record(session, "guide.create", f"guide:{guide.id}", channel.brand_id, facts, actor, now)
    return guide


def change_guide(
    session: Session,
    *,
    guide_id: UUID,
    name: str,
    staff_no: str,
    shifts: str,
    is_on_duty: bool,
    is_active: bool,
    actor: str,
    now: datetime,
) -> Guide:
    """Raises NotFound, Invalid, BadShifts."""
    guide, _, channel = get_guide(session, guide_id=guide_id)
    guide.name, guide.staff_no, guide.is_active = named(name), staff_no.strip(), is_active
    guide.shifts, guide.is_on_duty = _shifts(shifts), is_on_duty
    session.execute(update(Touchpoint).where(Touchpoint.guide_id == guide_id).values(name=guide.name))
    facts = {"is_active": is_active, "is_on_duty": is_on_duty}
    record(session, "guide.change", f"guide:{guide_id}", channel.brand_id, facts, actor, now)
    return guide


def create_scene(
    session: Session,
    *,
    channel_id: UUID,
    store_id: UUID | None,
    scene: str,
    placement: str,
    name: str,
    actor: str,
    now: datetime,
) -> Touchpoint:
    """A placed code: a shelf, a parcel card, a live room. ``scene`` is the value that reports group by.

    Raises NotFound, PlaceOff, Invalid.
    """
    channel = checked_place(session, channel_id=channel_id, store_id=store_id)
    point = place(
        session,
        channel,
        TouchKind.SCENE,
        named(name),
        now,
        store_id=store_id,
        scene=scene_value(scene),
        placement=placement.strip(),
    )
    facts = {"channel": str(channel_id), "scene": point.scene}
    record(session, "scene.create", f"touchpoint:{point.id}", channel.brand_id, facts, actor, now)
    return point


def change_scene(
    session: Session,
    *,
    touchpoint_id: UUID,
    scene: str,
    placement: str,
    name: str,
    is_active: bool,
    actor: str,
    now: datetime,
) -> Touchpoint:
    """Raises NotFound, Invalid. The printed code keeps working: its token never changes."""
    point = get_touchpoint(session, touchpoint_id=touchpoint_id)
    if point.kind != TouchKind.SCENE:
        raise Invalid(field="scene", problem=N_("The code of a store or a guide changes with the store or guide."))
    point.scene, point.placement = scene_value(scene), placement.strip()
    point.name, point.is_active = named(name), is_active
    facts = {"scene": point.scene, "is_active": is_active}
    record(session, "scene.change", f"touchpoint:{point.id}", point.brand_id, facts, actor, now)
    return point


def set_batch_channel(
    session: Session, *, batch_number: int, brand_id: UUID, channel_id: UUID | None, actor: str, now: datetime
) -> None:
    """What explains items of a batch that were shipped nowhere; None: nothing does. Raises NotFound, PlaceOff."""
    if channel_id is not None and checked_place(session, channel_id=channel_id, store_id=None).brand_id != brand_id:
        raise NotFound
    mine = BatchChannel.batch_number == batch_number
    if channel_id is None:
        session.execute(delete(BatchChannel).where(mine))
    elif not insert_once(session, BatchChannel, batch_number=batch_number, channel_id=channel_id):
        session.execute(update(BatchChannel).where(mine).values(channel_id=channel_id))
    facts = {"channel": str(channel_id) if channel_id else None}
    record(session, "batch.channel", f"batch:{batch_number}", brand_id, facts, actor, now)


def checked_place(session: Session, *, channel_id: UUID, store_id: UUID | None) -> Channel:
    """The channel, where a code may be placed there or in that store of it. Raises NotFound, PlaceOff, Invalid."""
    channel = get_channel(session, channel_id=channel_id)
    if not channel.is_active:
        raise PlaceOff(name=channel.name)
    if store_id is not None:
        store, owner = get_store(session, store_id=store_id)
        if owner.id != channel_id:
            raise Invalid(field="store", problem=N_("This store belongs to another channel."))
        if not store.is_active:
            raise PlaceOff(name=store.name)
    return channel


def place(
    session: Session,
    channel: Channel,
    kind: TouchKind,
    name: str,
    now: datetime,
    *,
    store_id: UUID | None = None,
    guide_id: UUID | None = None,
    scene: str = "",
    placement: str = "",
    rotation: str = "",
) -> Touchpoint:
    """A code with a token of its own, not yet in the book."""
    point = Touchpoint(
        id=new_id(now),
        token="".join(secrets.choice(ALPHABET) for _ in range(TOKEN_LENGTH)),
        brand_id=channel.brand_id,
        kind=kind.value,
        channel_id=channel.id,
        store_id=store_id,
        guide_id=guide_id,
        scene=scene,
        placement=placement,
        rotation=rotation,
        name=name,
        is_active=True,
        created_at=now,
    )
    session.add(point)
    session.flush()
    return point


def _shifts(text: str) -> str:
    """As it is kept. Raises BadShifts."""
    clean = " ".join(text.split())[:120]
    read_shifts(clean)
    return clean


def named(name: str) -> str:
    """The name without spaces around it. Raises Invalid when nothing is left or it is too long."""
    clean = " ".join(name.split())
    if not 1 <= len(clean) <= 80:
        raise Invalid(field="name", problem=N_("It needs 1 to 80 characters."))
    return clean


def scene_value(scene: str) -> str:
    clean = "-".join(scene.split()).lower()
    if not 1 <= len(clean) <= 32:
        raise Invalid(field="scene", problem=N_("It needs 1 to 32 characters."))
    return clean


def record(
    session: Session,
    action: str,
    subject: str,
    brand_id: UUID,
    facts: dict[str, Any],
    actor: str,
    now: datetime,
) -> None:
    """Every change here is seen by all processes within a second, and is in the book of who did what."""
    session.flush()
    revision.bump(session)
    staff.audit(session, actor=actor, brand_id=brand_id, action=action, subject=subject, facts=facts, now=now)
