"""Every sentence of the program exists in both languages, with the same places for facts in it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import scancode
from scancode.errors import Refusal
from scancode.i18n import FOLDER, translations

ROOT = Path(scancode.__file__).parent
PLACES = re.compile(r"%\((\w+)\)s|\{(\w+)(?::,)?\}")
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]
KEYWORDS = {"_": None, "N_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2), "lazy_ngettext": (1, 2)}


def sentences() -> dict[str, str]:
    """Every marked English sentence, with the first place where it stands."""
    found: dict[str, str] = {}
    for name, line, message, _, _ in extract_from_dir(ROOT, METHODS, keywords=KEYWORDS):
        for text in message if isinstance(message, tuple) else (message,):
            if text:
                found.setdefault(text, f"{name}:{line}")
    return found


def test_every_sentence_has_chinese() -> None:
    chinese = translations("zh")
    missing = [f"{where}: {text}" for text, where in sentences().items() if chinese.gettext(text) == text]
    missing = [line for line in missing if re.search(r": .*[a-z]{2}", line)]
    assert not missing, "\n".join(missing)


def places(text: str) -> set[str]:
    """The names of a sentence's places; a fact that is itself words has one place for each language."""
    names = {name for pair in PLACES.findall(text) for name in pair if name}
    return names - {"en", "zh"} | ({"words"} if names & {"en", "zh"} else set())


def test_a_translation_keeps_the_places_for_facts() -> None:
    """What the press says comes in both languages: ``{en}`` stands where ``{zh}`` does."""
    wrong = []
    for path in (FOLDER / "zh").glob("*.po"):
        with path.open("rb") as file:
            catalogue = read_po(file)
        for message in catalogue:
            if not message.id:
                continue
            english = message.id if isinstance(message.id, str) else message.id[-1]
            chinese = message.string if isinstance(message.string, str) else message.string[0]
            if places(english) != places(chinese):
                wrong.append(f"{path.name}: {english} / {chinese}")
    assert not wrong, "\n".join(wrong)


def test_one_sentence_has_one_translation() -> None:
    seen: dict[str, tuple[str, str]] = {}
    wrong = []
    for path in sorted((FOLDER / "zh").glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file)
        for message in catalogue:
            if isinstance(message.id, str) and message.id:
                before = seen.setdefault(message.id, (path.name, str(message.string)))
                if before[1] != message.string:
                    wrong.append(f"{message.id}: {before} / {path.name} {message.string}")
    assert not wrong, "\n".join(wrong)


def refusals() -> list[type[Refusal]]:
    for module in pkgutil.walk_packages([str(ROOT)], "scancode."):
        if ".migrations." not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: list[type[Refusal]] = []
    todo: list[type[Refusal]] = [Refusal]
    while todo:
        kind = todo.pop()
        found.append(kind)
        todo += kind.__subclasses__()
    return found


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_every_refusal_has_its_own_code_and_sentence(locale: str) -> None:
    kinds = refusals()
    texts = {kind.code: kind for kind in kinds}
    for kind in kinds:
        assert kind.text, kind
        sentence = kind().sentence(translations(locale).gettext)
        assert sentence
        if locale == "zh":
            assert re.search(r"[一-鿿]", sentence), f"{kind.__module__}.{kind.__name__}: {kind.text}"
    assert len(texts) >= len({kind.text for kind in kinds}) * 0.9
