"""Channels, stores, guides and placed scene codes: made, changed, switched off. Stores and guides get a code at birth.

Nothing here is deleted: packages and printed codes outlive an agreement with a shop, and reports speak of the past.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from batches.text import ALPHABET
from scancode.catalog import revision
from scancode.channels.models import Channel, ChannelKind, Guide, Store, TouchKind, Touchpoint
from scancode.channels.rules import TOKEN_LENGTH
from scancode.channels.service.reading import get_channel, get_guide, get_store, get_touchpoint
from scancode.db import insert_once, new_id
from scancode.errors import Invalid, Refusal
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
        name=_named(name),
        kind=ChannelKind(kind).value,
        is_active=True,
        created_at=now,
    )
    if not made:
        raise NameTaken(name=name)
    _record(session, "channel.create", f"channel:{channel_id}", brand_id, {"kind": kind}, actor, now)
    return get_channel(session, channel_id=channel_id)


def change_channel(
    session: Session, *, channel_id: UUID, name: str, kind: str, is_active: bool, actor: str, now: datetime
) -> Channel:
    """Raises NotFound, NameTaken, Invalid."""
    channel = get_channel(session, channel_id=channel_id)
    same = select(Channel.id).where(
        Channel.brand_id == channel.brand_id, Channel.name == _named(name), Channel.id != channel_id
    )
    if session.scalar(same) is not None:
        raise NameTaken(name=name)
    channel.name, channel.kind, channel.is_active = _named(name), ChannelKind(kind).value, is_active
    facts = {"kind": kind, "is_active": is_active}
    _record(session, "channel.change", f"channel:{channel_id}", channel.brand_id, facts, actor, now)
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
        name=_named(name),
        province=province.strip(),
        city=city.strip(),
        address=address.strip(),
        is_active=True,
        created_at=now,
    )
    if not made:
        raise NameTaken(name=name)
    _place(session, channel, TouchKind.STORE, _named(name), now, store_id=store_id)
    facts = {"channel": str(channel_id)}
    _record(session, "store.create", f"store:{store_id}", channel.brand_id, facts, actor, now)
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
    same = select(Store.id).where(
        Store.channel_id == store.channel_id, Store.name == _named(name), Store.id != store_id
    )
    if session.scalar(same) is not None:
        raise NameTaken(name=name)
    store.name, store.is_active = _named(name), is_active
    store.province, store.city, store.address = province.strip(), city.strip(), address.strip()
    own = update(Touchpoint).where(Touchpoint.store_id == store_id, Touchpoint.kind == TouchKind.STORE)
    session.execute(own.values(name=store.name))
    facts = {"is_active": is_active}
    _record(session, "store.change", f"store:{store_id}", channel.brand_id, facts, actor, now)
    return store


def create_guide(
    session: Session, *, store_id: UUID, name: str, staff_no: str = "", actor: str, now: datetime
) -> Guide:
    """A guide and their code. Raises NotFound, PlaceOff, Invalid."""
    store, channel = get_store(session, store_id=store_id)
    if not (store.is_active and channel.is_active):
        raise PlaceOff(name=store.name if channel.is_active else channel.name)
    guide = Guide(
        id=new_id(now),
        store_id=store_id,
        name=_named(name),
        staff_no=staff_no.strip(),
        is_active=True,
        created_at=now,
    )
    session.add(guide)
    session.flush()
    _place(session, channel, TouchKind.GUIDE, guide.name, now, store_id=store_id, guide_id=guide.id)
    facts = {"store": str(store_id)}
    _record(session, "guide.create", f"guide:{guide.id}", channel.brand_id, facts, actor, now)
    return guide


def change_guide(
    session: Session,
    *,
    guide_id: UUID,
    name: str,
    staff_no: str,
    is_active: bool,
    actor: str,
    now: datetime,
) -> Guide:
    """Raises NotFound, Invalid."""
    guide, _, channel = get_guide(session, guide_id=guide_id)
    guide.name, guide.staff_no, guide.is_active = _named(name), staff_no.strip(), is_active
    session.execute(update(Touchpoint).where(Touchpoint.guide_id == guide_id).values(name=guide.name))
    facts = {"is_active": is_active}
    _record(session, "guide.change", f"guide:{guide_id}", channel.brand_id, facts, actor, now)
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
    channel = get_channel(session, channel_id=channel_id)
    if not channel.is_active:
        raise PlaceOff(name=channel.name)
    if store_id is not None:
        store, owner = get_store(session, store_id=store_id)
        if owner.id != channel_id:
            raise Invalid(field="store", problem=N_("This store belongs to another channel."))
        if not store.is_active:
            raise PlaceOff(name=store.name)
    point = _place(
        session,
        channel,
        TouchKind.SCENE,
        _named(name),
        now,
        store_id=store_id,
        scene=_scene(scene),
        placement=placement.strip(),
    )
    facts = {"channel": str(channel_id), "scene": point.scene}
    _record(session, "scene.create", f"touchpoint:{point.id}", channel.brand_id, facts, actor, now)
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
    point.scene, point.placement = _scene(scene), placement.strip()
    point.name, point.is_active = _named(name), is_active
    facts = {"scene": point.scene, "is_active": is_active}
    _record(session, "scene.change", f"touchpoint:{point.id}", point.brand_id, facts, actor, now)
    return point


def _place(
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
) -> Touchpoint:
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
        name=name,
        is_active=True,
        created_at=now,
    )
    session.add(point)
    session.flush()
    return point


def _named(name: str) -> str:
    """The name without spaces around it. Raises Invalid when nothing is left or it is too long."""
    clean = " ".join(name.split())
    if not 1 <= len(clean) <= 80:
        raise Invalid(field="name", problem=N_("It needs 1 to 80 characters."))
    return clean


def _scene(scene: str) -> str:
    clean = "-".join(scene.split()).lower()
    if not 1 <= len(clean) <= 32:
        raise Invalid(field="scene", problem=N_("It needs 1 to 32 characters."))
    return clean


def _record(
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
