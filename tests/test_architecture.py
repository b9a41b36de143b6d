"""What the linters do not see: sizes, forbidden names, pure rules, verbs that leave committing to the edge."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import scancode

PACKAGE = Path(scancode.__file__).parent
ROOT = PACKAGE.parent
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
FORBIDDEN = re.compile(r"(^|_)(utils?|helpers?|manager|handle|process|data|info)(_|$)|^(handle_|process_)")
EXEMPT = {
    "my_data": "the person's own data is what the law calls it",
    "own_data": "the person's own data is what the law calls it",
    "handle_error": "the standard library's name for what a server does about a broken connection",
    "handle_request": "gunicorn's name for what a thread of a worker does",
    "process_bind_param": "SQLAlchemy's name for what a type overrides",
    "process_result_value": "SQLAlchemy's name for what a type overrides",
}
"""Names that say exactly what a thing is, although they hold a forbidden word; each with its reason."""


def sources(*, of: Path = PACKAGE) -> Iterator[Path]:
    for path in sorted(of.rglob("*.py")):
        if "migrations/versions" not in path.as_posix():
            yield path


def everything() -> list[Path]:
    return [*sources(), *sources(of=ROOT / "batches")]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_module_is_longer_than_400_lines() -> None:
    long = {str(path): count for path in everything() if (count := len(path.read_text().splitlines())) > 400}
    assert not long


def test_no_function_is_longer_than_60_lines() -> None:
    long = [
        f"{path}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in everything()
        for node in functions(path)
        if node.end_lineno and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert not long, "\n".join(long)


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path)
        for path in everything()
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent


def test_nothing_is_named_by_a_word_that_says_nothing() -> None:
    names: list[str] = []
    for path in everything():
        names += [f"{path.relative_to(ROOT)} (module)"] if _says_nothing(path.stem) else []
        names += [f"{path}:{node.lineno} {node.name}" for node in functions(path) if _says_nothing(node.name)]
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and re.search(r"(Manager|Helper|Utils?|Info|Data|Handler)$", node.name):
                names.append(f"{path}:{node.lineno} {node.name}")
    assert not names, "\n".join(names)


def _says_nothing(name: str) -> bool:
    return bool(FORBIDDEN.search(name)) and name.strip("_") not in EXEMPT


@pytest.mark.parametrize("path", [*PACKAGE.glob("*/rules.py"), *PACKAGE.glob("*/planning.py")], ids=str)
def test_rules_ask_neither_clock_nor_dice_nor_database(path: Path) -> None:
    text = path.read_text()
    assert not re.search(
        r"datetime\.now|utcnow|time\.time\(|\brandom\.|\bsecrets\.|uuid4|os\.urandom|os\.environ", text
    )
    assert not re.search(r"^(import|from) (sqlalchemy|flask)", text, re.MULTILINE)


def services() -> Iterator[Path]:
    yield from PACKAGE.glob("*/service.py")
    yield from PACKAGE.glob("*/service/*.py")


def test_no_service_commits_or_reads_the_clock() -> None:
    wrong = []
    for path in services():
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"\.commit\(|\.rollback\(|datetime\.now|utcnow|time\.time\(|\bflask\b", line):
                wrong.append(f"{path}:{number} {line.strip()}")
    assert not wrong, "\n".join(wrong)


def test_verbs_take_everything_after_the_session_by_name() -> None:
    wrong = []
    for path in services():
        public = path.with_name("__init__.py" if path.parent.name == "service" else path.name).read_text()
        for node in functions(path):
            names = [argument.arg for argument in node.args.args]
            is_verb = names[:1] == ["session"] and re.search(rf"\b{node.name}\b", public) and node.name[0] != "_"
            if is_verb and len(names) > 2:  # one positional fact is readable at the call
                wrong.append(f"{path}:{node.lineno} {node.name}({', '.join(names)})")
    assert not wrong, "\n".join(wrong)


def test_print_is_for_nobody() -> None:
    """Commands use click, everything else logs."""
    wrong = [
        f"{path}:{node.lineno}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not wrong
