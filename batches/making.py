"""The commands that make files: tables, pictures, labels, and whole packs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from batches import files, pictures, press, sheet, vectors, workbook, zpl
from batches.layouts import Layout
from batches.options import OUT, Order, bar, layout_options, order_options, text_options, ticket_of


@click.command("sheet")
@order_options
@OUT
@layout_options
def sheet_command(order: Order, out: Path, layout: Layout) -> None:
    """Draw labels as PDF: A4 sheets, a roll, single labels. 生成标签 PDF。"""
    sheet.write_pdf_sheet(order.spec, order.key, out, layout=layout)


@click.command("csv")
@order_options
@OUT
@text_options
def csv_command(order: Order, out: Path, **text: Any) -> None:
    """Write serial, code and address as CSV; one row an item. 生成 CSV。"""
    with bar(order.spec.count) as progress:
        files.write_csv(order.spec, order.key, out, ticket=ticket_of(text), on_progress=progress)


@click.command("xlsx")
@order_options
@OUT
@text_options
def xlsx_command(order: Order, out: Path, **text: Any) -> None:
    """Write the same as an Excel workbook, codes as text. 生成 Excel 工作簿。"""
    with bar(order.spec.count) as progress:
        workbook.write_xlsx(order.spec, order.key, out, ticket=ticket_of(text), on_progress=progress)


@click.command("txt")
@order_options
@OUT
@text_options
def txt_command(order: Order, out: Path, **text: Any) -> None:
    """Write one address a line. 生成 TXT，每行一个网址。"""
    with bar(order.spec.count) as progress:
        files.write_txt(order.spec, order.key, out, ticket=ticket_of(text), on_progress=progress)


@click.command("png")
@order_options
@OUT
@click.option("--module-px", type=click.IntRange(1, 100), default=10, show_default=True, help="Dots a module.")
@click.option("--dpi", type=click.IntRange(72, 2400), default=600, show_default=True)
def png_command(order: Order, out: Path, module_px: int, dpi: int) -> None:
    """Write a ZIP of PNG pictures. 生成 PNG 图片包。"""
    with bar(order.spec.count) as progress:
        pictures.write_png_zip(order.spec, order.key, out, module_px=module_px, dpi=dpi, on_progress=progress)


@click.command("svg")
@order_options
@OUT
@click.option("--module-mm", type=click.FloatRange(0.1, 10), default=0.423, show_default=True, help="模块尺寸")
def svg_command(order: Order, out: Path, module_mm: float) -> None:
    """Write a ZIP of SVG pictures. 生成 SVG 图片包。"""
    with bar(order.spec.count) as progress:
        vectors.write_svg_zip(order.spec, order.key, out, module_mm=module_mm, on_progress=progress)


@click.command("zpl")
@order_options
@OUT
@layout_options
def zpl_command(order: Order, out: Path, layout: Layout) -> None:
    """Write labels for thermal printers. 生成 ZPL 热敏标签。"""
    with bar(order.spec.count) as progress:
        zpl.write_zpl(order.spec, order.key, out, layout=layout, on_progress=progress)


@click.command("pack")
@order_options
@click.option("--formats", default="csv,txt", show_default=True, help=f"Of {', '.join(press.FORMATS)}. 文件格式")
@click.option("--spoilage", type=int, default=0, help="So many of the items are spare. 损耗数量")
@text_options
@layout_options
@click.argument("folder", type=click.Path(path_type=Path))
def pack_command(order: Order, formats: str, layout: Layout, folder: Path, **given: Any) -> None:
    """Make a whole pack with its manifest in FOLDER; goes on where a broken run ended. 生成整个码包。"""
    chosen = tuple(name.strip() for name in formats.split(","))
    ticket = ticket_of(given, layout)
    total = sum(piece.spec.count for piece in press.plan(order.spec, chosen, ticket))
    with bar(total) as progress:
        press.run(
            order.spec,
            order.key,
            folder,
            formats=chosen,
            ticket=ticket,
            now=datetime.now(UTC),
            on_progress=progress,
        )


COMMANDS: Final = (
    *(sheet_command, csv_command, xlsx_command, txt_command, png_command, svg_command, zpl_command),
    pack_command,
)
