"""Tiers: a ladder by points earned within some months; expiry and spending lower nobody, taking back does."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.db import new_id
from scancode.errors import NotFound
from scancode.ledger import service as ledger
from scancode.members import service as members
from scancode.members import tiers
from scancode.members.models import MemberTier
from scancode.members.tiers import BadLadder, Ladder, Standing, Tier, TierDraft
from scancode.sealing import Sealer
from scancode.wiring import Wired
from scancode.worker import loop
from tests.factories import NOW, make_brand
from tests.members.test_tags import join

SILVER, GOLD = Tier(UUID(int=1), "银卡", "Silver", 100), Tier(UUID(int=2), "金卡", "Gold", 500)
LADDER = Ladder(12, (SILVER, GOLD))
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("earned", "tier", "following", "missing", "percent"),
    [
        (0, None, SILVER, 100, 0),
        (99, None, SILVER, 1, 99),
        (100, SILVER, GOLD, 400, 0),
        (499, SILVER, GOLD, 1, 99),
        (500, GOLD, None, 0, 100),
        (10**9, GOLD, None, 0, 100),
    ],
)
def test_points_reach_a_tier(earned: int, tier: Tier, following: Tier, missing: int, percent: int) -> None:
    found = Standing(LADDER, earned)
    assert (found.tier, found.next, found.missing, found.percent) == (tier, following, missing, percent)


@pytest.mark.parametrize(
    ("now", "months", "since"),
    [
        ("2026-11-22T04:00", 12, "2025-11-21T16:00"),
        ("2026-03-31T04:00", 1, "2026-02-27T16:00"),
        ("2028-02-29T04:00", 12, "2027-02-27T16:00"),
        ("2026-01-31T20:00", 2, "2025-11-30T16:00"),
    ],
)
def test_the_window_begins_at_a_midnight_of_the_brand(now: str, months: int, since: str) -> None:
    moment, start = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, since))
    assert Ladder(months).since(moment, "Asia/Shanghai") == start


@pytest.mark.parametrize(
    "drafts",
    [
        [TierDraft(None, "银", "", 1)],
        [TierDraft(None, "银", "S", -1)],
        [TierDraft(None, "银", "S", 10**9 + 1)],
        [TierDraft(None, "银", "S", 5), TierDraft(None, "金", "G", 5)],
        [TierDraft(UUID(int=1), "银", "S", 5), TierDraft(UUID(int=1), "金", "G", 6)],
        [TierDraft(None, "银", "S", number) for number in range(9)],
        [TierDraft(None, "x" * 41, "S", 5)],
    ],
)
def test_a_ladder_that_is_none_is_refused(drafts: list[TierDraft]) -> None:
    with pytest.raises(BadLadder):
        tiers.checked(12, drafts)
    with pytest.raises(tiers.BadMonths):
        tiers.checked(0, [])


def test_people_are_told_the_names() -> None:
    assert tiers.tier_names(LADDER, str(SILVER.id), ()) == ("银卡及以上", "Silver and above")
    assert tiers.tier_names(LADDER, "", (str(GOLD.id), str(SILVER.id))) == ("银卡、金卡", "Silver, Gold")


def set_ladder(session: Session, brand_id: UUID, *drafts: TierDraft, months: int = 12, now: datetime = NOW) -> Ladder:
    drafts = drafts or (TierDraft(None, "金卡", "Gold", 500), TierDraft(None, "银卡", "Silver", 100))
    members.set_ladder(session, brand_id=brand_id, months=months, tiers=drafts, actor="test", now=now)
    return members.load_ladder(session, brand_id=brand_id)


def give(session: Session, brand_id: UUID, member_id: UUID, points: int, at: datetime, cause: str = "") -> UUID:
    """Posts points and returns the entry's id."""
    cause = cause or f"claim:{new_id(at)}"
    ledger.post(
        session,
        account_id=member_id,
        counter_account_id=ledger.issuer_id(brand_id) if points > 0 else ledger.sink_id(brand_id),
        brand_id=brand_id,
        cause=cause,
        points=points,
        now=at,
        expires_at=at + 5 * DAY,
    )
    return next(one.id for one in ledger.entries(session, account_id=member_id, limit=99) if one.cause == cause)


def earned(session: Session, brand_id: UUID, member_id: UUID, at: datetime) -> int:
    return members.standing(session, member_id=member_id, brand_id=brand_id, now=at).earned


def test_earned_is_what_came_in_whatever_became_of_it(session: Session, brand_id: UUID, sealer: Sealer) -> None:
    alice = join(session, brand_id, sealer, "+8613800000001")
    assert members.standing(session, member_id=alice, brand_id=brand_id, now=NOW).ladder.tiers == ()
    set_ladder(session, brand_id)
    assert earned(session, brand_id, alice, NOW) == 0
    give(session, brand_id, alice, 60, NOW)
    wrong = give(session, brand_id, alice, 300, NOW)
    give(session, brand_id, alice, -20, NOW, "adjust:1")
    assert earned(session, brand_id, alice, NOW) == 360
    ledger.reverse(session, account_id=alice, entry_id=wrong, brand_id=brand_id, now=NOW + DAY)
    assert earned(session, brand_id, alice, NOW + DAY) == 60, "what was taken back was never earned"
    spent = ledger.entries(session, account_id=alice, limit=9)
    taken = next(one for one in spent if one.cause == "adjust:1")
    ledger.reverse(session, account_id=alice, entry_id=taken.id, brand_id=brand_id, now=NOW + DAY)
    assert earned(session, brand_id, alice, NOW + DAY) == 60, "what was given back was not earned again"
    assert ledger.expire(session, account_id=alice, now=NOW + 30 * DAY) > 0
    assert earned(session, brand_id, alice, NOW + 30 * DAY) == 60


def test_points_fall_out_of_the_window_at_midnight(session: Session, brand_id: UUID, sealer: Sealer) -> None:
    alice = join(session, brand_id, sealer, "+8613800000001")
    set_ladder(session, brand_id, months=1)
    old = give(session, brand_id, alice, 200, NOW)
    midnight = datetime(2026, 12, 22, 16, tzinfo=UTC)  # when 23 December begins in Shanghai
    assert earned(session, brand_id, alice, midnight - timedelta(microseconds=1)) == 200
    assert earned(session, brand_id, alice, midnight) == 0
    give(session, brand_id, alice, 50, midnight)
    ledger.post(
        session, account_id=alice, counter_account_id=ledger.issuer_id(brand_id), brand_id=brand_id,
        cause="adjust:keep", points=200, now=midnight,
    )  # fmt: skip
    ledger.reverse(session, account_id=alice, entry_id=old, brand_id=brand_id, now=midnight)
    assert earned(session, brand_id, alice, midnight) == 250, "what no longer counts is not taken off again"


def test_what_a_guest_had_counts_once_they_are_a_member(session: Session, brand_id: UUID, sealer: Sealer) -> None:
    alice, guest = join(session, brand_id, sealer, "+8613800000001"), new_id(NOW)
    set_ladder(session, brand_id)
    give(session, brand_id, guest, 150, NOW)
    ledger.reassign(session, from_id=guest, to_id=alice, brand_id=brand_id, cause="join:x", now=NOW)
    found = members.standing(session, member_id=alice, brand_id=brand_id, now=NOW)
    assert found.tier is not None
    assert found.tier.name_en == "Silver"


def test_a_tier_is_kept_with_the_moment_since_when(session: Session, brand_id: UUID, sealer: Sealer) -> None:
    alice, other = (join(session, brand_id, sealer, f"+861380000000{number}") for number in (1, 2))
    ladder = set_ladder(session, brand_id, months=1)
    give(session, brand_id, alice, 120, NOW)

    def settle(at: datetime) -> int:
        return members.settle_tiers(session, brand_id=brand_id, member_ids=[alice, other, UUID(int=9)], now=at)

    assert settle(NOW) == 1
    assert settle(NOW + DAY) == 0
    held = members.tiers_held(session, member_ids=[alice, other])
    assert {one: (row.tier_id, row.since) for one, row in held.items()} == {alice: (ladder.tiers[0].id, NOW)}
    give(session, brand_id, alice, 400, NOW + DAY)
    assert settle(NOW + DAY) == 1
    assert members.tiers_held(session, member_ids=[alice])[alice].since == NOW + DAY
    assert members.count_tiers(session, brand_id=brand_id) == {ladder.tiers[1].id: 1}
    assert settle(NOW + 90 * DAY) == 1
    assert members.tiers_held(session, member_ids=[alice]) == {}
    assert members.settle_tiers(session, brand_id=make_brand(session).id, member_ids=[alice], now=NOW) == 0


def test_who_leaves_takes_the_tier_along(session: Session, brand_id: UUID, sealer: Sealer) -> None:
    alice = join(session, brand_id, sealer, "+8613800000001")
    set_ladder(session, brand_id)
    give(session, brand_id, alice, 120, NOW)
    members.settle_tiers(session, brand_id=brand_id, member_ids=[alice], now=NOW)
    members.forget(session, member_id=alice, now=NOW)
    assert session.scalar(select(func.count()).select_from(MemberTier)) == 0
    assert members.settle_tiers(session, brand_id=brand_id, member_ids=[alice], now=NOW) == 0


def test_a_ladder_is_changed_whole(session: Session, brand_id: UUID, sealer: Sealer) -> None:
    silver, gold = set_ladder(session, brand_id).tiers
    swapped = set_ladder(
        session,
        brand_id,
        TierDraft(gold.id, "金", "Gold", 100),
        TierDraft(silver.id, "银", "Silver", 500),
        TierDraft(None, "黑", "Black", 900),
    )
    assert [(one.name_en, one.points) for one in swapped.tiers] == [("Gold", 100), ("Silver", 500), ("Black", 900)]
    assert {one.id for one in swapped.tiers} > {silver.id, gold.id}
    other = make_brand(session).id
    with pytest.raises(NotFound):
        set_ladder(session, other, TierDraft(gold.id, "金", "Gold", 1))
    members.set_ladder(session, brand_id=brand_id, months=3, tiers=[], actor="test", now=NOW)
    assert members.load_ladder(session, brand_id=brand_id) == Ladder(3, ())


def test_two_who_settle_somebody_at_once_agree(wired: Wired) -> None:
    with wired.db.transaction() as session:
        brand_id = make_brand(session).id
        alice = join(session, brand_id, wired.sealer, "+8613800000001")
        set_ladder(session, brand_id)
        give(session, brand_id, alice, 120, NOW)
    changed: list[int] = []

    def settle() -> None:
        changed.append(
            wired.db.retrying(
                lambda session: members.settle_tiers(session, brand_id=brand_id, member_ids=[alice], now=NOW)
            )
        )

    threads = [threading.Thread(target=settle) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(changed) == [0, 0, 0, 1]


def test_the_job_settles_everybody_once_a_day_and_who_changed_in_between(wired: Wired) -> None:
    with wired.db.transaction() as session:
        brand_id, other = make_brand(session).id, make_brand(session).id
        alice, bob = (join(session, brand_id, wired.sealer, f"+861380000000{number}") for number in (1, 2))
        set_ladder(session, brand_id, months=1)
        give(session, brand_id, alice, 120, NOW)
        give(session, other, new_id(NOW), 900, NOW)

    def work(at: datetime) -> dict[UUID, datetime]:
        with wired.db.transaction() as session:
            session.connection().exec_driver_sql("DELETE FROM jobs")
        loop.run(wired, stop_event=threading.Event(), kinds={"tiers"}, once=True, clock=lambda: at)
        with wired.db.reading() as session:
            return {one: row.since for one, row in members.tiers_held(session, member_ids=[alice, bob]).items()}

    assert work(NOW) == {alice: NOW}
    later = NOW + timedelta(minutes=20)
    with wired.db.transaction() as session:
        give(session, brand_id, bob, 700, later - timedelta(minutes=1))
    assert work(later) == {alice: NOW, bob: later}
    assert work(NOW + 40 * DAY) == {}
    with wired.db.transaction() as session:
        set_ladder(session, brand_id, TierDraft(None, "大众", "Everybody", 0), now=NOW + 40 * DAY)
    again = NOW + 40 * DAY + timedelta(minutes=10)
    assert work(again) == {alice: again, bob: again}
