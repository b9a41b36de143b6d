"""What goes wrong on purpose. A refusal says no with a machine code and its facts; the edge turns it into words.

Each feature defines its refusals beside the function that raises them. ``text`` is the English sentence, which is
also the key of its Chinese translation; facts fill the ``{names}`` in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal


class Refusal(Exception):
    """The request was understood and is declined. ``status`` is the HTTP status that fits it.

    ``facts`` must never hold personal values: they go to logs and into problem+json bodies.
    """

    code: ClassVar[str] = "refused"
    text: ClassVar[str] = "This cannot be done."
    status: ClassVar[int] = 409

    def __init__(self, **facts: Any) -> None:
        super().__init__(self.code, facts)
        self.facts = facts

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        """The words for a person, in the language of ``translate`` (English by default)."""
        return translate(self.text).format_map(_Facts(self.facts))


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


class NotFound(Refusal):
    """Nothing there, or it belongs to a brand that the asker may not see."""

    code = "not_found"
    text = "There is nothing at this address. It may have been removed, or it belongs to another brand."
    status = 404


class NotAllowed(Refusal):
    code = "not_allowed"
    text = "Your account is not allowed to do this. Ask an administrator for the right."
    status = 403


class Invalid(Refusal):
    """A field has a value that cannot be taken. Facts: ``field``, ``problem`` (an English sentence, translated)."""

    code = "invalid"
    text = "Please check {field}: {problem}"
    status = 422


class Unavailable(Refusal):
    code = "unavailable"
    text = "The service is busy. Nothing was lost; please try again in a moment."
    status = 503


class OutsideError(Exception):
    """An outside service did not do what was asked. ``permanent`` means that trying again cannot help."""

    def __init__(self, code: str, *, permanent: bool) -> None:
        super().__init__(code)
        self.code = code
        self.permanent = permanent


class PayoutError(OutsideError):
    """The payment provider did not do, or did not say, what was asked. ``code`` is a word of its own or one of ours.

    ``outcome``: ``temporary`` (not accepted; the same again later), ``permanent`` (not accepted until a person changes
    something) or ``unknown``. None of them says what became of a bill: only a query does.
    """

    def __init__(
        self, code: str, outcome: Literal["temporary", "permanent", "unknown"], *, status: int | None = None
    ) -> None:
        super().__init__(code, permanent=outcome == "permanent")
        self.outcome = outcome
        self.status = status
