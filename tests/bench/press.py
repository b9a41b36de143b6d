"""The press's figures: minting, symbols, sheets. Ours and the peer take turns in one process, on one processor.

Files are written for good: ours flush each chunk to the disk and are read back for their SHA-256, the peers' are not.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from batches.codes import Verifier
from batches.files import write_csv, write_txt
from batches.items import Kind
from batches.linear import Symbols, symbols_for
from batches.sheet import LABEL_FONT, write_pdf_sheet
from batches.spec import BatchSpec
from batches.text import Bytes
from tests.bench import peers

ROUNDS: Final = 5
KEY: Final = bytes(range(32))
LABEL_BYTES_MAX: Final = 200
BATCH_COUNT: Final = 33_400_000  # three batches hold a hundred million codes

Figure = dict[str, Any]


def spec(count: int, **over: Any) -> BatchSpec:
    wanted: dict[str, Any] = {"number": 1234567, "kinds": (Kind.INNER,), "count": count, "host": "q.example.cn"}
    return BatchSpec(**(wanted | over))


@contextmanager
def folder() -> Iterator[Path]:
    """Where files go: memory where there is some, because a shared disk measures its other users."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


@contextmanager
def one_processor() -> Iterator[None]:
    if sys.platform != "linux":
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def turns(
    ours: Callable[[], object],
    our_count: int,
    peer: Callable[[], object],
    peer_count: int,
    *,
    clear: Callable[[], object] = lambda: None,
) -> Figure:
    """Items a second of both, in turns, medians; each is run once beforehand. ``clear`` takes away what a run left."""
    ours()
    peer()
    mine, theirs = [], []
    for _ in range(ROUNDS):
        for work, count, rates in ((ours, our_count, mine), (peer, peer_count, theirs)):
            clear()
            rates.append(count / seconds(work))
    rate, peer_rate = statistics.median(mine), statistics.median(theirs)
    return {"ratio": round(rate / peer_rate, 2), "ours": round(rate), "peer": round(peer_rate), "unit": "a second"}


def mint_text() -> Figure:
    with one_processor(), folder() as made:
        return turns(
            lambda: write_txt(spec(5_000_000), KEY, made / "ours.txt", processes=1),
            5_000_000,
            lambda: peers.mint_text(made / "peer.txt", 60_000),
            60_000,
        ) | {"against": "permute + itsdangerous + base32", "least": 100}


def mint_csv() -> Figure:
    with one_processor(), folder() as made:
        return turns(
            lambda: write_csv(spec(5_000_000), KEY, made / "ours.csv", processes=1),
            5_000_000,
            lambda: peers.mint_csv(made / "peer.csv", 60_000),
            60_000,
        ) | {"against": "permute + itsdangerous + base32", "least": 40}


def mint_2p() -> Figure:
    with folder() as made:
        return turns(
            lambda: write_txt(spec(BATCH_COUNT), KEY, made / "two.txt", processes=2),
            BATCH_COUNT,
            lambda: write_txt(spec(BATCH_COUNT), KEY, made / "one.txt", processes=1),
            BATCH_COUNT,
            # Giving a gigabyte back to the system is no part of making one.
            clear=lambda: [file.unlink() for file in made.iterdir()],
        ) | {"against": "one process", "least": 1.6}


def mint_linear() -> Figure:
    """In a process of its own, so that the memory is what minting takes and nothing else."""
    command = [sys.executable, "-m", "tests.bench.press"]
    figure: Figure = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    if figure["memory_mb"] > 400:
        raise SystemExit(f"mint-linear: {figure['memory_mb']} MB of memory")
    return figure


def _linear() -> Figure:
    small, large = [], []
    with one_processor(), folder() as made:
        path = made / "codes.txt"

        def mint(count: int, number: int) -> None:
            write_txt(spec(count, number=number), KEY, path, processes=1)
            path.unlink()

        mint(1_000_000, 1)
        for _ in range(ROUNDS):
            small.append(statistics.median(seconds(lambda: mint(1_000_000, 1)) for _ in range(5)) / 1e6)
            large.append(sum(seconds(lambda number=number: mint(BATCH_COUNT, number)) for number in (1, 2, 3)))
    ours, peer = statistics.median(large) / (3 * BATCH_COUNT), statistics.median(small)
    return {
        "ratio": round(ours / peer, 2),
        "ours": round(ours * 1e9, 1),
        "peer": round(peer * 1e9, 1),
        "unit": "ns a code",
        "against": "1 million codes",
        "most": 1.3,
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "note": f"{3 * BATCH_COUNT} codes in three batches",
    }


def _symbols(ours: Callable[[Symbols, Bytes], object], count: int) -> Figure:
    """Version 3-M: 41 characters, all in the alphanumeric mode."""
    symbols, block = symbols_for(peers.PREFIX), Verifier(KEY).mint_range(1234567, Kind.INNER, 0, count)
    texts = [peers.PREFIX + bytes(row).decode() for row in block[:60]]
    with one_processor():
        figure = turns(lambda: ours(symbols, block), count, lambda: peers.qr_matrices(texts), len(texts))
    return figure | {"against": "qrcode's matrix, automatic mask"}


def qr_iso() -> Figure:
    return _symbols(lambda symbols, block: symbols.standard(block), 100_000) | {"least": 150}


def qr_fixed() -> Figure:
    return _symbols(lambda symbols, block: symbols.fixed(block, 2), 500_000) | {"least": 5000}


def pdf_sheet() -> Figure:
    """A4 sheets of fifty labels with a Chinese name; at most 200 bytes a label, the font included."""
    order = spec(5_000, product_name="示例茶饮 红茶 500ml", order_no="PO-1")
    with one_processor(), folder() as made:
        path, peer_path = made / "ours.pdf", made / "peer.pdf"
        figure = turns(
            lambda: write_pdf_sheet(order, KEY, path),
            order.count,
            lambda: peers.pdf_sheet(peer_path, 50, LABEL_FONT),
            50,
        )
        size = path.stat().st_size / order.count
    if size > LABEL_BYTES_MAX:
        raise SystemExit(f"pdf-sheet: {size:.0f} bytes a label, {LABEL_BYTES_MAX} are allowed")
    return figure | {
        "against": "reportlab with qrcode's picture",
        "least": 200,
        "bytes_a_label": round(size, 1),
        "note": f"{size:.0f} bytes a label",
    }


FIGURES: Final[dict[str, Callable[[], Figure]]] = {
    "mint-text": mint_text,
    "mint-csv": mint_csv,
    "mint-2p": mint_2p,
    "mint-linear": mint_linear,
    "qr-iso": qr_iso,
    "qr-fixed": qr_fixed,
    "pdf-sheet": pdf_sheet,
}


def line(name: str, figure: Figure) -> str:
    """``NAME  RATIO x PEER  (ours, peer unit; …)``; what a figure misses stands at the end."""
    notes = [f"{figure['ours']}, {figure['peer']} {figure['unit']}"]
    notes += [f"{figure['memory_mb']} MB of memory"] if "memory_mb" in figure else []
    notes += [str(figure["note"])] if "note" in figure else []
    missed = ""
    if figure["ratio"] < figure.get("least", 0):
        missed = f"  MISSED: at least {figure['least']}"
    if figure["ratio"] > figure.get("most", figure["ratio"]):
        missed = f"  MISSED: at most {figure['most']}"
    return f"{name}  {figure['ratio']} x {figure['against']}  ({'; '.join(notes)}){missed}"


if __name__ == "__main__":
    json.dump(_linear(), sys.stdout)
