"""One step of somebody's work, behind a button: done in one transaction; the next page says so, or why it was not."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.errors import NotAllowed, NotFound, Refusal
from scancode.web.runtime import runtime


def take(step: Callable[[Session], object], said: str, *, tone: str = "warning") -> bool:
    """Whether it was done. Raises NotFound, NotAllowed."""
    try:
        runtime().db.retrying(step)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        flash(refusal.sentence(gettext), tone)
        return False
    flash(said, "success")
    return True
