"""The commands around sealed things: a key pair for who prints, opening sealed packs, and working from a press kit."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from batches import press
from batches.kit import Kit, open_kit
from batches.options import bar
from batches.sealed import new_identity, read_identity, unseal_files

_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_IDENTITY: Final = click.option(
    "--identity", "identity_file", required=True, type=_FILE, help="File with your age identity. 私钥文件"
)


@click.command("keygen")
@click.argument("file", type=_FILE)
def keygen_command(file: Path) -> None:
    """Make an age key pair: the identity goes to FILE and stays with you, the recipient is printed. 生成密钥对。"""
    identity, recipient = new_identity()
    text = f"# {datetime.now(UTC):%Y-%m-%d} {recipient}\n{identity}\n".encode("ascii")
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "wb") as writing:
        writing.write(text)
    click.echo(recipient)


@click.command("unseal")
@_IDENTITY
@click.argument("sealed", type=_FILE)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def unseal_command(identity_file: Path, sealed: Path, folder: Path) -> None:
    """Open a sealed pack into FOLDER; then check it. 打开加密码包。"""
    for path in unseal_files(sealed, read_identity(identity_file), folder):
        click.echo(path.name)


@click.group("kit")
def kit_group() -> None:
    """Work from a press kit, without a network. 使用印码套件离线生成。"""


@kit_group.command("show")
@_IDENTITY
@click.argument("kit_file", type=_FILE)
def show_command(identity_file: Path, kit_file: Path) -> None:
    """Say what a kit is for. 显示套件内容。"""
    kit = open_kit(kit_file, read_identity(identity_file))
    spec = kit.spec
    click.echo(f"order {spec.order_no} batch {spec.number} serials {spec.first}-{spec.last} ({spec.count})")
    click.echo(f"product {spec.product_name} kinds {','.join(kind.label for kind in spec.kinds)} host {spec.host}")
    click.echo(f"formats {','.join(kit.formats)} until {kit.expires_at.astimezone(UTC):%Y-%m-%d %H:%M UTC}")


@kit_group.command("mint")
@_IDENTITY
@click.option("--formats", help=f"Of {', '.join(press.FORMATS)}, instead of the kit's own. 文件格式")
@click.argument("kit_file", type=_FILE)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def mint_command(identity_file: Path, formats: str | None, kit_file: Path, folder: Path) -> None:
    """Make the whole pack of a kit in FOLDER; goes on where a broken run ended. 生成整个码包。"""
    kit = open_kit(kit_file, read_identity(identity_file))
    kit.require_current(datetime.now(UTC))
    make_pack(kit, folder, tuple(name.strip() for name in formats.split(",")) if formats else kit.formats)
    click.echo(str(folder / "manifest.json"))


def make_pack(kit: Kit, folder: Path, formats: tuple[str, ...]) -> None:
    """The pack of a kit. Raises as ``press.run``."""
    total = sum(piece.spec.count for piece in press.plan(kit.spec, formats, kit.ticket))
    with bar(total) as progress:
        press.run(
            kit.spec,
            kit.key,
            folder,
            formats=formats,
            ticket=kit.ticket,
            now=datetime.now(UTC),
            on_progress=progress,
        )


COMMANDS: Final = (keygen_command, unseal_command, kit_group)
