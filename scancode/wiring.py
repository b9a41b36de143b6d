"""Connects the settings to real things: the database, the keys and whatever stands at the ports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scancode import journal, migrations
from scancode.adapters import sandbox
from scancode.codes import service as codes
from scancode.codes.keys import Keyring
from scancode.config import ConfigError, Settings
from scancode.db import Database
from scancode.ports import Ports, RegionFinder
from scancode.sealing import Sealer
from scancode.staff import service as staff

if TYPE_CHECKING:
    from scancode.adapters.wechat import WeChat
    from scancode.adapters.wechatpay.authorisations import Authorisations
    from scancode.adapters.wechatpay.gateway import Gateway


@dataclass(frozen=True)
class Wired:
    """What every process of the program has, whatever its job."""

    settings: Settings
    db: Database
    ports: Ports
    keyring: Keyring
    sealer: Sealer
    draw_sealer: Sealer


def require_sound(wired: Wired) -> None:
    """Raises ConfigError where the database forbids to serve with these settings: the secret of a batch is missing, so
    that every one of its packages would look forged, or a production install holds accounts whose passwords are public.

    A database that is not at this program's schema forbids nothing: ``/readyz`` says what it lacks.
    """
    if migrations.current(wired.db) != migrations.head():
        return
    with wired.db.reading() as session:
        missing = wired.keyring.missing(codes.load_kids(session))
        is_open = wired.settings.is_production and staff.has_demo(session)
    if missing:
        raise ConfigError(
            f"SCANCODE_CODE_KEYS lacks {', '.join(missing)}, with which batches were made: "
            "put the secret back from your sealed copy"
        )
    if is_open:
        raise ConfigError(
            "this database holds open accounts with published passwords, which production refuses: give each another "
            "password (scancode staff password LOGIN)"
        )


def connect(settings: Settings) -> Wired:
    """Checks the settings and connects them. Raises ConfigError; opens no connection yet."""
    settings.check()
    journal.configure(settings.log_level)
    has_world = "sandbox" in (settings.login_gateway, settings.sms_gateway)
    world = sandbox.World(settings.var_dir / "sandbox.sqlite") if has_world else None
    db = Database(settings.database_url, busy_s=settings.sqlite_busy_s, pool_size=settings.pool_size)
    sealer = Sealer(settings.seal_keys.get_secret_value(), settings.index_key.get_secret_value())
    wechat = _wechat(settings, db, sealer) if settings.login_gateway == "wechat" else None
    payout, authorisations = _wechatpay(settings, db) if settings.payout_gateway == "wechatpay" else (None, None)
    sandbox_login = sandbox.Identity(world) if world and settings.login_gateway == "sandbox" else None
    return Wired(
        settings=settings,
        db=db,
        ports=Ports(
            identity=wechat or sandbox_login,
            payout=payout,
            sms=sandbox.Sms(world) if world and settings.sms_gateway == "sandbox" else None,
            scripts=wechat,
            person=sandbox.Person(settings.wechatpay_url) if settings.wechatpay_sandbox else None,
            regions=_regions(settings) if settings.region_files else None,
            templates=wechat,
            authorisations=authorisations,
        ),
        keyring=Keyring(settings.code_keys.get_secret_value()),
        sealer=sealer,
        draw_sealer=Sealer(settings.draw_keys.get_secret_value(), settings.index_key.get_secret_value()),
    )


def _regions(settings: Settings) -> RegionFinder:
    """Raises ConfigError where a file cannot be read or the library is not there."""
    try:
        from scancode.adapters.ip2region import Regions
    except ImportError as error:
        raise ConfigError("SCANCODE_REGION_FILES needs the extra: pip install 'scancode[regions]'") from error
    paths = [Path(each.strip()) for each in settings.region_files.split(",") if each.strip()]
    try:
        return Regions(paths)
    except (OSError, ValueError) as error:
        raise ConfigError(f"SCANCODE_REGION_FILES: {error}") from error


def _wechat(settings: Settings, db: Database, sealer: Sealer) -> WeChat:
    """Half of a process's threads may wait for WeChat at once. A renewal takes up to four calls one after the other."""
    from scancode.adapters.tokens import TokenShelf
    from scancode.adapters.wechat import Account, WeChat  # its HTTP client takes a moment to load

    account = Account(
        app_id=settings.wechat_app_id,
        secret=settings.wechat_secret.get_secret_value(),
        api_url=settings.wechat_api_url,
        open_url=settings.wechat_open_url,
        script_url=settings.wechat_script_url,
        timeout_s=settings.wechat_timeout_s,
        calls_at_once=max(1, settings.web_threads // 2),
    )
    shelf = TokenShelf(db, sealer, turn_s=4 * account.timeout_s + 2, patience_s=account.timeout_s)
    wechat = WeChat(account, shelf)
    db.before_close(wechat.close)
    return wechat


def _wechatpay(settings: Settings, db: Database) -> tuple[Gateway, Authorisations]:
    """Raises ConfigError where a key cannot be read."""
    from scancode.adapters.wechatpay.authorisations import Authorisations
    from scancode.adapters.wechatpay.gateway import Gateway, fetcher
    from scancode.adapters.wechatpay.platform import Platform, read_keys
    from scancode.adapters.wechatpay.signing import BadKey, Merchant, private_key
    from scancode.adapters.wechatpay.wire import Line, Terms, Wire

    try:
        key = private_key(settings.wechatpay_merchant_key.get_secret_value())
        keys = read_keys(settings.wechatpay_platform_keys)
    except BadKey as error:
        raise ConfigError(f"SCANCODE_WECHATPAY_MERCHANT_KEY or SCANCODE_WECHATPAY_PLATFORM_KEYS: {error}") from error
    v3_keys = [each.encode() for each in settings.v3_keys]
    wire = Wire(
        url=settings.wechatpay_url,
        backup_url="" if settings.wechatpay_sandbox else settings.wechatpay_backup_url,
        merchant=Merchant(settings.wechatpay_mch_id, settings.wechatpay_merchant_serial, key),
        timeout_s=settings.wechatpay_timeout_s,
        connect_s=settings.wechatpay_connect_s,
        clock=lambda: datetime.now(UTC),
    )
    fetch = fetcher(wire, v3_keys) if settings.wechatpay_certificates else None
    db.before_close(wire.close)
    line = Line(wire, Platform(keys, fetch=fetch))
    terms = Terms(
        app_id=settings.wechat_app_id,
        notify_url=settings.notify_url,
        scene=settings.wechatpay_scene,
        perception=settings.wechatpay_perception,
    )
    gateway = Gateway(line, terms, v3_keys=v3_keys, style=settings.wechatpay_style, account=settings.wechatpay_account)
    return gateway, Authorisations(line, terms)
