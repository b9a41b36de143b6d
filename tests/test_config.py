"""Settings: read once from an environment, also from files, and what keeps a production install from starting."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from scancode import config
from scancode.config import SECRETS, ConfigError, Settings, load, variable_of


def production(**over: str) -> dict[str, str]:
    """An environment with which production starts."""
    own = {variable_of(name): f"k1:{secrets.token_urlsafe(32)}" for name in SECRETS}
    return {**own, "SCANCODE_BASE_URL": "https://q.example.cn", **over}


def faults(environ: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as refused:
        load(environ).check()
    return str(refused.value)


def test_production_is_the_default_and_starts_with_proper_settings() -> None:
    settings = load(production()).check()
    assert settings.is_production
    assert not settings.has_sandbox


@pytest.mark.parametrize("name", SECRETS)
def test_no_environment_starts_without_a_secret(name: str) -> None:
    for env in ("production", "development", "demo", "test"):
        assert variable_of(name) in faults(production(**{variable_of(name): "", "SCANCODE_ENV": env}))


@pytest.mark.parametrize("gateway", ["SMS", "LOGIN"])
def test_production_refuses_sandboxes(gateway: str) -> None:
    environ = production(**{f"SCANCODE_{gateway}_GATEWAY": "sandbox"})
    assert f"SCANCODE_{gateway}_GATEWAY" in faults(environ)
    load({**environ, "SCANCODE_ENV": "demo"}).check()


def test_production_refuses_demo_accounts_and_plain_http() -> None:
    assert "SCANCODE_DEMO_ACCOUNTS" in faults(production(SCANCODE_DEMO_ACCOUNTS="true"))
    assert "https://" in faults(production(SCANCODE_BASE_URL="http://q.example.cn"))


def wechat(**over: str) -> dict[str, str]:
    named = {"SCANCODE_WECHAT_APP_ID": "wx0123456789abcdef", "SCANCODE_WECHAT_SECRET": secrets.token_hex(16)}
    return production(SCANCODE_LOGIN_GATEWAY="wechat", **{**named, **over})


def test_the_real_login_needs_an_account_in_every_environment() -> None:
    load(wechat()).check()
    for name in ("SCANCODE_WECHAT_APP_ID", "SCANCODE_WECHAT_SECRET"):
        assert name in faults(wechat(**{name: "", "SCANCODE_ENV": "test"}))


@pytest.mark.parametrize("name", ["API_URL", "OPEN_URL", "SCRIPT_URL"])
def test_production_speaks_with_wechat_by_https_only(name: str) -> None:
    plain = {f"SCANCODE_WECHAT_{name}": "http://127.0.0.1:9" + ("/a.js" if name == "SCRIPT_URL" else "")}
    assert f"SCANCODE_WECHAT_{name}" in faults(wechat(**plain))
    load(wechat(SCANCODE_ENV="test", **plain)).check()


@pytest.mark.parametrize(
    "url", ["https://res.wx.qq.com/a.js; script-src *", "https://res.wx.qq.com/a.js 'unsafe-inline'", "//x/a.js"]
)
def test_an_address_of_wechat_is_nothing_but_that(url: str) -> None:
    with pytest.raises(ConfigError):
        load(wechat(SCANCODE_WECHAT_SCRIPT_URL=url))
    with pytest.raises(ConfigError):
        load(wechat(SCANCODE_WECHAT_OPEN_URL=url))


@pytest.mark.parametrize(
    "secret", ["k1:short", "k1:insecure-" + "0123456789abcdef" * 3, "k1:" + "ab" * 32, "k1:" + "0f3k" * 9]
)
@pytest.mark.parametrize("name", SECRETS)
def test_production_refuses_weak_and_published_secrets(name: str, secret: str) -> None:
    assert f"{variable_of(name)} holds" in faults(production(**{variable_of(name): secret}))


def test_a_weak_secret_beside_a_good_one_is_refused_too() -> None:
    assert "SCANCODE_CODE_KEYS" in faults(production(SCANCODE_CODE_KEYS=f"a:{secrets.token_urlsafe(32)},b:short"))


def test_production_refuses_one_secret_for_two_purposes() -> None:
    shared = secrets.token_urlsafe(32)
    environ = production(SCANCODE_CODE_KEYS=f"k1:{shared}", SCANCODE_SESSION_KEYS=shared)
    assert "SCANCODE_SESSION_KEYS holds a secret of SCANCODE_CODE_KEYS" in faults(environ)


def test_no_refusal_quotes_a_secret() -> None:
    environ = production(SCANCODE_SEAL_KEYS="k1:insecure-but-mine", SCANCODE_BASE_URL="http://q")
    assert "but-mine" not in faults(environ)
    assert "but-mine" not in repr(load(environ))


@pytest.mark.parametrize("name", [*SECRETS, "wechat_secret", "database_url", "redis_url", "port", "env"])
def test_a_setting_may_stand_in_a_file(tmp_path: Path, name: str) -> None:
    value = {"port": "8123", "env": "test"}.get(name, f"k1:{name}")
    (tmp_path / "secret").write_text(f"{value}\n", encoding="utf-8")
    found = getattr(load({f"{variable_of(name)}_FILE": str(tmp_path / "secret")}), name)
    assert str(found.get_secret_value() if hasattr(found, "get_secret_value") else found) == value


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SCANCODE_CODE_KEYS_FILE: cannot read"):
        load({"SCANCODE_CODE_KEYS_FILE": str(tmp_path / "none")})
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not text"):
        load({"SCANCODE_CODE_KEYS_FILE": str(tmp_path / "binary")})


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "70000"), ("SCANCODE_BASE_URL", "https://q.cn/path"), ("SCANCODE_ENV", "staging"),
     ("SCANCODE_ADDRESS_DAYS", "8"), ("SCANCODE_PAYOUT_PREFIX", "a-b")],
)  # fmt: skip
def test_a_value_of_the_wrong_form_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: ") as refused:
        load(production(**{name: value}))
    assert value not in str(refused.value)


def test_settings_are_frozen() -> None:
    settings: Settings = load(production())
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_nothing_is_read_from_outside_the_environment_that_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCANCODE_ENV", "test")
    assert config.load({}).env == "production"


PAYING = {
    "SCANCODE_PAYOUT_GATEWAY": "wechatpay",
    "SCANCODE_WECHAT_APP_ID": "wx1",
    "SCANCODE_WECHATPAY_MCH_ID": "1900000001",
    "SCANCODE_WECHATPAY_MERCHANT_KEY": "PEM",
    "SCANCODE_WECHATPAY_MERCHANT_SERIAL": "AB",
    "SCANCODE_WECHATPAY_V3_KEYS": "0123456789abcdefghijklmnopqrstuv",
    "SCANCODE_WECHATPAY_CERTIFICATES": "true",
}


def test_paying_needs_everything_that_signs_and_verifies() -> None:
    settings = load(production(**PAYING)).check()
    assert settings.notify_url == "https://q.example.cn/pay/wechat/notify"
    for name in ("WECHAT_APP_ID", "WECHATPAY_MCH_ID", "WECHATPAY_MERCHANT_KEY", "WECHATPAY_V3_KEYS"):
        assert f"SCANCODE_{name} is not set" in faults(production(**{**PAYING, f"SCANCODE_{name}": ""}))
    assert "PLATFORM_KEYS" in faults(production(**{**PAYING, "SCANCODE_WECHATPAY_CERTIFICATES": "false"}))
    assert "32 characters" in faults(production(**{**PAYING, "SCANCODE_WECHATPAY_V3_KEYS": "short"}))
    assert "no query" in faults(production(**PAYING, SCANCODE_WECHATPAY_NOTIFY_URL="https://q.example.cn/n?a=1"))


@pytest.mark.parametrize("name", ["URL", "BACKUP_URL", "NOTIFY_URL"])
def test_production_pays_over_https_only(name: str) -> None:
    environ = production(**PAYING, **{f"SCANCODE_WECHATPAY_{name}": "http://pay.example"})
    assert f"SCANCODE_WECHATPAY_{name} must begin with https://" in faults(environ)


def test_production_refuses_the_sandbox_of_payments() -> None:
    assert "SCANCODE_WECHATPAY_SANDBOX" in faults(production(**PAYING, SCANCODE_WECHATPAY_SANDBOX="true"))
    own = {**PAYING, "SCANCODE_WECHATPAY_V3_KEYS": "insecure0123456789abcdefghijklmn"}
    assert "key of the sandbox" in faults(production(**own))
