"""The static files are what the vendor list says, load nothing from elsewhere, and are sent to be kept."""

import gzip
import hashlib
import re
import tomllib
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from scancode.web import assets

STATIC = assets.static_folder()
TEMPLATES = Path(assets.__file__).parent / "templates"
VENDORED = tomllib.loads((STATIC / "vendor/vendor.toml").read_text(encoding="utf-8"))["package"]
OURS = [path for path in STATIC.rglob("*") if path.is_file() and "vendor" not in path.parts]
PAGES = sorted(TEMPLATES.rglob("*.html"))


def vendored_files() -> list[tuple[str, str]]:
    return [(file["path"], file["sha256"]) for package in VENDORED for file in package["file"]]


@pytest.fixture
def client() -> FlaskClient:
    app = Flask("static-only", static_folder=None)
    assets.install(app)
    return app.test_client()


@pytest.mark.parametrize(("path", "sha256"), vendored_files())
def test_a_vendored_file_is_the_one_listed(path: str, sha256: str) -> None:
    assert hashlib.sha256((STATIC / "vendor" / path).read_bytes()).hexdigest() == sha256


def test_every_vendored_file_is_listed_with_its_licence() -> None:
    listed = {path for path, _ in vendored_files()}
    vendor = STATIC / "vendor"
    present = {path.relative_to(vendor).as_posix() for path in vendor.rglob("*") if path.is_file()}
    assert present - {"vendor.toml"} == listed
    for package in VENDORED:
        assert package["license"]
        assert any(file["path"] == f"{package['folder']}/LICENSE" for file in package["file"])


@pytest.mark.parametrize(
    "path",
    sorted(path for path in STATIC.rglob("*") if path.suffix in {".css", ".js", ".svg"}),
    ids=lambda path: path.relative_to(STATIC).as_posix(),
)
def test_no_file_loads_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "sourceMappingURL" not in text
    assert not re.findall(r"""(?:url\(|@import)\s*["']?(?:https?:)?//[^)]*""", text)
    assert not re.findall(r"""(?:\bsrc|href)\s*=\s*["'`](?:https?:)?//""", text)
    assert not re.findall(r"""(?:fetch|import|importScripts)\(\s*["'`](?:https?:)?//""", text)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_no_template_breaks_the_content_security_policy(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<style\b", text), "inline <style>"
    assert not re.search(r"<[^>{]*\sstyle\s*=", text), "inline style attribute"
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/(?:json|ld\+json))", text), "inline script"
    assert not re.search(r"<[a-z][^>]*\son[a-z]+\s*=", text), "inline event attribute"
    assert not re.search(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=\"(?:https?:)?//", text), "another host"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_every_asset_and_icon_named_in_a_template_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"""asset_url\(["']([^"']+)["']\)""", text):
        assert name in assets.fingerprints()
    sprite = "h5/icons.svg" if path.parent.name == "h5" else "icons.svg"
    known = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / sprite).read_text(encoding="utf-8")))
    named = re.findall(r"""\bicon\(["']([a-z0-9-]+)["']""", text)
    for table in re.findall(r"set icons = {([^}]*)}", text):
        named += re.findall(r': "([a-z0-9-]+)"', table)
    for name in named:
        assert name in known, f"{sprite} has no icon {name}"


def test_the_first_consumer_view_leaves_room_for_its_page() -> None:
    names = ["vendor/weui/weui.min.css", "h5/site.css", "h5/h5.js", "h5/icons.svg"]
    sent = sum(len(gzip.compress((STATIC / name).read_bytes(), 9)) for name in names)
    assert sent < 48 * 1024, f"{sent} bytes before any HTML; the whole view may have 60 KB"


def test_a_brands_pale_colour_is_read_where_night_changes_it_too() -> None:
    """``--brand-soft`` is pale by day and night; what stands on a page uses ``--tint``, which is dark at night."""
    readers = {path.name for path in (STATIC / "h5").glob("*.css") if "var(--brand-soft)" in path.read_text("utf-8")}
    assert readers == {"site.css"}
    assert (STATIC / "h5/site.css").read_text("utf-8").count("var(--brand-soft)") == 1


def test_a_versioned_address_is_kept_for_ever(client: FlaskClient) -> None:
    answer = client.get(assets.asset_url("h5/site.css"), headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == assets.FOREVER
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_another_version_is_not_kept(client: FlaskClient) -> None:
    answer = client.get("/static/h5/site.css?v=00000000")
    assert answer.headers["Cache-Control"] == assets.BRIEFLY
    assert "Content-Encoding" not in answer.headers
    assert answer.data == (STATIC / "h5/site.css").read_bytes()


def test_an_unchanged_file_is_not_sent_again(client: FlaskClient) -> None:
    etag = client.get("/static/icons.svg").headers["ETag"]
    assert client.get("/static/icons.svg", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize(
    "path", ["../pyproject.toml", "h5/../../pyproject.toml", "%2e%2e/pyproject.toml", "none.css", ""]
)
def test_only_static_files_are_served(client: FlaskClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404


def test_an_unknown_asset_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        assets.asset_url("nothing.css")


def test_an_installed_wheel_has_its_own_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "scancode"
    (package / "_static").mkdir(parents=True)
    monkeypatch.setattr(assets, "_PACKAGE", package)
    with pytest.raises(FileNotFoundError):
        assets.static_folder.__wrapped__()
    (package / "_static/icons.svg").write_text("<svg/>")
    assert assets.static_folder.__wrapped__() == package / "_static"
