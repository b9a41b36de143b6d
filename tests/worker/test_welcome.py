"""The message to a new member: once, to who agreed, never at night, tried again while WeChat is away; else why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Event
from uuid import UUID

import pytest
from sqlalchemy import select

from scancode.channels import service as channels
from scancode.channels.welcomes import Target, Terms, WelcomeDraft
from scancode.db import new_id
from scancode.errors import OutsideError
from scancode.jobs.models import Job
from scancode.members import service as members
from scancode.stories import own_data
from scancode.wiring import Wired
from scancode.worker import loop
from tests.stories.scene import NOW, PHONE, Scene, set_up

TEMPLATE = "tpl-0123456789-0123456789 title=thing1 text=thing2 brand=thing3 day=time4"


@dataclass
class Post:
    """Takes messages, or fails as it is told."""

    letters: list[tuple[str, Mapping[str, str], str]] = field(default_factory=list)
    faults: list[OutsideError] = field(default_factory=list)

    def send_template(self, *, openid: str, template_id: str, url: str, fields: Mapping[str, str], key: str) -> None:
        if self.faults:
            raise self.faults.pop()
        assert template_id == TEMPLATE.split()[0]
        assert "/me?brand=" in url
        self.letters.append((openid, fields, key))


@dataclass
class World:
    wired: Wired
    post: Post
    scene: Scene

    def join(self, *, at: datetime = NOW, marketing: bool = True, openid: bool = True) -> UUID:
        with self.wired.db.transaction() as session:
            scene = replace(self.scene, session=session)
            identity_id = scene.openid("o-alice") if openid else None
            return scene.join(
                new_id(at), phone=PHONE, identity_id=identity_id, marketing=marketing, can_write=True, at=at
            ).member_id

    def work(self, at: datetime = NOW, wired: Wired | None = None) -> None:
        loop.run(wired or self.wired, stop_event=Event(), kinds={"welcome"}, once=True, clock=lambda: at)

    def told(self, member_id: UUID) -> tuple[str, str]:
        with self.wired.db.reading() as session:
            given = channels.find_given(session, member_id=member_id)
        assert given is not None
        return str(given.state), given.reason


@pytest.fixture
def world(wired: Wired) -> World:
    post = Post()
    wired = replace(wired, ports=replace(wired.ports, templates=post))
    with wired.db.transaction() as session:
        scene = set_up(wired, session)
        channels.write_welcome(
            session, brand_id=scene.brand.id, target=Target.BRAND, target_id=scene.brand.id,
            draft=WelcomeDraft("欢迎", "Welcome", "好" * 30, "x"), actor="dave", now=NOW,
        )  # fmt: skip
        channels.set_welcome_terms(
            session, brand_id=scene.brand.id, terms=Terms(template=TEMPLATE), actor="dave", now=NOW
        )
    return World(wired, post, scene)


def test_it_is_sent_once(world: World) -> None:
    alice = world.join()
    assert world.told(alice) == ("waiting", "")
    for minutes in (0, 1, 20):
        world.work(NOW + timedelta(minutes=minutes))
    assert world.post.letters == [
        ("o-alice", {"thing1": "欢迎", "thing2": "好" * 19 + "…", "thing3": world.scene.brand.name_zh,
                     "time4": "2026年11月22日"}, alice.hex)
    ]  # fmt: skip
    assert world.told(alice) == ("sent", "")


def test_at_night_it_waits_for_the_morning(world: World) -> None:
    night = NOW + timedelta(hours=10)  # 22 o'clock in Shanghai
    alice = world.join(at=night)
    world.work(night)
    world.work(night + timedelta(hours=10))
    assert (world.post.letters, world.told(alice)) == ([], ("waiting", ""))
    world.work(night + timedelta(hours=11))
    assert (len(world.post.letters), world.told(alice)) == (1, ("sent", ""))


def test_while_wechat_is_away_it_is_tried_again_and_a_no_is_kept(world: World) -> None:
    alice = world.join()
    world.post.faults = [OutsideError("wechat_busy", permanent=False)]
    world.work()
    assert world.told(alice) == ("waiting", "")
    world.post.faults = [OutsideError("wechat_unreachable", permanent=True)]
    world.work(NOW + timedelta(hours=1))
    assert (world.post.letters, world.told(alice)) == ([], ("page", "refused"))


@pytest.mark.parametrize("reason", ["no_consent", "no_channel", "no_template", "left", "stale", "unplugged"])
def test_why_no_message_went_out_is_kept(world: World, reason: str) -> None:
    alice = world.join(marketing=reason != "no_consent", openid=reason != "no_channel")
    at, wired = NOW, world.wired
    with world.wired.db.transaction() as session:
        if reason == "no_template":
            brand_id = world.scene.brand.id
            channels.set_welcome_terms(session, brand_id=brand_id, terms=Terms(), actor="dave", now=NOW)
        if reason == "left":
            own_data.leave(session, brand_id=world.scene.brand.id, member_id=alice, now=NOW)
    if reason == "stale":
        at = NOW + timedelta(days=3, seconds=1)
    if reason == "unplugged":
        wired, reason = replace(wired, ports=replace(wired.ports, templates=None)), "no_channel"
    world.work(at, wired)
    assert (world.post.letters, world.told(alice)) == ([], ("page", reason))


def test_a_consent_that_was_taken_back_meanwhile_counts(world: World) -> None:
    alice = world.join()
    with world.wired.db.transaction() as session:
        members.withdraw(session, member_id=alice, purpose="marketing", now=NOW)
    world.work()
    assert (world.post.letters, world.told(alice)) == ([], ("page", "no_consent"))


def test_without_a_way_to_send_nobody_is_queued(world: World) -> None:
    with world.wired.db.transaction() as session:
        alice = replace(world.scene, session=session).join(new_id(NOW), marketing=True).member_id
    assert world.told(alice) == ("page", "no_channel")
    with world.wired.db.reading() as session:
        assert session.scalars(select(Job.id).where(Job.kind == "welcome")).all() == []
