"""The documentation says everything: each setting, address, command and kind of job; and no page is missing or lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import scancode
from scancode import config
from scancode.app import create_app
from scancode.cli import main
from scancode.worker.runners import RUNNERS
from tests.conftest import SECRETS

DOCS = Path(scancode.__file__).parent / "docs"
ROOT = DOCS.parent.parent
PAGES = sorted(DOCS.rglob("*.md"))
BOTH = ("README", "operating", "cli", "press")
"""Pages that exist in Chinese, too."""


def everything() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md")))


def addresses(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Every method and path that the application answers, as ``GET``, ``/t/{token}``."""
    settings = config.load(
        {}, env="test", database_url=f"sqlite:///{tmp_path / 'x.sqlite'}", var_dir=tmp_path,
        sms_gateway="sandbox", login_gateway="sandbox", **SECRETS,
    )  # fmt: skip
    for rule in create_app(settings).url_map.iter_rules():
        path = re.sub(r"<(?:[^<>:]+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, path


def test_every_address_is_described(tmp_path: Path) -> None:
    text = everything()
    missing = sorted({f"{method} {path}" for method, path in addresses(tmp_path) if f"`{method} {path}`" not in text})
    assert not missing, "\n".join(missing)


def test_no_address_is_described_that_does_not_exist(tmp_path: Path) -> None:
    known = {f"{method} {path}" for method, path in addresses(tmp_path)}
    described = set(re.findall(r"`((?:GET|POST|PUT|DELETE) /[^`\s]*)`", (DOCS / "endpoints.md").read_text()))
    assert not sorted(described - known)


@pytest.mark.parametrize("name", list(config.Settings.model_fields))
def test_a_setting_is_described_with_its_default(name: str) -> None:
    variable, field = config.variable_of(name), config.Settings.model_fields[name]
    rows = re.findall(
        rf"^\| `{variable}` \| ([^|]*) \| ([^|]*) \|$", (DOCS / "configuration.md").read_text(), re.MULTILINE
    )
    assert len(rows) == 1, variable
    default, description = rows[0]
    assert description.strip() == field.description
    wanted = "required" if name in config.SECRETS else "none" if field.default is None else f"`{_plain(field.default)}`"
    assert default.strip() == wanted


@pytest.mark.parametrize("name", list(config.Settings.model_fields))
def test_the_example_environment_lists_a_setting(name: str) -> None:
    variable, field = config.variable_of(name), config.Settings.model_fields[name]
    found = re.findall(rf"^#?{variable}=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(found) == 1, variable
    assert found[0] == ("" if name in config.SECRETS or field.default is None else _plain(field.default))


def test_no_setting_is_described_that_does_not_exist() -> None:
    known = {config.variable_of(name) for name in config.Settings.model_fields}
    known |= {f"{name}_FILE" for name in known} | {"SCANCODE_TEST_REQUIRE"}
    named = set(re.findall(r"\bSCANCODE_[A-Z_]*[A-Z]\b", everything() + (ROOT / ".env.example").read_text()))
    assert not sorted(named - known)


def _plain(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return str(int(default)) if isinstance(default, float) and default.is_integer() else str(default)


def commands(command: click.Command, words: tuple[str, ...] = ("scancode",)) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield " ".join(words), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        yield from commands(child, (*words, name))


@pytest.mark.parametrize(
    ("words", "command"), list(commands(main)), ids=lambda value: str(value) if isinstance(value, str) else ""
)
def test_a_command_is_described_with_its_options(words: str, command: click.Command) -> None:
    for page in (DOCS / "cli.md", DOCS / "zh" / "cli.md"):
        text = page.read_text(encoding="utf-8")
        found = re.search(rf"`{words}(?=[ `])", text)
        assert found, f"{page}: {words}"
        entry = re.split(r"\n- |\n\n|\n## ", text[found.start() :])[0]
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name != "help":
                assert any(option in entry for option in parameter.opts), f"{page}: {words} {parameter.opts}"


@pytest.mark.parametrize("kind", list(RUNNERS))
def test_a_kind_of_job_is_described(kind: str) -> None:
    for page in (DOCS / "operating.md", DOCS / "zh" / "operating.md"):
        assert f"| `{kind}` |" in page.read_text(encoding="utf-8"), page


@pytest.mark.parametrize("name", BOTH)
def test_a_page_exists_in_both_languages(name: str) -> None:
    assert (DOCS / f"{name}.md").is_file()
    chinese = (DOCS / "zh" / f"{name}.md").read_text(encoding="utf-8")
    assert len(re.findall(r"[\u4e00-\u9fff]", chinese)) > 300


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not re.match(r"https?:|mailto:", target):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text()
    lost = [page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"({page.name})" not in index]
    assert not lost


def test_decisions_are_numbered_once_and_dated() -> None:
    pages = sorted((DOCS / "decisions").glob("*.md"))
    numbers = [page.name[:4] for page in pages]
    assert numbers == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        assert re.search(r"\b20\d\d-\d\d-\d\d\b", page.read_text()), page


def test_the_readme_shows_the_two_commands_and_two_pictures() -> None:
    for page in (ROOT / "README.md", DOCS / "zh" / "README.md"):
        text = page.read_text(encoding="utf-8")
        assert "make demo" in text
        assert "make test" in text
        assert "images/scan.png" in text
        assert "images/report.png" in text
