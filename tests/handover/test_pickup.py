"""A link as a print house meets it: the page, the passcode, the file in ranges; and as robots and guessers meet it."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from scancode.handover import service as handover
from scancode.handover.models import Download, PackLink, SealedPack
from scancode.staff.models import AuditRow
from scancode.wiring import Wired
from tests.handover.works import Works, open_works
from tests.threads import at_once


class Office:
    """A sealed pack, and a link to it for two downloads."""

    def __init__(self, wired: Wired) -> None:
        self.works: Works = open_works(wired, count=20_000)
        self.sealed_id, _ = self.works.ask()
        self.works.work()
        self.row, self.path = self.works.sealed(self.sealed_id)
        self.content = self.path.read_bytes()
        self.link_id, self.url, self.passcode = self.works.link(self.sealed_id)

    def enter(self, client: FlaskClient, passcode: str | None = None) -> Any:
        return client.post(self.url, data={"passcode": self.passcode if passcode is None else passcode})

    def file_url(self, client: FlaskClient) -> str:
        answer = self.enter(client)
        assert answer.status_code == 303, answer.text
        found = re.search(r'href="([^"]*/file\?permit=[^"]+)"', client.get(answer.headers["Location"]).text)
        assert found is not None
        return found[1].replace("&amp;", "&")

    def downloads(self) -> list[Download]:
        with self.works.wired.db.reading() as session:
            return list(session.scalars(select(Download).order_by(Download.started_at)))

    def link(self) -> Any:
        with self.works.wired.db.reading() as session:
            return handover.find_link(session, link_id=self.link_id)

    def change(self, **values: Any) -> None:
        with self.works.wired.db.transaction() as session:
            session.execute(update(PackLink).where(PackLink.id == self.link_id).values(**values))


@pytest.fixture
def office(wired: Wired) -> Office:
    return Office(wired)


def test_the_page_tells_what_there_is_and_asks_for_the_passcode(client: FlaskClient, office: Office) -> None:
    page = client.get(office.url)
    assert page.status_code == 200
    for wanted in (office.row.file_name, office.row.sha256, "Li Wei", "华彩印刷", "口令", "Asia/Shanghai"):
        assert wanted in page.text
    assert "/file?permit" not in page.text
    assert "Passcode" in client.get(office.url + "?lang=en").text
    assert client.get(f"{office.url}/file").status_code == 200  # the page, not the file
    assert client.get("/packs/" + "x" * 40).status_code == 404
    assert office.downloads() == []


def test_a_right_passcode_opens_the_file_and_it_is_on_record(client: FlaskClient, office: Office) -> None:
    with client.get(office.file_url(client), headers={"User-Agent": "curl/8.5.0 print house"}) as got:
        assert (got.status_code, got.data) == (200, office.content)
    assert hashlib.sha256(got.data).hexdigest() == office.row.sha256
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert "no-store" in got.headers["Cache-Control"]
    (row,) = office.downloads()
    assert (row.sent_bytes, row.requests) == (len(office.content), 1)
    assert row.finished_at is not None
    assert row.actor == f"link:{office.link_id}"
    assert "127.0.0.1" not in (row.address or "")
    with office.works.wired.db.reading() as session:
        (told,) = handover.list_downloads(session, batch_number=row.batch_number, sealer=office.works.wired.sealer)
        audited = session.scalars(select(AuditRow).where(AuditRow.action == "batch.download")).all()
    assert (told.address, told.for_whom, told.agent) == ("127.0.0.1", "Li Wei", "curl/8.5.0 print house")
    assert len(audited) == 1
    assert "127.0.0.1" not in audited[0].facts


def test_a_broken_download_goes_on_and_is_one(client: FlaskClient, office: Office) -> None:
    url, size = office.file_url(client), len(office.content)
    with client.get(url, headers={"Range": f"bytes=0-{size // 3}"}) as first:
        begun = first.data
    assert first.status_code == 206
    etag = first.headers["ETag"]
    with client.get(url, headers={"Range": f"bytes={len(begun)}-", "If-Range": etag}) as rest:
        assert rest.status_code == 206
        assert begun + rest.data == office.content
    (row,) = office.downloads()
    assert (row.requests, row.sent_bytes) == (2, size)
    assert row.finished_at is not None
    assert office.link().downloads == 1
    with client.get(url, headers={"Range": f"bytes={size}-"}) as beyond:
        assert beyond.status_code == 416


def test_beginning_again_after_the_end_is_another_and_then_it_is_used_up(client: FlaskClient, office: Office) -> None:
    url = office.file_url(client)
    for _ in range(2):
        with client.get(url) as got:
            assert got.data == office.content
    assert (len(office.downloads()), office.link().downloads) == (2, 2)
    with client.get(url) as third:
        assert third.data != office.content
        assert third.status_code == 410
    assert client.get(office.url).status_code == 410
    assert office.enter(client).status_code == 410


@pytest.mark.parametrize(
    "agent",
    ["Slackbot-LinkExpanding 1.0", "TelegramBot (like TwitterBot)", "WhatsApp/2.23", "facebookexternalhit/1.1"],
)
def test_previews_get_the_page_and_count_as_nothing(client: FlaskClient, office: Office, agent: str) -> None:
    url = office.file_url(client)
    got = client.get(url, headers={"User-Agent": agent})
    assert got.data != office.content
    assert "text/html" in got.headers["Content-Type"]
    assert office.downloads() == []


def test_a_head_tells_the_size_and_counts_as_nothing(client: FlaskClient, office: Office) -> None:
    with client.head(office.file_url(client)) as got:
        assert got.data == b""
    assert got.headers["Content-Length"] == str(len(office.content))
    assert got.headers["Accept-Ranges"] == "bytes"
    assert office.downloads() == []


def test_wrong_passcodes_lock_it_for_a_while_and_the_right_one_does_not_help(
    client: FlaskClient, office: Office
) -> None:
    for _ in range(5):
        assert office.enter(client, "WRONG-00000").status_code == 403
    assert office.enter(client).status_code == 429
    office.change(locked_until=datetime.now(UTC) - timedelta(seconds=1))
    assert office.enter(client).status_code == 303
    assert office.link().failures_total == 5


def test_too_many_wrong_ones_close_it_for_good(client: FlaskClient, office: Office) -> None:
    office.change(failures_total=19)
    assert office.enter(client, "WRONG-00000").status_code == 403
    assert office.enter(client).status_code == 410
    assert "口令错误次数过多" in client.get(office.url).text


def test_many_guesses_at_once_are_no_more_than_the_lock_allows(app: Flask, office: Office) -> None:
    answers = at_once(12, lambda _: office.enter(app.test_client(), "WRONG-00000").status_code)
    assert sorted(answers) == [403] * 5 + [429] * 7


def test_a_passcode_may_be_typed_as_people_type(client: FlaskClient, office: Office) -> None:
    assert office.enter(client, f"  {office.passcode.lower().replace('-', ' ')} ").status_code == 303


@pytest.mark.parametrize(
    "over", [{"revoked_at": datetime.now(UTC)}, {"expires_at": datetime.now(UTC) - timedelta(seconds=1)}]
)
def test_what_was_taken_back_or_has_expired_opens_nothing(
    client: FlaskClient, office: Office, over: dict[str, Any]
) -> None:
    url = office.file_url(client)
    office.change(**over)
    assert client.get(office.url).status_code == 410
    assert office.enter(client).status_code == 410
    with client.get(url) as got:
        assert (got.status_code, got.data == office.content) == (410, False)


def test_a_file_that_has_left_opens_nothing(client: FlaskClient, office: Office) -> None:
    url = office.file_url(client)
    with office.works.wired.db.transaction() as session:
        handover.mark_gone(session, sealed_id=office.sealed_id, now=datetime.now(UTC))
        assert session.get_one(SealedPack, office.sealed_id).gone_at is not None
    assert client.get(url).status_code == 410
    assert "已离开服务器" in client.get(office.url).text


def test_a_permit_of_one_link_opens_no_other(client: FlaskClient, office: Office) -> None:
    permit = office.file_url(client).partition("permit=")[2]
    _, other, _ = office.works.link(office.sealed_id)
    got = client.get(f"{other}/file?permit={permit}")
    assert got.data != office.content


def test_the_last_download_goes_to_one_of_two(app: Flask, office: Office) -> None:
    office.change(downloads=1)
    urls = [office.file_url(app.test_client()) for _ in range(2)]

    def fetch(turn: int) -> bool:
        with app.test_client().get(urls[turn]) as got:
            return bool(got.data == office.content)

    assert sorted(map(str, at_once(2, fetch))) == ["False", "True"]
    assert office.link().downloads == 2


def test_addresses_are_forgotten(client: FlaskClient, office: Office) -> None:
    with client.get(office.file_url(client)) as got:
        assert got.status_code == 200
    with office.works.wired.db.transaction() as session:
        assert handover.forget_addresses(session, before=datetime.now(UTC) + timedelta(days=1)) == 1
    (row,) = office.downloads()
    assert (row.address, isinstance(row.id, UUID)) == (None, True)
