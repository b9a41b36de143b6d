"""Every setting of the program, read once from the environment into one frozen object.

A setting ``SCANCODE_X`` may instead be given as a file by ``SCANCODE_X_FILE`` (secrets mounted by an orchestrator).
The guard at the end keeps a production install from starting with anything that only a demo may have.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Environment = Literal["production", "development", "demo", "test"]
UNSAFE_MARK = "insecure"
"""Every secret that the demo makes up holds this word, so that production can refuse it."""


class ConfigError(Exception):
    """The environment does not make a runnable program; the message says which setting and what to do."""


class Settings(BaseSettings):
    """Settings of one process. Field ``x`` is read from ``SCANCODE_X``; three have the names that hosts give them."""

    model_config = SettingsConfigDict(env_prefix="SCANCODE_", frozen=True, extra="ignore", populate_by_name=True)

    env: Environment = Field("production", description="production, development, demo or test")
    database_url: str = Field(
        "sqlite:///var/scancode.sqlite",
        validation_alias="DATABASE_URL",
        description="sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME",
    )
    redis_url: str | None = Field(
        None, validation_alias="REDIS_URL", description="shares rate limits between processes; optional"
    )
    port: int = Field(8000, validation_alias="PORT", ge=1, le=65535, description="port of the web server")
    bind_host: str = Field("127.0.0.1", description="address that the web server listens on")
    base_url: str = Field("http://127.0.0.1:8000", description="printed on every code: the scan host, no path")
    scan_hosts: str = Field("", description="comma list: more scan hosts that orders may choose, as https://q.brand.cn")
    var_dir: Path = Field(Path("var"), description="folder for packs, backups and the SQLite file")
    web_workers: int = Field(2, ge=1, le=64, description="web server processes")
    web_threads: int = Field(8, ge=1, le=64, description="threads in each web process")
    trusted_proxies: int = Field(0, ge=0, le=5, description="proxies in front whose X-Forwarded-* are believed")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level logged")

    code_keys: SecretStr = Field(SecretStr(""), description="kid:secret,… the last makes new batches; seal a copy")
    session_keys: SecretStr = Field(SecretStr(""), description="comma list; signs cookies; the last signs")
    link_keys: SecretStr = Field(SecretStr(""), description="comma list; signs links to previews and to packs")
    seal_keys: SecretStr = Field(SecretStr(""), description="kid:secret,… encrypts phones and openids at rest")
    index_key: SecretStr = Field(SecretStr(""), description="keys the blind index of phones and openids; never changes")
    draw_keys: SecretStr = Field(SecretStr(""), description="kid:secret,… encrypts the secrets of tranches")

    payout_gateway: Literal["none", "wechatpay"] = Field("none", description="who pays red packets")
    sms_gateway: Literal["none", "sandbox"] = Field("none", description="who sends text messages")
    login_gateway: Literal["none", "sandbox", "wechat"] = Field("none", description="who says which openid is there")
    wechat_app_id: str = Field("", pattern=r"^[0-9A-Za-z_-]{0,32}$", description="AppID of the official account")
    wechat_secret: SecretStr = Field(SecretStr(""), description="AppSecret of the official account")
    wechat_api_url: str = Field("https://api.weixin.qq.com", description="where WeChat's API answers")
    wechat_open_url: str = Field("https://open.weixin.qq.com", description="where WeChat's login page stands")
    wechat_script_url: str = Field(
        "https://res.wx.qq.com/open/js/jweixin-1.6.0.js", description="WeChat's script for pages inside WeChat"
    )
    wechat_timeout_s: float = Field(5.0, gt=0, le=30, description="seconds that one call to WeChat may take in all")
    wechatpay_url: str = Field("https://api.mch.weixin.qq.com", description="address of WeChat Pay, no path")
    wechatpay_backup_url: str = Field(
        "https://api2.mch.weixin.qq.com", description="its second address, for when the first cannot be reached"
    )
    wechatpay_mch_id: str = Field("", pattern=r"^[0-9]{0,32}$", description="the merchant number that pays")
    wechatpay_merchant_key: SecretStr = Field(
        SecretStr(""), description="private key of the merchant's API certificate, PEM"
    )
    wechatpay_merchant_serial: str = Field(
        "", pattern=r"^[0-9A-Fa-f]{0,64}$", description="serial of the merchant's API certificate"
    )
    wechatpay_v3_keys: SecretStr = Field(
        SecretStr(""), description="comma list of APIv3 keys, 32 characters each; all open what is sealed"
    )
    wechatpay_platform_keys: str = Field(
        "",
        description="PEM of what WeChat Pay signs with: public keys, each after a line with its id, and certificates",
    )
    wechatpay_certificates: bool = Field(
        False, description="downloads platform certificates, for a merchant without a public key"
    )
    wechatpay_notify_url: str = Field(
        "", description="where WeChat Pay posts results, no query; default: the base URL and /pay/wechat/notify"
    )
    wechatpay_scene: str = Field("1000", pattern=r"^[0-9]{4}$", description="transfer scene: 1000 is 现金营销")
    wechatpay_perception: str = Field(
        "活动奖励", max_length=32, description="what the person reads the money is for: 活动奖励 or 现金奖励"
    )
    wechatpay_style: Literal["", "CONFIRM_PAGE", "RED_PACKET"] = Field(
        "", description="how the person receives it, where WeChat Pay lets one choose: CONFIRM_PAGE or RED_PACKET"
    )
    wechatpay_no_confirm: str = Field(
        "",
        pattern=r"^(\*|[0-9a-z-]+(,[0-9a-z-]+)*)?$",
        description="comma list of brands, or `*`: whose people may agree to be paid without confirming each time",
    )
    wechatpay_account: Literal["BASIC", "OPERATION"] = Field(
        "OPERATION", description="the account that pays: its balance is watched and its daily bill compared"
    )
    wechatpay_timeout_s: float = Field(10.0, gt=0, le=60, description="seconds WeChat Pay may take to answer")
    wechatpay_connect_s: float = Field(3.0, gt=0, le=30, description="seconds a connection to it may take")
    wechatpay_rate: int = Field(
        90, ge=1, le=1000, description="calls a second of all workers together; WeChat Pay allows 100"
    )
    wechatpay_sandbox: bool = Field(
        False, description="the address is `scancode sandbox-pay`: its page stands for WeChat's own"
    )
    balance_alert_fen: int = Field(
        100_000, ge=0, le=10**12, description="below this balance, in fen, operators are warned"
    )
    demo_accounts: bool = Field(False, description="accounts with published passwords exist")

    region_files: str = Field(
        "", description="comma list of ip2region xdb files (IPv4, IPv6) that tell a scan's province and city; optional"
    )
    touch_days: int = Field(7, ge=0, le=90, description="days for which a touch explains later scans")
    reservation_hours: int = Field(72, ge=1, le=720, description="hours an anonymous prize is kept")
    payout_prefix: str = Field("SC", pattern=r"^[0-9A-Z]{1,6}$", description="starts this install's bill numbers")
    otp_minutes: int = Field(5, ge=1, le=30, description="minutes a one-time password lives")
    otp_resend_s: int = Field(60, ge=10, le=600, description="seconds between two messages to one phone")
    otp_per_hour: int = Field(5, ge=1, le=100, description="messages per phone and rolling hour")
    otp_per_day: int = Field(10, ge=1, le=500, description="messages per phone and rolling 24 hours")
    otp_per_address_hour: int = Field(20, ge=1, le=10_000, description="messages per network address and hour")
    login_failures: int = Field(5, ge=3, le=50, description="wrong passwords before an account is locked")
    login_lock_minutes: int = Field(15, ge=1, le=1440, description="minutes that a lock lasts")
    session_hours: int = Field(12, ge=1, le=720, description="hours a staff session lasts")
    address_days: int = Field(7, ge=0, le=7, description="days that keyed hashes of addresses are kept")
    suspect_visitors: int = Field(20, ge=3, le=10_000, description="different visitors after which a code looks copied")
    suspect_cities: int = Field(5, ge=2, le=400, description="different cities after which a code looks copied")
    suspect_days: int = Field(30, ge=1, le=3650, description="days of scans that these rules look at")
    suspect_kmh: int = Field(
        1000, ge=100, le=100_000, description="faster than this, in km/h, no item travels from visitor to visitor"
    )
    diversion_items: int = Field(
        3, ge=2, le=10_000, description="items of one shipment that have to surface outside its territory"
    )
    diversion_share: int = Field(
        20, ge=1, le=100, description="percent of its scanned items that have to, unless so many are of one case"
    )
    diversion_km: int = Field(50, ge=0, le=5000, description="kilometres around a territory that still belong to it")
    diversion_days: int = Field(30, ge=1, le=365, description="days of scans that these rules look at")
    scans_per_address: int = Field(
        3000, ge=0, le=10**9, description="scans a minute from one network address; 0: any number"
    )
    scans_per_visitor: int = Field(120, ge=0, le=10**9, description="scans a minute by one browser; 0: any number")
    scans_per_code: int = Field(600, ge=0, le=10**9, description="scans a minute of one code; 0: any number")
    claims_per_person: int = Field(
        200, ge=0, le=10**9, description="claims a day (UTC) by one browser or person; 0: any number"
    )
    misses_before_work: int = Field(
        20, ge=0, le=10**9, description="texts that are no code, in ten minutes, before a proof of work; 0: never one"
    )
    work_cost: int = Field(60_000, ge=1000, le=10_000_000, description="tries that a proof of work takes at most")
    complaint_days: int = Field(
        180, ge=1, le=3650, description="days after its answer that a complaint's words, photo and number are kept"
    )
    preference_days: int = Field(
        365, ge=1, le=3650, description="days after a member last opened a link that this is kept, where they agreed"
    )
    order_limit: int = Field(
        1_000_000, ge=0, le=1 << 25, description="items one person may order in a day without a second person"
    )
    pack_days: int = Field(30, ge=1, le=3650, description="days that print files stay on the disk")
    download_days: int = Field(
        3, ge=1, le=3650, description="days after which a pack that nobody fetched raises an alert"
    )
    activate_days: int = Field(
        60, ge=1, le=3650, description="days after which codes that nobody activated raise an alert"
    )
    link_days: int = Field(7, ge=1, le=90, description="days that a link to a sealed pack is valid at most")
    link_downloads: int = Field(3, ge=1, le=100, description="downloads that a link allows at most")
    link_failures: int = Field(5, ge=3, le=20, description="wrong passcodes before a link is locked for a while")
    link_lock_minutes: int = Field(15, ge=1, le=1440, description="minutes that such a lock lasts")
    download_log_days: int = Field(
        180, ge=1, le=3650, description="days that the addresses of downloads are kept, sealed"
    )
    max_body_bytes: int = Field(8_000_000, ge=10_000, description="largest request body")
    max_upload_bytes: int = Field(1_000_000_000, ge=10_000, description="largest upload of files by staff")
    upload_days: int = Field(30, ge=1, le=3650, description="days that reports on uploaded files are kept")
    scan_stall_s: float = Field(5.0, gt=0, le=60, description="seconds a scan may wait for its commit")
    claim_stall_s: float = Field(8.0, gt=0, le=60, description="seconds a claim may wait for its commit")
    page_stall_s: float = Field(
        20.0, gt=0, le=300, description="seconds a consumer's page waits for each database answer"
    )
    sqlite_busy_s: float = Field(15.0, gt=0, le=120, description="seconds a SQLite write may wait for its turn")
    pool_size: int = Field(10, ge=1, le=200, description="PostgreSQL connections per process")

    @field_validator("base_url")
    @classmethod
    def _bare_origin(cls, value: str) -> str:
        scheme, _, rest = value.partition("://")
        if scheme.lower() not in {"http", "https"} or not rest or "/" in rest.rstrip("/"):
            raise ValueError("must be an origin such as https://q.brand.cn, without a path")
        return value.rstrip("/")

    @field_validator("wechat_api_url", "wechat_open_url")
    @classmethod
    def _plain_origin(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[0-9A-Za-z.:-]+/?", value):
            raise ValueError("must be an origin such as https://api.weixin.qq.com, without a path")
        return value.rstrip("/")

    @field_validator("wechat_script_url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        """It goes into a header of pages, so nothing may stand in it that ends a source there."""
        if not re.fullmatch(r"https?://[0-9A-Za-z.:-]+/[0-9A-Za-z._/-]+", value):
            raise ValueError("must be the address of a script, such as https://res.wx.qq.com/open/js/jweixin-1.6.0.js")
        return value

    @field_validator("scan_hosts")
    @classmethod
    def _bare_origins(cls, value: str) -> str:
        return ",".join(cls._bare_origin(each.strip()) for each in value.split(",") if each.strip())

    @property
    def scan_bases(self) -> tuple[str, ...]:
        """Every scan host that may be printed, the usual one first."""
        return (self.base_url, *(each for each in self.scan_hosts.split(",") if each and each != self.base_url))

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def has_sandbox(self) -> bool:
        return self.wechatpay_sandbox or "sandbox" in (self.sms_gateway, self.login_gateway)

    @property
    def notify_url(self) -> str:
        """Where the payment provider posts results."""
        return self.wechatpay_notify_url or self.base_url + NOTIFY_PATH

    def spares_confirming(self, brand: str) -> bool:
        """Whether people of this brand (its slug) may agree to be paid without confirming each time."""
        return self.wechatpay_no_confirm == "*" or brand in self.wechatpay_no_confirm.split(",")

    def check(self) -> Settings:
        """Returns itself, or raises ConfigError naming every setting that keeps this process from starting."""
        faults = [
            f"SCANCODE_{name.upper()} is not set: give a secret of 32 or more random characters "
            f"(scancode doctor --new-secrets prints a set)"
            for name in SECRETS
            if not getattr(self, name).get_secret_value()
        ]
        if self.login_gateway == "wechat":
            faults += [
                f"SCANCODE_{name.upper()} is not set: WeChat shows it under Settings, Basic configuration"
                for name, value in (
                    ("wechat_app_id", self.wechat_app_id),
                    ("wechat_secret", self.wechat_secret.get_secret_value()),
                )
                if not value
            ]
        if self.payout_gateway == "wechatpay":
            faults += self._wechatpay_faults()
        if self.is_production:
            faults += self._production_faults()
        if faults:
            raise ConfigError("\n".join(faults))
        return self

    def _wechatpay_faults(self) -> list[str]:
        wanted = ("mch_id", "merchant_key", "merchant_serial", "v3_keys")
        given = {f"wechatpay_{name}": getattr(self, f"wechatpay_{name}") for name in wanted}
        given["wechat_app_id"] = self.wechat_app_id  # whose openids are paid; bound to the merchant number
        faults = [
            f"SCANCODE_{name.upper()} is not set: SCANCODE_PAYOUT_GATEWAY=wechatpay needs it"
            for name, value in given.items()
            if not (value.get_secret_value() if isinstance(value, SecretStr) else value)
        ]
        if any(len(key.encode()) != 32 for key in self.v3_keys):
            faults.append("SCANCODE_WECHATPAY_V3_KEYS: an APIv3 key has exactly 32 characters")
        if not self.wechatpay_platform_keys and not self.wechatpay_certificates:
            faults.append(
                "SCANCODE_WECHATPAY_PLATFORM_KEYS is not set: give WeChat Pay's public key with its id, "
                "or set SCANCODE_WECHATPAY_CERTIFICATES=true"
            )
        if "?" in self.notify_url or "#" in self.notify_url or len(self.notify_url) > 256:
            faults.append("SCANCODE_WECHATPAY_NOTIFY_URL must have no query and at most 256 characters")
        return faults

    @property
    def v3_keys(self) -> list[str]:
        """The APIv3 keys of the payment provider, the newest last."""
        return [key.strip() for key in self.wechatpay_v3_keys.get_secret_value().split(",") if key.strip()]

    def _production_faults(self) -> list[str]:
        faults = [
            f"SCANCODE_{name.upper()}=sandbox is for demo and tests: production refuses to start with it"
            for name in ("sms_gateway", "login_gateway")
            if getattr(self, name) == "sandbox"
        ]
        if self.wechatpay_sandbox:
            faults.append("SCANCODE_WECHATPAY_SANDBOX is set: production refuses money that is not real")
        if self.payout_gateway == "wechatpay":
            faults += [
                f"SCANCODE_{name.upper()} must begin with https:// in production"
                for name in ("wechatpay_url", "wechatpay_backup_url", "wechatpay_notify_url")
                if getattr(self, name) and not getattr(self, name).startswith("https://")
            ]
            if any(UNSAFE_MARK in key for key in self.v3_keys):
                faults.append("SCANCODE_WECHATPAY_V3_KEYS holds a key of the sandbox")
        owner_of: dict[str, str] = {}
        for name in SECRETS:
            for entry in getattr(self, name).get_secret_value().split(","):
                secret = entry.split(":", 1)[-1].strip()
                if entry and (UNSAFE_MARK in entry or len(secret) < 32 or len(set(secret)) < 8):
                    faults.append(
                        f"SCANCODE_{name.upper()} holds a default or weak secret: use 32 or more random characters"
                    )
                elif owner_of.setdefault(secret, name) != name:
                    faults.append(
                        f"SCANCODE_{name.upper()} holds a secret of SCANCODE_{owner_of[secret].upper()}: "
                        "each has its own, so that losing one gives away nothing else"
                    )
        if self.demo_accounts:
            faults.append("SCANCODE_DEMO_ACCOUNTS is set: production refuses accounts with published passwords")
        faults += [
            f"{variable_of(name)} must begin with https:// in production"
            for name in ("base_url", "wechat_api_url", "wechat_open_url", "wechat_script_url")
            if not getattr(self, name).lower().startswith("https://")
        ]
        return faults


NOTIFY_PATH = "/pay/wechat/notify"
SECRETS = ("code_keys", "session_keys", "link_keys", "seal_keys", "index_key", "draw_keys")


def load(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """The settings of this process from ``environ`` (default: the process's own), unchecked.

    Raises ConfigError when a value has the wrong form or a ``*_FILE`` cannot be read.
    """
    source = dict(os.environ if environ is None else environ)
    values: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        variable = variable_of(name)
        path = source.get(variable + "_FILE")
        if path:
            try:
                values[str(field.validation_alias or name)] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ConfigError(f"{variable}_FILE: cannot read {path}: {error.strerror}") from error
            except UnicodeDecodeError as error:
                raise ConfigError(f"{variable}_FILE: {path} is not text in UTF-8") from error
        elif source.get(variable):
            values[str(field.validation_alias or name)] = source[variable]
    for name, value in overrides.items():
        values[str(Settings.model_fields[name].validation_alias or name)] = value
    try:
        return _Explicit(**values)
    except ValidationError as error:
        raise ConfigError("\n".join(_sentences(error))) from None


def _sentences(error: ValidationError) -> list[str]:
    """What is wrong, by the variable's name and without its value, which may be a secret."""
    fields = Settings.model_fields.items()
    variables = {str(field.validation_alias or name): variable_of(name) for name, field in fields}
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return [f"{variables[str(fault['loc'][0])]}: {fault['msg'].removeprefix('Value error, ')}" for fault in faults]


class _Explicit(Settings):
    """Takes only what ``load`` hands over, so that a test's environment is exactly what it says."""

    @classmethod
    def settings_customise_sources(cls, settings_cls: Any, init_settings: Any, **_: Any) -> Any:  # type: ignore[override]
        return (init_settings,)


def variable_of(name: str) -> str:
    """The environment variable of a field: ``redis_url`` -> ``REDIS_URL``, ``env`` -> ``SCANCODE_ENV``."""
    alias = Settings.model_fields[name].validation_alias
    return str(alias) if alias else f"SCANCODE_{name.upper()}"
