"""One file of rows written by one process or by several: the same bytes, whatever their number.

The place of every row in its file is known beforehand, so helpers write their chunks where they belong
while the process that asked mints too, reads finished chunks back for the file's SHA-256, and lets the
disk confirm them meanwhile. A helper is ``python -m batches.crew``: it gets plan and key through a pipe,
never on a command line, and ends when that pipe does, so a killed press leaves no process behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from batches.part import PartFile
from batches.rows import RowPlan

CHUNK_ROWS: Final = 1 << 17  # five megabytes or so, some ten milliseconds of work
ALONE_ROWS: Final = 2_000_000  # below that a helper's start costs more than it saves
PROCESSES_MAX: Final = 16
CHUNKS_AHEAD: Final = 2
READ_BYTES: Final = 1 << 18  # stays in a processor's own cache while it is summed
ANSWER_WAIT_S: Final = 600  # a chunk takes milliseconds; a disk that is gone for longer is an error


@dataclass(frozen=True)
class Job:
    """The rows of serials ``first`` to ``end - 1``, which begin ``offset`` bytes into the file."""

    plan: RowPlan
    first: int
    end: int
    offset: int

    def place(self, serial: int) -> int:
        """Where the row of this serial begins."""
        return self.offset + self.plan.size_bytes(self.first, serial)


def usual_processes(rows: int) -> int:
    """How many processes to use unless told: one for small files, else one for each of up to four processors."""
    if rows < ALONE_ROWS:
        return 1
    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(allowed, 4)


def write_rows(
    part: PartFile,
    job: Job,
    head: bytes,
    *,
    processes: int | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> str:
    """Write ``head`` and the rows of ``job`` into ``part``; return the SHA-256 of the file as read back from it.

    ``job.offset`` must be the length of ``head``. Raises Stopped, OSError.
    """
    wanted = usual_processes(job.end - job.first) if processes is None else processes
    chunks = [(start, min(start + chunk_rows, job.end)) for start in range(job.first, job.end, chunk_rows)]
    part.file.write(head)
    part.file.flush()
    count = min(wanted, PROCESSES_MAX, len(chunks)) - 1
    with part.read_back() as back, _employed(part.growing, job, count) as crew, _Prover(part) as prover:
        return _Writing(part, job, chunks, crew, prover, back).run()


class _Writing:
    """The work of the process that was asked: give chunks out, mint, hash what is whole, in this order of need."""

    def __init__(
        self, part: PartFile, job: Job, chunks: list[tuple[int, int]], crew: _Crew, prover: _Prover, back: BinaryIO
    ) -> None:
        self._part = part
        self._job = job
        self._chunks = chunks
        self._crew = crew
        self._prover = prover
        self._back = back
        self._sha = hashlib.sha256()
        self._next = 0
        self._written: set[int] = set()

    def run(self) -> str:
        """See ``write_rows``."""
        maker = self._job.plan.maker()
        buffer = memoryview(bytearray(READ_BYTES))
        hashed = 0
        self._hash(self._job.offset, buffer)
        while hashed < len(self._chunks):
            self._employ(wait=self._next == len(self._chunks) and hashed not in self._written)
            if hashed in self._written:
                self._written.discard(hashed)
                start, end = self._chunks[hashed]
                self._hash(self._job.plan.size_bytes(start, end), buffer)
                self._prover.prove(end - self._job.first)
                hashed += 1
            elif self._next < len(self._chunks):
                start, end = self._chunks[self._next]
                self._next += 1
                self._part.file.seek(self._job.place(start))
                for block in maker.blocks(start, end):
                    self._part.file.write(block.data)
                self._part.file.flush()
                self._written.add(self._next - 1)
        return self._sha.hexdigest()

    def _employ(self, *, wait: bool) -> None:
        """Note what helpers have written and keep each of them two chunks ahead."""
        if not self._crew.members:
            return
        for member, chunk in self._crew.answers(wait=wait):
            if chunk is None:
                member.waiting = 0
                continue
            member.waiting -= 1
            self._written.add(chunk)
        for member in self._crew.members:
            while member.waiting < CHUNKS_AHEAD and self._next < len(self._chunks):
                member.ask(self._next, *self._chunks[self._next])
                self._next += 1

    def _hash(self, size_bytes: int, buffer: memoryview) -> None:
        while size_bytes:
            read = self._back.readinto(buffer[: min(size_bytes, len(buffer))])  # type: ignore[attr-defined]
            if not read:
                raise OSError(f"{self._part.path.name} is shorter than what was written to it")
            self._sha.update(buffer[:read])
            size_bytes -= read


class _Prover:
    """Has finished rows confirmed by the disk while the next ones are made; reports them when they are."""

    def __init__(self, part: PartFile) -> None:
        self._part = part
        self._pool = ThreadPoolExecutor(1)
        self._under_way: tuple[Future[None], int] | None = None

    def __enter__(self) -> _Prover:
        return self

    def prove(self, rows: int) -> None:
        """Begin to prove the first ``rows``; report those before. Raises Stopped, OSError."""
        self._settle()
        self._under_way = (self._pool.submit(os.fsync, self._part.file.fileno()), rows)
        self._part.check_stop()

    def _settle(self) -> None:
        if self._under_way is not None:
            future, rows = self._under_way
            self._under_way = None
            future.result()
            self._part.report(rows)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._settle()
        finally:
            self._pool.shutdown()


class _Member:
    """One helper process."""

    def __init__(self, process: subprocess.Popen[bytes], answers: queue.Queue[tuple[_Member, bytes]]) -> None:
        self.process = process
        self.waiting = CHUNKS_AHEAD  # until it has started, nobody waits for its chunks
        self._answers = answers
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._answers.put((self, line))
        self._answers.put((self, b""))

    def send(self, words: bytes) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # why it ended is read from its answer
            self.process.stdin.write(words)
            self.process.stdin.flush()

    def ask(self, chunk: int, start: int, end: int) -> None:
        self.waiting += 1
        self.send(b"%d %d %d\n" % (chunk, start, end))

    def dismiss(self) -> None:
        """Let it finish what it writes and end."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def bury(self) -> None:
        """Wait until it has ended."""
        self.process.wait(ANSWER_WAIT_S)
        self._listener.join(ANSWER_WAIT_S)


class _Crew:
    """The helpers of one file and what they answer."""

    def __init__(self) -> None:
        self.members: list[_Member] = []
        self.inbox: queue.Queue[tuple[_Member, bytes]] = queue.Queue()

    def answers(self, *, wait: bool) -> Iterator[tuple[_Member, int | None]]:
        """Chunks written since the last call, None from a helper that has started; with ``wait`` at least one.

        Raises OSError as the helper met it.
        """
        while True:
            try:
                member, line = self.inbox.get(timeout=ANSWER_WAIT_S) if wait else self.inbox.get_nowait()
            except queue.Empty:
                if wait:
                    raise OSError("a helper process does not answer") from None
                return
            word, number = (line.split() or [b"error", b"0"])[:2]
            if word == b"error":
                code = int(number)
                raise OSError(code, os.strerror(code) if code else "a helper process ended")
            wait = False
            yield member, int(number) if word == b"done" else None


@contextmanager
def _employed(path: Path, job: Job, count: int) -> Iterator[_Crew]:
    """Start so many helpers; end them, whatever happens."""
    crew = _Crew()
    home = str(Path(__file__).resolve().parent.parent)
    known = os.environ.get("PYTHONPATH")
    environment = {**os.environ, "PYTHONPATH": home + (os.pathsep + known if known else "")}
    try:
        for _ in range(count):
            command = [sys.executable, "-m", "batches.crew"]
            process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
            )
            crew.members.append(_Member(process, crew.inbox))
            crew.members[-1].send(pickle.dumps((job, path)))
        yield crew
    finally:
        for member in crew.members:
            member.dismiss()
        for member in crew.members:
            member.bury()


def _serve() -> None:
    """A helper: takes a job, then ``CHUNK START END`` a line; answers ``begun 0``, ``done CHUNK``, ``error ERRNO``."""
    job, path = pickle.load(sys.stdin.buffer)  # noqa: S301  (from the process that started this one)
    maker = job.plan.maker()
    try:
        with path.open("r+b") as file:
            print("begun", 0, flush=True)
            for line in sys.stdin.buffer:
                chunk, start, end = (int(word) for word in line.split())
                file.seek(job.place(start))
                for block in maker.blocks(start, end):
                    file.write(block.data)
                file.flush()
                print("done", chunk, flush=True)
    except BrokenPipeError:
        return  # whoever asked is gone
    except OSError as error:
        print("error", error.errno or 0, flush=True)


if __name__ == "__main__":
    _serve()
    # Nothing is left to be written, and the press waits: the interpreter need not tidy up behind itself.
    os._exit(0)
