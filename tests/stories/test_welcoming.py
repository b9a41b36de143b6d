"""The welcome of a new member: by what they are credited to, once; in the copy of their data; over when they leave."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from scancode.channels import service as channels
from scancode.channels.models import Acquisition, GivenWelcome
from scancode.channels.rotation import Attendant
from scancode.channels.rules import UNKNOWN, Seen
from scancode.channels.welcomes import GivenFacts, Target, WelcomeDraft
from scancode.db import new_id
from scancode.letters import LetterState
from scancode.stories import own_data
from tests import factories
from tests.stories.scene import NOW, Scene

PHONES = [f"+861380000000{number}" for number in range(10)]


def write(scene: Scene, target: Target, target_id: UUID, title: str) -> None:
    channels.write_welcome(
        scene.session, brand_id=scene.brand.id, target=target, target_id=target_id,
        draft=WelcomeDraft(title, title, "<b>好</b>", "<b>x</b>"), actor="dave", now=NOW,
    )  # fmt: skip


def given(scene: Scene, member_id: UUID) -> GivenFacts:
    found = channels.find_given(scene.session, member_id=member_id)
    assert found is not None
    return found


@pytest.fixture
def greeting(scene: Scene) -> Scene:
    write(scene, Target.BRAND, scene.brand.id, "everybody")
    write(scene, Target.STORE, scene.store_id, "store")
    return scene


def test_what_brought_a_member_greets_them_and_is_what_the_report_credits(greeting: Scene) -> None:
    point, bare = greeting.touchpoint(), greeting.touchpoint(store_id=greeting.store_id)
    write(greeting, Target.CODE, point.id, "shelf")
    day = timedelta(days=1)
    ways = {
        "shelf": ([Seen(point, NOW - day)], None),
        "store": ([Seen(bare, NOW)], None),
        "everybody": ([], UNKNOWN),
    }
    for phone, (title, (touches, by)) in zip(PHONES, ways.items(), strict=False):
        browser = new_id(NOW)
        if by is not None:
            greeting.scan(browser, 1, by=by)
        joined = greeting.join(browser, phone=phone, touches=touches)
        assert joined.is_welcomed
        found = given(greeting, joined.member_id)
        credit = greeting.session.get_one(Acquisition, joined.member_id)
        assert (found.welcome.title("zh"), found.source, found.touchpoint_id) == (
            title, credit.source, credit.touchpoint_id,
        )  # fmt: skip
        assert (found.state, found.reason) == (LetterState.PAGE_ONLY, "no_template")


def test_a_later_scan_an_old_touch_and_another_brands_code_do_not(greeting: Scene) -> None:
    point = greeting.touchpoint()
    write(greeting, Target.CODE, point.id, "shelf")
    other = factories.make_brand(greeting.session)
    channel = factories.make_channel(greeting.session, brand_id=other.id)
    channels.write_welcome(
        greeting.session, brand_id=other.id, target=Target.BRAND, target_id=other.id,
        draft=WelcomeDraft("别家", "Other"), actor="mallory", now=NOW,
    )  # fmt: skip
    foreign = factories.make_touchpoint(greeting.session, brand_id=other.id, channel_id=channel.id)
    theirs = channels.load_touchpoint(greeting.session, token=foreign.token)
    assert theirs is not None
    scanned, old, strange = new_id(NOW), new_id(NOW), new_id(NOW)
    greeting.scan(scanned, 1, at=NOW - timedelta(hours=1))  # of an item that was shipped to the store
    titles = []
    for phone, browser, seen in (
        (PHONES[0], scanned, Seen(point, NOW - timedelta(hours=2))),
        (PHONES[1], old, Seen(point, NOW - timedelta(days=8))),
        (PHONES[2], strange, Seen(theirs, NOW)),
    ):
        joined = greeting.join(browser, phone=phone, touches=[seen])
        titles.append(given(greeting, joined.member_id).welcome.title("zh"))
    assert titles == ["store", "everybody", "everybody"]


def test_the_guide_to_whom_a_live_code_led_greets_where_the_code_does_not(scene: Scene) -> None:
    guide = channels.create_guide(scene.session, store_id=scene.store_id, name="小满", actor="test", now=NOW)
    line = channels.TeamLine(guide.id)
    made = channels.create_live(
        scene.session, channel_id=scene.channel_id, store_id=None, name="直播", scene="live", placement="",
        rotation="turns", team=[line], actor="test", now=NOW,
    )  # fmt: skip
    live = channels.load_touchpoint(scene.session, token=made.token)
    assert live is not None
    assert [type(one) for one in live.team] == [Attendant]
    write(scene, Target.GUIDE, guide.id, "guide")
    first = scene.join(new_id(NOW), phone=PHONES[0], touches=[Seen(live, NOW, guide.id)])
    write(scene, Target.CODE, live.id, "live")
    second = scene.join(new_id(NOW), phone=PHONES[1], touches=[Seen(live, NOW, guide.id)])
    assert [given(scene, one.member_id).welcome.title("zh") for one in (first, second)] == ["guide", "live"]


def test_who_is_a_member_already_gets_no_other_welcome(greeting: Scene) -> None:
    browser = new_id(NOW)
    first = greeting.join(browser)
    point = greeting.touchpoint()
    write(greeting, Target.CODE, point.id, "shelf")
    again = greeting.join(browser, touches=[Seen(point, NOW)], at=NOW + timedelta(days=1))
    assert (again.is_new, again.is_welcomed) == (False, False)
    assert given(greeting, first.member_id).welcome.title("zh") == "everybody"
    assert greeting.session.scalar(select(func.count()).select_from(GivenWelcome)) == 1


def test_without_any_nobody_is_greeted(scene: Scene) -> None:
    joined = scene.join(new_id(NOW))
    assert joined.is_new
    assert not joined.is_welcomed
    assert channels.find_given(scene.session, member_id=joined.member_id) is None


def test_it_is_in_the_copy_and_over_when_they_leave(greeting: Scene) -> None:
    member_id = greeting.join(new_id(NOW)).member_id
    found = own_data.copy(
        greeting.session, brand=greeting.brand, member_id=member_id, sealer=greeting.wired.sealer, now=NOW
    )
    json.dumps(found)
    told = found["welcome"]
    assert (told["texts"]["title_zh"], told["for"], told["source"], told["message"]) == (
        "everybody", "brand", "unknown", "page",
    )  # fmt: skip
    greeting.session.get_one(GivenWelcome, member_id).state = "waiting"
    greeting.session.flush()
    own_data.leave(greeting.session, brand_id=greeting.brand.id, member_id=member_id, now=NOW)
    greeting.session.expire_all()
    over = given(greeting, member_id)
    assert (over.dismissed_at, over.state, over.reason) == (NOW, LetterState.PAGE_ONLY, "left")
    assert greeting.join(new_id(NOW), at=NOW + timedelta(days=1)).is_welcomed
