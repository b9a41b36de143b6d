"""Sealing, links, press kits at a terminal: secrets once, two people with passwords; life by what holds codes."""

from __future__ import annotations

from uuid import UUID

import pytest

from batches.codes import Kind
from scancode.codes import service as codes
from scancode.packing import service as packing
from scancode.wiring import Wired
from tests import factories
from tests.cli.conftest import Run
from tests.handover.works import open_works
from tests.packing.floor import BY, Floor, make_floor

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PASSWORD = f"{factories.PASSWORD}\n"


@only_sqlite
def test_a_pack_is_sealed_linked_looked_at_and_the_link_taken_back(run: Run, wired: Wired) -> None:
    works = open_works(wired, count=20)
    made = run("handover", "seal", str(works.number), "--house", "华彩印刷", "--form", "zip")
    sealed, password = made.output.splitlines()
    assert "house_unknown" in run("handover", "seal", str(works.number), "--house", "nobody", "--form", "zip").stderr
    assert len(password.rpartition(" ")[2]) >= 16
    assert run("handover", "retry", sealed).exit_code == 1
    assert "sealed_not_ready" in run("handover", "link", sealed, "--for", "Li Wei").stderr
    works.work()
    link, url, passcode = run("handover", "link", sealed, "--for", "Li Wei", "--days", "2").output.splitlines()
    assert url.startswith("http://127.0.0.1:8000/packs/")
    shown = run("handover", "show", str(works.number)).output
    assert all(word in shown for word in (sealed, "ready", link, "open", "0/1", "Li Wei"))
    assert passcode.rpartition(" ")[2] not in shown
    assert run("handover", "revoke", link).exit_code == 0
    assert "revoked" in run("handover", "show", str(works.number)).output
    assert run("handover", "revoke", str(UUID(int=1))).exit_code == 1


@only_sqlite
def test_a_kit_takes_two_passwords(run: Run, wired: Wired) -> None:
    works = open_works(wired, count=20)
    with wired.db.transaction() as session:
        for name in ("Carol", "Bob"):
            factories.make_staff(session, name=name, login=name.lower())
        number = codes.order(
            session, brand_id=works.brand_id, product_id=works.product_id, order_no="OFF", count=50, kid="t1",
            kinds=(Kind.INNER,), base_url="https://q.example", is_offline=True, actor="t", now=factories.NOW,
        ).number  # fmt: skip
    words = ("kit", "ask", str(number), "--house", str(works.house_id), "--first", "0", "--last", "9", "--by", "carol")
    assert "wrong_password" in run(*words, typed="no\n").stderr
    kit = run(*words, typed=PASSWORD).stdout.splitlines()[-1]
    assert "kit_not_approved" in run("kit", "fetch", kit).stderr
    assert "kit_same_person" in run("kit", "approve", kit, "--by", "carol", typed=PASSWORD).stderr
    assert kit in run("kit", "list", "--waiting").output
    other = run(*(word if word not in {"0", "9"} else "2" + word for word in words), typed=PASSWORD)
    spare = other.stdout.splitlines()[-1]
    assert "not_found" in run("kit", "withdraw", spare, "--by", "bob", typed=PASSWORD).stderr
    assert run("kit", "withdraw", spare, "--by", "carol", typed=PASSWORD).exit_code == 0
    assert run("kit", "approve", kit, "--by", "bob", typed=PASSWORD).exit_code == 0
    assert "kit_decided" in run("kit", "reject", kit, "--by", "bob", "--reason", "x", typed=PASSWORD).stderr
    fetched = run("kit", "fetch", kit, "--to", str(wired.settings.var_dir / "out"))
    assert fetched.exit_code == 0, fetched.output
    assert len(list((wired.settings.var_dir / "out").iterdir())) == 1
    assert run("kit", "list", "--waiting").output == ""


@only_sqlite
def test_life_is_changed_by_case_and_lot_now_or_later(run: Run, wired: Wired) -> None:
    with wired.db.transaction() as session:
        floor = make_floor(session, wired)
        by = BY | {"brand_id": floor.brand_id}
        packing.open_container(session, parent=floor.case(0), capacity=None, **by)
        packing.pack(session, parent=floor.case(0), children=[floor.item(serial) for serial in range(5)], **by)
    case = floor.code(floor.case(0))
    done = run("life", "activate", "--code", case, "--yes")
    assert (done.exit_code, "6 codes" in done.output) == (0, True), done.output
    assert run("life", "void", "--code", case, "--reason", "lost", typed="n\n").exit_code == 1
    assert state(wired, floor) == "active"
    assert run("life", "void", "--code", case, "--reason", "lost", typed="y\n").exit_code == 0
    assert run("life", "restore", "--code", case, "--yes").exit_code == 1  # says not why
    assert run("life", "restore", "--code", case, "--note", "found", "--yes").exit_code == 0
    assert state(wired, floor) == "active"
    assert "target_empty" in run("life", "activate", "--lot", "L9", "--brand", slug(wired, floor), "--yes").stderr
    assert run("life", "activate", "--lot", "L9", "--yes").exit_code == 2
    assert run("life", "activate", "--lot", "L9", "--code", case, "--yes").exit_code == 2
    assert "range_form" in run("life", "activate", "--code", "nonsense", "--yes").stderr
    later = ("--at", "2099-01-01T00:00:00Z", "--yes")
    planned = run("life", "deactivate", "--batch", str(floor.items), "--range", "0-4", *later)
    order = planned.output.split()[0]
    assert order in run("life", "list").output
    assert run("life", "cancel", order).exit_code == 0
    assert run("life", "cancel", order).exit_code == 1


def state(wired: Wired, floor: Floor) -> str:
    with wired.db.reading() as session:
        return codes.life_of(session, batch_number=floor.items, serial=0).state.value


def slug(wired: Wired, floor: Floor) -> str:
    from scancode.catalog import service as catalog

    with wired.db.reading() as session:
        brand = catalog.load_brand(session, brand_id=floor.brand_id)
    assert brand is not None
    return brand.slug
