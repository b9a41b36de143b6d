"""The ``sms`` job: sends once, not too late, and gives nothing personal away."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from scancode.adapters.sandbox import Sms
from scancode.errors import OutsideError
from scancode.jobs.models import Job
from scancode.jobs.rules import Leased
from scancode.members.models import OneTimePassword
from scancode.ports import Ports
from scancode.wiring import Wired
from scancode.worker import loop, sms
from tests.factories import make_brand
from tests.members.test_ask_password import ask


@pytest.fixture
def asked(wired: Wired, now: datetime) -> Wired:
    with wired.db.transaction() as session:
        ask(session, make_brand(session).id, wired.sealer, now)
    return wired


def inbox(wired: Wired) -> list[tuple[str, str, str]]:
    assert isinstance(wired.ports.sms, Sms)
    return wired.ports.sms.world.messages()


def job(wired: Wired) -> Job:
    with wired.db.reading() as session:
        return session.scalars(select(Job).where(Job.kind == "sms")).one()


def leased(wired: Wired) -> Leased:
    row = job(wired)
    return Leased(
        id=row.id, kind=row.kind, key=row.key, payload=json.loads(row.payload), fence=1, attempts=1, run_at=row.run_at
    )


def work(wired: Wired, now: datetime) -> int:
    return loop.run(wired, stop_event=threading.Event(), kinds={"sms"}, once=True, clock=lambda: now)


def test_it_sends_the_password_to_the_phone(asked: Wired, now: datetime) -> None:
    assert work(asked, now) == 1
    assert [(phone, password) for phone, password, _ in inbox(asked)] == [("+8613812348000", "123456")]
    assert job(asked).state == "done"


def test_running_it_again_sends_nothing_more(asked: Wired, now: datetime) -> None:
    for _ in range(2):
        sms.run(asked, leased(asked), lambda: now)
    assert len(inbox(asked)) == 1


def test_a_password_that_has_ended_is_not_sent(asked: Wired, now: datetime) -> None:
    sms.run(asked, leased(asked), lambda: now + timedelta(minutes=5))
    assert inbox(asked) == []


def test_a_failing_provider_is_asked_again(asked: Wired, now: datetime) -> None:
    assert isinstance(asked.ports.sms, Sms)
    asked.ports.sms.world.fail_next("sms")
    work(asked, now)
    assert (job(asked).state, job(asked).error) == ("queued", "sms_unreachable")
    work(asked, job(asked).run_at)
    assert len(inbox(asked)) == 1


def test_without_a_provider_it_gives_up_at_once(asked: Wired, now: datetime) -> None:
    mute = replace(asked, ports=Ports(identity=None, payout=None, sms=None))
    with pytest.raises(OutsideError) as refused:
        sms.run(mute, leased(mute), lambda: now)
    assert refused.value.permanent


def test_nothing_that_is_kept_or_logged_names_the_phone(
    asked: Wired, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    work(asked, now)
    with asked.db.reading() as session:
        row = session.scalars(select(OneTimePassword)).one()
        kept = " ".join(str(getattr(row, column.key)) for column in OneTimePassword.__table__.columns)
    printed = capsys.readouterr()
    for text in (kept, job(asked).payload, printed.out, printed.err):
        assert "13812348000" not in text
        assert "123456" not in text
