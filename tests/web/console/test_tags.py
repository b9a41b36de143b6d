"""Tags at the console: made, renamed, deleted unless something names them; members by hand and by file; never another
brand's, and the files of members are marketing's alone."""

from __future__ import annotations

import io
import json
import threading
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Conditions, from_text
from scancode.catalog import service as catalog
from scancode.members import service as members
from scancode.members.models import Member, MemberTag, Tag
from scancode.members.tags import TagSource
from scancode.staff.models import AuditRow
from scancode.stories import own_data
from scancode.wiring import Wired
from scancode.worker import loop
from tests import factories
from tests.factories import NOW
from tests.web.console.office import Browser, Office, open_office, words

PHONES = ("+8613800000001", "+8613800000002")


@pytest.fixture
def office(app: Flask, wired: Wired) -> Office:
    return open_office(app, wired)


def join(office: Office, phone: str, brand_id: UUID | None = None) -> UUID:
    brand_id = brand_id or office.brand_id
    with office.wired.db.transaction() as session:
        identity = members.identify(
            session, brand_id=brand_id, kind="phone", value=phone, sealer=office.wired.sealer, now=NOW
        )
        return members.join(session, phone_identity_id=identity.id, brand_id=brand_id, language="zh", now=NOW)[0].id


def tag_page(dave: Browser, name: str = "Tea club", **public: str) -> str:
    answer = dave.send("/console/tags", name=name, **public)
    assert answer.status_code == 302, words(answer)
    return str(answer.location)


def send_file(dave: Browser, page: str, text: str, verb: str = "add") -> str:
    body = dave.get(page).get_data(as_text=True)
    token = body.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    form = {"csrf_token": token, "verb": verb, "file": (io.BytesIO(text.encode()), "list.csv")}
    answer = dave.client.post(f"{page}/files", data=form, headers={"Accept-Language": "en"})
    assert answer.status_code == 302, words(answer)
    return str(answer.location)


def work(office: Office) -> None:
    loop.run(office.wired, stop_event=threading.Event(), once=True, kinds=["upload", "untag"])


def carried(office: Office) -> set[UUID]:
    with office.wired.db.reading() as session:
        return set(session.scalars(select(MemberTag.member_id)))


def test_a_tag_is_made_renamed_and_deleted(office: Office) -> None:
    dave = office.browser("dave")
    assert "No tags yet" in dave.read("/console/tags")
    page = tag_page(dave, public_zh="茶友", public_en="Tea friends")
    assert dave.send("/console/tags", name="TEA CLUB").status_code == 422
    assert dave.send("/console/tags", name="x", public_en="half").status_code == 422
    assert dave.send(page, name="<b>Tea</b>").status_code == 302
    assert "&lt;b&gt;Tea" in dave.get(page).get_data(as_text=True)
    assert dave.send(f"{page}", name="").status_code == 422
    other = office.browser("mallory")
    assert other.get(page).status_code == 404
    assert other.client.post(f"{page}/delete", data={}).status_code in {400, 403}
    assert "Tea" not in other.read("/console/tags")
    assert office.browser("carol").get("/console/tags").status_code == 403
    token = {
        "csrf_token": dave.get(page)
        .get_data(as_text=True)
        .split('name="csrf_token"')[1]
        .split('value="')[1]
        .split('"')[0]
    }
    assert dave.client.post(f"{page}/delete", data=token).status_code == 302
    assert dave.get(page).status_code == 404
    with office.wired.db.reading() as session:
        actions = session.scalars(select(AuditRow.action).where(AuditRow.action.like("tag.%"))).all()
    assert sorted(actions) == ["tag.change", "tag.create", "tag.delete"]


def test_a_tag_that_a_campaign_names_stays_and_says_why(office: Office) -> None:
    dave = office.browser("dave")
    page = tag_page(dave)
    with office.wired.db.transaction() as session:
        tag_id = session.scalars(select(Tag.id)).one()
        campaign_id = factories.make_campaign(session, brand_id=office.brand_id).id
    conditions = f"/console/campaigns/{campaign_id}/conditions"
    assert "Tea club" in dave.read(conditions)
    assert dave.send(conditions, tags_any=str(tag_id)).status_code == 302
    with office.wired.db.reading() as session:
        kept = campaigns.conditions_of(session, campaign_id=campaign_id)
    assert kept == Conditions(tags_any=(str(tag_id),))
    shown = dave.read(f"/console/campaigns/{campaign_id}")
    assert "Only members whom the brand invited may claim." in shown
    assert "Members of whom this is true now 0" in shown
    assert "Tea club" not in dave.read(f"/console/campaigns/{campaign_id}/rules")
    assert "Open and win" in dave.read(page)
    body = dave.get(page).get_data(as_text=True)
    assert "Delete the tag" not in body
    token = body.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    answer = dave.client.post(
        f"{page}/delete", data={"csrf_token": token}, headers={"Accept-Language": "en"}, follow_redirects=True
    )
    assert "This tag is named by: Open and win" in words(answer)
    assert from_text("").is_empty


def test_a_member_is_tagged_by_hand_and_listed_by_it(office: Office) -> None:
    dave, alice = office.browser("dave"), join(office, PHONES[0])
    join(office, PHONES[1])
    tag_page(dave)
    with office.wired.db.reading() as session:
        tag_id = str(session.scalars(select(Tag.id)).one())
    page, act = f"/console/members/{alice}", f"/console/members/{alice}/tags"
    body = dave.get(page).get_data(as_text=True)
    token = body.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    for wanted in (tag_id, tag_id, str(UUID(int=1)), "x"):
        assert dave.client.post(act, data={"csrf_token": token, "add": wanted}).status_code == 302
    assert carried(office) == {alice}
    assert "Tea club Staff" in dave.read(page)
    listed = dave.read(f"/console/members?tag={tag_id}")
    assert "138****0001" in listed
    assert "138****0002" not in listed
    export = dave.client.post("/console/members/export", data={"csrf_token": token}).get_data(as_text=True)
    assert sorted(line.split(",")[-2] for line in export.splitlines()) == ["", "Tea club", "tags"]
    mallory = office.browser("mallory")
    theirs = (
        mallory.get("/console/tags")
        .get_data(as_text=True)
        .split('name="csrf_token"')[1]
        .split('value="')[1]
        .split('"')[0]
    )
    assert mallory.client.post(act, data={"csrf_token": theirs, "remove": tag_id}).status_code == 404
    with office.wired.db.reading() as session:
        brand = catalog.load_brand(session, brand_id=office.brand_id)
        assert brand is not None
        copy = own_data.copy(session, brand=brand, member_id=alice, sealer=office.wired.sealer, now=NOW)
    assert [(one["name"], one["source"]) for one in copy["tags"]] == [("Tea club", "staff")]
    dave.client.post(act, data={"csrf_token": token, "remove": tag_id})
    assert carried(office) == set()


def test_a_file_tags_whom_it_finds_and_reports_the_others(office: Office) -> None:
    dave, page = office.browser("dave"), ""
    alice, bob = (join(office, phone) for phone in PHONES)
    foreign = join(office, "+8613800000003", office.other_brand_id)
    page = tag_page(dave)
    text = f"手机号,备注\n138 0000 0001,x\n{bob}\n\n+86 138-0000-0001\n13800000003\n{foreign}\n13900000009,=1+1\n12\n"
    upload = send_file(dave, page, text)
    work(office)
    assert carried(office) == {alice, bob}
    shown = dave.read(upload)
    assert "Members found 2" in shown
    assert "Not found 4" in shown
    answer = dave.get(f"{upload}/report.csv")
    report = answer.get_data(as_text=True)
    answer.close()
    lines = [line.split(",") for line in report.splitlines()[1:]]
    assert [(line[0], line[2]) for line in lines] == [
        ("6", "no_member"), ("7", "no_member"), ("8", "no_member"), ("9", "bad_phone"),
    ]  # fmt: skip
    assert lines[0][3] == "138****0003"
    assert "13900000009" not in report + dave.get(upload).get_data(as_text=True)
    with office.wired.db.reading() as session:
        audited = session.scalars(select(AuditRow.facts).where(AuditRow.action == "tag.import")).one()
    assert json.loads(audited)["changed"] == 2
    assert not list((office.wired.settings.var_dir / "uploads").rglob("sent/*"))
    carol, mallory = office.browser("carol"), office.browser("mallory")
    assert (carol.get(upload).status_code, mallory.get(upload).status_code) == (403, 404)
    assert carol.get(f"{upload}/report.csv").status_code == 403
    send_file(dave, page, f"{alice}\n", verb="remove")
    work(office)
    assert carried(office) == {bob}


def test_a_file_for_a_tag_that_is_gone_or_that_names_nobody_changes_nothing(office: Office) -> None:
    dave = office.browser("dave")
    join(office, PHONES[0])
    page = tag_page(dave)
    nobody = send_file(dave, page, "手机号\n\n")
    work(office)
    assert "The file names nobody" in dave.read(nobody)
    late = send_file(dave, page, "13800000001\n")
    with office.wired.db.transaction() as session:
        members.delete_tag(session, tag_id=session.scalars(select(Tag.id)).one(), actor="test", now=NOW)
    work(office)
    assert "There is nothing at this address" in dave.read(late)
    assert carried(office) == set()
    with office.wired.db.reading() as session:
        assert session.scalars(select(Member.id)).all()


def test_placed_codes_of_the_brand_give_a_tag(office: Office) -> None:
    dave = office.browser("dave")
    page = tag_page(dave)
    assert "There are no placed codes yet." in dave.read(page)
    with office.wired.db.transaction() as session:
        own, foreign = (
            factories.make_touchpoint(
                session, brand_id=one, channel_id=factories.make_channel(session, brand_id=one).id, name="Shelf"
            ).id
            for one in (office.brand_id, office.other_brand_id)
        )
    body = dave.get(page).get_data(as_text=True)
    token = body.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    form = {"csrf_token": token, "scenes": [str(own), str(foreign), "x"]}
    assert dave.client.post(f"{page}/scenes", data=form).status_code == 302
    tag_id = UUID(page.rsplit("/", 1)[1])
    with office.wired.db.reading() as session:
        assert members.scenes_of(session, tag_id=tag_id) == {own}
    assert f'value="{own}" selected' in dave.get(page).get_data(as_text=True)
    mallory = office.browser("mallory")
    theirs = mallory.get("/console/tags").get_data(as_text=True)
    token = theirs.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    assert mallory.client.post(f"{page}/scenes", data={"csrf_token": token}).status_code == 404


def test_a_tag_of_very_many_is_shown_while_a_job_takes_it_off_them(office: Office) -> None:
    dave = office.browser("dave")
    page = tag_page(dave)
    tag_id = UUID(page.rsplit("/", 1)[1])
    people = [join(office, phone) for phone in PHONES]
    with office.wired.db.transaction() as session:
        members.mark(session, tag_id=tag_id, member_ids=people, source=TagSource.STAFF, now=NOW)
        members.delete_tag(session, tag_id=tag_id, actor="dave", now=NOW, at_once=1)
    listed = dave.read("/console/tags")
    assert "Tea club Being deleted" in listed
    assert "2 left" in listed
    assert dave.get(page).status_code == 404
    assert "Being deleted" not in office.browser("mallory").read("/console/tags")
    assert tag_page(dave) != page, "its name is free"
    work(office)
    assert "Being deleted" not in dave.read("/console/tags")
    assert carried(office) == set()
