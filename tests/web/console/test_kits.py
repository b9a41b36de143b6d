"""Press kits in the console: Carol asks, Bob approves, the sealed file is fetched, activation beyond it is refused."""

from __future__ import annotations

import re

from flask import Flask

from batches.codes import Kind
from scancode.codes import service as codes
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests.factories import NOW
from tests.handover.works import open_works
from tests.web.console.desk import Desk, hire


def test_a_kit_goes_through_two_hands(app: Flask, wired: Wired) -> None:
    works = open_works(wired, count=10)
    with wired.db.transaction() as session:
        number = codes.order(
            session, brand_id=works.brand_id, product_id=works.product_id, order_no="OFF-1", count=100,
            kinds=(Kind.INNER,), formats=("csv",), base_url="https://q.example", kid="t1", is_offline=True,
            actor="staff:x", now=NOW,
        ).number  # fmt: skip
    carol = Desk(app, wired.db, hire(wired.db, "Carol", Role.FACTORY, works.brand_id))
    bob = Desk(app, wired.db, hire(wired.db, "Bob", Role.FACTORY, works.brand_id))
    assert re.findall(r"生成中</span><span[^>]*>(\d+)<", carol.get("/console/").text) == ["0"]
    here = f"/console/batches/{number}/kits"
    assert here in carol.get(f"/console/batches/{number}").text
    wanted = {"house": str(works.house_id), "first": "0", "last": "49", "days": "30"}
    assert carol.post(here, wanted | {"last": "100"}).status_code == 422
    assert carol.post(here, wanted).status_code == 302
    assert "须由同事决定" in carol.get(here).text
    mine = re.search(r'"(/console/kits/[0-9a-f-]+/withdraw)"', carol.get(here).text)
    assert mine is not None
    assert "/withdraw" not in bob.get(here).text
    carol.post(mine[1])
    assert "OFF-1" not in bob.get("/console/approvals").text
    assert carol.post(here, wanted).status_code == 302
    assert "OFF-1" in bob.get("/console/approvals").text
    kit = re.search(r"/console/kits/([0-9a-f-]+)/approve", bob.get(here).text)
    assert kit is not None
    carol.post(f"/console/kits/{kit[1]}/approve")
    assert bob.get(f"/console/kits/{kit[1]}/file").status_code == 404
    bob.post(f"/console/kits/{kit[1]}/approve")
    got = bob.get(f"/console/kits/{kit[1]}/file")
    assert got.data.startswith(b"age-encryption.org/v1")
    assert f"batch-{number}-00000000-00000049.kit.age" in got.headers["Content-Disposition"]
    life = f"/console/batches/{number}/life/activate"
    refused = carol.post(life, {"ranges": "0-50"}, form=life)
    assert (refused.status_code, "离线生成" in refused.text) == (422, True)
    assert carol.post(life, {"ranges": "0-49"}, form=life).status_code == 302
    mallory = Desk(app, wired.db, hire(wired.db, "Dave", Role.MARKETING, works.brand_id))
    assert mallory.get(here).status_code == 403
