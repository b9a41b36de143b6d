"""What is due: files leave the disk, late packs raise alerts, and alerts end or are acknowledged."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from scancode.codes import service as codes
from scancode.codes.rules import Activate, BatchState
from scancode.handover import service as handover
from scancode.handover.rules import AlertKind, PackFacts, SealState, Terms, late
from scancode.jobs import service as jobs
from scancode.wiring import Wired
from tests.conftest import NOW
from tests.factories import make_staff
from tests.handover.works import Works, open_works

TERMS = Terms(pack_days=30, download_days=3, activate_days=60)


@pytest.fixture
def works(wired: Wired) -> Works:
    return open_works(wired, now=NOW)


def kinds(works: Works) -> list[str]:
    with works.wired.db.reading() as session:
        return [alert.kind.value for alert in handover.list_alerts(session, brand_id=works.brand_id)]


@pytest.mark.parametrize(
    ("days", "is_downloaded", "is_activated", "wanted"),
    [
        (2.9, False, False, set()),
        (3, False, False, {AlertKind.NOT_DOWNLOADED}),
        (3, True, False, set()),
        (59, True, False, set()),
        (60, True, False, {AlertKind.NOT_ACTIVATED}),
        (60, False, False, set(AlertKind)),
        (99, False, True, set()),
    ],
)
def test_what_is_late(days: float, is_downloaded: bool, is_activated: bool, wanted: set[AlertKind]) -> None:
    pack = PackFacts(NOW, False, is_downloaded, is_activated)
    assert late(pack, TERMS, now=NOW + timedelta(days=days)) == wanted


def test_test_codes_are_never_late() -> None:
    assert late(PackFacts(NOW, True, False, False), TERMS, now=NOW + timedelta(days=999)) == frozenset()


def test_files_leave_the_disk_when_their_time_is_over_and_never_come_back(works: Works) -> None:
    works.work(NOW + timedelta(days=30) - timedelta(seconds=1), "watch")
    assert works.folder.exists()
    works.work(NOW + timedelta(days=30, minutes=10), "watch")
    assert not works.folder.exists()
    assert works.batch().pack_gone_why == "expired"
    assert works.batch().state == BatchState.READY
    with works.wired.db.transaction() as session, pytest.raises(codes.NeverTwice):
        codes.retry(session, number=works.number, actor="staff:carol", now=NOW)


def test_a_brand_may_keep_them_for_less(works: Works) -> None:
    with works.wired.db.transaction() as session:
        codes.set_terms(
            session, brand_id=works.brand_id, order_limit=None, pack_days=2, download_days=None, activate_days=None,
            actor="x", now=NOW,
        )  # fmt: skip
    works.work(NOW + timedelta(days=2), "watch")
    assert not works.folder.exists()


def test_sealed_files_leave_as_well(works: Works) -> None:
    sealed_id, _ = works.ask(now=NOW)
    works.work(NOW + timedelta(days=1))
    row, path = works.sealed(sealed_id)
    works.work(NOW + timedelta(days=30, hours=23), "watch")
    assert path.exists()
    works.work(row.leaves_at, "watch")
    assert not path.parent.exists()
    assert works.sealed(sealed_id)[0].state == SealState.GONE


def test_an_alert_is_raised_once_and_ends_with_its_reason(works: Works) -> None:
    works.work(NOW + timedelta(days=3), "watch")
    works.work(NOW + timedelta(days=3, hours=1), "watch")
    assert kinds(works) == ["not_downloaded"]
    with works.wired.db.transaction() as session:
        codes.change(session, batch_number=works.number, ranges=[(0, 9)], what=Activate(), actor="staff:carol", now=NOW)
    works.work(NOW + timedelta(days=3, hours=2), "watch")
    assert kinds(works) == []


def test_an_alert_is_acknowledged_by_a_person(works: Works) -> None:
    works.work(NOW + timedelta(days=61), "watch")
    assert sorted(kinds(works)) == ["not_activated", "not_downloaded"]
    with works.wired.db.transaction() as session:
        carol = make_staff(session)
        for alert in handover.list_alerts(session, brand_id=works.brand_id):
            handover.acknowledge(
                session, alert_id=alert.id, note="仍在仓库", staff_id=carol.id, actor=f"staff:{carol.id}", now=NOW
            )
        assert handover.count_alerts(session, brand_id=works.brand_id) == 0
        assert len(handover.list_alerts(session, brand_id=works.brand_id, with_acknowledged=True)) == 2


def test_it_comes_back_in_ten_minutes(works: Works) -> None:
    moment: datetime = NOW + timedelta(hours=1)
    works.work(moment, "watch")
    with works.wired.db.reading() as session:
        job = jobs.find(session, key="watch")
    assert job is not None
    assert job.run_at == moment + timedelta(minutes=10)


def test_what_a_killed_worker_left_behind_leaves_with_the_next_look(works: Works) -> None:
    with works.wired.db.transaction() as session:
        codes.mark_pack_gone(session, number=works.number, why="expired", now=NOW)
    assert works.folder.exists()
    works.work(NOW + timedelta(hours=1), "watch")
    assert not works.folder.exists()


def test_reading_the_manifest_or_half_a_file_is_no_fetching(works: Works) -> None:
    def fetch(name: str, sent: int) -> None:
        file = handover.FetchedFile(works.number, works.brand_id, name, 100)
        client = handover.Client("staff:carol", name + str(sent), "", "")
        with works.wired.db.transaction() as session:
            begun = handover.begin_download(
                session, file=file, client=client, is_beginning=True, sealer=works.wired.sealer, now=NOW
            )
            handover.note_sent(session, download_id=begun, sent_bytes=sent, now=NOW)

    fetch("manifest.json", 100)
    fetch("codes.csv", 99)
    works.work(NOW + timedelta(days=3), "watch")
    assert kinds(works) == ["not_downloaded"]
    fetch("codes.csv", 100)
    works.work(NOW + timedelta(days=3, hours=1), "watch")
    assert kinds(works) == []
