"""An installed wheel serves what a checkout serves: built here without a network, installed into an environment of its
own that borrows only the libraries of this one."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import scancode
from tests.conftest import SECRETS

ROOT = Path(scancode.__file__).parent.parent
ASKED = (
    "/",
    "/static/h5/site.css",
    "/static/vendor/weui/weui.min.css",
    "/api/v1/openapi.json",
    "/console/login",
    "/12345",
)
PROBE = """
import hashlib, json, re, sys, tempfile
import scancode
from scancode import config, migrations
from scancode.app import create_app
from scancode.i18n import translator
from scancode.wiring import connect

folder = sys.argv[1]
wired = connect(config.load({}, env="test", database_url=f"sqlite:///{folder}/x.sqlite", var_dir=folder,
                            login_gateway="sandbox", **json.loads(sys.argv[2])))
migrations.upgrade(wired.db)
client = create_app(wired=wired).test_client()
answers = {}
for path in json.loads(sys.argv[3]):
    answer = client.get(path, headers={"Accept-Encoding": "identity"})
    body = re.sub(rb"[\\w-]{20,}\\.[\\w-]{5,8}\\.[\\w-]{20,}", b"TOKEN", answer.data)
    body = re.sub(rb'(name="token"[^>]*value=")[^"]*', rb"\\1", body)
    answers[path] = [answer.status_code, answer.content_type, hashlib.sha256(body).hexdigest(), len(body)]
wired.db.close()
print(json.dumps({"from": scancode.__file__, "zh": translator("zh")("This cannot be done."), "answers": answers,
                  "head": migrations.head()}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


def test_it_holds_what_the_program_reads_and_nothing_of_the_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for needed in (
        "scancode/_static/h5/site.css", "scancode/_static/icons.svg", "scancode/i18n/zh/cli.po",
        "scancode/web/templates/h5/scan.html", "scancode/migrations/versions/0001_the_main_job.py",
        "scancode/docs/README.md", "scancode/docs/zh/README.md", "scancode/docs/images/scan.png",
        "batches/fonts/label-sans-sc.ttf", "batches/__main__.py",
    ):  # fmt: skip
        assert needed in names
    packages = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert packages == {"scancode", "batches"}
    checkout = {
        f"scancode/_static/{path.relative_to(ROOT / 'static').as_posix()}"
        for path in (ROOT / "static").rglob("*")
        if path.is_file()
    }
    assert checkout <= names


def test_it_serves_the_same_files_and_pages_as_the_checkout(wheel: Path, tmp_path: Path) -> None:
    python = _installed(wheel, tmp_path / "venv")
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    wheels = _ask(python, tmp_path / "one", cwd=tmp_path)
    checkouts = _ask(Path(sys.executable), tmp_path / "two", cwd=ROOT)
    assert str(tmp_path) in wheels.pop("from")
    assert str(ROOT) in checkouts.pop("from")
    assert wheels == checkouts
    assert [answer[0] for answer in wheels["answers"].values()] == [200, 200, 200, 200, 200, 404]


def test_its_commands_run(wheel: Path, tmp_path: Path) -> None:
    python = _installed(wheel, tmp_path / "venv")
    environ = {"PATH": os.environ["PATH"]}
    version = subprocess.run(
        [python.with_name("scancode"), "--version"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert scancode.__version__ in version.stdout
    key = tmp_path / "key"
    key.write_text("3bdc1538fbb2d778236d310f846b2bcef67247a64cf905e1cb63c272f2521956")
    words = ["mint", "--key-file", str(key), "--batch", "1", "--kind", "inner", "--first", "0", "--count", "3"]
    minted = subprocess.run(
        [python, "-m", "batches", *words], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    assert len(minted.stdout.split()) == 3


def _installed(wheel: Path, folder: Path) -> Path:
    """A new environment with the wheel; its libraries are those of this one, found after its own packages."""
    venv.create(folder, with_pip=False, symlinks=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    command = scripts / "scancode"
    command.write_text(f"#!{scripts / 'python'}\nfrom scancode.cli import main\nmain()\n")
    command.chmod(0o755)
    return scripts / "python"


def _ask(python: Path, folder: Path, *, cwd: Path) -> dict[str, object]:
    words = [str(python), "-c", PROBE, str(folder), json.dumps(SECRETS), json.dumps(ASKED)]
    environ = {"PATH": os.environ["PATH"]} | ({"PYTHONPATH": str(ROOT)} if cwd == ROOT else {})
    answer = subprocess.run(words, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, object] = json.loads(answer.stdout.splitlines()[-1])
    return found
