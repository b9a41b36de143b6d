"""``scancode serve`` (gunicorn) and ``scancode worker``: the two kinds of process that make the service."""

from __future__ import annotations

from typing import Any

import click
from gunicorn.app.base import BaseApplication

from scancode.cli.bars import gettext
from scancode.cli.root import wire
from scancode.config import Settings
from scancode.i18n import N_
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
            "worker_class": "gthread",
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


COMMANDS = (serve, worker)
