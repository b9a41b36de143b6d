"""Batches from the command line: order, wait, files, activate, void."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from batches.check import check_pack
from batches.codes import Kind
from scancode.codes import service as codes
from scancode.codes.rules import Life
from scancode.wiring import Wired
from tests.cli.conftest import Run
from tests.factories import make_brand, make_product

GTIN = "09521234500018"


@pytest.fixture
def product(wired: Wired) -> None:
    with wired.db.transaction() as session:
        make_product(session, brand_id=make_brand(session).id, gtin=GTIN)


def order(run: Run, *more: str, no: str = "PO-1") -> int:
    done = run("batch", "order", "--gtin", GTIN, "--order-no", no, "--count", "20", "--kinds", "outer,inner", *more)
    assert done.exit_code == 0, done.output
    found = re.search(r"batch (\d+)", done.output)
    assert found is not None
    return int(found[1])


@pytest.mark.usefixtures("product")
def test_it_orders_and_mints_here(run: Run, wired: Wired, tmp_path: Path) -> None:
    number = order(run, "--here", "--lot", "L1")
    again = run("batch", "order", "--gtin", GTIN, "--order-no", "PO-1", "--count", "20", "--kinds", "outer,inner",
                "--lot", "L1", "--here")  # fmt: skip
    assert again.stdout == f"{number}\n"
    listed = run("batch", "files", str(number), "--to", str(tmp_path / "out"))
    assert listed.exit_code == 0, listed.output
    (csv,) = (tmp_path / "out").glob("*.csv")
    assert len(csv.read_text().splitlines()) >= 20
    assert check_pack(tmp_path / "out").ok
    assert "cli" in run("handover", "show", str(number)).output  # whoever has the files can print
    assert "L1" in (tmp_path / "out" / "manifest.html").read_text("utf-8")
    with wired.db.reading() as session:
        made = codes.get_batch(session, number=number)
    assert (made.state, made.lot, made.kinds) == ("ready", "L1", "outer,inner")
    assert str(number) in run("batch", "list", "--query", "PO-1").output


@pytest.mark.usefixtures("product")
def test_the_same_order_again_is_the_same_batch(run: Run) -> None:
    assert order(run) == order(run)


@pytest.mark.usefixtures("product")
def test_an_order_is_cancelled_and_what_has_not_failed_is_not_tried_again(run: Run) -> None:
    number = str(order(run))
    assert "batch_state" in run("batch", "retry", number).stderr
    assert run("batch", "cancel", number).exit_code == 0
    assert "batch_state" in run("batch", "cancel", number).stderr
    assert "cancelled" in run("batch", "list", "--query", number).output


@pytest.mark.usefixtures("product")
def test_another_order_with_the_same_number_is_refused(run: Run) -> None:
    order(run)
    words = ("batch", "order", "--gtin", GTIN, "--order-no", "PO-1", "--count", "21", "--kinds", "outer,inner")
    refused = run(*words, LC_ALL="zh_CN.UTF-8")
    assert refused.exit_code == 1
    assert "order_no_taken" in refused.stderr
    assert re.search(r"[一-鿿]", refused.stderr)


@pytest.mark.usefixtures("product")
def test_it_refuses_what_cannot_be_ordered(run: Run) -> None:
    words = ("batch", "order", "--order-no", "PO-1", "--count", "20")
    assert run(*words, "--gtin", "09521234500019").exit_code == 1
    assert "no_such_product" in run(*words, "--gtin", "09521234500025").stderr
    assert run(*words, "--gtin", GTIN, "--kinds", "sideways").exit_code == 2
    assert run(*words, "--gtin", GTIN, "--formats", "docx").exit_code == 1


@pytest.mark.usefixtures("product")
def test_it_activates_and_voids_ranges_and_codes(run: Run, wired: Wired) -> None:
    number = order(run, "--here")
    with wired.db.reading() as session:
        batch = codes.load_batch(session, number=number, keyring=wired.keyring)
    assert batch is not None
    code = batch.verifier.mint(number, Kind.INNER, 7)
    asked = run("batch", "activate", str(number), "--range", "0-9", typed="n\n")
    assert asked.exit_code == 1
    assert "10 codes will change" in asked.output
    assert run("batch", "activate", str(number), "--range", "0-9", "--yes").exit_code == 0
    voided = run("batch", "void", str(number), "--range", f"2,{code}", "--reason", "stolen", "--yes")
    assert "done: 2 codes" in voided.output
    with wired.db.reading() as session:
        lives = [codes.life_of(session, batch_number=number, serial=serial).state for serial in range(11)]
    assert [serial for serial, life in enumerate(lives) if life is Life.VOID] == [2, 7]
    assert lives[0] is Life.ACTIVE
    assert lives[10] is Life.INACTIVE


@pytest.mark.usefixtures("product")
def test_it_refuses_ranges_and_codes_that_are_not_of_the_batch(run: Run) -> None:
    number = str(order(run, "--here"))
    for typed, code in (
        ("", "range_missing"),
        ("0-20", "range_outside"),
        ("9-1", "range_reversed"),
        ("x", "range_form"),
        ("0" * 20, "range_form"),
    ):
        refused = run("batch", "activate", number, "--range", typed, "--yes")
        assert refused.exit_code == 1
        assert code in refused.stderr
    assert run("batch", "void", number, "--range", "0", "--reason", "mood", "--yes").exit_code == 2
    assert run("batch", "activate", "1", "--range", "all", "--yes").exit_code == 1


@pytest.mark.usefixtures("product")
def test_a_changed_file_is_not_handed_out(run: Run, wired: Wired, tmp_path: Path) -> None:
    number = order(run, "--here")
    (csv,) = codes.pack_folder(wired.settings.var_dir, number).glob("*.csv")
    csv.write_text(csv.read_text().replace("0", "1", 1))
    refused = run("batch", "files", str(number), "--to", str(tmp_path / "out"))
    assert refused.exit_code == 1
    assert "pack_file_broken" in refused.stderr
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.usefixtures("product")
def test_files_of_a_batch_that_waits_are_not_there_yet(run: Run) -> None:
    refused = run("batch", "files", str(order(run)))
    assert refused.exit_code == 1
    assert "no_files" in refused.stderr
