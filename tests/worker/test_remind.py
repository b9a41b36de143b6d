"""Reminders of points that expire: written once for each lot, said in WeChat to who agreed, never at night, and tried
again while WeChat is away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Event
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.catalog.models import Brand
from scancode.db import new_id
from scancode.errors import OutsideError
from scancode.jobs.models import Job
from scancode.ledger import service as ledger
from scancode.ledger.rules import TEMPLATE_WORDS, ReminderFacts
from scancode.letters import BadTemplate, Template, day_in_words, not_quiet_before, thing
from scancode.members import service as members
from scancode.wiring import Wired
from scancode.worker import loop
from tests.factories import NOW, make_brand
from tests.members.test_tags import join

DAY = timedelta(days=1)
TEMPLATE = "tpl-0123456789-0123456789-0123456789 points=number2 day=time3 brand=thing1"


@pytest.mark.parametrize(
    "text",
    [
        "short points=number2 day=time3",
        TEMPLATE + " more=thing4",
        TEMPLATE + " day=time3",
        TEMPLATE.replace("day=time3", ""),
        TEMPLATE.replace("thing1", "time3"),
        TEMPLATE.replace("thing1", "../x"),
        TEMPLATE + " " * 300 + "points=number2",
    ],
)
def test_a_template_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadTemplate):
        Template.read(text, TEMPLATE_WORDS)


def test_a_template_is_filled_in_wechats_forms() -> None:
    found = Template.read(f"  {TEMPLATE}  ", TEMPLATE_WORDS)
    assert found is not None
    assert Template.read(" ", TEMPLATE_WORDS) is None
    filled = found.filled(points="1250", day=day_in_words(NOW.date()), brand=thing("山" * 30))
    assert filled == {"number2": "1250", "time3": "2026年11月22日", "thing1": "山" * 19 + "…"}
    assert thing("山" * 20) == "山" * 20


@pytest.mark.parametrize(
    ("at", "then"),
    [("T08:59", "T09:00"), ("T09:00", "T09:00"), ("T20:59", "T20:59"), ("T21:00", "+T09:00"), ("T00:00", "T09:00")],
)
def test_nobody_is_written_to_at_night(at: str, then: str) -> None:
    local = datetime.fromisoformat(f"2026-11-22{at}")
    wanted = datetime.fromisoformat(f"2026-11-{23 if then[0] == '+' else 22}{then.lstrip('+')}")
    assert not_quiet_before(local) == wanted


@dataclass
class Post:
    """Takes messages, or fails as it is told."""

    letters: list[tuple[str, Mapping[str, str], str]] = field(default_factory=list)
    faults: list[OutsideError] = field(default_factory=list)

    def send_template(self, *, openid: str, template_id: str, url: str, fields: Mapping[str, str], key: str) -> None:
        if self.faults:
            raise self.faults.pop()
        assert url.endswith("/me/points?brand=tea")
        assert template_id == TEMPLATE.split()[0]
        self.letters.append((openid, fields, key))


@dataclass
class World:
    wired: Wired
    post: Post
    brand_id: UUID
    member_id: UUID

    def work(self, at: datetime) -> None:
        """What is due at that moment: the chore of points, and then what it asked for."""
        for kind in ("points", "remind"):
            loop.run(self.wired, stop_event=Event(), kinds={kind}, once=True, clock=lambda: at)

    def told(self) -> list[tuple[int, str, str]]:
        with self.wired.db.reading() as session:
            found: list[ReminderFacts] = ledger.list_reminders(session, brand_id=self.brand_id, limit=99)
        return sorted((one.points, str(one.state), one.reason) for one in found)

    def lot(self, session: Session, points: int, days: int, account_id: UUID | None = None) -> None:
        ledger.post(
            session, account_id=account_id or self.member_id, counter_account_id=ledger.issuer_id(self.brand_id),
            brand_id=self.brand_id, cause=f"claim:{new_id(NOW)}", points=points, now=NOW,
            expires_at=NOW.replace(hour=16) + timedelta(days=days),
        )  # fmt: skip


@pytest.fixture
def world(wired: Wired) -> World:
    post = Post()
    wired = replace(wired, ports=replace(wired.ports, templates=post))
    with wired.db.transaction() as session:
        brand_id = make_brand(session, slug="tea", points_template=TEMPLATE, points_remind_days=3).id
        alice = join(session, brand_id, wired.sealer, "+8613800000001")
        openid = members.identify(
            session, brand_id=brand_id, kind="openid", value="o-alice-01", sealer=wired.sealer, now=NOW
        )
        members.claim_identity(session, identity_id=openid.id, member_id=alice)
        members.consent(session, member_id=alice, purpose="marketing", version="1/2", language="zh", now=NOW)
    return World(wired, post, brand_id, alice)


def test_one_message_for_each_day_and_each_lot_once(world: World) -> None:
    with world.wired.db.transaction() as session:
        for points, days in ((20, 1), (30, 1), (7, 2), (1, 30)):
            world.lot(session, points, days)
    world.work(NOW)
    assert [(openid, fields) for openid, fields, _ in world.post.letters] == [
        ("o-alice-01", {"number2": "50", "time3": "2026年11月23日", "thing1": "山泉"}),
        ("o-alice-01", {"number2": "7", "time3": "2026年11月24日", "thing1": "山泉"}),
    ]
    assert world.told() == [(7, "sent", ""), (20, "sent", ""), (30, "sent", "")]
    for minutes in (6, 12):
        world.work(NOW + timedelta(minutes=minutes))
    assert len(world.post.letters) == 2
    assert all(len(key) == 32 and key.isalnum() for _, _, key in world.post.letters)


def test_at_night_it_waits_for_the_morning(world: World) -> None:
    with world.wired.db.transaction() as session:
        world.lot(session, 20, 1)
    night = NOW + timedelta(hours=10)  # 22 o'clock in Shanghai
    world.work(night)
    assert world.told() == [(20, "waiting", "")]
    world.work(night + timedelta(hours=10))
    assert world.post.letters == []
    world.work(night + timedelta(hours=11))
    assert world.told() == [(20, "sent", "")]


def test_while_wechat_is_away_it_is_tried_again_and_a_no_is_kept(world: World) -> None:
    with world.wired.db.transaction() as session:
        world.lot(session, 20, 1)
    world.post.faults = [OutsideError("wechat_busy", permanent=False)]
    world.work(NOW)
    assert world.told() == [(20, "waiting", "")]
    world.work(NOW + timedelta(hours=1))
    assert world.told() == [(20, "sent", "")]
    with world.wired.db.transaction() as session:
        world.lot(session, 5, 2)
    world.post.faults = [OutsideError("wechat_unreachable", permanent=True)]
    world.work(NOW + timedelta(hours=2))
    assert world.told() == [(5, "page", "refused"), (20, "sent", "")]
    assert len(world.post.letters) == 1


@pytest.mark.parametrize("reason", ["no_consent", "no_channel", "left", "guest", "spent", "late", "no_template"])
def test_why_no_message_went_out_is_kept(world: World, reason: str) -> None:
    guest = new_id(NOW)
    with world.wired.db.transaction() as session:
        world.lot(session, 20, 1, guest if reason == "guest" else None)
        if reason == "no_consent":  # what is left is from before the words named WeChat
            members.withdraw(session, member_id=world.member_id, purpose="marketing", now=NOW)
            given = {"purpose": "marketing", "version": "1", "language": "zh", "now": NOW}
            members.consent(session, member_id=world.member_id, **given)
        if reason == "no_channel":
            members.forget_identities(session, member_id=world.member_id, kind="openid")
        if reason == "no_template":
            session.execute(update(Brand).values(points_template=""))
        if reason == "left":
            members.forget(session, member_id=world.member_id, now=NOW)
    if reason in ("spent", "late"):
        night = NOW + timedelta(hours=10)
        world.work(night)
        if reason == "spent":
            with world.wired.db.transaction() as session:
                ledger.post(
                    session, account_id=world.member_id, counter_account_id=ledger.sink_id(world.brand_id),
                    brand_id=world.brand_id, cause="gift:1", points=-20, now=night,
                )  # fmt: skip
        world.work(night + timedelta(hours=11, days=2 if reason == "late" else 0))
    else:
        world.work(NOW)
    assert [(state, why) for _, state, why in world.told()] == [("page", reason)]
    assert world.post.letters == []


def test_without_a_way_to_send_nobody_is_queued(world: World) -> None:
    plain = replace(world, wired=replace(world.wired, ports=replace(world.wired.ports, templates=None)))
    with world.wired.db.transaction() as session:
        world.lot(session, 20, 1)
    loop.run(plain.wired, stop_event=Event(), kinds={"points"}, once=True, clock=lambda: NOW)
    assert world.told() == [(20, "page", "no_channel")]
    with world.wired.db.reading() as session:
        assert session.scalars(select(Job.id).where(Job.kind == "remind")).all() == []


def test_points_that_move_take_the_mark_along(world: World) -> None:
    guest = new_id(NOW)
    with world.wired.db.transaction() as session:
        world.lot(session, 20, 1, guest)
    world.work(NOW)
    assert world.told() == [(20, "page", "guest")]
    with world.wired.db.transaction() as session:
        ledger.reassign(session, from_id=guest, to_id=world.member_id, brand_id=world.brand_id, cause="join:1", now=NOW)
    world.work(NOW + timedelta(minutes=6))
    assert world.told() == [(20, "page", "guest")]
