"""Members and their tags, for systems of the brand's own. A phone comes in, in a body, and never goes out; a member is
known by an id."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from flask import Response, send_file
from pydantic import Field
from sqlalchemy.orm import Session

from scancode.errors import NotFound
from scancode.members import service as members
from scancode.members.rules import PHONE_TEXT_MAX, MemberFacts, normalise_phone
from scancode.members.tags import NAME_LENGTH_MAX, TagDraft, TagFacts, TagSource
from scancode.members.tiers import Tier
from scancode.staff import service as staff
from scancode.stories import tagging
from scancode.stories.sent_files import Sender
from scancode.uploads import service as uploads
from scancode.uploads.models import Upload
from scancode.uploads.rules import UploadKind
from scancode.web.api.access import brand_of_call, caller
from scancode.web.api.once import Repeating, made_once
from scancode.web.api.refusals import FileGone
from scancode.web.api.routes import MEMBERS, get, post, post_files
from scancode.web.api.shapes import Answer, Asked, BrandSlug, EachOnce, Nothing, reply, text_field
from scancode.web.api.upload_shapes import File, UploadAnswer, UploadPath
from scancode.web.api.uploads import answer_of
from scancode.web.language import current_locale
from scancode.web.receiving import received
from scancode.web.runtime import runtime

AT_ONCE = 50
TagIds = Annotated[list[UUID], Field(max_length=AT_ONCE), EachOnce]


class MemberPath(Asked):
    """Names a member in an address."""

    member_id: UUID


class TagPath(Asked):
    """Names a tag in an address."""

    tag_id: UUID


class BrandQuery(Asked):
    """Of which brand."""

    brand: BrandSlug | None = None


class PhoneQuestion(Asked):
    """Whose phone number it is."""

    phone: str = text_field(PHONE_TEXT_MAX, min_length=1, examples=["+8613812348000"])
    brand: BrandSlug | None = None


class TagNames(Asked):
    """A tag's names. The public one is what people read in rules and refusals: in both languages, or in none."""

    name: str = text_field(NAME_LENGTH_MAX, min_length=1, description="for staff", examples=["tea club"])
    public_zh: str = text_field(NAME_LENGTH_MAX, default="", examples=["茶友会会员"])
    public_en: str = text_field(NAME_LENGTH_MAX, default="", examples=["Members of the tea club"])


class NewTag(TagNames):
    """A tag to be made."""

    brand: BrandSlug | None = None


class TagChange(Asked):
    """Tags to be put on a member and taken off, all or none."""

    add: TagIds = Field(default=[], description="ids of tags")
    remove: TagIds = Field(default=[], description="ids of tags")


class TagFile(Asked):
    """Members by phone number or id, one on each line, in the first column."""

    file: File
    verb: Literal["add", "remove"] = "add"


class TagAnswer(Answer):
    """A tag of a brand."""

    id: UUID
    name: str
    public_zh: str
    public_en: str
    members: int = Field(description="how many carry it")


class TagList(Answer):
    """Every tag of a brand, by name."""

    items: list[TagAnswer]


class TagDeleted(Answer):
    """The tag is gone."""

    members: int = Field(description="how many carried it")


class MarkAnswer(Answer):
    """A tag on a member."""

    id: UUID
    name: str
    source: Literal["staff", "import", "api", "scan"]
    tagged_at: datetime


class TierAnswer(Answer):
    """A level of a brand's members."""

    id: UUID
    name_zh: str
    name_en: str
    points: int = Field(description="from how many earned points on")


class LadderAnswer(Answer):
    """The tiers of a brand, the lowest first."""

    months: int = Field(description="points of so many months count")
    tiers: list[TierAnswer]


class StandingAnswer(Answer):
    """Where a member stands."""

    tier: TierAnswer | None = Field(description="null where too little was earned, or the brand has no tiers")
    since: datetime | None = Field(description="when it was noted: within ten minutes of being reached")
    earned: int = Field(description="points earned in the months that count")
    missing: int = Field(description="points to the next tier; 0 at the top")


class MemberAnswer(Answer):
    """A member, without who it is."""

    id: UUID
    joined_at: datetime
    left_at: datetime | None
    language: Literal["zh", "en"]
    tags: list[MarkAnswer]
    standing: StandingAnswer


@post("/members/find", scope="members:read", tag=MEMBERS, answers={200: MemberAnswer}, refusals=(404,))
def find_member(body: PhoneQuestion) -> Response:
    """Find the member of a phone number. Looking somebody up is on record; the number is not."""
    shared, phone = runtime(), normalise_phone(body.phone)

    def work(session: Session) -> MemberAnswer | None:
        brand = brand_of_call(session, body.brand)
        found = members.find_phone(session, brand_id=brand.id, phone=phone, sealer=shared.sealer)
        member_id = found.member_id if found else None
        staff.audit(
            session,
            actor=caller().actor,
            brand_id=brand.id,
            action="member.find",
            subject=f"member:{member_id}" if member_id else "member",
            facts={"found": member_id is not None},
            now=shared.now(),
        )
        return _answer(session, members.get_member(session, member_id=member_id)) if member_id else None

    answer = shared.db.retrying(work)
    if answer is None:
        raise NotFound
    return reply(answer)


@get("/members/<member_id>", scope="members:read", tag=MEMBERS, answers={200: MemberAnswer}, refusals=(404,))
def show_member(path: MemberPath) -> Response:
    """Show a member, also one that has left."""
    with runtime().db.reading() as session:
        return reply(_answer(session, own_member(session, path.member_id)))


@post("/members/<member_id>/tags", scope="members:write", tag=MEMBERS, answers={200: MemberAnswer}, refusals=(404,))
def change_member_tags(path: MemberPath, body: TagChange) -> Response:
    """Put tags on a member and take others off. Repeating it changes nothing."""
    shared = runtime()

    def work(session: Session) -> MemberAnswer:
        member = own_member(session, path.member_id)
        tagging.change_marks(
            session,
            member_id=member.id,
            brand_id=member.brand_id,
            add=body.add,
            remove=body.remove,
            source=TagSource.API,
            actor=caller().actor,
            now=shared.now(),
        )
        return _answer(session, member)

    return reply(shared.db.retrying(work))


@get("/tags", scope="members:read", tag=MEMBERS, answers={200: TagList})
def list_tags(query: BrandQuery) -> Response:
    """List the tags of a brand."""
    with runtime().db.reading() as session:
        brand = brand_of_call(session, query.brand)
        return reply(TagList(items=[_tag(one) for one in members.list_tags(session, brand_id=brand.id)]))


@get("/tiers", scope="members:read", tag=MEMBERS, answers={200: LadderAnswer})
def show_tiers(query: BrandQuery) -> Response:
    """Show the tiers of a brand."""
    with runtime().db.reading() as session:
        ladder = members.load_ladder(session, brand_id=brand_of_call(session, query.brand).id)
    return reply(LadderAnswer(months=ladder.months, tiers=[_tier(one) for one in ladder.tiers]))


@post("/tags", scope="members:write", tag=MEMBERS, answers={201: TagAnswer}, refusals=(409,))
def create_tag(header: Repeating, body: NewTag) -> Response:
    """Make a tag. 409 `tag_taken` where another has its name."""

    def work(session: Session) -> TagAnswer:
        brand = brand_of_call(session, body.brand)
        tag_id = members.create_tag(
            session, brand_id=brand.id, draft=_draft(body), actor=caller().actor, now=runtime().now()
        )
        return _tag(members.get_tag(session, tag_id=tag_id))

    return made_once(header.key, work)


@post("/tags/<tag_id>", scope="members:write", tag=MEMBERS, answers={200: TagAnswer}, refusals=(404, 409))
def change_tag(path: TagPath, body: TagNames) -> Response:
    """Give a tag other names."""

    def work(session: Session, tag: TagFacts) -> TagAnswer:
        members.change_tag(session, tag_id=tag.id, draft=_draft(body), actor=caller().actor, now=runtime().now())
        return _tag(members.get_tag(session, tag_id=tag.id))

    return _with_tag(path.tag_id, work)


@post("/tags/<tag_id>/delete", scope="members:write", tag=MEMBERS, answers={200: TagDeleted}, refusals=(404, 409))
def delete_tag(path: TagPath, body: Nothing) -> Response:
    """Delete a tag, off everybody who carries it. 409 `tag_in_use` where a campaign that has not ended names it.

    With more than 2000 members it is gone at once all the same, and comes off them in the background.
    """

    def work(session: Session, tag: TagFacts) -> TagDeleted:
        count = tagging.delete_tag(session, tag=tag, locale=current_locale(), actor=caller().actor, now=runtime().now())
        return TagDeleted(members=count)

    return _with_tag(path.tag_id, work)


@post_files(
    "/tags/<tag_id>/files", scope="members:write", tag=MEMBERS, answers={202: UploadAnswer}, refusals=(404, 507)
)
def send_tag_file(path: TagPath, header: Repeating, form: TagFile) -> Response:
    """Have the members whom a file names carry a tag, or carry it no longer.

    `result.found` and `result.changed` say how many; `problems` how many lines name no member.
    """
    with received("file") as files:

        def work(session: Session) -> UploadAnswer:
            shared, token = runtime(), caller()
            tag = tagging.get_own_tag(session, tag_id=path.tag_id, brand_id=token.brand_id)
            sender = Sender(tag.brand_id, token.actor, token.staff_id, shared.settings.var_dir, shared.now())
            made = tagging.send_list(session, sender=sender, files=files, tag=tag, verb=form.verb)
            return answer_of(session, uploads.get_upload(session, upload_id=made))

        return made_once(header.key, work, status=202)


@get("/tags/files/<upload_id>", scope="members:read", tag=MEMBERS, answers={200: UploadAnswer}, refusals=(404,))
def show_tag_file(path: UploadPath) -> Response:
    """Show what became of a file of members."""
    with runtime().db.reading() as session:
        return reply(answer_of(session, _own_upload(session, path.upload_id)))


@get(
    "/tags/files/<upload_id>/report",
    scope="members:read",
    tag=MEMBERS,
    answers={
        200: {
            "description": "The report.",
            "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    refusals=(404, 410),
)
def fetch_tag_report(path: UploadPath) -> Response:
    """Fetch the lines that name no member; phone numbers are masked in it."""
    shared = runtime()
    with shared.db.reading() as session:
        row = _own_upload(session, path.upload_id)
    file = uploads.report_path(shared.settings.var_dir, row.id).absolute()
    if not uploads.has_report(row):
        raise NotFound
    if not file.is_file():
        raise FileGone
    with shared.db.transaction() as session:
        uploads.note_report(session, row=row, actor=caller().actor, now=shared.now())
    name = f"{row.asked_at:%Y%m%d-%H%M}-tags-report.csv"
    response = send_file(file, mimetype="text/csv", as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def own_member(session: Session, member_id: UUID) -> MemberFacts:
    """A member that the token may see. Raises NotFound."""
    found = members.find_member(session, member_id=member_id)
    if found is None or caller().brand_id not in (None, found.brand_id):
        raise NotFound
    return found


def _own_upload(session: Session, upload_id: UUID) -> Upload:
    row = uploads.get_upload(session, upload_id=upload_id)
    if caller().brand_id not in (None, row.brand_id) or row.kind != UploadKind.TAGS:
        raise NotFound
    return row


def _with_tag(tag_id: UUID, work: Callable[[Session, TagFacts], Answer]) -> Response:
    def run(session: Session) -> Answer:
        return work(session, tagging.get_own_tag(session, tag_id=tag_id, brand_id=caller().brand_id))

    return reply(runtime().db.retrying(run))


def _draft(names: TagNames) -> TagDraft:
    return TagDraft(names.name, names.public_zh, names.public_en)


def _tag(tag: TagFacts) -> TagAnswer:
    return TagAnswer(id=tag.id, name=tag.name, public_zh=tag.public_zh, public_en=tag.public_en, members=tag.members)


def _answer(session: Session, member: MemberFacts) -> MemberAnswer:
    marks = members.marks_of(session, member_ids=[member.id])[member.id]
    return MemberAnswer.model_validate(
        {name: getattr(member, name) for name in ("id", "joined_at", "left_at", "language")}
        | {"standing": _standing(session, member)}
        | {"tags": [vars(one) | {"id": one.tag_id, "source": one.source.value} for one in marks]}
    )


def _standing(session: Session, member: MemberFacts) -> StandingAnswer:
    """Of somebody who has left nothing is told."""
    now = runtime().now()
    found = members.standing(session, member_id=member.id, brand_id=member.brand_id, now=now)
    held = members.tiers_held(session, member_ids=[member.id]).get(member.id)
    tier = found.tier if member.is_here else None
    since = held.since if held and tier and held.tier_id == tier.id else None
    return StandingAnswer(tier=_tier(tier) if tier else None, since=since, earned=found.earned, missing=found.missing)


def _tier(tier: Tier) -> TierAnswer:
    return TierAnswer(id=tier.id, name_zh=tier.name_zh, name_en=tier.name_en, points=tier.points)
