"""Nothing is offered that was not proved: finished files with one wrong symbol or code get no manifest."""

import io
import zipfile
from dataclasses import replace

import pytest
from PIL import Image

from batches import press, proof
from batches.codes import Verifier
from batches.errors import Stopped, Unproved
from batches.items import Kind
from batches.layouts import Layout
from batches.manifest import Proved
from batches.part import FileRecord, sha256_of
from batches.symbols import png_of, symbol_of
from batches.ticket import Ticket
from tests.batches.test_press import KEY, NOW, make_spec

SINGLE = Layout(medium="single", columns=1, rows=1, label_width_mm=60, label_height_mm=40, bleed_mm=2, tint="#ffee00")
SHEET = Layout(columns=4, rows=6, gap_x_mm=2, gap_y_mm=2)
ROLL = Layout(medium="roll", columns=2, rows=1, label_width_mm=30, label_height_mm=25, gap_x_mm=2, dpi=300)


@pytest.mark.parametrize("layout", [Layout(), SINGLE, SHEET, ROLL])
def test_a_pack_says_how_it_was_proved(tmp_path, layout):
    manifest = press.run(
        make_spec(count=30), KEY, tmp_path, formats=press.FORMATS, ticket=Ticket(layout=layout), now=NOW
    )
    assert manifest.proof == Proved(30 * (4 + 2 + 4), 30 * 2 * 4, 30 * 2 * 4)


def test_pallets_with_bars_are_proved_as_well(tmp_path):
    spec = make_spec(count=9, kinds=(Kind.CASE, Kind.PALLET), sscc_prefix="6901234")
    layout = Layout(medium="single", columns=1, rows=1, label_width_mm=100, label_height_mm=100, dpi=203)
    manifest = press.run(spec, KEY, tmp_path, formats=("zpl", "pdf"), ticket=Ticket(layout=layout), now=NOW)
    assert manifest.proof == Proved(0, 36, 36)


@pytest.fixture
def pack(tmp_path):
    manifest = press.run(make_spec(kinds=(Kind.INNER,)), KEY, tmp_path, formats=("csv", "png", "zpl", "pdf"), now=NOW)
    return tmp_path, manifest


def resealed(folder, manifest):
    """The manifest that a machine would write which made the wrong files."""
    files = tuple(
        replace(each, size_bytes=(folder / each.name).stat().st_size, sha256=sha256_of(folder / each.name))
        for each in manifest.files
    )
    return replace(manifest, files=files, proof=None)


def test_the_pack_as_it_was_made_is_proved_again(pack):
    folder, manifest = pack
    assert proof.prove(folder, resealed(folder, manifest), KEY) == manifest.proof


def test_a_picture_of_another_item_is_found(pack):
    folder, manifest = pack
    path = folder / "batch-7-00000000-00000011-inner.png.zip"
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    other = symbol_of("HTTPS://Q.EXAMPLE.CN/" + Verifier(KEY).mint(7, Kind.INNER, 8))
    held["inner-00000007.png"] = png_of(other, module_px=10, dpi=600)
    with zipfile.ZipFile(path, "w") as archive:
        for name, picture in held.items():
            archive.writestr(name, picture)
    with pytest.raises(Unproved) as caught:
        proof.prove(folder, resealed(folder, manifest), KEY)
    assert (caught.value.facts["row"], caught.value.facts["what"]) == (7, "symbol")


def test_a_picture_that_nobody_can_read_is_found(pack):
    folder, manifest = pack
    path = folder / "batch-7-00000000-00000011-inner.png.zip"
    white = io.BytesIO()
    Image.new("1", (370, 370), 1).save(white, format="PNG")
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, picture in held.items():
            archive.writestr(name, white.getvalue() if name.endswith("3.png") else picture)
    with pytest.raises(Unproved) as caught:
        proof.prove(folder, resealed(folder, manifest), KEY)
    assert caught.value.facts["row"] == 3


@pytest.mark.parametrize("name", ["batch-7-00000000-00000011-inner.zpl", "batch-7-00000000-00000011-inner.pdf"])
def test_labels_of_another_batch_are_found(pack, tmp_path_factory, name):
    folder, manifest = pack
    other = tmp_path_factory.mktemp("other")
    press.run(make_spec(kinds=(Kind.INNER,), number=8), KEY, other, formats=("zpl", "pdf"), now=NOW)
    (folder / name).write_bytes((other / name.replace("-7-", "-8-")).read_bytes())
    with pytest.raises(Unproved) as caught:
        proof.prove(folder, resealed(folder, manifest), KEY)
    assert caught.value.facts["file"] == name


def test_labels_that_are_too_few_are_found(pack):
    folder, manifest = pack
    path = folder / "batch-7-00000000-00000011-inner.zpl"
    path.write_bytes(b"^XZ\n".join(path.read_bytes().split(b"^XZ\n")[:-2]) + b"^XZ\n")
    with pytest.raises(Unproved, match="lacks serial 11"):
        proof.prove(folder, resealed(folder, manifest), KEY)


def test_a_table_with_a_forged_code_is_found(pack):
    folder, manifest = pack
    path = folder / "batch-7-00000000-00000011.csv"
    code = Verifier(KEY).mint(7, Kind.INNER, 4).encode()
    path.write_bytes(path.read_bytes().replace(code, code[:-1] + (b"0" if code[-1:] != b"0" else b"1")))
    with pytest.raises(Unproved) as caught:
        proof.prove(folder, resealed(folder, manifest), KEY)
    assert (caught.value.facts["what"], caught.value.facts["row"]) == ("forged", 6)


def test_a_run_stopped_while_it_proves_has_no_manifest_and_goes_on(tmp_path):
    seen = []
    with pytest.raises(Stopped):
        press.run(
            make_spec(),
            KEY,
            tmp_path,
            formats=("csv", "png"),
            now=NOW,
            on_progress=lambda done, total, stage: seen.append(stage),
            stop=lambda: "proof" in seen,
        )
    assert not (tmp_path / "manifest.json").exists()
    assert press.run(make_spec(), KEY, tmp_path, formats=("csv", "png"), now=NOW).proof is not None


def test_a_proof_that_was_killed_goes_on_after_the_last_proved_file(tmp_path):
    order = {"formats": ("csv", "txt", "png", "pdf"), "now": NOW}

    def run(folder):
        seen = []
        manifest = press.run(
            make_spec(),
            KEY,
            folder,
            **order,
            on_progress=lambda *each: seen.append(each),
        )
        return manifest, seen

    stopped = []
    with pytest.raises(Stopped):
        press.run(
            make_spec(), KEY, tmp_path / "a", **order, on_progress=lambda *each: stopped.append(each),
            stop=lambda: stopped[-1:] == [(30, 48, "symbols")],
        )  # fmt: skip
    ledger = tmp_path / "a" / "begun.proof.txt"
    assert len(ledger.read_text().splitlines()) == 3 + 2  # the tables and the pictures; half of a sheet is lost
    with ledger.open("a") as file:
        file.write("symbols torn")
    manifest, seen = run(tmp_path / "a")
    assert [done for done, _, stage in seen if stage == "symbols"] == [12, 24, *range(25, 49)]
    whole, _ = run(tmp_path / "b")
    assert manifest.proof == whole.proof
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(
        path.name for path in (tmp_path / "b").iterdir()
    )


def test_what_was_proved_of_a_file_does_not_hold_for_another(pack):
    folder, manifest = pack
    proven = proof.Proven(folder / "ledger")
    for record in manifest.files:
        proven.add("table" if record.format == "csv" else "symbols", record, 12)
    path = folder / "batch-7-00000000-00000011.csv"
    path.write_bytes(path.read_bytes().replace(b"\r\n5,", b"\r\n6,"))
    with pytest.raises(Unproved):
        proof.prove(folder, resealed(folder, manifest), KEY, proven=proof.Proven(folder / "ledger"))


def test_of_many_symbols_a_sample_reaches_every_file_and_its_ends():
    def record(number):
        return FileRecord(
            f"{number}", "pdf", (Kind.INNER,), number * 5000, number * 5000 + 4999, 5000, 1, f"{number:064}"
        )

    records = [record(number) for number in range(40)]
    chosen = [proof.chosen_serials(each, 200_000) for each in records]
    assert 2000 <= sum(map(len, chosen)) <= 2100
    for each, serials in zip(records, chosen, strict=True):
        assert {each.first, each.last} <= set(serials)
        assert len({(serial - each.first) // 50 for serial in serials}) >= 15  # of its pages
    assert chosen[0] == proof.chosen_serials(records[0], 200_000)
    assert proof.chosen_serials(record(0), 10_000) == list(range(5000))
