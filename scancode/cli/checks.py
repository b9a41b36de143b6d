"""What the doctor examines, from the settings outwards: each finding is one line, good, worth a note, or bad."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from scancode import config, migrations
from scancode.campaigns.planning import yuan
from scancode.codes import service as codes
from scancode.errors import OutsideError
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.ledger import service as ledger
from scancode.payouts import service as payouts
from scancode.payouts.rules import PayoutState
from scancode.staff import service as staff
from scancode.wiring import Wired, connect

FREE_BYTES_MIN = 1_000_000_000


class Grade(StrEnum):
    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """``text`` is an English sentence with ``{facts}``; ``code`` names the check."""

    grade: Grade
    code: str
    text: str
    facts: dict[str, Any] = field(default_factory=dict)


def new_secret(name: str, now: datetime) -> str:
    """A random secret for a setting; those that rotate carry a key id with their month."""
    return f"k{now:%y%m}:{secrets.token_urlsafe(36)}" if name in ("code_keys", "seal_keys", "draw_keys") else (
        secrets.token_urlsafe(36)
    )  # fmt: skip


def examine(now: datetime) -> Iterator[Finding]:
    """Every check in order; stops where the next would make no sense."""
    try:
        wired = connect(config.load())
    except config.ConfigError as error:
        for line in str(error).splitlines():
            yield Finding(Grade.BAD, "settings", "{line}", {"line": line})
        return
    try:
        yield from _examine(wired, now)
    finally:
        wired.db.close()


def _examine(wired: Wired, now: datetime) -> Iterator[Finding]:
    yield Finding(Grade.GOOD, "settings", N_("settings: {env}, {url}"), _whereabouts(wired))
    yield from _gateways(wired)
    yield from _disk(wired)
    yield from _redis(wired)
    try:
        at, wanted = migrations.current(wired.db), migrations.head()
    except SQLAlchemyError as error:
        problem = type(getattr(error, "orig", None) or error).__name__
        yield Finding(Grade.BAD, "database", N_("the database cannot be reached: {problem}"), {"problem": problem})
        return
    if at != wanted:
        text = N_("the schema is at {at}, the program needs {wanted}: run `scancode db upgrade`")
        yield Finding(Grade.BAD, "schema", text, {"at": at or "-", "wanted": wanted})
        return
    if differences := migrations.differences(wired.db):
        text = N_("the tables differ from the program in {count} places: see `scancode db check`")
        yield Finding(Grade.BAD, "schema_differs", text, {"count": len(differences)})
    else:
        yield Finding(Grade.GOOD, "schema", N_("database: reachable, schema {at} as the program needs it"), {"at": at})
    yield from _wechat(wired)
    with wired.db.reading() as session:
        yield from _books(session, wired)
        yield from _money(session, wired)
        yield from _work(session, now)


def _whereabouts(wired: Wired) -> dict[str, str]:
    return {"env": wired.settings.env, "url": wired.settings.base_url}


def _gateways(wired: Wired) -> Iterator[Finding]:
    settings = wired.settings
    chosen = {"payout": settings.payout_gateway, "sms": settings.sms_gateway, "login": settings.login_gateway}
    missing = [name for name, gateway in chosen.items() if gateway == "none"]
    named = ", ".join(f"{name} {gateway}" for name, gateway in chosen.items())
    if missing:
        yield Finding(Grade.NOTE, "gateways", N_("gateways: {named}; what is none does not happen"), {"named": named})
    else:
        yield Finding(Grade.GOOD, "gateways", N_("gateways: {named}"), {"named": named})


def _disk(wired: Wired) -> Iterator[Finding]:
    folder = wired.settings.var_dir
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        text = N_("the folder {folder} is missing or cannot be written to: make it, or set SCANCODE_VAR_DIR")
        yield Finding(Grade.BAD, "var_dir", text, {"folder": folder})
        return
    free = shutil.disk_usage(folder).free
    facts = {"folder": folder, "free": f"{free / 1e9:.1f}"}
    if free < FREE_BYTES_MIN:
        yield Finding(Grade.BAD, "disk", N_("only {free} GB are free in {folder}"), facts)
    else:
        yield Finding(Grade.GOOD, "disk", N_("disk: {free} GB are free in {folder}"), facts)


def _redis(wired: Wired) -> Iterator[Finding]:
    url = wired.settings.redis_url
    if not url:
        return
    try:
        import_module("redis").Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3).ping()
    except Exception as error:  # whatever the client raises, and the missing client itself
        facts = {"problem": type(error).__name__}
        yield Finding(Grade.BAD, "redis", N_("Redis cannot be reached: {problem}"), facts)
    else:
        yield Finding(Grade.GOOD, "redis", N_("Redis: reachable"))


WECHAT_SAYS = {
    40013: N_("WeChat refuses (40013): the app id is wrong (SCANCODE_WECHAT_APP_ID)"),
    40125: N_("WeChat refuses (40125): the secret is wrong, or was reset there (SCANCODE_WECHAT_SECRET)"),
    40164: N_("WeChat refuses (40164): this computer's address is not on its list of allowed addresses"),
    48001: N_("WeChat refuses (48001): the account has no such right; it must be a verified service account"),
    45009: N_("WeChat refuses (45009): today's number of calls is used up"),
}


def _wechat(wired: Wired) -> Iterator[Finding]:
    """Asks WeChat itself, where the settings name it; with the token that all processes share, so it costs none."""
    if wired.ports.scripts is None:
        return
    try:
        wired.ports.scripts.check()
    except OutsideError as error:
        errcode = getattr(error, "errcode", 0)
        text = WECHAT_SAYS.get(errcode) or N_("WeChat cannot be used: {problem} ({errcode})")
        yield Finding(Grade.BAD, "wechat", text, {"problem": error.code, "errcode": errcode or "-"})
    else:
        yield Finding(Grade.GOOD, "wechat", N_("WeChat: account, secret and this computer's address are accepted"))


def _books(session: Session, wired: Wired) -> Iterator[Finding]:
    missing = wired.keyring.missing(codes.load_kids(session))
    if missing:
        text = N_("SCANCODE_CODE_KEYS lacks {kids}: every package of those batches would look forged")
        yield Finding(Grade.BAD, "code_keys", text, {"kids": ", ".join(missing)})
    else:
        yield Finding(Grade.GOOD, "code_keys", N_("code keys: the secret of every batch is there"))
    chain = staff.verify_chain(session)
    if chain.problem:
        text = N_("the audit record is broken at row {seq}: {problem}")
        yield Finding(Grade.BAD, "audit", text, {"seq": chain.seq, "problem": chain.problem})
    else:
        yield Finding(Grade.GOOD, "audit", N_("audit record: {count} rows, unbroken"), {"count": f"{chain.rows:,}"})
    unbalanced = ledger.find_unbalanced(session)
    if unbalanced:
        text = N_("the points of {count} accounts are not the sum of their entries")
        yield Finding(Grade.BAD, "ledger", text, {"count": len(unbalanced)})
    else:
        yield Finding(Grade.GOOD, "ledger", N_("points: every balance is the sum of its entries"))
    if wired.settings.is_production and staff.has_demo(session):
        yield Finding(Grade.BAD, "demo_accounts", N_("accounts with published passwords are open: close them"))


def _money(session: Session, wired: Wired) -> Iterator[Finding]:
    if wired.ports.payout is None:
        return
    balance = payouts.find_balance(session)
    if balance is None or balance.available_fen is None:
        yield Finding(Grade.NOTE, "balance", N_("balance: not known yet; the worker asks every ten minutes"))
        return
    facts = {"yuan": yuan(balance.available_fen)}
    if balance.available_fen < wired.settings.balance_alert_fen:
        yield Finding(
            Grade.NOTE, "balance_low", N_("balance: only {yuan} yuan are left to pay red packets with"), facts
        )
    else:
        yield Finding(Grade.GOOD, "balance", N_("balance: {yuan} yuan to pay red packets with"), facts)
    held = payouts.totals(session, brand_id=None)[PayoutState.QUARANTINED].count
    if held:
        text = N_("{count} payments are held for a look: see Payouts in the console")
        yield Finding(Grade.NOTE, "held", text, {"count": held})


def _work(session: Session, now: datetime) -> Iterator[Finding]:
    alive = sum(worker.is_alive for worker in jobs.workers(session, now=now))
    if alive:
        yield Finding(Grade.GOOD, "workers", N_("workers alive: {count}"), {"count": alive})
    else:
        yield Finding(Grade.NOTE, "workers", N_("no worker is alive: nothing is minted, paid or sent"))
    queue = jobs.counts(session, now=now)
    facts = {"queued": queue.queued, "late": queue.late, "dead": queue.dead}
    if queue.dead:
        yield Finding(Grade.BAD, "dead_jobs", N_("{dead} jobs have given up: see Jobs in the console"), facts)
    elif queue.late:
        yield Finding(Grade.NOTE, "late_jobs", N_("jobs: {late} are late, {queued} wait"), facts)
    else:
        yield Finding(Grade.GOOD, "jobs", N_("jobs: {queued} wait, none is late, none has given up"), facts)
    for stop in jobs.list_stops(session):
        text = N_("{name} are stopped: {reason}; see `scancode reconcile`")
        yield Finding(Grade.NOTE, "stopped", text, {"name": stop.name, "reason": stop.reason})
