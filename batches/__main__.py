"""The press at the command line: ``python -m batches …`` on a factory computer without network.

Results go to standard output and nothing else does, so that it can be piped; what went wrong goes to
standard error in Chinese and English, and the exit code says which sort of thing it was.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import click
import numpy as np

from batches import archives, check, codes, files, kits, making, preflight, reported
from batches.errors import (
    BadIdentity,
    BadKeyFile,
    BadSpec,
    DoesNotFit,
    NoSpace,
    NotSealedForYou,
    PressError,
    Stopped,
    TooMany,
    Unprintable,
)
from batches.items import MAX_BATCH_COUNT, Kind
from batches.manifest import read_manifest
from batches.options import KEY, range_options, read_key
from batches.text import CODE_LENGTH
from batches.words import spoken

NOT_GENUINE: Final = 1
WRONG_USAGE: Final = 2
BAD_KEY: Final = 3
BAD_DISK: Final = 4
STOPPED: Final = 5

_EXIT_CODES: Final[tuple[tuple[type[PressError], int], ...]] = (
    (BadKeyFile, BAD_KEY),
    (BadIdentity, BAD_KEY),
    (NotSealedForYou, BAD_KEY),
    (NoSpace, BAD_DISK),
    (Stopped, STOPPED),
    (BadSpec, WRONG_USAGE),
    (codes.OutOfRange, WRONG_USAGE),
    (codes.UnknownKind, WRONG_USAGE),
    (TooMany, WRONG_USAGE),
    (DoesNotFit, WRONG_USAGE),
    (Unprintable, WRONG_USAGE),
)

EPILOG: Final = """\b
Exit codes / 退出码:
  0  done / 成功
  1  not genuine, or the pack has faults / 验签不符，或码包有误
  2  wrong usage or an impossible order / 参数或订单有误
  3  the key file is unusable / 密钥文件不可用
  4  disk full, or a file cannot be read or written / 磁盘空间不足或文件读写失败
  5  stopped; start again to go on / 已停止，可重新运行继续
"""


class _Press(click.Group):
    """Turns refusals into a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PressError as error:
            click.echo(spoken(error), err=True)
            ctx.exit(_exit_code(error))
        except KeyboardInterrupt:
            click.echo(spoken(Stopped("stopped")), err=True)
            ctx.exit(STOPPED)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise  # click ends quietly when the reader of a pipe has gone
            click.echo(f"文件读写失败 / cannot read or write: {error}", err=True)
            ctx.exit(BAD_DISK)


def _exit_code(error: PressError) -> int:
    return next((number for kind, number in _EXIT_CODES if isinstance(error, kind)), NOT_GENUINE)


@click.group(cls=_Press, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Mint, verify and print one-item-one-code QR codes, offline. 离线生成、验证、印制一物一码。"""


@main.command()
@range_options
def mint(key_file: Path, batch: int, kind: str, first: int, count: int) -> None:
    """Print codes, one a line, and nothing else. 输出码，每行一个。"""
    verifier = codes.Verifier(read_key(key_file))
    chosen = Kind.of(kind)
    if not (0 <= first < MAX_BATCH_COUNT and 1 <= count <= MAX_BATCH_COUNT - first):
        limit = MAX_BATCH_COUNT - max(0, min(first, MAX_BATCH_COUNT))
        raise BadSpec(
            f"count {count} from {first} on is outside the batch", field="count", value=str(count), limit=limit
        )
    out = sys.stdout.buffer
    for start in range(first, first + count, files.CHUNK_ROWS):
        rows = verifier.mint_range(batch, chosen, start, min(files.CHUNK_ROWS, first + count - start))
        lines = np.full((len(rows), CODE_LENGTH + 1), ord("\n"), dtype=np.uint8)
        lines[:, :CODE_LENGTH] = rows
        out.write(lines.tobytes())
    out.flush()


@main.command()
@KEY
@click.argument("code")
def verify(key_file: Path, code: str) -> None:
    """Print BATCH KIND SERIAL of a code or of a printed address, or exit with 1. 验码。"""
    verifier = codes.Verifier(read_key(key_file))
    text = code.strip().rsplit("/", 1)[-1]
    try:
        parts = verifier.verify(text)
    except codes.Forged:
        if codes.near_miss(lambda batch: verifier, text):
            click.echo("很可能输错了一个字符，请核对 / probably one mistyped character: check it", err=True)
        raise
    click.echo(f"{parts.batch} {parts.kind.label} {parts.serial}")


@main.command("check")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--key-file", "key_files", multiple=True, type=click.Path(path_type=Path), help="Verifies codes. 密钥文件"
)
@click.option("--manifest", "manifest_file", type=click.Path(path_type=Path), help="What is expected. 清单文件")
@click.option("--json", "as_json", is_flag=True, help="The report for programs. 输出 JSON")
def check_command(
    paths: tuple[Path, ...], key_files: tuple[Path, ...], manifest_file: Path | None, as_json: bool
) -> None:
    """Check a whole pack (a folder), or any CSV, TXT, XLSX and ZIP files together. 核对码包，或印前核对任意文件。"""
    keys = [read_key(file) for file in key_files]
    if paths[0].is_dir():
        if len(paths) > 1 or len(keys) > 1 or manifest_file is not None:
            raise click.UsageError("a pack is checked by itself: one folder, at most one key 码包须单独核对")
        _check_folder(paths[0], keys[0] if keys else None)
        return
    with tempfile.TemporaryDirectory(prefix="scancode-check-") as folder:
        opened = archives.open_archives([archives.Sent(path, path.name) for path in paths], Path(folder))
        report = preflight.check_files(
            opened.files,
            verifiers=preflight.any_of(keys) if keys else None,
            manifest=None if manifest_file is None else read_manifest(manifest_file),
        )
    for name in opened.skipped:
        click.echo(f"{name}: 不是表格，未核对 / no table, not checked", err=True)
    if as_json:
        click.echo(json.dumps(reported.as_dict(report), ensure_ascii=False, indent=2))
    else:
        for line in reported.lines(report):
            click.echo(line)
    if not report.ok:
        sys.exit(NOT_GENUINE)


def _check_folder(folder: Path, key: bytes | None) -> None:
    report = check.check_pack(folder, key)
    for finding in report.findings:
        click.echo(f"{finding.file}:{finding.row}: {finding.code}: {finding.message}", err=True)
    click.echo(f"files {report.files} rows {report.rows} codes verified {report.codes_verified}")
    if not report.ok:
        click.echo(f"码包有误（{len(report.findings)} 处） / the pack has {len(report.findings)} faults", err=True)
        sys.exit(NOT_GENUINE)


for _command in (*making.COMMANDS, *kits.COMMANDS):
    main.add_command(_command)


def _speak_any_alphabet() -> None:
    """Let a console that lacks Chinese characters show something instead of failing (Windows code pages)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    _speak_any_alphabet()
    main(prog_name="python -m batches")
