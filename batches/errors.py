"""Refusals of the press: each has a machine code and its facts; pages and commands put them into words."""

from __future__ import annotations

from typing import ClassVar, Final

PAYLOAD_LENGTH_MAX: Final = 80


class PressError(Exception):
    """The press cannot or must not do this.

    ``code`` names the reason for programs, ``facts`` hold what an explanation needs, ``payload`` is what
    was given, shortened. The message is an English sentence; ``batches.words`` has the Chinese one.
    """

    code: ClassVar[str] = "press"

    def __init__(self, message: str, *, payload: str = "", **facts: str | int) -> None:
        super().__init__(message)
        self.payload = payload[:PAYLOAD_LENGTH_MAX]
        self.facts = facts


class CodeError(PressError, ValueError):
    """A text or a number that cannot be a code."""

    code = "code"


class BadSpec(PressError, ValueError):
    """An order that cannot be printed. Facts: ``field``, ``value``."""

    code = "bad_spec"


class TooMany(PressError):
    """More pictures than one file or one run may hold. Facts: ``format``, ``count``, ``limit``."""

    code = "too_many"


class DoesNotFit(PressError):
    """A symbol or a line that is larger than its label. Facts: ``what``, ``needs_mm``, ``has_mm`` (as text)."""

    code = "does_not_fit"


class Unprintable(PressError):
    """A character that the label font lacks. Facts: ``character``."""

    code = "unprintable"


class NoSpace(PressError):
    """The disk is too full for the pack. Facts: ``needs_mb``, ``has_mb``, ``folder``."""

    code = "no_space"


class Stopped(PressError):
    """Somebody cancelled the run; what was finished stays and is used when it starts again."""

    code = "stopped"


class OtherPack(PressError):
    """The folder belongs to another order, or to other settings. Facts: ``folder``."""

    code = "other_pack"


class BadManifest(PressError, ValueError):
    """A manifest that is missing, damaged or of a later version. Facts: ``file``, ``reason``."""

    code = "bad_manifest"


class BadTable(PressError, ValueError):
    """A table that cannot be written or read at all. Facts: ``file``, ``reason``."""

    code = "bad_table"


class Unproved(PressError):
    """A finished file that does not hold what it must. Facts: ``file``, ``row``, ``what``."""

    code = "unproved"


class BadKeyFile(PressError, ValueError):
    """A key file that does not hold 64 hexadecimal digits. Facts: ``file``."""

    code = "bad_key_file"


class BadRecipient(PressError, ValueError):
    """Not the public key of anybody: an age recipient begins with ``age1``."""

    code = "bad_recipient"


class BadIdentity(PressError, ValueError):
    """A file that does not hold one age identity. Facts: ``file``."""

    code = "bad_identity"


class NotSealedForYou(PressError):
    """A sealed file that this identity does not open, or that holds something else than it should."""

    code = "not_sealed_for_you"


class BadKit(PressError, ValueError):
    """A press kit that is damaged or of a later version. Facts: ``reason``."""

    code = "bad_kit"


class KitOver(PressError):
    """A press kit whose time is over: what it would make could not be activated any more. Facts: ``until``."""

    code = "kit_over"
