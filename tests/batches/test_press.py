"""A whole pack: complete, restartable after a kill at any moment, and never mixed with another order."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from batches import press
from batches.check import check_pack
from batches.errors import BadManifest, BadSpec, NoSpace, OtherPack, Stopped, TooMany
from batches.items import Kind
from batches.layouts import Layout
from batches.manifest import Manifest, read_manifest
from batches.spec import BatchSpec
from batches.ticket import Ticket

KEY = bytes(range(32))
NOW = datetime(2026, 11, 22, 12, 30, 15, 999, tzinfo=timezone(timedelta(hours=8)))
ROOT = Path(__file__).parents[2]


def make_spec(**over):
    return BatchSpec(
        **{
            "number": 7,
            "kinds": (Kind.OUTER, Kind.INNER),
            "count": 12,
            "host": "q.example.cn",
            "product_name": "红茶",
            "order_no": "PO-1",
            **over,
        }
    )


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_pack_holds_what_its_manifest_says(tmp_path):
    seen = []
    manifest = press.run(
        make_spec(),
        KEY,
        tmp_path,
        formats=press.FORMATS,
        now=NOW,
        on_progress=lambda *each: seen.append(each),
    )
    stem = "batch-7-00000000-00000011"
    assert [record.name for record in manifest.files] == [
        f"{stem}.csv",
        *(f"{stem}-{kind}.txt" for kind in ("outer", "inner")),
        f"{stem}.xlsx",
        *(f"{stem}-{kind}.{ending}" for ending in ("png.zip", "svg.zip", "zpl", "pdf") for kind in ("outer", "inner")),
    ]
    names = [record.name for record in manifest.files]
    assert sorted(contents(tmp_path)) == sorted([*names, "manifest.json", "manifest.html"])
    for stages in (press.FORMATS, ("proof",), ("symbols",)):
        counted = [done for done, _, stage in seen if stage in stages]
        assert counted == sorted(counted)
    assert seen[0] == (0, 144, "csv")
    assert [each for each in seen if each[2] == "proof"][-1] == (144, 144, "proof")
    assert [each for each in seen if each[2] == "symbols"][-1] == (96, 96, "symbols")
    assert seen[-1] == (144, 144, "manifest")
    report = check_pack(tmp_path, KEY)
    assert (report.ok, report.files, report.rows, report.codes_verified) == (True, 12, 144, 12 * (4 + 2 + 4))


def test_the_manifest_says_who_what_when_and_how_to_check(tmp_path):
    manifest = press.run(make_spec(is_test=True, gtin="06901234567892", lot="L1"), KEY, tmp_path, now=NOW)
    body = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    assert body["format"] == "scancode-pack"
    assert body["format_version"] == 1
    assert (body["order_no"], body["batch"], body["product_name"]) == ("PO-1", 7, "红茶")
    assert (body["kinds"], body["first"], body["last"]) == (["outer", "inner"], 0, 11)
    assert (body["count"], body["code_count"], body["is_test"]) == (12, 24, True)
    assert body["created_at"] == "2026-11-22T04:30:15Z"
    assert body["sample_url"].startswith("HTTPS://Q.EXAMPLE.CN/00007")
    assert set(body["how_to_check"]) == {"zh", "en"}
    assert body["files"][0]["name"].startswith("test-batch-7-")
    assert read_manifest(tmp_path / "manifest.json") == manifest


def test_the_same_order_gives_the_same_bytes_everywhere(tmp_path):
    for folder in ("first", "second"):
        press.run(make_spec(), KEY, tmp_path / folder, formats=press.FORMATS, now=NOW)
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_a_finished_pack_is_returned_as_it_is(tmp_path):
    before = press.run(make_spec(), KEY, tmp_path, now=NOW)
    held = contents(tmp_path)
    assert press.run(make_spec(), KEY, tmp_path, now=NOW + timedelta(days=1)) == before
    assert contents(tmp_path) == held


def test_a_file_that_was_lost_or_changed_is_made_again(tmp_path):
    press.run(make_spec(), KEY, tmp_path, formats=("csv", "txt"), now=NOW)
    held = contents(tmp_path)
    (tmp_path / "batch-7-00000000-00000011.csv").write_bytes(b"changed")
    (tmp_path / "batch-7-00000000-00000011-inner.txt").unlink()
    press.run(make_spec(), KEY, tmp_path, formats=("csv", "txt"), now=NOW)
    assert contents(tmp_path) == held


@pytest.mark.parametrize("stage", ["csv", "txt", "png", "pdf"])
def test_a_stopped_run_goes_on_where_it_ended(tmp_path, stage):
    reached = []
    with pytest.raises(Stopped):
        press.run(
            make_spec(),
            KEY,
            tmp_path / "stopped",
            formats=press.FORMATS,
            now=NOW,
            on_progress=lambda done, total, now_at: reached.append(now_at),
            stop=lambda: stage in reached,
        )
    assert "manifest.json" not in contents(tmp_path / "stopped")
    press.run(make_spec(), KEY, tmp_path / "stopped", formats=press.FORMATS, now=NOW + timedelta(hours=1))
    press.run(make_spec(), KEY, tmp_path / "whole", formats=press.FORMATS, now=NOW)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


KILLED_RUN = """
import sys, time
from pathlib import Path
from tests.batches import test_press as here
from batches import press

def wait_for_the_kill(done, total, stage):
    if done >= int(sys.argv[2]):
        print("ready", flush=True)
        time.sleep(600)

press.run(
    here.make_spec(count=70_000), here.KEY, Path(sys.argv[1]),
    formats=("csv", "txt"), now=here.NOW, on_progress=wait_for_the_kill,
)
"""


# In the middle of the first file; at its end, before it has its name; in the second; at the end of the last.
@pytest.mark.parametrize("done", [65_536, 70_000, 135_536, 210_000])
def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(tmp_path, done):
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_RUN, str(tmp_path / "killed"), str(done)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline().strip() == b"ready"
        run.kill()
    left = contents(tmp_path / "killed")
    assert "manifest.json" not in left
    assert any(name.endswith(".part") for name in left)
    spec = make_spec(count=70_000)
    press.run(spec, KEY, tmp_path / "killed", formats=("csv", "txt"), now=datetime(2030, 1, 1, tzinfo=UTC))
    press.run(spec, KEY, tmp_path / "whole", formats=("csv", "txt"), now=NOW)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("change", ["spec", "key", "formats", "ticket"])
def test_it_never_mixes_two_orders_in_one_folder(tmp_path, change, finished):
    order = {"spec": make_spec(), "key": KEY, "formats": ("txt", "pdf"), "ticket": Ticket()}

    def run(order, **more):
        return press.run(
            order["spec"], order["key"], tmp_path, formats=order["formats"], ticket=order["ticket"], now=NOW, **more
        )

    if finished:
        run(order)
    else:
        with pytest.raises(Stopped):
            run(order, stop=lambda: True)
    held = contents(tmp_path)
    other = {
        "spec": make_spec(number=8),
        "key": bytes(32),
        "formats": ("pdf",),
        "ticket": Ticket(layout=Layout(rows=5)),
    }
    with pytest.raises(OtherPack):
        run({**order, change: other[change]})
    assert contents(tmp_path) == held


def test_it_asks_for_disk_space_before_it_writes(tmp_path):
    spec = make_spec(count=1 << 25)
    with pytest.raises(NoSpace) as caught:
        press.run(spec, KEY, tmp_path, formats=("csv", "txt"), now=NOW, free_bytes=lambda folder: 10**9)
    assert caught.value.facts["has_mb"] == 1000
    assert 5000 < caught.value.facts["needs_mb"] < 10_000
    assert [path.name for path in tmp_path.iterdir()] == ["begun.manifest.json"]


def test_its_estimate_covers_what_it_writes(tmp_path):
    spec = make_spec(host="a-long.host.name.example.cn", gtin="06901234567892", digital_link=True, count=60)
    press.run(spec, KEY, tmp_path, formats=press.FORMATS, now=NOW)
    for piece in press.plan(spec, press.FORMATS):
        assert (tmp_path / piece.name).stat().st_size <= piece.size_bytes


def test_drawings_are_split_into_files_that_join():
    pieces = press.plan(make_spec(kinds=(Kind.INNER,), first=3, count=12_000), ("pdf", "png"))
    assert [(piece.spec.first, piece.spec.last) for piece in pieces] == [
        (3, 5002),
        (5003, 10_002),
        (10_003, 12_002),
    ] * 2
    assert len({piece.name for piece in pieces}) == 6


def test_it_refuses_formats_it_cannot_make():
    for formats in ((), ("csv", "csv"), ("docx",)):
        with pytest.raises(BadSpec):
            press.plan(make_spec(), formats)
    with pytest.raises(TooMany):
        press.plan(make_spec(count=200_001), ("csv", "png"))


def test_a_time_without_a_zone_is_refused(tmp_path):
    with pytest.raises(ValueError, match="time zone"):
        press.run(make_spec(), KEY, tmp_path, now=datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(format="other"),
        lambda body: body.update(format_version=2),
        lambda body: body.update(count=13),
        lambda body: body.update(surprise=1),
        lambda body: body.pop("batch"),
        lambda body: body["files"][0].update(name="../outside.csv"),
        lambda body: body["files"][0].update(name="C:\\outside.csv"),
        lambda body: body["files"][0].update(kinds=["label"]),
        lambda body: body.update(files=None),
    ],
)
def test_a_manifest_that_was_tampered_with_is_refused(tmp_path, change):
    manifest = press.run(make_spec(), KEY, tmp_path, now=NOW)
    body = json.loads(manifest.to_json())
    change(body)
    with pytest.raises(BadManifest) as caught:
        Manifest.from_json(json.dumps(body).encode())
    assert caught.value.code == "bad_manifest"


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"null", b"\xff\xfe", b'{"format": "scancode-pack"}'])
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(BadManifest):
        Manifest.from_json(text)


def test_a_manifest_survives_its_own_text():
    manifest = Manifest.announce(make_spec(), KEY, formats=("csv",), ticket=Ticket(), now=NOW)
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert replace(manifest, created_at=NOW) != manifest
