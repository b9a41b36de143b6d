"""Options that commands of the press share: the key file, a range of codes, an order, how files are written."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from batches import codes, layouts
from batches.errors import BadKeyFile
from batches.items import Kind
from batches.spec import BatchSpec
from batches.ticket import ENCODINGS, HEADERS, NEWLINES, Ticket

KEY_FILE_BYTES_MAX: Final = 4096


@dataclass(frozen=True)
class Order:
    """The options that every printing command shares."""

    key: bytes
    spec: BatchSpec


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

KEY: Final = click.option(
    "--key-file", required=True, type=click.Path(path_type=Path), help="K in hexadecimal, 64 digits. 密钥文件"
)
_ONE_KIND: Final = click.option(
    "--kind", required=True, help="outer, inner, case or pallet; some commands take outer,inner. 码类型"
)
OUT: Final = click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="输出文件 / file")


def range_options(command: Command) -> Command:
    """Options of a range of codes."""
    options: tuple[Option, ...] = (
        click.option("--count", default=1, show_default=True, type=int, help="How many items. 数量"),
        click.option("--first", default=0, show_default=True, type=int, help="First serial. 起始序号"),
        _ONE_KIND,
        click.option("--batch", required=True, type=int, help="Batch number. 批次号"),
        KEY,
    )
    for option in options:
        command = option(command)
    return command


def order_options(command: Command) -> Command:
    """Options of an order; the command gets them as one ``order``."""

    @functools.wraps(command)
    def with_order(**given: Any) -> None:
        order = Order(
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
                sscc_prefix=given.pop("company_prefix"),
                sscc_first=given.pop("sscc_first"),
            ),
        )
        command(order=order, **given)

    wrapped: Command = with_order
    options: tuple[Option, ...] = (
        click.option("--sscc-first", type=int, default=0, help="Number of serial 0's SSCC. SSCC 起始流水号"),
        click.option("--company-prefix", default="", help="GS1 company prefix for SSCCs. 厂商识别代码"),
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
    return range_options(wrapped)


STAGES: Final = {"proof": "核对 proving", "symbols": "解码 decoding"}


@contextlib.contextmanager
def bar(total: int) -> Iterator[Callable[..., None]]:
    """A progress bar on standard error, of rows proved written; silent unless somebody looks.

    What it yields takes rows done, and where the work has more than one stage, rows in all and the stage's name.
    """
    with click.progressbar(length=total, file=sys.stderr, hidden=not sys.stderr.isatty()) as shown:

        def show(rows: int, of: int = total, stage: str = "") -> None:
            if rows < shown.pos:
                shown.finished = False
            shown.length, shown.label = of, STAGES.get(stage, "")
            shown.update(rows - shown.pos)

        yield show


def text_options(command: Command) -> Command:
    """How text files and workbooks are written."""
    return _given(
        command,
        click.option("--encoding", type=click.Choice(ENCODINGS), default="usual", help="Text encoding. 编码"),
        click.option("--newline", type=click.Choice(NEWLINES), default="usual", help="Line ends. 换行"),
        click.option("--header", type=click.Choice(HEADERS), default="en", help="Header of tables. 表头"),
        click.option("--with-product", is_flag=True, help="Product, GTIN and lot in each row. 每行带产品"),
        click.option("--rows-per-file", type=int, default=0, help="Split after so many rows. 每个文件的行数"),
    )


def layout_options(command: Command) -> Command:
    """How labels stand and how large they are; the command gets them as one ``layout``."""

    @functools.wraps(command)
    def with_layout(**given: Any) -> None:
        names = [name for name in LAYOUT_NAMES if name in given]
        chosen = {name: given.pop(name) for name in names}
        chosen["rows"] = chosen["rows"] if chosen["medium"] == "a4" else 1
        chosen["columns"] = chosen["columns"] if chosen["medium"] != "single" else 1
        command(layout=layouts.Layout(**chosen), **given)

    return _given(
        with_layout,
        click.option("--medium", type=click.Choice(layouts.MEDIA), default="a4", show_default=True, help="纸张"),
        click.option("--columns", type=int, default=5, show_default=True, help="Labels across. 每行标签数"),
        click.option("--rows", type=int, default=10, show_default=True, help="Labels down. 每页行数"),
        click.option("--label-width-mm", type=float, default=36.0, show_default=True),
        click.option("--label-height-mm", type=float, default=26.0, show_default=True),
        click.option("--gap-x-mm", type=float, default=0.0, help="Between columns. 列间距"),
        click.option("--gap-y-mm", type=float, default=0.0, help="Between rows. 行间距"),
        click.option("--bleed-mm", type=float, default=0.0, help="出血"),
        click.option("--crop-marks/--no-crop-marks", default=True, help="裁切标记"),
        click.option("--module-mm", type=float, help="Module size; the largest usual one that fits. 模块尺寸"),
        click.option("--dpi", type=click.Choice([str(dpi) for dpi in layouts.PRINTER_DPI]), callback=_number),
        click.option("--text-pt", type=float, default=6.5, show_default=True, help="Type size. 字号"),
        click.option("--font", type=click.Path(path_type=Path), default=layouts.LABEL_FONT, help="TrueType font. 字体"),
    )


LAYOUT_NAMES: Final = (
    *("medium", "columns", "rows", "label_width_mm", "label_height_mm", "gap_x_mm", "gap_y_mm"),
    *("bleed_mm", "crop_marks", "module_mm", "dpi", "text_pt", "font"),
)


def ticket_of(given: dict[str, Any], layout: layouts.Layout | None = None) -> Ticket:
    """The job ticket of ``text_options``, and of ``layout_options`` where the command has them."""
    return Ticket(**given, layout=layout or layouts.Layout())


def _number(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    return None if value is None else int(value)


def _given(command: Command, *options: Option) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
