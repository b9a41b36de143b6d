"""The two languages. English sentences are the keys; ``zh/*.po`` beside this file hold the Chinese.

Catalogues are merged when the program starts, one file a part of the program, so that no build step is needed and
an installed wheel speaks as a checkout does.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LOCALES = ("zh", "en")
DEFAULT_LOCALE = "zh"
FOLDER = Path(__file__).parent


def N_(text: str) -> str:  # noqa: N802 - the name that gettext tools know
    """Marks a sentence that is translated later, where it is shown."""
    return text


@cache
def translations(locale: str) -> NullTranslations:
    """Every catalogue of a locale, merged. English has none: its keys are its words."""
    merged = NullTranslations()
    for path in sorted((FOLDER / locale).glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=locale, abort_invalid=True)
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        part = Translations(compiled)
        merged = part if not isinstance(merged, Translations) else merged.merge(part)
    return merged


def translator(locale: str) -> Callable[[str], str]:
    """``translator("zh")("Void")`` -> ``"作废"``; a text without translation comes back as it is."""
    return translations(locale).gettext
