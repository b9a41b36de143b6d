"""Tags: named once in a brand, put on and taken off, kept with source and date, gone with whoever leaves."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.errors import NotFound
from scancode.members import service as members
from scancode.members import tags
from scancode.members.models import MemberTag
from scancode.members.tags import BadTag, TagDraft, TagFacts, TagSource, TagTaken
from scancode.sealing import Sealer
from scancode.wiring import Wired
from tests.factories import NOW, make_brand
from tests.members.test_identify import identify


def join(session: Session, brand_id: UUID, sealer: Sealer, phone: str) -> UUID:
    identity = identify(session, brand_id, sealer, NOW, value=phone)
    return members.join(session, phone_identity_id=identity.id, brand_id=brand_id, language="zh", now=NOW)[0].id


def make(session: Session, brand_id: UUID, name: str = "Tea club", **public: str) -> UUID:
    return members.create_tag(session, brand_id=brand_id, draft=TagDraft(name, **public), actor="test", now=NOW)


@pytest.mark.parametrize(
    "draft",
    [
        TagDraft(" "),
        TagDraft("x" * 41),
        TagDraft("a\x00b"),
        TagDraft("a", public_zh="只有中文"),
        TagDraft("a", public_en="only English"),
        TagDraft("a", "\u202e", "x"),
    ],
)
def test_a_name_that_is_none_is_refused(draft: TagDraft) -> None:
    with pytest.raises(BadTag):
        draft.checked()


def test_people_are_told_public_names_or_nothing() -> None:
    tea = TagFacts(UUID(int=1), UUID(int=9), "T1", "茶友", "Tea friends")
    secret = TagFacts(UUID(int=2), UUID(int=9), "problem customers", "", "")
    assert tags.public_names([tea]) == ("茶友", "Tea friends")
    assert tags.public_names([tea, secret]) is None
    assert tags.public_names([]) is None


def test_a_name_is_one_in_a_brand_whatever_its_case(session: Session, brand_id: UUID) -> None:
    first = make(session, brand_id, "Tea  Club")
    with pytest.raises(TagTaken):
        make(session, brand_id, "tea club")
    other = make(session, brand_id, "Staff")
    with pytest.raises(TagTaken):
        members.change_tag(session, tag_id=other, draft=TagDraft("TEA CLUB"), actor="test", now=NOW)
    members.change_tag(session, tag_id=first, draft=TagDraft("TEA CLUB", "茶", "Tea"), actor="test", now=NOW)
    assert make(session, make_brand(session).id, "tea club")
    found = members.list_tags(session, brand_id=brand_id)
    assert [(one.name, one.public_en, one.members) for one in found] == [("Staff", "", 0), ("TEA CLUB", "Tea", 0)]


def test_a_brand_has_so_many_tags(session: Session, brand_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scancode.members.service.tags.TAGS_MAX", 1)
    make(session, brand_id)
    with pytest.raises(tags.TooManyTags):
        make(session, brand_id, "one more")


def test_a_mark_keeps_its_first_source_and_date(session: Session, brand_id: UUID, sealer: Sealer) -> None:
    alice, tag_id = join(session, brand_id, sealer, "+8613800000001"), make(session, brand_id)
    assert members.mark(session, tag_id=tag_id, member_ids=[alice], source=TagSource.IMPORT, now=NOW) == 1
    later = NOW + timedelta(days=1)
    assert members.mark(session, tag_id=tag_id, member_ids=[alice, alice], source=TagSource.STAFF, now=later) == 0
    (found,) = members.marks_of(session, member_ids=[alice])[alice]
    assert (found.name, found.source, found.tagged_at) == ("Tea club", TagSource.IMPORT, NOW)
    assert members.unmark(session, tag_id=tag_id, member_ids=[alice]) == 1
    assert members.unmark(session, tag_id=tag_id, member_ids=[alice]) == 0


def test_only_members_of_the_brand_who_are_here_carry_it(session: Session, brand_id: UUID, sealer: Sealer) -> None:
    tag_id = make(session, brand_id)
    alice, left = (join(session, brand_id, sealer, f"+861380000000{number}") for number in (1, 2))
    stranger = join(session, make_brand(session).id, sealer, "+8613800000003")
    members.forget(session, member_id=left, now=NOW)
    everybody = [alice, left, stranger, UUID(int=7)]
    assert members.mark(session, tag_id=tag_id, member_ids=everybody, source=TagSource.STAFF, now=NOW) == 1
    assert members.get_tag(session, tag_id=tag_id).members == 1
    for any_of, none_of, count in (([tag_id], [], 1), ([], [tag_id], 0), ([], [UUID(int=3)], 1)):
        assert members.count_members(session, brand_id=brand_id, any_of=any_of, none_of=none_of) == count


def test_who_leaves_takes_the_tags_along(session: Session, brand_id: UUID, sealer: Sealer) -> None:
    alice, tag_id = join(session, brand_id, sealer, "+8613800000001"), make(session, brand_id)
    members.mark(session, tag_id=tag_id, member_ids=[alice], source=TagSource.STAFF, now=NOW)
    members.forget(session, member_id=alice, now=NOW)
    assert session.scalar(select(func.count()).select_from(MemberTag)) == 0


def test_a_deleted_tag_is_off_everybody_and_stays_gone(session: Session, brand_id: UUID, sealer: Sealer) -> None:
    alice, tag_id = join(session, brand_id, sealer, "+8613800000001"), make(session, brand_id)
    members.mark(session, tag_id=tag_id, member_ids=[alice], source=TagSource.STAFF, now=NOW)
    assert members.delete_tag(session, tag_id=tag_id, actor="test", now=NOW).members == 1
    assert members.marks_of(session, member_ids=[alice]) == {alice: []}
    for again in (
        lambda: members.delete_tag(session, tag_id=tag_id, actor="test", now=NOW),
        lambda: members.mark(session, tag_id=tag_id, member_ids=[alice], source=TagSource.STAFF, now=NOW),
        lambda: members.change_tag(session, tag_id=tag_id, draft=TagDraft("x"), actor="test", now=NOW),
    ):
        with pytest.raises(NotFound):
            again()


def test_a_tag_of_many_is_gone_at_once_and_comes_off_them_later(
    session: Session, brand_id: UUID, sealer: Sealer
) -> None:
    people = [join(session, brand_id, sealer, f"+86138000000{number:02}") for number in range(3)]
    tag_id = make(session, brand_id)
    members.mark(session, tag_id=tag_id, member_ids=people, source=TagSource.STAFF, now=NOW)
    members.set_scenes(session, tag_id=tag_id, touchpoint_ids=[UUID(int=7)], actor="test", now=NOW)
    assert members.delete_tag(session, tag_id=tag_id, actor="test", now=NOW, at_once=2).members == 3
    assert members.marks_of(session, member_ids=people) == {one: [] for one in people}
    assert members.marks_there(session, brand_id=brand_id, mark_ids=[tag_id]) == set()
    assert members.tags_of_scene(session, brand_id=brand_id, touchpoint_id=UUID(int=7)) == []
    assert members.list_tags(session, brand_id=brand_id) == members.find_tags(session, brand_id=brand_id) == []
    (going,) = members.list_tags(session, brand_id=brand_id, deleted=True)
    assert (going.id, going.name, going.members) == (tag_id, "Tea club", 3)
    again = make(session, brand_id)
    members.mark(session, tag_id=again, member_ids=people[:1], source=TagSource.STAFF, now=NOW)
    for refused in (
        lambda: members.get_tag(session, tag_id=tag_id),
        lambda: members.delete_tag(session, tag_id=tag_id, actor="test", now=NOW),
        lambda: members.mark(session, tag_id=tag_id, member_ids=people, source=TagSource.STAFF, now=NOW),
        lambda: members.change_tag(session, tag_id=tag_id, draft=TagDraft("x"), actor="test", now=NOW),
        lambda: members.set_scenes(session, tag_id=tag_id, touchpoint_ids=[], actor="test", now=NOW),
    ):
        with pytest.raises(NotFound):
            refused()
    assert [members.untag_some(session, tag_id=tag_id) for _ in range(3)] == [3, 0, 0]
    assert members.untag_some(session, tag_id=again) == 0, "what is not deleted stays"
    assert members.list_tags(session, brand_id=brand_id, deleted=True) == []
    assert [one.members for one in members.list_tags(session, brand_id=brand_id)] == [1]


@pytest.mark.parametrize("at_once", [2000, -1], ids=["in the request", "by the job"])
def test_a_tag_that_is_deleted_while_people_get_it_leaves_nothing(wired: Wired, now: datetime, at_once: int) -> None:
    """Whoever is first, the other sees it: no mark without a tag, no error but that it is gone."""
    with wired.db.transaction() as session:
        brand_id = make_brand(session).id
        people = [join(session, brand_id, wired.sealer, f"+86138000000{number:02}") for number in range(10)]
        tag_id = make(session, brand_id)
    wrong: list[Exception] = []

    def put(one: UUID) -> None:
        try:
            wired.db.retrying(
                lambda session: members.mark(session, tag_id=tag_id, member_ids=[one], source=TagSource.STAFF, now=now)
            )
        except NotFound:
            pass
        except Exception as error:
            wrong.append(error)

    def drop() -> None:
        try:
            wired.db.retrying(
                lambda session: members.delete_tag(session, tag_id=tag_id, actor="test", now=now, at_once=at_once)
            )
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=put, args=(one,)) for one in people]
    threads.insert(5, threading.Thread(target=drop))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while wired.db.retrying(lambda session: members.untag_some(session, tag_id=tag_id)):
        pass
    assert wrong == []
    with wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(MemberTag)) == 0
