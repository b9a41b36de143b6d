"""Channels, stores, guides and placed scene codes: made, changed, switched off."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.catalog.models import Revision
from scancode.channels import service as channels
from scancode.channels.models import Channel, Store
from scancode.channels.rules import TouchpointFacts
from scancode.errors import Invalid, NotFound
from scancode.staff.models import AuditRow
from tests import factories

CAROL = "staff:carol"


@pytest.fixture
def brand_id(session: Session) -> UUID:
    return factories.make_brand(session).id


@pytest.fixture
def channel(session: Session, brand_id: UUID, now: datetime) -> Channel:
    return channels.create_channel(session, brand_id=brand_id, name="华东商超", kind="retail", actor=CAROL, now=now)


@pytest.fixture
def store(session: Session, channel: Channel, now: datetime) -> Store:
    return channels.create_store(session, channel_id=channel.id, name="南京西路店", city="上海市", actor=CAROL, now=now)


def facts(session: Session, token: str) -> TouchpointFacts:
    found = channels.load_touchpoint(session, token=token)
    assert found is not None
    return found


def test_a_store_has_a_code_of_its_own_from_the_beginning(session: Session, store: Store) -> None:
    point = channels.find_touchpoint_of(session, store_id=store.id)
    assert point is not None
    known = facts(session, point.token.lower())
    assert (known.kind, known.store_id, known.name, known.is_active) == ("store", store.id, "南京西路店", True)
    assert len(point.token) == 12


def test_a_guide_has_a_code_of_their_own_and_it_names_the_store(session: Session, store: Store, now: datetime) -> None:
    bob = channels.create_guide(session, store_id=store.id, name="Bob", staff_no="007", actor=CAROL, now=now)
    point = channels.find_touchpoint_of(session, guide_id=bob.id)
    assert point is not None
    known = facts(session, point.token)
    assert (known.kind, known.guide_id, known.store_id, known.store_name) == (
        "guide",
        bob.id,
        store.id,
        "南京西路店",
    )


def test_codes_of_guides_do_not_hide_the_code_of_their_store(session: Session, store: Store, now: datetime) -> None:
    channels.create_guide(session, store_id=store.id, name="Bob", actor=CAROL, now=now)
    point = channels.find_touchpoint_of(session, store_id=store.id)
    assert point is not None
    assert point.kind == "store"


def test_a_scene_keeps_its_value_and_its_place(session: Session, channel: Channel, store: Store, now: datetime) -> None:
    point = channels.create_scene(
        session,
        channel_id=channel.id,
        store_id=store.id,
        scene="End Cap",
        placement="2 号货架，视线高度",
        name="端架",
        actor=CAROL,
        now=now,
    )
    known = facts(session, point.token)
    assert (known.scene, known.placement, known.store_id) == ("end-cap", "2 号货架，视线高度", store.id)
    assert [row.id for row in channels.list_scenes(session, brand_id=channel.brand_id, store_id=store.id)] == [point.id]


def test_a_scene_needs_no_store(session: Session, channel: Channel, now: datetime) -> None:
    point = channels.create_scene(
        session,
        channel_id=channel.id,
        store_id=None,
        scene="parcel-card",
        placement="",
        name="包裹卡",
        actor=CAROL,
        now=now,
    )
    assert facts(session, point.token).store_id is None


def test_it_refuses_a_scene_in_a_store_of_another_channel(
    session: Session, brand_id: UUID, store: Store, now: datetime
) -> None:
    other = channels.create_channel(session, brand_id=brand_id, name="电商", kind="ecommerce", actor=CAROL, now=now)
    with pytest.raises(Invalid):
        channels.create_scene(
            session,
            channel_id=other.id,
            store_id=store.id,
            scene="shelf",
            placement="",
            name="x",
            actor=CAROL,
            now=now,
        )


def test_it_refuses_a_second_channel_of_that_name(
    session: Session, brand_id: UUID, channel: Channel, now: datetime
) -> None:
    with pytest.raises(channels.NameTaken):
        channels.create_channel(session, brand_id=brand_id, name=" 华东商超 ", kind="retail", actor=CAROL, now=now)
    assert session.scalar(select(func.count()).select_from(Channel)) == 1


def test_another_brand_may_have_a_channel_of_that_name(session: Session, channel: Channel, now: datetime) -> None:
    other = factories.make_brand(session).id
    channels.create_channel(session, brand_id=other, name="华东商超", kind="retail", actor=CAROL, now=now)


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_it_refuses_a_name_that_is_none(session: Session, brand_id: UUID, now: datetime, name: str) -> None:
    with pytest.raises(Invalid):
        channels.create_channel(session, brand_id=brand_id, name=name, kind="retail", actor=CAROL, now=now)


def test_renaming_a_store_renames_its_code(session: Session, store: Store, now: datetime) -> None:
    point = channels.find_touchpoint_of(session, store_id=store.id)
    assert point is not None
    channels.change_store(
        session,
        store_id=store.id,
        name="静安店",
        province="",
        city="",
        address="",
        is_active=True,
        actor=CAROL,
        now=now,
    )
    session.expire_all()
    assert facts(session, point.token).name == "静安店"


def test_a_store_that_is_off_switches_the_codes_of_its_guides_off(
    session: Session, store: Store, now: datetime
) -> None:
    bob = channels.create_guide(session, store_id=store.id, name="Bob", actor=CAROL, now=now)
    point = channels.find_touchpoint_of(session, guide_id=bob.id)
    assert point is not None
    change = {"name": store.name, "province": "", "city": "", "address": "", "actor": CAROL, "now": now}
    channels.change_store(session, store_id=store.id, is_active=False, **change)
    assert not facts(session, point.token).is_active
    with pytest.raises(channels.PlaceOff):
        channels.create_guide(session, store_id=store.id, name="Charlie", actor=CAROL, now=now)
    channels.change_store(session, store_id=store.id, is_active=True, **change)
    assert facts(session, point.token).is_active


def test_a_guide_who_left_gets_no_more_credit(session: Session, store: Store, now: datetime) -> None:
    bob = channels.create_guide(session, store_id=store.id, name="Bob", actor=CAROL, now=now)
    channels.change_guide(
        session, guide_id=bob.id, name="Bob", staff_no="", shifts="", is_on_duty=True, is_active=False, actor=CAROL,
        now=now,
    )  # fmt: skip
    point = channels.find_touchpoint_of(session, guide_id=bob.id)
    assert point is not None
    assert not facts(session, point.token).is_active


def test_the_code_of_a_store_is_no_scene_to_be_changed(session: Session, store: Store, now: datetime) -> None:
    point = channels.find_touchpoint_of(session, store_id=store.id)
    assert point is not None
    with pytest.raises(Invalid):
        channels.change_scene(
            session,
            touchpoint_id=point.id,
            scene="a",
            placement="",
            name="a",
            is_active=True,
            actor=CAROL,
            now=now,
        )


def test_every_change_is_told_to_the_processes_and_written_into_the_book(
    session: Session, channel: Channel, store: Store
) -> None:
    assert session.scalar(select(Revision.number)) == 2
    assert session.scalars(select(AuditRow.action).order_by(AuditRow.seq)).all() == [
        "channel.create",
        "store.create",
    ]


def test_it_refuses_what_is_not_there(session: Session, now: datetime) -> None:
    for ask in (
        lambda: channels.get_channel(session, channel_id=UUID(int=5)),
        lambda: channels.get_store(session, store_id=UUID(int=5)),
        lambda: channels.get_guide(session, guide_id=UUID(int=5)),
        lambda: channels.get_touchpoint(session, touchpoint_id=UUID(int=5)),
        lambda: channels.get_shipment(session, shipment_id=UUID(int=5)),
    ):
        with pytest.raises(NotFound):
            ask()
    assert channels.load_touchpoint(session, token="NOSUCHTKEN12") is None
    assert channels.load_touchpoint(session, token="no token at all") is None


def test_the_tree_counts_what_hangs_on_each_channel(
    session: Session, brand_id: UUID, channel: Channel, store: Store, now: datetime
) -> None:
    channels.create_guide(session, store_id=store.id, name="Bob", actor=CAROL, now=now)
    for place in (store.id, None):
        channels.create_scene(
            session,
            channel_id=channel.id,
            store_id=place,
            scene="shelf",
            placement="",
            name="货架",
            actor=CAROL,
            now=now,
        )
    product = factories.make_product(session, brand_id=brand_id)
    for is_test in (False, True):
        batch = factories.make_batch(session, brand_id=brand_id, product_id=product.id, count=100, is_test=is_test)
        channels.ship(
            session,
            brand_id=brand_id,
            number=f"S{is_test}",
            channel_id=channel.id,
            store_id=store.id,
            batch_number=batch.number,
            ranges=[(0, 9)],
            actor=CAROL,
            now=now,
        )
    (top,) = channels.tree(session, brand_id=brand_id)
    assert (top.guides, top.scenes, top.held) == (1, 2, 10)
    (below,) = top.stores
    assert (below.guides, below.scenes, below.held) == (1, 1, 10)
    assert channels.tree(session, brand_id=factories.make_brand(session).id) == []
