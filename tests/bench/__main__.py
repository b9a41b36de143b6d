"""``make bench``: prints ``NAME  RATIO x PEER  (ours, peer)`` a line and writes ``var/bench.json``.

``make bench ONLY="scan-pg claim-http"`` runs some. Servers are gunicorn with the stated workers and threads; ours and
the peer run at the same time and are loaded in turns, five times each; the figure is the ratio of the medians.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import load, press, services, world

ROUNDS = 5
SECONDS = float(os.environ.get("BENCH_SECONDS", "2.5"))
CONNECTIONS = 32
WORKERS, THREADS = 2, 16
GATHERING = os.environ.get("BENCH_WORKER", "scancode.web.gathering.worker.Worker")
OUT = Path("var/bench.json")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def gunicorn(target: str, environment: dict[str, str], worker: str = "gthread") -> Iterator[int]:
    port = free_port()
    command = [
        sys.executable, "-m", "gunicorn", target, "-b", f"127.0.0.1:{port}", "-k", worker, "-w", str(WORKERS),
        "--threads", str(THREADS), "--keep-alive", "30", "--log-level", "error", "--no-control-socket", "--preload",
    ]  # fmt: skip
    server = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        for _ in range(600):  # the program is imported before it listens, so who listens can answer
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def spent_s(port: int) -> float:
    """Processor seconds so far of the server on ``port`` with its workers, and of every PostgreSQL here."""
    total, ticks = 0.0, os.sysconf("SC_CLK_TCK")
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            if f"127.0.0.1:{port}".encode() in command or command.startswith(b"postgres") or b"bin/postgres" in command:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                total += (int(fields[11]) + int(fields[12])) / ticks
    return total


def compare(name: str, port: int, peer_port: int, requests: list[bytes], expected: set[int]) -> dict[str, object]:
    """Loads ours and the peer in turns. Every answer of ours must have an expected status."""
    peer_requests = [b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"]
    position = 0
    position += _warm(port, requests)
    load.run(peer_port, peer_requests, connections=CONNECTIONS, seconds=0.7)
    ours, peers = [], []
    waits: tuple[list[float], list[float]] = ([], [])
    costs: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        before = spent_s(port)
        result = load.run(port, requests, start=position, connections=CONNECTIONS, seconds=SECONDS)
        position += sum(result.statuses.values()) + CONNECTIONS
        strange = {status: count for status, count in result.statuses.items() if status not in expected}
        if strange:
            raise SystemExit(f"{name}: unexpected answers {strange}")
        costs[0].append(1000 * (spent_s(port) - before) / sum(result.statuses.values()))
        ours.append(result.rate)
        waits[0].append(result.percentile_ms(0.99))
        before = spent_s(peer_port)
        peer = load.run(peer_port, peer_requests, connections=CONNECTIONS, seconds=SECONDS)
        costs[1].append(1000 * (spent_s(peer_port) - before) / sum(peer.statuses.values()))
        peers.append(peer.rate)
        waits[1].append(peer.percentile_ms(0.99))
    if position > len(requests):
        print(f"{name}: note: {position} requests sent, {len(requests)} prepared: some were repeated", file=sys.stderr)
    mine, theirs = statistics.median(ours), statistics.median(peers)
    cost, peer_cost = map(statistics.median, costs)
    wait, peer_wait = map(statistics.median, waits)
    return {
        "ratio": round(mine / theirs, 3),
        "ours": round(mine, 1),
        "peer": round(theirs, 1),
        "unit": "requests/s",
        "cpu_ratio": round(peer_cost / cost, 3),
        "cpu_ms": [round(cost, 3), round(peer_cost, 3)],
        "p99_ms": [round(wait, 1), round(peer_wait, 1)],
        "setup": f"gunicorn {WORKERS} workers x {THREADS} threads, {CONNECTIONS} connections",
    }


def _warm(port: int, requests: list[bytes]) -> int:
    result = load.run(port, requests, connections=CONNECTIONS, seconds=1.0)
    return sum(result.statuses.values()) + CONNECTIONS


def get(code: str) -> bytes:
    return (
        f"GET /{code} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0\r\n"
        "Accept: text/html\r\nAccept-Encoding: gzip\r\n\r\n"
    ).encode()


def http(name: str, url: str, make: Callable[[world.World], list[bytes]], expected: set[int]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder, world.build(url, Path(folder)) as built:
        requests = make(built)
        with (
            gunicorn("wsgi:app", built.environment, GATHERING) as port,
            gunicorn("tests.bench.bare:app", {}) as peer_port,
        ):
            return compare(name, port, peer_port, requests, expected)


@contextmanager
def sqlite_url() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/bench.sqlite"


def scan_pg() -> dict[str, object]:
    with world.postgres_url() as url:
        return http("scan-pg", url, lambda it: [get(code) for code in it.codes(0, 120_000)], {200})


def scan_sqlite() -> dict[str, object]:
    with sqlite_url() as url:
        return http("scan-sqlite", url, lambda it: [get(code) for code in it.codes(0, 120_000)], {200})


def scan_forged() -> dict[str, object]:
    with world.postgres_url() as url:
        return http("scan-forged", url, lambda it: [get(code) for code in it.forgeries(120_000)], {404})


def _claims(it: world.World) -> list[bytes]:
    return world.claim_requests(it, it.codes(500_000, 60_000))


def claim_http() -> dict[str, object]:
    with world.postgres_url() as url:
        return http("claim-http", url, _claims, {200, 302, 303})


def claim_http_sqlite() -> dict[str, object]:
    with sqlite_url() as url:
        return http(
            "claim-http-sqlite", url, lambda it: world.claim_requests(it, it.codes(500_000, 60_000)), {200, 302, 303}
        )


FIGURES: dict[str, Callable[[], dict[str, object]]] = {
    "scan-pg": scan_pg,
    "scan-sqlite": scan_sqlite,
    "scan-forged": scan_forged,
    "claim-http": claim_http,
    "claim-http-sqlite": claim_http_sqlite,
    **services.FIGURES,
    **press.FIGURES,
}


def _line(name: str, figure: dict[str, object]) -> str:
    waits = "p99 {} and {} ms".format(*figure["p99_ms"])  # type: ignore[misc]
    return (
        f"{name}  {figure['ratio']} x bare Flask page  ({figure['ours']}, {figure['peer']} {figure['unit']}; "
        f"{waits}; {figure['cpu_ratio']} by processor time; {figure['setup']})"
    )


def main() -> None:
    names = sys.argv[1:] or list(FIGURES)
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        raise SystemExit(f"no such figure: {', '.join(unknown)}; there are {', '.join(FIGURES)}")
    results = json.loads(OUT.read_text()) if OUT.exists() else {}
    for name in names:
        figure = FIGURES[name]()
        results[name] = figure
        print(_line(name, figure) if "p99_ms" in figure else press.line(name, figure), flush=True)
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
