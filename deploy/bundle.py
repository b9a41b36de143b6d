"""Packs the press for computers without a network: ``python deploy/bundle.py OUT.zip``.

The ZIP holds ``batches/``, wheels for Windows and Linux (64 bit) of the Python versions below, with the hashes of the
lock, one installer for each system that looks nowhere but in its own folder, the manual, and checksums of all of it.
Wheels come through pip, from wherever pip is set up to fetch them; the same lock gives the same wheels.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13")
PLATFORMS = {
    "windows": ("win_amd64",),
    "linux": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
}
MOMENT = (1980, 1, 1, 0, 0, 0)
INSTALL_SH = """#!/bin/sh
# Installs the press into the folder "press" beside this file. Needs Python 3.11 to 3.13 (PYTHON names another one).
set -eu
cd "$(dirname "$0")"
sha256sum -c --quiet SHA256SUMS
"${PYTHON:-python3}" -m venv press
press/bin/python -m pip install --quiet --disable-pip-version-check --no-index --find-links wheels/linux \\
  --require-hashes -r press-linux.txt
cp -r batches press/
echo "ready: cd press && bin/python -m batches --help"
"""
INSTALL_CMD = """@echo off\r
rem Installs the press into the folder "press" beside this file. Needs Python 3.11 to 3.13.\r
cd /d "%~dp0"\r
py -3 -m venv press || exit /b 1\r
press\\Scripts\\python -m pip install --quiet --disable-pip-version-check --no-index --find-links wheels\\windows ^\r
  --require-hashes -r press-windows.txt || exit /b 1\r
xcopy /e /i /q /y batches press\\batches >nul || exit /b 1\r
echo ready: cd press, then Scripts\\python -m batches --help\r
"""


def main() -> None:
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "build/press-bundle.zip")
    versions = sys.argv[2].split(",") if len(sys.argv) > 2 else VERSIONS
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for system, platforms in PLATFORMS.items():
            for version in versions:
                fetch(folder / "wheels" / system, ROOT / "requirements" / f"press-{system}.txt", version, platforms)
        write(out, folder)
    sys.stdout.write(f"{out} {out.stat().st_size} bytes sha256 {hashlib.sha256(out.read_bytes()).hexdigest()}\n")


def fetch(target: Path, lock: Path, version: str, platforms: tuple[str, ...]) -> None:
    """The wheels of one system and Python version; those that serve several versions are there once."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", version]
    command += [word for platform in platforms for word in ("--platform", platform)]
    command += ["--require-hashes", "-r", str(lock), "-d", str(target)]
    subprocess.run(command, check=True)  # noqa: S603  (every word of it is ours)


def write(out: Path, folder: Path) -> None:
    """Everything into one ZIP with fixed dates, so that the same contents give the same bytes."""
    members = {str(path.relative_to(folder).as_posix()): path.read_bytes() for path in folder.rglob("*.whl")}
    for path in sorted((ROOT / "batches").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            members[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    for system in PLATFORMS:
        members[f"press-{system}.txt"] = (ROOT / "requirements" / f"press-{system}.txt").read_bytes()
    docs = ROOT / "scancode" / "docs"
    members["press.md"], members["press.zh.md"] = (
        (docs / "press.md").read_bytes(),
        (docs / "zh" / "press.md").read_bytes(),
    )
    members["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    members["install.sh"], members["install.cmd"] = INSTALL_SH.encode(), INSTALL_CMD.encode()
    sums = "".join(f"{hashlib.sha256(members[name]).hexdigest()}  {name}\n" for name in sorted(members))
    members["SHA256SUMS"] = sums.encode()
    part = out.with_name(out.name + ".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, date_time=MOMENT)
            entry.external_attr = (0o755 if name == "install.sh" else 0o644) << 16
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
            archive.writestr(entry, members[name])
    part.replace(out)


if __name__ == "__main__":
    main()
