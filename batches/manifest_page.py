"""The manifest as a page to print and put into the parcel: what the pack holds, in Chinese and English, on A4.

It stands alone (no script, no picture from elsewhere), so it opens on a computer without network.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Final

import numpy as np

from batches.labels import KIND_NAMES
from batches.layouts import QUIET_MODULES
from batches.manifest import HOW_TO_CHECK, Manifest
from batches.vectors import path_of

PAGE_NAME: Final = "manifest.html"
STYLE: Final = (
    "body{font:10pt/1.4 sans-serif;max-width:190mm;margin:8mm auto;color:#000}h1{font-size:16pt}"
    "table{border-collapse:collapse;width:100%;margin:4mm 0}"
    "th,td{border:1px solid #999;padding:1mm 2mm;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}td.n{text-align:right;white-space:nowrap}"
    "code{font:8pt monospace;overflow-wrap:anywhere}svg{width:32mm;height:32mm;float:right}"
    "tr{break-inside:avoid}@media print{body{margin:0}}@page{size:A4;margin:12mm}"
)
STYLE_HASH: Final = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
"""For a Content-Security-Policy that allows this style and nothing else."""


def page_of(manifest: Manifest) -> bytes:
    """The page, UTF-8. The same manifest gives the same bytes."""
    kinds = "、".join(f"{KIND_NAMES[kind]} {kind.label}" for kind in manifest.kinds)
    part = f" ({manifest.part}/{manifest.parts})" if manifest.parts > 1 else ""
    facts = [
        ("订单号 Order", (manifest.order_no or "–") + part),
        ("产品 Product", manifest.product_name or "–"),
        ("GTIN", manifest.gtin or "–"),
        ("生产批号 Lot", manifest.lot or "–"),
        ("码批次 Batch", f"{manifest.batch}" + (" · 测试 TEST" if manifest.is_test else "")),
        ("替换批次 Replaces", "–" if manifest.replaces is None else f"{manifest.replaces}"),
        ("码类型 Kinds", kinds),
        ("序号 Serials", f"{manifest.first} – {manifest.last}"),
        ("件数 Items", f"{manifest.count:,}"),
        ("其中损耗 Of these spare", f"{manifest.ticket.spoilage:,}"),
        ("码数 Codes", f"{manifest.code_count:,}"),
        ("网址 Address", f"{manifest.url_prefix}…"),
        ("版式 Layout", manifest.ticket.layout.described() if {"pdf", "zpl"} & set(manifest.formats) else "–"),
        ("制作时间 Made at", f"{manifest.created_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("检验 Proved", _proved(manifest)),
    ]
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in facts)
    files = "".join(
        f"<tr><td>{escape(record.name)}</td><td class=n>{record.first}–{record.last}</td>"
        f"<td class=n>{record.rows:,}</td><td class=n>{record.size_bytes:,}</td>"
        f"<td><code>{record.sha256}</code></td></tr>"
        for record in manifest.files
    )
    title = escape(f"{manifest.order_no} {manifest.batch}")
    return (
        f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style><h1>码包清单 Pack manifest</h1>{_symbol(manifest)}<table>{rows}</table>"
        "<table><tr><th>文件 File</th><th>序号 Serials</th><th>行数 Rows</th><th>字节 Bytes</th><th>SHA-256</th></tr>"
        f"{files}</table><p>样码 Sample: <code>{escape(manifest.sample_url)}</code></p>"
        f"<p>{escape(HOW_TO_CHECK['zh'])}</p><p>{escape(HOW_TO_CHECK['en'])}</p></html>\n"
    ).encode()


def _proved(manifest: Manifest) -> str:
    proof = manifest.proof
    if proof is None:
        return "–"
    return (
        f"已验签 {proof.codes_verified:,} 个码，解码 {proof.symbols_decoded:,} / {proof.symbols:,} 个二维码 · "
        f"{proof.codes_verified:,} codes verified, {proof.symbols_decoded:,} of {proof.symbols:,} symbols decoded"
    )


def _symbol(manifest: Manifest) -> str:
    modules = np.array([[sign == "#" for sign in row] for row in manifest.sample_symbol], dtype=np.bool_)
    side = len(modules) + 2 * QUIET_MODULES
    return (
        f'<svg viewBox="{-QUIET_MODULES} {-QUIET_MODULES} {side} {side}" role="img" aria-label="样码 sample">'
        f'<path d="{path_of(modules)}"/></svg>'
    )
