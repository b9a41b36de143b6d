"""``scancode serve`` (gunicorn) and ``scancode worker``: the two kinds of process that make the service; and
``scancode sandbox-pay``, which stands for the payment provider where money is not real."""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from scancode.cli.bars import gettext
from scancode.cli.root import for_good, wire
from scancode.config import Settings
from scancode.i18n import N_
from scancode.sandbox_pay import keys as sandbox_keys
from scancode.sandbox_pay.bank import Bank
from scancode.sandbox_pay.book import BOOK, Book
from scancode.sandbox_pay.server import listen
from scancode.wiring import require_sound
from scancode.worker import loop


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, told everything by our settings. The app is built once, before its workers fork from it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        options: dict[str, Any] = {
            "bind": f"{settings.bind_host}:{settings.port}",
            "workers": settings.web_workers,
            "threads": settings.web_threads,
            "worker_class": "scancode.web.gathering.worker.Worker",
            "keepalive": 5,
            "preload_app": True,  # nothing connects and no thread starts before the first request
            "timeout": 60,
            "graceful_timeout": 20,
            "limit_request_line": 4094,
            "limit_request_fields": 60,
            "control_socket_disable": True,
            "loglevel": "warning",
            "proc_name": "scancode",
            "forwarded_allow_ips": "*" if settings.trusted_proxies else "127.0.0.1",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        with for_good():
            from scancode.app import create_app

            return create_app(self._settings)


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (default: PORT or 8000).")
def serve(port: int | None) -> None:
    """Serve the web pages and the API with gunicorn until stopped."""
    wired = wire(port=port) if port else wire()
    require_sound(wired)
    settings = wired.settings
    wired.db.close()
    place = f"{settings.bind_host}:{settings.port}"
    click.echo(gettext(N_("scancode serves {url} on {place}"), url=settings.base_url, place=place))
    Server(settings).run()


@click.command()
@click.option("--once", is_flag=True, help="Work off what is due and stop.")
def worker(once: bool) -> None:
    """Work off the outbox: mint batches, pay out, send messages. Run one or several."""
    wired = wire()
    require_sound(wired)
    loop.run_until_signal(wired, once=once)


@click.command("sandbox-pay")
@click.option("--port", type=click.IntRange(0, 65535), default=8002, help="Port to listen on; 0 finds a free one.")
@click.option("--host", default="127.0.0.1", help="Address to listen on: whoever reaches it can play with its money.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("var/pay"), help="Where its book and keys are.")
@click.option("--hang-s", type=float, default=15.0, help="Seconds for which a call hangs that is to hang.")
@click.option("--hurry", type=float, default=1.0, help="Divides the waits between two tries of a callback.")
@click.option("--print-settings", is_flag=True, help="Print the settings with which scancode pays here, and stop.")
def sandbox_pay(port: int, host: str, folder: Path, hang_s: float, hurry: float, print_settings: bool) -> None:
    """Be a make-believe WeChat Pay, with full signatures, that misbehaves on request. For demos and tests."""
    keys = sandbox_keys.load(folder)
    if print_settings:
        for name, value in keys.settings(f"http://{host}:{port}").items():
            click.echo(f"{name}={shlex.quote(value)}")
        return
    bank = Bank(keys, Book(folder / BOOK), hang_s=hang_s, hurry=hurry)
    server = listen(bank, host, port)
    url = f"http://{host}:{server.server_address[1]}"
    click.echo(gettext(N_("the make-believe payment server listens on {url}"), url=url))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    bank.postman.start()
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        pass
    finally:
        bank.postman.stop()
        server.server_close()


COMMANDS = (serve, worker, sandbox_pay)
