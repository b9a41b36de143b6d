"""The press at the command line: ``python -m batches …`` on a factory computer without network.

Results go to standard output and nothing else does, so that it can be piped; what went wrong goes to
standard error in Chinese and English, and the exit code says which sort of thing it was.
"""

from __future__ import annotations

import contextlib
import functools
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
import numpy as np

from batches import check, codes, files, layouts, pictures, press, sheet
from batches.errors import BadKeyFile, BadSpec, DoesNotFit, NoSpace, PressError, Stopped, TooMany, Unprintable
from batches.items import MAX_BATCH_COUNT, Kind
from batches.spec import BatchSpec
from batches.text import CODE_LENGTH
from batches.words import spoken

NOT_GENUINE: Final = 1
WRONG_USAGE: Final = 2
BAD_KEY: Final = 3
BAD_DISK: Final = 4
STOPPED: Final = 5
KEY_FILE_BYTES_MAX: Final = 4096

_EXIT_CODES: Final[tuple[tuple[type[PressError], int], ...]] = (
    (BadKeyFile, BAD_KEY),
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


@dataclass(frozen=True)
class _Order:
    """The options that every printing command shares."""

    key: bytes
    spec: BatchSpec


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


def read_key(path: Path) -> bytes:
    """K from a file of 64 hexadecimal digits; blanks, line ends and editors' byte-order marks are ignored.

    Raises BadKeyFile, which never quotes the contents.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(KEY_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise BadKeyFile(f"{path} cannot be read: {error.strerror}", payload=str(path), file=str(path)) from error
    # PowerShell's ``>`` writes UTF-16, Notepad a byte-order mark.
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        key = bytes.fromhex("".join(raw.decode(encoding).split()))
    except ValueError:
        key = b""
    if len(key) != codes.KEY_BYTES:
        raise BadKeyFile(f"{path} does not hold 64 hexadecimal digits", payload=str(path), file=str(path))
    return key


Command = Callable[..., None]
Option = Callable[[Command], Command]

_KEY: Final = click.option(
    "--key-file", required=True, type=click.Path(path_type=Path), help="K in hexadecimal, 64 digits. 密钥文件"
)
_ONE_KIND: Final = click.option(
    "--kind", required=True, help="outer, inner, case or pallet; some commands take outer,inner. 码类型"
)
_OUT: Final = click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="输出文件 / file")


def _range_options(command: Command) -> Command:
    """Options of a range of codes."""
    options: tuple[Option, ...] = (
        click.option("--count", default=1, show_default=True, type=int, help="How many items. 数量"),
        click.option("--first", default=0, show_default=True, type=int, help="First serial. 起始序号"),
        _ONE_KIND,
        click.option("--batch", required=True, type=int, help="Batch number. 批次号"),
        _KEY,
    )
    for option in options:
        command = option(command)
    return command


def _order_options(command: Command) -> Command:
    """Options of an order; the command gets them as one ``order``."""

    @functools.wraps(command)
    def with_order(**given: Any) -> None:
        order = _Order(
            key=read_key(given.pop("key_file")),
            spec=BatchSpec(
                number=given.pop("batch"),
                kinds=tuple(Kind.of(label.strip()) for label in given.pop("kind").split(",")),
                first=given.pop("first"),
                count=given.pop("count"),
                host=given.pop("base_url"),
                product_name=given.pop("product_name"),
                order_no=given.pop("order_no"),
                gtin=given.pop("gtin"),
                lot=given.pop("lot"),
                is_test=given.pop("test"),
                digital_link=given.pop("digital_link"),
            ),
        )
        command(order=order, **given)

    wrapped: Command = with_order
    options: tuple[Option, ...] = (
        click.option("--digital-link", is_flag=True, help="GS1 Digital Link; needs --gtin."),
        click.option("--test", is_flag=True, help="A test batch. 测试批次"),
        click.option("--lot", help="GS1 production lot. 生产批号"),
        click.option("--gtin", help="GTIN, 14 digits."),
        click.option("--order-no", default="", help="Order number. 订单号"),
        click.option("--product-name", default="", help="Name on the label. 产品名称"),
        click.option("--base-url", required=True, help="Scan host, https://q.example.cn. 扫码域名"),
    )
    for option in options:
        wrapped = option(wrapped)
    return _range_options(wrapped)


@main.command()
@_range_options
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
@_KEY
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


@main.command("sheet")
@_order_options
@_OUT
@click.option("--columns", type=int, default=5, show_default=True, help="Labels across. 每行标签数")
@click.option("--rows", type=int, default=10, show_default=True, help="Labels down. 每页行数")
@click.option("--label-width-mm", type=float, default=36.0, show_default=True)
@click.option("--label-height-mm", type=float, default=26.0, show_default=True)
@click.option("--module-mm", type=float, help="Module size; the largest usual one that fits. 模块尺寸")
@click.option("--font", type=click.Path(path_type=Path), default=layouts.LABEL_FONT, help="TrueType font. 字体")
def sheet_command(order: _Order, out: Path, **layout: Any) -> None:
    """Draw label sheets on A4 as PDF. 生成 A4 标签 PDF。"""
    chosen = layouts.Layout(**layout)
    sheet.write_pdf_sheet(order.spec, order.key, out, layout=chosen)


@main.command("csv")
@_order_options
@_OUT
@click.option("--no-bom", is_flag=True, help="Leave out the byte-order mark. 不写 BOM")
def csv_command(order: _Order, out: Path, no_bom: bool) -> None:
    """Write serial, code and address as CSV; one row an item. 生成 CSV。"""
    with _bar(order.spec.count) as progress:
        files.write_csv(order.spec, order.key, out, bom=not no_bom, on_progress=progress)


@main.command("txt")
@_order_options
@_OUT
def txt_command(order: _Order, out: Path) -> None:
    """Write one address a line. 生成 TXT，每行一个网址。"""
    with _bar(order.spec.count) as progress:
        files.write_txt(order.spec, order.key, out, on_progress=progress)


@main.command("png")
@_order_options
@_OUT
@click.option("--module-px", type=click.IntRange(1, 100), default=10, show_default=True, help="Dots a module.")
@click.option("--dpi", type=click.IntRange(72, 2400), default=600, show_default=True)
def png_command(order: _Order, out: Path, module_px: int, dpi: int) -> None:
    """Write a ZIP of PNG pictures. 生成 PNG 图片包。"""
    with _bar(order.spec.count) as progress:
        pictures.write_png_zip(order.spec, order.key, out, module_px=module_px, dpi=dpi, on_progress=progress)


@main.command("pack")
@_order_options
@click.option("--formats", default="csv,txt", show_default=True, help="Of csv, txt, png, pdf. 文件格式")
@click.argument("folder", type=click.Path(path_type=Path))
def pack_command(order: _Order, formats: str, folder: Path) -> None:
    """Make a whole pack with its manifest in FOLDER; goes on where a broken run ended. 生成整个码包。"""
    chosen = tuple(name.strip() for name in formats.split(","))
    total = sum(piece.spec.count for piece in press.plan(order.spec, chosen))
    with _bar(total) as progress:
        press.run(
            order.spec,
            order.key,
            folder,
            formats=chosen,
            now=datetime.now(UTC),
            on_progress=lambda done, total, stage: progress(done),
        )


@main.command("check")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--key-file", type=click.Path(path_type=Path), help="Verifies every code as well. 密钥文件")
def check_command(folder: Path, key_file: Path | None) -> None:
    """Check a pack against its manifest; with a key, every code. 核对码包。"""
    report = check.check_pack(folder, None if key_file is None else read_key(key_file))
    for finding in report.findings:
        click.echo(f"{finding.file}:{finding.row}: {finding.code}: {finding.message}", err=True)
    click.echo(f"files {report.files} rows {report.rows} codes verified {report.codes_verified}")
    if not report.ok:
        click.echo(f"码包有误（{len(report.findings)} 处） / the pack has {len(report.findings)} faults", err=True)
        sys.exit(NOT_GENUINE)


@contextlib.contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, of rows proved written; silent unless somebody looks."""
    with click.progressbar(length=total, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def show(rows: int) -> None:
            bar.update(rows - bar.pos)

        yield show


def _speak_any_alphabet() -> None:
    """Let a console that lacks Chinese characters show something instead of failing (Windows code pages)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    _speak_any_alphabet()
    main(prog_name="python -m batches")
