"""Tags of a brand, and the members that carry them.

Whoever puts a tag on somebody share-locks the tag first and then the members, so that a tag which is being deleted, or
a person who is leaving, either sees the new mark go too or is seen to be gone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scancode.db import affected, insert_many, insert_once, new_id
from scancode.errors import NotFound
from scancode.jobs import service as jobs
from scancode.members.models import Member, MemberTag, MemberTier, Tag, TagScene
from scancode.members.tags import (
    SCENES_MAX,
    TAGS_MAX,
    Mark,
    TagDraft,
    TagFacts,
    TagSource,
    TagTaken,
    TooManyScenes,
    TooManyTags,
)
from scancode.staff import service as staff

AT_ONCE = 500
UNTAG_JOB = "untag"
DELETED_AT_ONCE = 2000
"""A tag that no more members carry is gone with the request that deletes it."""
_COLUMNS = (Tag.id, Tag.brand_id, Tag.name, Tag.public_zh, Tag.public_en)
_IS_THERE = Tag.deleted_at.is_(None)


def create_tag(session: Session, *, brand_id: UUID, draft: TagDraft, actor: str, now: datetime) -> UUID:
    """Raises BadTag, TagTaken, TooManyTags."""
    draft = draft.checked()
    count = session.scalar(select(func.count()).select_from(Tag).where(Tag.brand_id == brand_id, _IS_THERE)) or 0
    if count >= TAGS_MAX:
        raise TooManyTags(limit=TAGS_MAX)
    tag_id = new_id(now)
    values = vars(draft) | {"key": draft.key, "brand_id": brand_id, "created_at": now}
    if not insert_once(session, Tag, id=tag_id, **values):
        raise TagTaken
    _audit(session, brand_id, tag_id, "create", {"name": draft.name}, actor, now)
    return tag_id


def change_tag(session: Session, *, tag_id: UUID, draft: TagDraft, actor: str, now: datetime) -> None:
    """Gives a tag other names. Raises NotFound, BadTag, TagTaken."""
    draft = draft.checked()
    tag = get_tag(session, tag_id=tag_id)
    renamed = update(Tag).where(Tag.id == tag_id, _IS_THERE).values(vars(draft) | {"key": draft.key})
    try:
        with session.begin_nested():
            done = affected(session, renamed)
    except IntegrityError as error:  # the one unique key is the name
        raise TagTaken from error
    if done != 1:
        raise NotFound
    before = vars(TagDraft(tag.name, tag.public_zh, tag.public_en))
    fields = sorted(name for name, value in vars(draft).items() if before[name] != value)
    facts: dict[str, object] = {"name": draft.name, "fields": fields}
    _audit(session, tag.brand_id, tag_id, "change", facts, actor, now)


def delete_tag(
    session: Session, *, tag_id: UUID, actor: str, now: datetime, at_once: int = DELETED_AT_ONCE
) -> TagFacts:
    """Takes a tag away, from everybody who carries it; returns it as it was, with how many that were. Whether something
    names it is for the caller to ask. Raises NotFound.

    Where more than ``at_once`` carry it, it is gone for everybody at once, its name is free, and the job ``untag``
    takes it off them.
    """
    if session.scalar(select(Tag.id).where(Tag.id == tag_id, _IS_THERE).with_for_update()) is None:
        raise NotFound
    tag = get_tag(session, tag_id=tag_id)
    affected(session, delete(TagScene).where(TagScene.tag_id == tag_id))
    if tag.members <= at_once:
        affected(session, delete(MemberTag).where(MemberTag.tag_id == tag_id))
        affected(session, delete(Tag).where(Tag.id == tag_id))
    else:
        gone = {"deleted_at": now, "key": tag_id.hex}
        affected(session, update(Tag).where(Tag.id == tag_id).values(gone))
        key, payload = f"{UNTAG_JOB}:{tag_id}", {"tag": str(tag_id)}
        jobs.enqueue(session, kind=UNTAG_JOB, key=key, payload=payload, run_at=now, now=now)
    _audit(session, tag.brand_id, tag_id, "delete", {"name": tag.name, "members": tag.members}, actor, now)
    return tag


def untag_some(session: Session, *, tag_id: UUID) -> int:
    """Takes a deleted tag off some of the members who still carry it; returns off how many. With the last of them the
    tag itself goes, and then it is 0."""
    query = select(MemberTag.member_id).join(Tag, Tag.id == MemberTag.tag_id)
    found = session.scalars(query.where(Tag.id == tag_id, ~_IS_THERE).limit(AT_ONCE)).all()
    if not found:
        affected(session, delete(Tag).where(Tag.id == tag_id, ~_IS_THERE))
        return 0
    return unmark(session, tag_id=tag_id, member_ids=found)


def get_tag(session: Session, *, tag_id: UUID) -> TagFacts:
    """With the number of members that carry it. Raises NotFound."""
    row = session.execute(select(*_COLUMNS).where(Tag.id == tag_id, _IS_THERE)).one_or_none()
    if row is None:
        raise NotFound
    query = select(func.count()).select_from(MemberTag).where(MemberTag.tag_id == tag_id)
    return TagFacts(*row, members=session.scalar(query) or 0)


def list_tags(session: Session, *, brand_id: UUID, deleted: bool = False) -> list[TagFacts]:
    """By name, with the number of members that carry each. Those ``deleted`` are not there any more, but for the
    members that they have still to be taken off."""
    counted = (
        select(MemberTag.tag_id, func.count().label("members"))
        .join(Tag, Tag.id == MemberTag.tag_id)
        .where(Tag.brand_id == brand_id)
        .group_by(MemberTag.tag_id)
        .subquery()
    )
    query = (
        select(*_COLUMNS, func.coalesce(counted.c.members, 0))
        .outerjoin(counted, counted.c.tag_id == Tag.id)
        .where(Tag.brand_id == brand_id, ~_IS_THERE if deleted else _IS_THERE)
        .order_by(Tag.key)
        .limit(TAGS_MAX)
    )
    return [TagFacts(*row) for row in session.execute(query)]


def find_tags(session: Session, *, brand_id: UUID, tag_ids: Collection[UUID] | None = None) -> list[TagFacts]:
    """Those of the ids that are tags of the brand (all of its tags without ids), by name and uncounted."""
    query = select(*_COLUMNS).where(Tag.brand_id == brand_id, _IS_THERE).order_by(Tag.key).limit(TAGS_MAX)
    if tag_ids is not None:
        query = query.where(Tag.id.in_(sorted(tag_ids)))
    return [TagFacts(*row) for row in session.execute(query)]


def mark(session: Session, *, tag_id: UUID, member_ids: Collection[UUID], source: TagSource, now: datetime) -> int:
    """Puts a tag on members of its brand; returns on how many it was not before. Others of the ids are left out.

    Raises NotFound where there is no such tag any more.
    """
    brand_id = session.scalar(select(Tag.brand_id).where(Tag.id == tag_id, _IS_THERE).with_for_update(read=True))
    if brand_id is None:
        raise NotFound
    count = 0
    for some in _pieces(member_ids):
        here = (Member.id.in_(some), Member.brand_id == brand_id, Member.left_at.is_(None))
        query = select(Member.id).where(*here).order_by(Member.id).with_for_update(read=True)
        found = session.scalars(query).all()
        carried = select(MemberTag.member_id).where(MemberTag.tag_id == tag_id, MemberTag.member_id.in_(found))
        fresh = sorted(set(found) - set(session.scalars(carried)))
        rows = [{"member_id": one, "tag_id": tag_id, "source": source.value, "tagged_at": now} for one in fresh]
        insert_many(session, MemberTag, rows, may_exist=True)
        count += len(rows)
    return count


def unmark(session: Session, *, tag_id: UUID, member_ids: Collection[UUID]) -> int:
    """Takes a tag off members; returns off how many."""
    return sum(
        affected(session, delete(MemberTag).where(MemberTag.tag_id == tag_id, MemberTag.member_id.in_(some)))
        for some in _pieces(member_ids)
    )


def marks_of(session: Session, *, member_ids: Collection[UUID]) -> dict[UUID, list[Mark]]:
    """The tags of each of these members, by name."""
    query = (
        select(MemberTag.member_id, Tag.id, Tag.name, MemberTag.source, MemberTag.tagged_at)
        .join(Tag, Tag.id == MemberTag.tag_id)
        .where(MemberTag.member_id.in_(sorted(member_ids)), _IS_THERE)
        .order_by(Tag.key)
    )
    found: dict[UUID, list[Mark]] = {one: [] for one in member_ids}
    for member_id, tag_id, name, source, tagged_at in session.execute(query):
        found[member_id].append(Mark(tag_id, name, TagSource(source), tagged_at))
    return found


def count_members(
    session: Session,
    *,
    brand_id: UUID,
    any_of: Collection[UUID],
    none_of: Collection[UUID],
    tiers: Collection[UUID] | None = None,
) -> int:
    """How many members of a brand carry one of these tags (of none: all do), and none of those, and hold one of these
    tiers, as it is kept."""
    carried = exists().where(MemberTag.member_id == Member.id)
    query = select(func.count()).select_from(Member).where(Member.brand_id == brand_id, Member.left_at.is_(None))
    if any_of:
        query = query.where(carried.where(MemberTag.tag_id.in_(sorted(any_of))))
    if tiers is not None:
        held = exists().where(MemberTier.member_id == Member.id, MemberTier.tier_id.in_(sorted(tiers)))
        query = query.where(held)
    if none_of:
        query = query.where(~carried.where(MemberTag.tag_id.in_(sorted(none_of))))
    return session.scalar(query) or 0


def set_scenes(session: Session, *, tag_id: UUID, touchpoint_ids: Collection[UUID], actor: str, now: datetime) -> None:
    """Which placed codes put a tag on whoever joins through them. Raises NotFound, TooManyScenes."""
    if len(touchpoint_ids) > SCENES_MAX:
        raise TooManyScenes(limit=SCENES_MAX)
    brand_id = session.scalar(select(Tag.brand_id).where(Tag.id == tag_id, _IS_THERE).with_for_update())
    if brand_id is None:
        raise NotFound
    affected(session, delete(TagScene).where(TagScene.tag_id == tag_id))
    insert_many(session, TagScene, [{"tag_id": tag_id, "touchpoint_id": one} for one in sorted(set(touchpoint_ids))])
    _audit(session, brand_id, tag_id, "scenes", {"scenes": len(set(touchpoint_ids))}, actor, now)


def scenes_of(session: Session, *, tag_id: UUID) -> frozenset[UUID]:
    return frozenset(session.scalars(select(TagScene.touchpoint_id).where(TagScene.tag_id == tag_id)))


def tags_of_scene(session: Session, *, brand_id: UUID, touchpoint_id: UUID) -> list[UUID]:
    """The tags of a brand that a placed code gives."""
    query = select(TagScene.tag_id).join(Tag, Tag.id == TagScene.tag_id)
    here = (TagScene.touchpoint_id == touchpoint_id, Tag.brand_id == brand_id)
    return list(session.scalars(query.where(*here).order_by(Tag.id)))


def has_tags(session: Session, *, member_id: UUID, tag_ids: Collection[UUID]) -> frozenset[UUID]:
    """Which of these tags a member carries."""
    query = select(MemberTag.tag_id).where(MemberTag.member_id == member_id, MemberTag.tag_id.in_(sorted(tag_ids)))
    return frozenset(session.scalars(query))


def _pieces(ids: Collection[UUID]) -> Sequence[Sequence[UUID]]:
    """In the order of their ids, so that two who tag the same people never wait for each other in a circle."""
    ordered = sorted(set(ids))
    return [ordered[start : start + AT_ONCE] for start in range(0, len(ordered), AT_ONCE)]


def _audit(
    session: Session, brand_id: UUID, tag_id: UUID, verb: str, facts: dict[str, object], actor: str, now: datetime
) -> None:
    staff.audit(
        session, actor=actor, brand_id=brand_id, action=f"tag.{verb}", subject=f"tag:{tag_id}", facts=facts, now=now
    )
