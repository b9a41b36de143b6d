"""Sealed things at a print house: a key pair, opening, a press kit from which the pack of the worker comes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from batches import press
from batches.__main__ import main
from batches.codes import Kind
from batches.errors import BadIdentity, BadKit, BadRecipient, KitOver, NotSealedForYou, Stopped
from batches.kit import Kit, open_kit
from batches.sealed import (
    check_recipient,
    new_identity,
    new_password,
    read_identity,
    seal_bytes,
    seal_files,
    unseal_files,
)
from batches.spec import BatchSpec
from batches.ticket import Ticket

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
KEY = bytes(range(32))
SPEC = BatchSpec(
    number=1234567, kinds=(Kind.OUTER, Kind.INNER), first=100, count=500, host="https://q.example.cn", order_no="PO-1",
    product_name="红茶",
)  # fmt: skip


def kit(**over: object) -> Kit:
    made = Kit(
        id="k1", spec=SPEC, key=KEY, formats=("csv", "txt"), ticket=Ticket(), issued_at=NOW,
        expires_at=datetime.now(UTC) + timedelta(days=1),
    )  # fmt: skip
    return replace(made, **over)  # type: ignore[arg-type]


@pytest.fixture
def keyfile(tmp_path: Path) -> tuple[Path, str]:
    made = CliRunner().invoke(main, ["keygen", str(tmp_path / "key.txt")])
    assert made.exit_code == 0, made.output
    return tmp_path / "key.txt", made.stdout.strip()


def test_a_key_pair_is_made_once_and_stays_private(keyfile: tuple[Path, str]) -> None:
    path, recipient = keyfile
    assert check_recipient(recipient) == recipient
    assert path.stat().st_mode & 0o077 == 0
    again = CliRunner().invoke(main, ["keygen", str(path)])
    assert again.exit_code == 4
    assert read_identity(path) in path.read_text()


def test_a_kit_makes_the_same_bytes_as_the_worker(keyfile: tuple[Path, str], tmp_path: Path) -> None:
    path, recipient = keyfile
    sealed = kit().seal(recipient)
    assert KEY not in sealed
    assert KEY.hex().encode() not in sealed
    (tmp_path / "a.kit.age").write_bytes(sealed)
    run = CliRunner().invoke(
        main, ["kit", "mint", "--identity", str(path), str(tmp_path / "a.kit.age"), str(tmp_path / "offline")]
    )
    assert run.exit_code == 0, run.output
    press.run(SPEC, KEY, tmp_path / "worker", formats=("csv", "txt"), now=NOW)
    names = sorted(each.name for each in (tmp_path / "worker").iterdir())
    assert names == sorted(each.name for each in (tmp_path / "offline").iterdir())
    for name in names:
        if not name.startswith("manifest."):  # they say when
            assert (tmp_path / "offline" / name).read_bytes() == (tmp_path / "worker" / name).read_bytes()
    written = b"".join(each.read_bytes() for each in (tmp_path / "offline").iterdir())
    assert KEY.hex().encode() not in written
    shown = CliRunner().invoke(main, ["kit", "show", "--identity", str(path), str(tmp_path / "a.kit.age")])
    assert "serials 100-599" in shown.stdout


def test_nobody_else_opens_a_kit(tmp_path: Path) -> None:
    identity, recipient = new_identity()
    path = tmp_path / "a.kit.age"
    path.write_bytes(kit().seal(recipient))
    assert open_kit(path, identity) == replace(kit(), expires_at=open_kit(path, identity).expires_at)
    with pytest.raises(NotSealedForYou):
        open_kit(path, new_identity()[0])
    with pytest.raises(BadIdentity):
        open_kit(path, "AGE-SECRET-KEY-1NONSENSE")
    broken = bytearray(path.read_bytes())
    broken[-1] ^= 1
    path.write_bytes(bytes(broken))
    with pytest.raises(NotSealedForYou):
        open_kit(path, identity)


@pytest.mark.parametrize("text", [b"{}", b"[]", b"not json", b'{"format": "scancode-kit", "format_version": 9}'])
def test_what_is_no_kit_is_told(tmp_path: Path, text: bytes) -> None:
    identity, recipient = new_identity()
    path = tmp_path / "a.kit.age"
    path.write_bytes(seal_bytes(text, recipient))
    with pytest.raises(BadKit):
        open_kit(path, identity)


def test_a_kit_is_refused_from_the_moment_it_is_over(keyfile: tuple[Path, str], tmp_path: Path) -> None:
    kit(expires_at=NOW).require_current(NOW - timedelta(seconds=1))
    with pytest.raises(KitOver):
        kit(expires_at=NOW).require_current(NOW)
    path, recipient = keyfile
    (tmp_path / "old.kit.age").write_bytes(kit(expires_at=NOW - timedelta(days=9000)).seal(recipient))
    run = CliRunner().invoke(
        main, ["kit", "mint", "--identity", str(path), str(tmp_path / "old.kit.age"), str(tmp_path / "out")]
    )
    assert run.exit_code != 0
    assert "到期" in run.stderr
    assert not (tmp_path / "out").exists()


def test_files_are_sealed_and_opened_and_a_stop_leaves_nothing(keyfile: tuple[Path, str], tmp_path: Path) -> None:
    path, recipient = keyfile
    plain = {"a.csv": b"1,2\r\n" * 1000, "b.txt": b""}
    for name, content in plain.items():
        (tmp_path / name).write_bytes(content)
    sources, out = [tmp_path / name for name in plain], tmp_path / "x.zip.age"
    seal_files(sources, recipient, out)
    run = CliRunner().invoke(main, ["unseal", "--identity", str(path), str(out), str(tmp_path / "opened")])
    assert run.exit_code == 0, run.output
    assert {each.name: each.read_bytes() for each in (tmp_path / "opened").iterdir()} == plain

    def stop(_name: str, _done: int) -> None:
        raise Stopped("cancelled")

    with pytest.raises(Stopped):
        seal_files(sources, recipient, tmp_path / "y.zip.age", on_written=stop)
    assert not list(tmp_path.glob("y.*"))
    with pytest.raises(NotSealedForYou):
        unseal_files(out, new_identity()[0], tmp_path / "other")
    with pytest.raises(BadRecipient):
        seal_files(sources, "age1nonsense", tmp_path / "z")


def test_passwords_are_long_and_never_the_same() -> None:
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(each.replace("-", "")) == 25 for each in made)
