"""One person in many tabs at once, on both databases: joining, signing in and claiming leave one member whose points
are counted once and are all in one account."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from scancode.channels import service as channels
from scancode.channels.models import Acquisition, GivenWelcome
from scancode.channels.welcomes import Target, Terms, WelcomeDraft
from scancode.claims.rules import Claimant
from scancode.db import new_id
from scancode.jobs.models import Job
from scancode.ledger import service as ledger
from scancode.members.models import Identity, Member
from scancode.payouts.models import Payout
from scancode.wiring import Wired
from tests.stories.scene import MONEY, NOW, Scene, set_up

THREADS = 6
SERIALS = range(THREADS)
WELCOME_TEMPLATE = "tpl-0123456789-0123456789 title=thing1"


def at_once(wired: Wired, scene: Scene, works: list[Callable[[Scene], object]]) -> None:
    gate = threading.Barrier(THREADS)

    def one(number: int) -> None:
        gate.wait(10)
        for step in range(number, len(works), THREADS):
            wired.db.retrying(lambda session, step=step: works[step](replace(scene, session=session)))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(THREADS)))


@pytest.mark.parametrize("prizes", [None, MONEY], ids=["points", "money"])
def test_joining_signing_in_and_claiming_at_once_count_everything_once(wired: Wired, prizes: list | None) -> None:  # type: ignore[type-arg]
    browser = new_id(NOW)
    with wired.db.transaction() as session:
        scene = set_up(wired, session, prizes)
        openid = scene.openid("o-alice")
        channels.write_welcome(
            session, brand_id=scene.brand.id, target=Target.BRAND, target_id=scene.brand.id,
            draft=WelcomeDraft("欢迎", "Welcome"), actor="dave", now=NOW,
        )  # fmt: skip
        channels.set_welcome_terms(
            session, brand_id=scene.brand.id, terms=Terms(template=WELCOME_TEMPLATE), actor="dave", now=NOW
        )
        for serial in SERIALS:
            scene.claim(Claimant(browser), serial)
    works: list[Callable[[Scene], object]] = []
    for serial in SERIALS:
        works += [
            lambda scene: scene.join(browser, identity_id=openid, can_write=True),
            lambda scene: scene.sign_in(browser, "o-alice"),
            lambda scene, serial=serial: scene.claim(Claimant(browser, openid), serial),
        ]
    at_once(wired, scene, works)
    with wired.db.transaction() as session:
        now_scene = replace(scene, session=session)
        signed = now_scene.sign_in(browser, "o-alice", at=NOW + timedelta(minutes=1))
        assert signed.member_id is not None
        assert session.scalar(select(func.count()).select_from(Member)) == 1
        assert session.scalar(select(func.count()).select_from(Acquisition)) == 1
        assert session.scalar(select(func.count()).select_from(GivenWelcome)) == 1
        assert session.scalar(select(func.count()).select_from(Job).where(Job.kind == "welcome")) == 1
        assert set(session.scalars(select(Identity.member_id))) == {signed.member_id}
        assert ledger.find_unbalanced(session) == []
        points = ledger.balance(session, account_id=signed.member_id)
        paid = session.execute(select(Payout.code_id, Payout.identity_id)).all()
    if prizes is None:
        assert points == 50 * THREADS
    else:
        assert len(paid) == THREADS
        assert {row.identity_id for row in paid} == {openid}
