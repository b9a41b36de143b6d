"""``GET /batches/{number}`` and ``GET /batches/{number}/files/{name}``, on a batch that the press really made."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from scancode.codes import service as codes
from scancode.jobs import service as jobs
from scancode.worker import mint
from tests.web.api.conftest import GTIN, Machine, World


@pytest.fixture
def minted(world: World, machine: Machine) -> int:
    """A batch of 50 that was ordered over the API and minted by the worker."""
    order = {"order_no": "PO-9", "product": GTIN, "count": 50, "kinds": ["inner"], "formats": ["csv", "txt"]}
    number: int = machine.post("/batches", order).json["number"]
    now = datetime.now(UTC)
    with world.wired.db.transaction() as session:
        leased = jobs.lease(session, now=now, lease_s=60, kinds=["mint"])
    assert leased is not None
    mint.run(world.wired, leased, lambda: datetime.now(UTC))
    return number


def test_it_shows_files_manifest_and_progress(world: World, machine: Machine, minted: int) -> None:
    batch = machine.get(f"/batches/{minted}").json
    assert (batch["state"], batch["progress"]["job"]) == ("ready", "done")
    assert batch["progress"]["done_rows"] == batch["progress"]["total_rows"] > 0
    assert [file["name"].rsplit(".", 1)[1] for file in batch["files"]] == ["csv", "txt"] or len(batch["files"]) == 2
    assert batch["manifest"]["batch"] == minted
    assert {file["sha256"] for file in batch["files"]} == {file["sha256"] for file in batch["manifest"]["files"]}
    assert batch["life"] == {"inactive": 50, "active": 0, "void": 0, "recalled": 0}


def test_a_downloaded_file_is_whole_and_its_fetching_recorded(world: World, machine: Machine, minted: int) -> None:
    for file in machine.get(f"/batches/{minted}").json["files"]:
        answer = machine.client.get(file["path"], headers={"Authorization": f"Bearer {machine.token}"})
        assert answer.status_code == 200
        assert hashlib.sha256(answer.data).hexdigest() == file["sha256"]
        assert f"filename={file['name']}" in answer.headers["Content-Disposition"]
        answer.close()
    rows = world.audited("batch.download")
    assert [row.subject for row in rows] == [f"batch:{minted}"] * 2
    assert all(row.actor.startswith("token:") and row.brand_id == world.own.id for row in rows)


def test_the_manifest_is_a_file_too(machine: Machine, minted: int) -> None:
    answer = machine.get(f"/batches/{minted}/files/manifest.json")
    assert (answer.status_code, answer.json["batch"]) == (200, minted)
    answer.close()


def test_a_file_can_be_fetched_in_parts(world: World, machine: Machine, minted: int) -> None:
    file = machine.get(f"/batches/{minted}").json["files"][0]
    path = f"/batches/{minted}/files/{file['name']}"
    part = machine.get(path, headers={"Range": "bytes=0-9"})
    assert (part.status_code, len(part.data)) == (206, 10)
    part.close()
    beyond = machine.get(path, headers={"Range": "bytes=999999-"})
    assert (beyond.status_code, beyond.json["code"], beyond.json["status"]) == (416, "part_beyond", 416)
    rest = machine.get(path, headers={"Range": "bytes=10-"})
    rest.close()
    assert len(world.audited("batch.download")) == 1
    known = machine.get(path, headers={"If-None-Match": f'"{file["sha256"]}"'})
    assert known.status_code == 304
    known.close()


def test_asking_for_the_head_is_no_download(world: World, machine: Machine, minted: int) -> None:
    file = machine.get(f"/batches/{minted}").json["files"][0]
    answer = machine.client.head(file["path"], headers={"Authorization": f"Bearer {machine.token}"})
    assert answer.status_code == 200
    answer.close()
    assert world.audited("batch.download") == []


def test_a_file_that_is_gone_is_told_apart(world: World, machine: Machine, minted: int) -> None:
    file = machine.get(f"/batches/{minted}").json["files"][0]
    (codes.pack_folder(world.wired.settings.var_dir, minted) / file["name"]).unlink()
    answer = machine.get(f"/batches/{minted}/files/{file['name']}")
    assert (answer.status_code, answer.json["code"]) == (410, "file_gone")


NO_FILES: list[str] = [
    "other.csv",
    "manifest.json.part",
    "..",
    "%2e%2e%2fscancode.sqlite",
    "a%00b",
    "käse",
]


def test_only_files_of_the_pack_are_served(machine: Machine, minted: int) -> None:
    for name in NO_FILES:
        assert machine.get(f"/batches/{minted}/files/{name}").status_code in (404, 422)


def test_another_brands_batch_does_not_exist(world: World, machine: Machine, minted: int) -> None:
    stranger = world.machine(brand=world.other)
    for path in ("", "/life", "/files/manifest.json"):
        answer = stranger.get(f"/batches/{minted}{path}")
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    answer = world.operator().get(f"/batches/{minted}")
    assert answer.status_code == 200


def test_a_failed_batch_says_why(world: World, machine: Machine) -> None:
    order = {"order_no": "PO-10", "product": GTIN, "count": 5, "kinds": ["inner"]}
    number = machine.post("/batches", order).json["number"]
    now = datetime.now(UTC)
    with world.wired.db.transaction() as session:
        leased = jobs.lease(session, now=now, lease_s=60, kinds=["mint"])
        assert leased is not None
        codes.mark_minting(session, number=number)
        codes.mark_failed(session, number=number)
        jobs.retry(session, leased=leased, error="磁盘已满 / the disk is full", now=now, is_permanent=True)
    batch = machine.get(f"/batches/{number}").json
    assert (batch["state"], batch["progress"]["job"]) == ("failed", "dead")
    assert batch["progress"]["error"] == "磁盘已满 / the disk is full"


NO_NUMBERS: list[str] = ["-1", "x", "1.5", str(1 << 25), "9" * 5000, "%00"]


def test_a_number_that_no_batch_can_have_is_refused(machine: Machine) -> None:
    for number in NO_NUMBERS:
        answer = machine.get(f"/batches/{number}")
        assert (answer.status_code, answer.json["facts"]["field"]) == (422, "number")


def test_a_number_that_no_batch_has_is_not_found(world: World, machine: Machine) -> None:
    assert machine.get(f"/batches/{world.own.batch ^ 1}").status_code == 404


def test_an_order_is_cancelled_once_and_a_finished_pack_is_never_made_again(
    world: World, machine: Machine, minted: int
) -> None:
    assert machine.post(f"/batches/{minted}/retry", {}).json["code"] == "pack_never_twice"
    assert machine.post(f"/batches/{minted}/cancel", {}).json["code"] == "batch_state"
    number = machine.post("/batches", {"order_no": "PO-11", "product": GTIN, "count": 5, "kinds": ["inner"]}).json[
        "number"
    ]
    assert world.machine(brand=world.other).post(f"/batches/{number}/cancel", {}).status_code == 404
    answer = machine.post(f"/batches/{number}/cancel", {})
    assert (answer.status_code, answer.json["state"]) == (200, "cancelled")
