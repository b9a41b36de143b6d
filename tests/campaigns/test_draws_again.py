"""The same draws by Python and by the script of the page: both are held to ``draws.json``. Its pools are of every kind
and of the largest size; ``drawn`` names batch, serial and what each turn gives, ``counts`` and ``sums`` go over every
code."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server

from scancode.campaigns import proof
from scancode.web.assets import asset_url
from tests import browser as chrome
from tests import servers

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "draws.json").read_text(encoding="utf-8"))
ASK = """([program, asked]) => new Promise((resolve) => {
  const worker = new Worker(program), heard = {};
  worker.onerror = ({ message }) => resolve({ message });
  worker.onmessage = ({ data }) => {
    if (data.counts || !("pool" in data)) Object.assign(heard, data);
    if (data.end || data.broken) { worker.terminate(); resolve(heard); }
  };
  worker.postMessage(asked);
})"""


def pool_of(vector: dict[str, Any]) -> tuple[proof.Table, bytes, str]:
    (found,) = proof.from_file({"format": proof.FORMAT, "pools": [vector["pool"]]})
    return found


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["name"])
def test_python_draws_what_is_written_down(vector: dict[str, Any]) -> None:
    table, secret, committed = pool_of(vector)
    assert proof.commitment(secret, table) == committed
    for batch_number, serial, turns in vector["drawn"]:
        index = table.index_of(batch_number, serial)
        assert index is not None
        assert [list(one) for one in table.turns(secret, index)] == turns
    if "counts" in vector:
        found = proof.check(table, secret=secret, committed=committed)
        places = range(len(table.lines))
        assert found.is_sound
        assert [found.counts.get(place, 0) for place in places] == vector["counts"]
        assert [found.sums.get(place, 0) for place in places] == vector["sums"]
        assert found.counts.get(None, 0) == vector["beyond"]


@pytest.fixture
def page(app: Flask) -> Iterator[Page]:
    """A page of ours that is open in Chromium, under the policy that all have."""
    chrome.path()
    port = servers.free_port()
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with chrome.chromium() as browser:
        opened = browser.new_page(base_url=f"http://127.0.0.1:{port}")
        opened.goto("/contact")
        yield opened
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.browser
@pytest.mark.xdist_group("servers")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_script_of_the_page_draws_the_same(app: Flask, page: Page) -> None:
    with app.app_context():
        program, sha256 = asset_url("h5/draw_worker.js"), asset_url("h5/sha256.js")

    def ask(pools: list[dict[str, Any]], places: list[list[int]], **more: object) -> dict[str, Any]:
        asked = {"sha256": sha256, "pools": pools, "places": places, **more}
        answer: dict[str, Any] = page.evaluate(ASK, [program, asked])
        return answer

    for vector in VECTORS:
        expected = {
            "committed": [True],
            "drawn": [{"pool": 0, "turns": turns} for _, _, turns in vector["drawn"]],
            "end": True,
        }
        if "counts" in vector:
            expected |= {"pool": 0, "wrong": [], **{name: vector[name] for name in ("counts", "sums", "beyond")}}
        places = [one[:2] for one in vector["drawn"]]
        assert ask([vector["pool"]], places, all="counts" in vector) == expected, vector["name"]

    fair = next(one["pool"] for one in VECTORS if one["name"] == "two batches and an odd line")
    prizes = fair["table"]["prizes"]
    fewer = fair | {"table": fair["table"] | {"prizes": [[*prizes[0][:4], 100], prizes[1], [*prizes[2][:4], 601]]}}
    assert ask([fewer, fair], [[1, 1]])["committed"] == [False, True], "a table that was changed, beside a good one"
    assert ask([fair], [[1, 1]])["drawn"] == [None], "of no pool"
    short = fair | {"table": fair["table"] | {"prizes": [[*prizes[0][:4], 100], *prizes[1:]]}}
    assert ask([short], [], all=True)["beyond"] == 1
    for nonsense in ({"secret": "00"}, {"secret": "x" * 64}, {"table": fair["table"] | {"size": 1000}}):
        assert ask([fair | nonsense], []) == {"broken": True}
