"""Codes as text files: CSV for people and data-driven presses, TXT with one address a line for print engines.

Rows are built as numpy arrays (``rows``) and written by one process or by several (``crew``). Memory stays
the same however long the file is, and the same order always gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from batches.crew import CHUNK_ROWS as CHUNK_ROWS
from batches.crew import Job, write_rows
from batches.errors import BadSpec
from batches.items import Kind
from batches.part import FileRecord, PartFile, Progress, Stop, record_of
from batches.rows import SERIALS, Cell, RowPlan
from batches.spec import BatchSpec
from batches.sscc import SSCC_LENGTH, sscc_range
from batches.text import CODE_LENGTH, Bytes
from batches.ticket import BOM, Ticket

USUAL_TICKET: Final = Ticket()
SERIAL: Final = "serial"
PRODUCT_COLUMNS: Final = ("product", "gtin", "lot")
TABLES: Final = ("csv", "txt", "xlsx")
FORMULA: Final = ("=", "+", "-", "@")
QUOTED: Final = ',"\r\n'

_FORMS_ZH: Final = {"code": "", "url": "网址", "sscc": "SSCC"}
_KINDS_ZH: Final = {Kind.OUTER: "外码", Kind.INNER: "内码", Kind.CASE: "箱码", Kind.PALLET: "垛码"}
_OTHERS_ZH: Final = {SERIAL: "序号", "product": "产品", "gtin": "GTIN", "lot": "生产批号"}


def csv_columns(kinds: tuple[Kind, ...], *, with_sscc: bool = False, with_product: bool = False) -> tuple[str, ...]:
    """The columns of a table: ``serial``, then code and address for each kind, so one item is one row.

    Cases and pallets have their SSCC beside them (``with_sscc``); ``with_product`` repeats the product in each row.
    """
    found = [SERIAL]
    for kind in kinds:
        forms = ("code", "url", "sscc") if with_sscc and kind in (Kind.CASE, Kind.PALLET) else ("code", "url")
        found += [f"{kind.label}_{form}" for form in forms]
    return (*found, *(PRODUCT_COLUMNS if with_product else ()))


def columns_of(spec: BatchSpec, ticket: Ticket) -> tuple[str, ...]:
    """The columns of this order's tables."""
    return csv_columns(spec.kinds, with_sscc=bool(spec.shipped_kinds), with_product=ticket.with_product)


def heading(column: str, language: str) -> str:
    """What a column is called in the header: its name, or the Chinese words for it."""
    if language != "zh":
        return column
    label, _, form = column.partition("_")
    if not form:
        return _OTHERS_ZH[column]
    return _KINDS_ZH[Kind.of(label)] + _FORMS_ZH[form]


def constant_cells(spec: BatchSpec) -> dict[str, str]:
    """The cells that are the same in every row, by column."""
    return dict(zip(PRODUCT_COLUMNS, (spec.product_name, spec.gtin or "", spec.lot or ""), strict=True))


def write_csv(
    spec: BatchSpec,
    key: bytes,
    path: Path,
    *,
    columns: tuple[str, ...] | None = None,
    ticket: Ticket = USUAL_TICKET,
    processes: int | None = None,
    chunk_rows: int = CHUNK_ROWS,
    on_progress: Progress | None = None,
    stop: Stop | None = None,
) -> FileRecord:
    """Write one row an item, with a header. ``columns`` selects from ``columns_of(spec, ticket)``.

    ``processes`` None is one for small files and a few for large ones.
    Raises BadSpec for an unknown column or a character that the encoding lacks, Stopped, OSError.
    """
    chosen = columns_of(spec, ticket) if columns is None else columns
    newline = ticket.newline_of("csv")
    constants = {name: ticket.encode(quoted(text), "csv") for name, text in constant_cells(spec).items()}
    plan = _row_plan(spec, key, chosen, newline, constants)
    head = ticket.bom_of("csv")
    if ticket.header != "none":
        head += ticket.encode(",".join(heading(name, ticket.header) for name in chosen), "csv") + newline
    kinds = tuple(kind for kind in spec.kinds if any(name.startswith(f"{kind.label}_") for name in chosen))
    with PartFile(path, on_progress, stop) as part:
        job = Job(plan, spec.first, spec.last + 1, len(head))
        sha256 = write_rows(part, job, head, processes=processes, chunk_rows=chunk_rows)
    return record_of(path, spec, "csv", kinds, sha256)


def quoted(text: str) -> str:
    """A cell of a CSV (RFC 4180)."""
    text = unformulated(text)
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in QUOTED) else text


def unformulated(text: str) -> str:
    """The text, with an apostrophe before what Excel would take for a formula."""
    return "'" + text if text.startswith(FORMULA) else text


def write_txt(
    spec: BatchSpec,
    key: bytes,
    path: Path,
    *,
    kind: Kind | None = None,
    ticket: Ticket = USUAL_TICKET,
    processes: int | None = None,
    chunk_rows: int = CHUNK_ROWS,
    on_progress: Progress | None = None,
    stop: Stop | None = None,
) -> FileRecord:
    """Write one address a line and nothing else, for one kind (the only one, unless ``kind`` says which).

    Raises BadSpec, Stopped, OSError.
    """
    chosen = one_kind(spec, kind)
    plan = _row_plan(spec, key, (f"{chosen.label}_url",), ticket.newline_of("txt"), {})
    head = ticket.bom_of("txt")
    with PartFile(path, on_progress, stop) as part:
        job = Job(plan, spec.first, spec.last + 1, len(head))
        sha256 = write_rows(part, job, head, processes=processes, chunk_rows=chunk_rows)
    return record_of(path, spec, "txt", (chosen,), sha256)


def one_kind(spec: BatchSpec, kind: Kind | None) -> Kind:
    """The kind that a file of one kind is for. Raises BadSpec when the spec leaves it open or lacks it."""
    if kind is None and len(spec.kinds) == 1:
        return spec.kinds[0]
    if kind is None or kind not in spec.kinds:
        labels = ",".join(each.label for each in spec.kinds)
        raise BadSpec(f"choose one kind of {labels}", payload=labels, field="kinds", value=labels)
    return kind


def csv_size_bytes(spec: BatchSpec, ticket: Ticket = USUAL_TICKET) -> int:
    """How large ``write_csv`` makes the file at most, in bytes."""
    width = len(str(spec.last)) + 2 + len(spec.kinds) * (2 * CODE_LENGTH + len(spec.url_prefix) + 2)
    width += len(spec.shipped_kinds) * (SSCC_LENGTH + 1)
    if ticket.with_product:
        width += sum(len(quoted(text).encode()) + 1 for text in constant_cells(spec).values())
    return spec.count * width + 512


def txt_size_bytes(spec: BatchSpec) -> int:
    """How large ``write_txt`` makes the file at most, in bytes."""
    return spec.count * (len(spec.url_prefix) + CODE_LENGTH + 2) + len(BOM)


@dataclass(frozen=True)
class _Ssccs:
    """A column of ``batches.rows``: the SSCC of this kind."""

    spec: BatchSpec
    kind: Kind

    def width(self, digits: int) -> int:
        return SSCC_LENGTH

    def lay(self, rows: Bytes, column: int, first: int) -> None:
        rows[:, column : column + SSCC_LENGTH] = sscc_block(self.spec, self.kind, first, first + len(rows))


def _row_plan(
    spec: BatchSpec, key: bytes, columns: tuple[str, ...], newline: bytes, constants: dict[str, bytes]
) -> RowPlan:
    """What stands in a row with these columns. Raises BadSpec for an unknown one."""
    known = csv_columns(spec.kinds, with_sscc=bool(spec.shipped_kinds))
    cells: list[Cell] = []
    for name in columns:
        if name not in known and name not in constants:
            raise BadSpec(f"there is no column {name!r}", payload=name, field="columns", value=name)
        cells += [b","] if cells else []
        label, _, form = name.partition("_")
        if name == SERIAL:
            cells.append(SERIALS)
        elif not form:
            cells.append(constants[name])
        elif form == "sscc":
            cells.append(_Ssccs(spec, Kind.of(label)))
        else:
            cells += [spec.url_prefix.encode("ascii"), Kind.of(label)] if form == "url" else [Kind.of(label)]
    return RowPlan(key, spec.number, (*cells, newline))


def sscc_block(spec: BatchSpec, kind: Kind, start: int, end: int) -> Bytes:
    """The SSCCs of serials ``start`` to ``end - 1``, shape (n, 18)."""
    first = spec.sscc_reference(kind, start)
    return sscc_range(spec.sscc_prefix, first, end - start, len(spec.shipped_kinds))
