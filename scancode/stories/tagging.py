"""Tags by the hand of staff, by file and by other systems: who did it leaves an audit row, what names a tag keeps it.
So it is with tiers.

A file names a member a line, by phone or id. Phones are looked up through the blind index and kept nowhere: a report
names the lines of those who were not found, and their phones masked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.members import service as members
from scancode.members.rules import mask_phone, normalise_phone
from scancode.members.tags import TagFacts, TagInUse, TagSource
from scancode.members.tiers import TierDraft, TierInUse
from scancode.packing.association import PROBLEMS_MAX, Problem
from scancode.sealing import Sealer
from scancode.staff import service as staff
from scancode.stories.code_lists import Found, OnRows, first_cells
from scancode.stories.sent_files import Sender, only_one
from scancode.uploads import service as uploads
from scancode.uploads.rules import UploadKind
from scancode.uploads.service import Received

LINES_MAX = 500_000
NAMED_MAX = 5
NOT_TAGGED = {
    "no_member": N_("No member has this phone number or id."),
    "bad_phone": N_("This is neither a phone number nor the id of a member."),
}


class NobodyNamed(Refusal):
    code = "tags_nobody"
    text = N_("The file names nobody. Put a phone number, or a member id, into the first column of each line.")
    status = 422


def get_own_tag(session: Session, *, tag_id: UUID, brand_id: UUID | None) -> TagFacts:
    """A tag of the brand that the asker belongs to, of any where it is None. Raises NotFound."""
    tag = members.get_tag(session, tag_id=tag_id)
    if brand_id not in (None, tag.brand_id):
        raise NotFound
    return tag


def users_of(session: Session, *, tag: TagFacts, now: datetime) -> list[tuple[UUID, str, str]]:
    """Campaigns that have not ended and name the tag: id, Chinese and English name."""
    found = campaigns.naming(session, brand_id=tag.brand_id, mark_id=tag.id, now=now)
    return [(one.id, one.name_zh, one.name_en) for one in found]


def delete_tag(session: Session, *, tag: TagFacts, locale: str, actor: str, now: datetime) -> int:
    """Returns how many members carried it: with very many of them it is gone at once and comes off them later. Raises
    TagInUse, NotFound."""
    users = users_of(session, tag=tag, now=now)
    if users:
        names = [english if locale == "en" else chinese for _, chinese, english in users[:NAMED_MAX]]
        raise TagInUse(names=", ".join(names))
    return members.delete_tag(session, tag_id=tag.id, actor=actor, now=now).members


def change_ladder(
    session: Session,
    *,
    brand_id: UUID,
    months: int,
    tiers: Sequence[TierDraft],
    locale: str,
    actor: str,
    now: datetime,
) -> None:
    """A brand's tiers anew. Raises BadLadder, BadMonths, NotFound, and TierInUse where a campaign that has not ended
    names one that would go."""
    kept = {one.id for one in tiers}
    for tier in members.load_ladder(session, brand_id=brand_id).tiers:
        users = [] if tier.id in kept else campaigns.naming(session, brand_id=brand_id, mark_id=tier.id, now=now)
        if users:
            names = [one.name_en if locale == "en" else one.name_zh for one in users[:NAMED_MAX]]
            raise TierInUse(tier=tier.name(locale), names=", ".join(names))
    members.set_ladder(session, brand_id=brand_id, months=months, tiers=tiers, actor=actor, now=now)


def change_marks(
    session: Session,
    *,
    member_id: UUID,
    brand_id: UUID,
    add: Collection[UUID] = (),
    remove: Collection[UUID] = (),
    source: TagSource,
    actor: str,
    now: datetime,
) -> bool:
    """Puts tags on a member and takes others off; False where nothing changed. Raises NotFound for another brand's."""
    member = members.get_member(session, member_id=member_id)
    wanted = {*add, *remove}
    if member.brand_id != brand_id:
        raise NotFound
    if len(members.find_tags(session, brand_id=brand_id, tag_ids=wanted)) != len(wanted):
        raise NotFound
    added = [
        one for one in sorted(add) if members.mark(session, tag_id=one, member_ids=[member_id], source=source, now=now)
    ]
    taken = [one for one in sorted(remove) if members.unmark(session, tag_id=one, member_ids=[member_id])]
    if added or taken:
        staff.audit(
            session,
            actor=actor,
            brand_id=brand_id,
            action="member.tag",
            subject=f"member:{member_id}",
            facts={"added": [str(one) for one in added], "removed": [str(one) for one in taken]},
            now=now,
        )
    return bool(added or taken)


def send_list(session: Session, *, sender: Sender, files: Sequence[Received], tag: TagFacts, verb: str) -> UUID:
    """Has the worker put a tag on the members whom a file names, or (``remove``) take it off. Raises TooManyFiles,
    FilesMissing."""
    return uploads.ask(
        session,
        brand_id=sender.brand_id,
        kind=UploadKind.TAGS,
        wish={"tag": str(tag.id), "verb": verb},
        files=only_one(files),
        var_dir=sender.var_dir,
        actor=sender.actor,
        staff_id=sender.staff_id,
        now=sender.now,
    )


@dataclass
class Listed:
    """What a file names: the ids of members as they stand there, phones by blind index, each with its line."""

    lines: int = 0
    ids: dict[UUID, tuple[int, str]] = field(default_factory=dict)
    phones: dict[UUID, tuple[int, str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unread: int = 0
    """Lines that can name nobody; the first of them are ``problems``."""

    def blame(self, line: int, shown: str) -> None:
        self.unread += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(line, "", "bad_phone", shown))


def read_people(path: Path, *, brand_id: UUID, sealer: Sealer, on_rows: OnRows) -> Listed:
    """Raises TooManyLines, NobodyNamed, BadTable (no text that can be read), and what ``on_rows`` raises."""
    shape, listed = Found(), Listed()
    for numbers, cells in first_cells(path, shape, LINES_MAX, on_rows):
        for line, cell in zip(numbers, cells, strict=True):
            member_id = _uuid(cell)
            if member_id is not None:
                listed.ids.setdefault(member_id, (line, str(member_id)))
                continue
            try:
                phone = normalise_phone(cell.removeprefix("'"))
            except Refusal:
                listed.blame(line, f"{cell[:2]}…")  # it may still be somebody's number, mistyped
            else:
                index = members.phone_id(phone, brand_id=brand_id, sealer=sealer)
                listed.phones.setdefault(index, (line, mask_phone(phone)))
    listed.lines = shape.lines
    if not (listed.ids or listed.phones or listed.unread):
        raise NobodyNamed
    return listed


@dataclass(frozen=True)
class Outcome:
    """How many of the file are members, on how many of them the tag changed, and the lines of the others."""

    found: int
    changed: int
    missing: int
    problems: list[Problem]


def carry_out(session: Session, *, sender: Sender, tag_id: UUID, verb: str, listed: Listed, upload_id: UUID) -> Outcome:
    """Changes the tag of the members who are there. Raises NotFound when the tag was deleted meanwhile."""
    brand_id, now = sender.brand_id, sender.now
    get_own_tag(session, tag_id=tag_id, brand_id=brand_id)
    by_phone = members.members_of_identities(session, identity_ids=listed.phones)
    here = members.members_here(session, brand_id=brand_id, member_ids={*listed.ids, *by_phone.values()})
    lost = [listed.phones[index] for index in listed.phones if by_phone.get(index) not in here]
    lost += [listed.ids[member_id] for member_id in listed.ids if member_id not in here]
    if verb == "remove":
        changed = members.unmark(session, tag_id=tag_id, member_ids=here)
    else:
        changed = members.mark(session, tag_id=tag_id, member_ids=here, source=TagSource.IMPORT, now=now)
    problems = [*listed.problems, *(Problem(line, "", "no_member", shown) for line, shown in lost)]
    missing = listed.unread + len(lost)
    staff.audit(
        session,
        actor=sender.actor,
        brand_id=brand_id,
        action="tag.import",
        subject=f"tag:{tag_id}",
        facts={"verb": verb, "upload": str(upload_id), "found": len(here), "changed": changed, "missing": missing},
        now=now,
    )
    return Outcome(len(here), changed, missing, sorted(problems, key=lambda one: one.line)[:PROBLEMS_MAX])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) >= 32 else None
    except ValueError:
        return None
