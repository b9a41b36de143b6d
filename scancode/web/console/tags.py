"""Tags: those of a brand with how many carry each, renaming, deleting, files of members; and the tags of one member."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from scancode.errors import NotFound, Refusal
from scancode.members import service as members
from scancode.members.tags import (
    NAME_LENGTH_MAX,
    BadTag,
    TagDraft,
    TagFacts,
    TagInUse,
    TagSource,
    TagTaken,
    TooManyScenes,
    TooManyTags,
)
from scancode.staff.rules import Role
from scancode.stories import roster, tagging
from scancode.uploads import service as uploads
from scancode.uploads.rules import UploadKind
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.console.chosen import brand_choices, brand_to_change, chosen_brand
from scancode.web.console.session import refuse_field
from scancode.web.console.uploads import sender_of
from scancode.web.language import current_locale
from scancode.web.places import load_places
from scancode.web.receiving import received
from scancode.web.runtime import runtime

FILES_SHOWN = 20
marketing = allow(Role.MARKETING)


class TagForm(FlaskForm):
    name = StringField(lazy_gettext("Name of the tag"), validators=[InputRequired(), Length(max=NAME_LENGTH_MAX)])
    public_zh = StringField(lazy_gettext("Public name (Chinese)"), validators=[Length(max=NAME_LENGTH_MAX)])
    public_en = StringField(lazy_gettext("Public name (English)"), validators=[Length(max=NAME_LENGTH_MAX)])

    def draft(self) -> TagDraft:
        return TagDraft(self.name.data or "", self.public_zh.data or "", self.public_en.data or "")


@console.get("/tags", endpoint="tags")
@marketing
def tag_list() -> ResponseReturnValue:
    return _list(TagForm())


def _list(form: TagForm, status: int = 200) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        brand = chosen_brand(session)
        tags = members.list_tags(session, brand_id=brand.id)
        going = members.list_tags(session, brand_id=brand.id, deleted=True)
        sent = uploads.list_uploads(session, brand_id=brand.id, kind=UploadKind.TAGS, limit=FILES_SHOWN)
        page = render_template(
            "console/tags/list.html",
            brand=brand,
            brands=brand_choices(session),
            form=form,
            tags=tags,
            going=going,
            sent=sent,
        )
    return page, status


@console.post("/tags")
@marketing
def create_tag() -> ResponseReturnValue:
    form, shared = TagForm(), runtime()
    if not form.validate_on_submit():
        return _list(form, 422)
    try:
        with shared.db.transaction() as session:
            brand = brand_to_change(session)
            actor = current_staff().actor
            tag_id = members.create_tag(session, brand_id=brand.id, draft=form.draft(), actor=actor, now=shared.now())
    except (BadTag, TagTaken, TooManyTags) as refusal:
        refuse_field(form, "name", refusal)
        return _list(form, 422)
    return redirect(url_for("console.tag", tag_id=tag_id))


@console.route("/tags/<uuid:tag_id>", methods=["GET", "POST"])
@marketing
def tag(tag_id: UUID) -> ResponseReturnValue:
    """The page of a tag; a form gives it other names."""
    shared, found = runtime(), _own_tag(tag_id)
    form = TagForm(obj=found)
    if form.validate_on_submit():
        try:
            with shared.db.transaction() as session:
                members.change_tag(
                    session, tag_id=tag_id, draft=form.draft(), actor=current_staff().actor, now=shared.now()
                )
        except (BadTag, TagTaken) as refusal:
            refuse_field(form, "name", refusal)
        else:
            flash(gettext("Saved."), "success")
            return redirect(url_for("console.tag", tag_id=tag_id))
    with shared.db.reading() as session:
        users = tagging.users_of(session, tag=found, now=shared.now())
        scenes = load_places(session, brand_id=found.brand_id).scenes
        chosen = members.scenes_of(session, tag_id=tag_id)
    page = render_template(
        "console/tags/tag.html",
        form=form,
        tag=found,
        brand=shared.brands.get(found.brand_id),
        users=[(id_, english if current_locale() == "en" else chinese) for id_, chinese, english in users],
        scenes=scenes,
        chosen={str(one) for one in chosen},
        bytes_max=shared.settings.max_upload_bytes,
    )
    return page, 422 if request.method == "POST" else 200


@console.post("/tags/<uuid:tag_id>/delete")
@marketing
def delete_tag(tag_id: UUID) -> ResponseReturnValue:
    shared, found = runtime(), _own_tag(tag_id)
    try:
        count = shared.db.retrying(
            lambda session: tagging.delete_tag(
                session, tag=found, locale=current_locale(), actor=current_staff().actor, now=shared.now()
            )
        )
    except TagInUse as refusal:
        flash(refusal.sentence(gettext), "danger")
        return redirect(url_for("console.tag", tag_id=tag_id))
    flash(gettext("The tag is deleted; %(n)s members carried it.", n=f"{count:,}"), "success")
    brand = shared.brands.get(found.brand_id)
    return redirect(url_for("console.tags", brand=brand.slug if brand else None))


@console.post("/tags/<uuid:tag_id>/scenes")
@marketing
def set_tag_scenes(tag_id: UUID) -> ResponseReturnValue:
    """The placed codes that give the tag; others than the brand's are left out."""
    shared, found = runtime(), _own_tag(tag_id)
    wanted = set(request.form.getlist("scenes"))

    def work(session: Session) -> None:
        known = [UUID(one) for one, _ in load_places(session, brand_id=found.brand_id).scenes if one in wanted]
        members.set_scenes(session, tag_id=tag_id, touchpoint_ids=known, actor=current_staff().actor, now=shared.now())

    try:
        shared.db.retrying(work)
        flash(gettext("Saved."), "success")
    except TooManyScenes as refusal:
        flash(refusal.sentence(gettext), "danger")
    return redirect(url_for("console.tag", tag_id=tag_id))


@console.post("/tags/<uuid:tag_id>/files")
@marketing
def send_tag_file(tag_id: UUID) -> ResponseReturnValue:
    """A file of members who are to carry the tag, or with ``verb=remove`` no longer."""
    found = _own_tag(tag_id)
    verb = "remove" if request.form.get("verb") == "remove" else "add"
    try:
        with received("file") as files, runtime().db.transaction() as session:
            upload_id = tagging.send_list(session, sender=sender_of(found.brand_id), files=files, tag=found, verb=verb)
    except Refusal as refusal:
        flash(refusal.sentence(gettext), "danger")
        return redirect(url_for("console.tag", tag_id=tag_id))
    return redirect(url_for("console.upload", upload_id=upload_id))


@console.post("/members/<uuid:member_id>/tags")
@marketing
def tag_member(member_id: UUID) -> ResponseReturnValue:
    """Puts the tag ``add`` on a member, or takes ``remove`` off."""
    shared = runtime()
    wanted = {name: _uuid(request.form.get(name, "")) for name in ("add", "remove")}
    with shared.db.reading() as session:
        row = roster.get_row(session, member_id=member_id)
    visible(row.brand_id)
    try:
        shared.db.retrying(
            lambda session: tagging.change_marks(
                session,
                member_id=member_id,
                brand_id=row.brand_id,
                add=[wanted["add"]] if wanted["add"] else [],
                remove=[wanted["remove"]] if wanted["remove"] else [],
                source=TagSource.STAFF,
                actor=current_staff().actor,
                now=shared.now(),
            )
        )
    except NotFound:
        flash(gettext("This tag is no longer there."), "warning")
    return redirect(url_for("console.member", member_id=member_id, _anchor="tags"))


def _own_tag(tag_id: UUID) -> TagFacts:
    """Raises NotFound, also for another brand's."""
    with runtime().db.reading() as session:
        return tagging.get_own_tag(session, tag_id=tag_id, brand_id=brand_scope())


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
