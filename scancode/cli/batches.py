"""``scancode batch``: what factory staff do in the console, for scripts and for a terminal: order, wait, fetch the
files, activate, void."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import click
from sqlalchemy.orm import Session

from batches.codes import Kind, Verifier
from batches.errors import PressError
from batches.layouts import Layout
from batches.manifest import MANIFEST_NAME
from batches.manifest_page import PAGE_NAME
from batches.part import sha256_of, write_whole
from batches.press import FORMATS
from batches.ticket import ENCODINGS, HEADERS, NEWLINES, Ticket
from scancode.catalog import service as catalog
from scancode.catalog.rules import check_gtin
from scancode.cli.bars import Bar, gettext
from scancode.cli.people import check_sight, identify
from scancode.cli.root import FAULTY, REFUSED, fail, wire
from scancode.codes import service as codes
from scancode.codes.models import Batch, PackFile
from scancode.codes.orders import LayoutUnknown, check_host, unprintable
from scancode.codes.rules import Activate, BatchState, Change, Void, VoidReason
from scancode.codes.typed import RangeForm, code_in, parse_ranges
from scancode.errors import Refusal
from scancode.handover import service as handover
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.wiring import Wired
from scancode.worker import loop

LOOK_EVERY_S = 0.3
LISTED_MAX = 50


class NoSuchProduct(Refusal):
    code = "no_such_product"
    text = N_("There is no product with the GTIN {gtin}. Make it in the console first.")
    status = 404


class FileBroken(Refusal):
    code = "pack_file_broken"
    text = N_("The file {name} is gone or differs from the manifest. Do not print it: order a retry in the console.")


@click.group()
def batch() -> None:
    """Batches of codes: order, files, activate, void."""


@batch.command()
@click.option("--gtin", required=True, help="The product's GTIN, as printed under its bar code.")
@click.option("--order-no", required=True, help="Your order number; the same number never orders twice.")
@click.option("--count", type=int, required=True, help="How many items.")
@click.option("--kinds", default="inner", show_default=True, help="Of outer, inner, case, pallet: a comma list.")
@click.option("--formats", default="csv", show_default=True, help=f"Of {', '.join(FORMATS)}: a comma list.")
@click.option("--lot", default="", help="Production lot, GS1 AI (10).")
@click.option("--note", default="", help="A note for colleagues.")
@click.option("--test", "is_test", is_flag=True, help="A test batch: no report counts it and it pays nothing.")
@click.option("--replaces", type=int, help="Batch whose void codes these stand in for.")
@click.option("--base-url", default="", help="One of the installation's scan hosts; the usual one if left out.")
@click.option("--digital-link", is_flag=True, help="Symbols say GS1 Digital Links.")
@click.option("--layout", "layout_name", default="", help="A saved layout of labels, by name; A4 if left out.")
@click.option("--encoding", type=click.Choice(ENCODINGS), default="usual", help="Of text files.")
@click.option("--newline", type=click.Choice(NEWLINES), default="usual", help="Line ends of text files.")
@click.option("--header", type=click.Choice(HEADERS), default="en", help="Header of tables.")
@click.option("--with-product", is_flag=True, help="Product, GTIN and lot in every row of tables.")
@click.option("--rows-per-file", type=int, default=0, help="Split tables after so many rows.")
@click.option("--spoilage", type=int, default=0, help="So many of the items are spare.")
@click.option("--offline", is_flag=True, help="Made by a press kit elsewhere, not by the worker.")
@click.option("--by", "login", help="Who orders: a large order needs it. The password is asked for.")
@click.option("--wait", is_flag=True, help="Stay until a worker has minted it, with a progress bar.")
@click.option("--here", is_flag=True, help="Mint it in this process, without a worker.")
def order(
    gtin: str,
    order_no: str,
    count: int,
    kinds: str,
    formats: str,
    lot: str,
    note: str,
    is_test: bool,
    replaces: int | None,
    base_url: str,
    digital_link: bool,
    layout_name: str,
    offline: bool,
    login: str | None,
    wait: bool,
    here: bool,
    **text: Any,
) -> None:
    """Order a batch. It is minted by a worker; prints the batch's number, and nothing else on standard output."""
    wired = wire()
    try:
        wanted = tuple(Kind.of(name.strip()) for name in kinds.split(",") if name.strip())
    except PressError as error:
        raise click.BadParameter(kinds, param_hint="--kinds") from error
    person = identify(wired, login) if login else None
    with wired.db.transaction() as session:
        product = catalog.find_product(session, gtin=check_gtin(gtin))
        if product is None:
            raise NoSuchProduct(gtin=gtin)
        if person is not None:
            check_sight(person, product.brand_id)
        made = codes.order(
            session,
            brand_id=product.brand_id,
            product_id=product.id,
            order_no=order_no,
            count=count,
            kinds=wanted,
            formats=tuple(name.strip() for name in formats.split(",") if name.strip()),
            lot=lot,
            note=note,
            base_url=check_host(base_url, wired.settings.scan_bases),
            digital_link=digital_link,
            ticket=_ticket(session, product.brand_id, layout_name, text),
            is_test=is_test,
            replaces=replaces,
            is_offline=offline,
            approval_above=wired.settings.order_limit,
            kid=wired.keyring.newest,
            staff_id=person.id if person else None,
            actor=person.actor if person else "cli",
            now=datetime.now(UTC),
        )
        waits = made.state == BatchState.WAITING
        ordered = [each.number for each in codes.list_order(session, brand_id=made.brand_id, order_no=made.order_no)]
    _say_and_wait(wired, ordered, waits=waits, offline=offline, wait=wait, here=here)


def _say_and_wait(wired: Wired, ordered: list[int], *, waits: bool, offline: bool, wait: bool, here: bool) -> None:
    """Prints the batches' numbers, and stays until they are made where that was asked for."""
    for each in ordered:
        click.echo(each)
        click.echo(gettext(N_("batch {number} ordered"), number=each), err=True)
    if waits:
        click.echo(gettext(N_("it is large: a second person has to approve it first")), err=True)
    if offline or (here and waits):
        return
    if here:
        with _minting_here(wired):
            for each in ordered:
                _wait(wired, each)
    elif wait:
        if not _has_worker(wired):
            click.echo(gettext(N_("no worker is alive: start `scancode worker`, or order with --here")), err=True)
        for each in ordered:
            _wait(wired, each)


def _ticket(session: Session, brand_id: UUID, layout_name: str, text: dict[str, Any]) -> Ticket:
    """How the files are to be written. Raises LayoutUnknown, BadOrder."""
    layout = Layout()
    if layout_name:
        saved = codes.find_layout(session, brand_id=brand_id, name=layout_name)
        if saved is None:
            raise LayoutUnknown(name=layout_name)
        layout = saved.layout
    try:
        return Ticket(layout=layout, **text)
    except PressError as error:
        raise unprintable(error) from error


@batch.command()
@click.argument("number", type=int)
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Copy the files to this folder.")
def files(number: int, folder: Path | None) -> None:
    """List the print files of batch NUMBER, each checked against its hash; with --to, copy them and their manifest."""
    wired = wire()
    with wired.db.reading() as session:
        made = codes.get_batch(session, number=number)
        records = codes.list_files(session, batch_number=number)
    if records:
        codes.require_pack(made)
    else:
        fail(gettext(N_("batch {number} has no files yet"), number=number), code="no_files", status=REFUSED)
    source = codes.pack_folder(wired.settings.var_dir, number)
    with Bar(gettext(N_("checking"))) as progress:
        for done, record in enumerate(records):
            progress(record.name, done, len(records))
            _fetch(source / record.name, record.sha256, folder)
        progress("", len(records), len(records))
    if folder is not None:
        _note_copies(wired, made, records)
        for page in (source / name for name in (MANIFEST_NAME, PAGE_NAME)):  # what the files are checked with
            if page.is_file():
                write_whole(folder / page.name, page.read_bytes())
    for record in records:
        place = (folder or source) / record.name
        click.echo(f"{record.sha256}  {record.size_bytes:>12,}  {record.rows:>10,}  {place}")


@batch.command("list")
@click.option("--query", default="", help="Look for this in order number, lot, product, GTIN and batch number.")
def list_(query: str) -> None:
    """List the newest batches."""
    wired = wire()
    with wired.db.reading() as session:
        rows = codes.list_batches(session, brand_id=None, query=query, limit=LISTED_MAX)
    for row in rows:
        made = row.batch
        click.echo(
            f"{made.number:>8}  {made.state:<9}  {made.count:>10,}  {made.kinds:<12}  {row.gtin}  {made.order_no}"
        )


@batch.command()
@click.argument("number", type=int)
def cancel(number: int) -> None:
    """End the order of batch NUMBER, which is not ready yet. Its codes will never be live."""
    wired = wire()
    with wired.db.transaction() as session:
        codes.cancel(session, number=number, actor="cli", now=datetime.now(UTC))
    click.echo(gettext(N_("batch {number} is cancelled"), number=number))


@batch.command()
@click.argument("number", type=int)
def retry(number: int) -> None:
    """Have the failed batch NUMBER made again; files that are whole are kept. A pack is never made twice."""
    wired = wire()
    with wired.db.transaction() as session:
        codes.retry(session, number=number, actor="cli", now=datetime.now(UTC))
    click.echo(gettext(N_("tried again")))


@batch.command()
@click.argument("number", type=int)
@click.option("--range", "ranges", default="", help="Serials as 0-999,1500, codes, or all.")
@click.option("--note", default="", help="Why, for the batch's history.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def activate(number: int, ranges: str, note: str, yes: bool) -> None:
    """Make codes of batch NUMBER live. Void and recalled ones stay dead."""
    _change(number, ranges, Activate(note), yes)


@batch.command()
@click.argument("number", type=int)
@click.option("--range", "ranges", default="", help="Serials as 0-999,1500, codes, or all.")
@click.option("--reason", type=click.Choice([reason.value for reason in VoidReason]), required=True, help="Why.")
@click.option("--note", default="", help="Why, for the batch's history.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def void(number: int, ranges: str, reason: str, note: str, yes: bool) -> None:
    """Kill codes of batch NUMBER, claimed ones too."""
    _change(number, ranges, Void(VoidReason(reason), note), yes)


def _change(number: int, text: str, what: Change, yes: bool) -> None:
    wired = wire()
    now = datetime.now(UTC)
    with wired.db.reading() as session:
        facts = codes.load_batch(session, number=number, keyring=wired.keyring)
        if facts is None:
            codes.get_batch(session, number=number)
            raise AssertionError("unreachable")
        ranges = parse_ranges(text, count=facts.count, read_code=lambda typed: serial_of(facts.verifier, typed))
        planned = codes.preview(session, batch_number=number, ranges=ranges, what=what, now=now)
    click.echo(summary_of(planned))
    if not yes:
        click.confirm(gettext(N_("Change them?")), abort=True)
    with wired.db.transaction() as session:
        done = codes.change(session, batch_number=number, ranges=ranges, what=what, actor="cli", now=now)
    click.echo(gettext(N_("done: {count} codes"), count=f"{done.count:,}"))


def serial_of(verifier: Verifier, typed: str) -> int:
    """The serial of a pasted code of this batch. Raises RangeForm."""
    try:
        return verifier.verify(code_in(typed)).serial
    except PressError as error:
        raise RangeForm(typed=typed[:40]) from error


def summary_of(planned: codes.Changed) -> str:
    """What a change would do, in a line."""
    left = ", ".join(f"{state.value} {count:,}" for state, count in planned.left.items() if count)
    text = gettext(N_("{count} codes will change"), count=f"{planned.count:,}")
    return text + (gettext(N_("; left as they are: {left}"), left=left) if left else "")


def _note_copies(wired: Wired, made: Batch, records: Sequence[PackFile]) -> None:
    """Whoever has the files can print the codes: each copy goes on record, like a download."""
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        for record in records:
            fetched = handover.FetchedFile(made.number, made.brand_id, record.name, record.size_bytes)
            client = handover.Client("cli", uuid4().hex, "", "cli")
            begun = handover.begin_download(
                session, file=fetched, client=client, is_beginning=True, sealer=wired.sealer, now=now
            )
            handover.note_sent(session, download_id=begun, sent_bytes=record.size_bytes, now=now)


def _fetch(source: Path, sha256: str, folder: Path | None) -> None:
    """Checks a file, or copies it while checking. Raises FileBroken."""
    if not source.is_file() or sha256_of(source) != sha256:
        raise FileBroken(name=source.name)
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / (source.name + ".part")
    part.write_bytes(b"")
    with source.open("rb") as reading, part.open("wb") as writing:
        while block := reading.read(1 << 20):
            writing.write(block)
    part.replace(folder / source.name)


def _has_worker(wired: Wired) -> bool:
    with wired.db.reading() as session:
        return any(one.is_alive for one in jobs.workers(session, now=datetime.now(UTC)))


@contextmanager
def _minting_here(wired: Wired) -> Iterator[None]:
    """A worker for mint jobs, in a thread of this process."""
    stop = threading.Event()
    thread = threading.Thread(
        target=lambda: loop.run(wired, stop_event=stop, kinds=("mint",)), name="mint-here", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)


def _wait(wired: Wired, number: int) -> None:
    """Returns when the batch is ready; ends with an exit code when it will never be."""
    with Bar(gettext(N_("minting"))) as progress:
        while True:
            with wired.db.reading() as session:
                state = codes.get_batch(session, number=number).state
                job = jobs.find(session, key=codes.mint_key(number))
            if job is not None and job.total_rows:
                progress(job.stage, job.done_rows, job.total_rows)
            if state not in (BatchState.WAITING, BatchState.ORDERED, BatchState.MINTING):
                break
            time.sleep(LOOK_EVERY_S)
    if state != BatchState.READY:
        why = (job.error if job else "") or state
        sentence = gettext(N_("batch {number} was not minted: {why}"), number=number, why=why)
        fail(sentence, code="not_minted", status=FAULTY)
    click.echo(gettext(N_("batch {number} is ready: see `scancode batch files {number}`"), number=number), err=True)


COMMANDS = (batch,)
