"""What the bundle for computers without a network is made of: what the press imports, as the lock pins it."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def imported() -> set[str]:
    """The packages that ``batches/`` imports and Python does not bring."""
    found: set[str] = set()
    for path in (ROOT / "batches").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"batches"}


def pins(path: Path) -> set[tuple[str, str]]:
    return set(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", path.read_text(), re.MULTILINE))


def test_the_bundle_lists_what_the_press_imports() -> None:
    names = {packages_distributions()[name][0].lower().replace("_", "-") for name in imported()}
    listed = {line for line in (ROOT / "deploy" / "press.in").read_text().splitlines() if line and line[0] != "#"}
    assert names == listed


@pytest.mark.parametrize("system", ["linux", "windows"])
def test_its_locks_agree_with_the_programs_own(system: str) -> None:
    own, whole = pins(ROOT / "requirements" / f"press-{system}.txt"), pins(ROOT / "requirements" / "base.txt")
    assert set(pins_wanted()) <= {name for name, _ in own}
    known = {name for name, _ in whole}
    assert [pin for pin in own if pin[0] in known and pin not in whole] == []
    assert "--hash=sha256:" in (ROOT / "requirements" / f"press-{system}.txt").read_text()


def pins_wanted() -> list[str]:
    return [line for line in (ROOT / "deploy" / "press.in").read_text().splitlines() if line and line[0] != "#"]
