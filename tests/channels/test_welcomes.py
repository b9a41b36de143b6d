"""Welcomes in the database: one current version of a place, whoever writes at once; lists, counts, another brand's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.channels.models import Channel, Guide, Store, Touchpoint, Welcome
from scancode.channels.rules import UNKNOWN, Attribution
from scancode.channels.welcomes import Target, Terms, WelcomeDraft
from scancode.db import new_id
from scancode.errors import Invalid, NotFound
from scancode.members.models import Member
from scancode.staff.models import AuditRow
from scancode.wiring import Wired
from tests import factories
from tests.factories import NOW
from tests.threads import at_once

DRAFT = WelcomeDraft("欢迎", "Welcome")


@pytest.fixture
def places(session: Session) -> dict[str, UUID]:
    """A placed code, a guide, their store and channel."""
    brand = factories.make_brand(session)
    channel = factories.make_channel(session, brand_id=brand.id)
    store = factories.make_store(session, channel_id=channel.id)
    guide = channels.create_guide(session, store_id=store.id, name="小满", staff_no="", actor="test", now=NOW)
    point = channels.create_scene(
        session,
        channel_id=channel.id,
        store_id=store.id,
        scene="shelf",
        placement="",
        name="货架",
        actor="test",
        now=NOW,
    )
    return {"brand": brand.id, "channel": channel.id, "store": store.id, "guide": guide.id, "code": point.id}


def write(session: Session, places: dict[str, UUID], target: str, title: str = "Welcome", **over: str) -> UUID:
    return channels.write_welcome(
        session, brand_id=places["brand"], target=Target(target), target_id=places[target],
        draft=replace(DRAFT, title_en=title, **over), actor="dave", now=NOW,
    )  # fmt: skip


def member(session: Session, brand_id: UUID) -> UUID:
    made = Member(id=new_id(NOW), brand_id=brand_id, language="zh", joined_at=NOW)
    session.add(made)
    session.flush()
    return made.id


def give(session: Session, places: dict[str, UUID], by: Attribution = UNKNOWN) -> UUID | None:
    found = channels.give_welcome(
        session, member_id=member(session, places["brand"]), brand_id=places["brand"], attribution=by, now=NOW
    )
    return found.id if found else None


def test_each_place_has_one_and_changing_it_makes_a_new_version(session: Session, places: dict[str, UUID]) -> None:
    first = {target: write(session, places, target) for target in places}
    assert {target: write(session, places, target) for target in places} == first
    second = write(session, places, "store", "Hello")
    assert second != first["store"]
    lines = channels.list_welcomes(session, brand_id=places["brand"], limit=9)
    assert [(str(one.welcome.target), one.name, one.above) for one in lines] == [
        ("code", "货架", lines[2].name), ("guide", "小满", lines[2].name), ("store", lines[2].name, lines[3].name),
        ("channel", lines[3].name, ""), ("brand", "", ""),
    ]  # fmt: skip
    assert (lines[2].name, lines[2].welcome.title("en"), lines[2].welcome.title("zh")) != ("", "Hello", "欢迎")
    actions = session.execute(
        select(AuditRow.action, AuditRow.facts).where(AuditRow.subject == f"store:{places['store']}")
    ).all()
    assert [row.action for row in actions if row.action.startswith("welcome")] == ["welcome.create", "welcome.change"]
    assert "title_en" in str(actions[-1].facts)
    assert "Hello" not in str(actions[-1].facts)


def test_it_is_listed_by_kind_by_word_and_page_by_page(session: Session, places: dict[str, UUID]) -> None:
    for target in places:
        write(session, places, target, f"100% {target}" if target == "guide" else target)
    found = lambda **asked: [  # noqa: E731
        str(one.welcome.target)
        for one in channels.list_welcomes(session, brand_id=places["brand"], **{"limit": 9, **asked})
    ]
    assert found(target=Target.STORE) == ["store"]
    assert found(query="货架") == ["code"]
    assert found(query="0% GUI") == ["guide"]
    assert found(query="%_") == []
    assert found(limit=2) == ["code", "guide"]
    assert found(limit=2, offset=4) == ["brand"]
    assert found(after=(Target.GUIDE, places["guide"])) == ["store", "channel", "brand"]


def test_places_that_are_not_in_use_greet_nobody(session: Session, places: dict[str, UUID]) -> None:
    by = Attribution("touch", places["channel"], places["store"], places["guide"], places["code"])
    made = {target: write(session, places, target) for target in places}
    session.get_one(Touchpoint, places["code"]).is_active = False
    assert give(session, places, by) == made["guide"]
    session.get_one(Guide, places["guide"]).is_active = False
    assert give(session, places, by) == made["store"]
    session.get_one(Touchpoint, places["code"]).is_active = session.get_one(Guide, places["guide"]).is_active = True
    session.get_one(Store, places["store"]).is_active = False  # with everything in it
    assert give(session, places, by) == made["channel"]
    session.get_one(Channel, places["channel"]).is_active = False
    assert give(session, places, by) == made["brand"]
    lines = channels.list_welcomes(session, brand_id=places["brand"], limit=9)
    on = {str(line.welcome.target): line.welcome.is_on for line in lines}
    assert on == {"code": False, "guide": False, "store": False, "channel": False, "brand": True}


def test_what_was_given_stays_as_it_was_and_is_counted(session: Session, places: dict[str, UUID]) -> None:
    write(session, places, "brand", link="/me", button_zh="好", button_en="Go")
    people = [member(session, places["brand"]) for _ in range(3)]
    for one in people:
        assert channels.give_welcome(session, member_id=one, brand_id=places["brand"], attribution=UNKNOWN, now=NOW)
        assert not channels.give_welcome(session, member_id=one, brand_id=places["brand"], attribution=UNKNOWN, now=NOW)
    write(session, places, "brand", "Hello")
    assert give(session, places) is not None
    later = NOW + timedelta(hours=1)
    assert channels.note_welcome_seen(session, member_id=people[0], now=later)
    assert not channels.note_welcome_seen(session, member_id=people[0], now=later + timedelta(hours=1))
    given = channels.find_given(session, member_id=people[0])
    assert given is not None
    assert (given.welcome.title("en"), given.seen_at, given.source) == ("Welcome", later, "unknown")
    channels.count_welcome_opened(session, welcome_id=given.welcome.id)
    (line,) = channels.list_welcomes(session, brand_id=places["brand"], limit=9)
    assert (line.welcome.title("en"), line.given, line.seen, line.opened) == ("Hello", 4, 1, 1)
    channels.remove_welcome(
        session, brand_id=places["brand"], target=Target.BRAND, target_id=places["brand"], actor="dave", now=NOW
    )
    assert channels.list_welcomes(session, brand_id=places["brand"], limit=9) == []
    assert give(session, places) is None
    assert channels.find_given(session, member_id=people[0]) == given
    with pytest.raises(NotFound):
        channels.remove_welcome(
            session, brand_id=places["brand"], target=Target.BRAND, target_id=places["brand"], actor="dave", now=NOW
        )


def test_another_brands_place_and_the_code_of_a_store_have_none(session: Session, places: dict[str, UUID]) -> None:
    other = {**places, "brand": factories.make_brand(session).id}
    for target in ("code", "guide", "store", "channel"):
        with pytest.raises(NotFound):
            write(session, other, target)
    with pytest.raises(NotFound):
        channels.write_welcome(
            session, brand_id=places["brand"], target=Target.BRAND, target_id=other["brand"], draft=DRAFT,
            actor="dave", now=NOW,
        )  # fmt: skip
    own = channels.find_touchpoint_of(session, guide_id=places["guide"])
    assert own is not None
    with pytest.raises(Invalid):
        write(session, {**places, "code": own.id}, "code")
    with pytest.raises(NotFound):
        write(session, {**other, "code": own.id}, "code")
    assert session.scalar(select(func.count()).select_from(Welcome)) == 0


def test_terms_are_a_brands_own(session: Session) -> None:
    brand_id = factories.make_brand(session).id
    assert channels.load_welcome_terms(session, brand_id=brand_id) == Terms()
    for days in (3, 5, 5):
        channels.set_welcome_terms(session, brand_id=brand_id, terms=Terms(days), actor="dave", now=NOW)
    assert channels.load_welcome_terms(session, brand_id=brand_id) == Terms(5)
    rows = session.scalars(select(AuditRow.action).where(AuditRow.action == "welcome.terms")).all()
    assert len(rows) == 2


def test_of_those_who_write_at_once_one_is_current(wired: Wired) -> None:
    with wired.db.transaction() as session:
        places = {"brand": factories.make_brand(session).id}

    def one(number: int) -> UUID:
        return wired.db.retrying(lambda session: write(session, places, "brand", f"Welcome {number}"))

    made = at_once(6, one)
    assert all(isinstance(id_, UUID) for id_ in made), made
    with wired.db.reading() as session:
        current = session.scalars(select(Welcome.id).where(Welcome.replaced_at.is_(None))).all()
        assert session.scalar(select(func.count()).select_from(Welcome)) == 6
    assert len(current) == 1
