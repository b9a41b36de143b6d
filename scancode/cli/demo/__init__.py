"""``scancode demo``: the whole job on one machine with one command, and pages to go on with by hand.

The first start makes a folder with secrets and a database, tells the story of one brand through the real functions
and the real worker, and serves; every later start finds it all there. Ctrl-C or SIGTERM ends it with its processes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from sqlalchemy import select

from scancode import config, migrations
from scancode.catalog import service as catalog
from scancode.catalog.models import Brand
from scancode.cli.bars import Bar, gettext
from scancode.cli.demo import guide, misuse, place, running, story
from scancode.cli.demo.crowd import Crowd
from scancode.cli.root import FAULTY, REFUSED, fail
from scancode.i18n import N_
from scancode.sandbox_pay.book import BOOK
from scancode.wiring import Wired, connect, require_sound


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (default: PORT or 8000).")
@click.option("--no-serve", is_flag=True, help="Make the demo's data, print the guide, and stop.")
def demo(port: int | None, no_serve: bool) -> None:
    """Show the whole job on this machine: a make-believe brand, served until Ctrl-C."""
    port = port or int(os.environ.get("PORT") or 8000)
    pay_port = place.free_port(port)
    environ = place.environment(os.environ, port=port, pay_port=pay_port)
    host = environ.get("SCANCODE_BIND_HOST", "127.0.0.1")
    if not no_serve and not place.is_free(host, port):
        sentence = gettext(N_("port {port} is in use: stop what listens there, or say `make demo PORT={other}`"),
                           port=port, other=port + 1 if port < 65535 else 8000)  # fmt: skip
        fail(sentence, code="port_in_use", status=REFUSED)
    wired = _prepared(environ)
    try:
        with running.Processes(place.child_environment(os.environ, environ)) as processes:
            processes.start("sandbox-pay", "--port", str(pay_port), "--folder", str(_pay_folder(wired)))
            processes.wait_until_ready("sandbox-pay", f"http://127.0.0.1:{pay_port}/sandbox/state")
            _seed_once(wired)
            if not no_serve:
                processes.start("serve")
                processes.start("worker")
                place_of_web = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
                processes.wait_until_ready("serve", f"http://{place_of_web}:{port}/healthz")
            _print_guide(wired)
            if not no_serve:
                processes.wait()
    except running.Ended:
        click.echo(gettext(N_("The demo has stopped. Start it again and it is all still there.")))
    except running.ChildDied as error:
        fail(gettext(N_("`scancode {name}` ended by itself; see above"), name=error), code="child_died", status=FAULTY)


def _pay_folder(wired: Wired) -> Path:
    return wired.settings.var_dir / place.PAY_FOLDER


def _prepared(environ: Mapping[str, str]) -> Wired:
    """Connected, with a current schema; a story that was interrupted is thrown away where it is ours to do so."""
    settings = config.load(environ)
    wired = connect(settings)
    migrations.upgrade(wired.db)
    if wired.db.is_sqlite and _is_half_told(wired) and _is_inside(wired, settings.var_dir):
        wired.db.close()
        books = (settings.var_dir / "sandbox.sqlite", _pay_folder(wired) / BOOK)
        for name in (*books, Path(str(wired.db.url.database))):
            for suffix in ("", "-wal", "-shm"):
                name.with_name(name.name + suffix).unlink(missing_ok=True)
        wired = connect(settings)
        migrations.upgrade(wired.db)
    require_sound(wired)
    return wired


def _is_inside(wired: Wired, folder: Path) -> bool:
    return Path(str(wired.db.url.database)).absolute().is_relative_to(folder)


def _is_half_told(wired: Wired) -> bool:
    with wired.db.reading() as session:
        return not story.is_told(session) and session.scalar(select(Brand.id).limit(1)) is not None


def _seed_once(wired: Wired) -> None:
    with wired.db.reading() as session:
        if story.is_told(session):
            return
    if _is_half_told(wired):
        raise story.DemoBroken(problem="the database holds other rows", folder=str(wired.settings.var_dir))
    click.echo(gettext(N_("First start: the main job is done once, for real.")))
    now = datetime.now(UTC)
    cast = story.Story(wired, now=now, step=lambda text: click.echo(f"  ✓ {gettext(text)}")).tell()
    until = now - timedelta(minutes=2)
    with Bar("  " + gettext(N_("consumers of the last days"))) as progress:
        Crowd(wired, cast, since=now - timedelta(days=5), until=until).walk(progress)
    click.echo("  ✓ " + gettext(N_("a few dozen scans, claims, members and payments, played for the past days")))
    with wired.db.transaction() as session:
        brand = catalog.load_brand(session, brand_id=cast.brand_id)
        if brand is not None:
            misuse.play(session, brand=brand, sealer=wired.sealer, until=until)
    click.echo("  ✓ " + gettext(N_("a copied code, a report of it, and items that surfaced outside their territory")))
    with wired.db.transaction() as session:
        story.sign_off(session, cast, now=now)


def _print_guide(wired: Wired) -> None:
    fresh = guide.find_fresh(wired)
    wired.db.close()
    for line in guide.lines(fresh, wired.settings.base_url):
        click.echo(line)


COMMANDS = (demo,)
