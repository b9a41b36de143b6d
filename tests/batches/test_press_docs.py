"""The pages for the factory's engineer say what the program does: commands, exit codes, formats, limits, vectors."""

import json
import re
from pathlib import Path

import pytest

from batches import __main__ as command
from batches import pictures, press, sheet
from batches.files import csv_columns
from batches.items import Kind
from batches.text import ALPHABET

ROOT = Path(__file__).parents[2]
VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))


@pytest.fixture(params=["press.md", "zh/press.md"])
def page(request):
    return (ROOT / "scancode" / "docs" / request.param).read_text("utf-8")


def test_every_command_appears_with_an_example(page):
    for name in command.main.commands:
        assert re.search(rf"python -m batches {name} +\S", page)


def test_every_exit_code_appears(page):
    for number in range(6):
        assert f"\n| {number} | " in page
        assert f"\n  {number}  " in command.EPILOG


def test_every_format_limit_and_column_is_named(page):
    for name in press.FORMATS:
        assert f"\n| `{name}` | " in page
    for limit in (pictures.PNG_COUNT_MAX, sheet.PDF_COUNT_MAX, press.DRAWN_COUNT_MAX, press.DRAWN_FILE_COUNT):
        assert str(limit) in page
    assert set(csv_columns((Kind.INNER,))) <= set(re.findall(r"\w+", page))
    assert ALPHABET in page


def test_the_vectors_of_the_page_are_the_published_ones(page):
    rows = re.findall(r"\| (\d+) \| (\w+) \| (\d+) \| (\d+) \| `(\w+)` \| `(\w+)` \|", page)
    known = {
        tuple(str(each[name]) for name in ("batch", "kind", "serial", "code_id", "tag", "code")) for each in VECTORS
    }
    assert len(rows) == 5
    assert set(rows) <= known
    assert VECTORS[0]["key"] in page
