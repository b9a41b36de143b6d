"""``GET /CODE/seen.css``: the page's own confirmation that a browser has shown it.

The page of somebody who brought no cookie names this empty style sheet, meant for print, so that nothing is painted
later because of it. A browser fetches it, with the cookie that came with the page and also without JavaScript; what
reads a page to preview its title does not. Only then does the scan count (docs/decisions/0026).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Response, request

from scancode.db import made_at
from scancode.scans.confirming import Confirmation
from scancode.scans.past import Marked
from scancode.web.clients import is_bot
from scancode.web.h5 import h5
from scancode.web.h5.meeting import KNOWN, Steps, alone, require_welcome
from scancode.web.reading import ReadCode, read_code
from scancode.web.runtime import Runtime, runtime
from scancode.web.visitor import Visitor, known_visitor

SHOWN_WITHIN = timedelta(hours=1)
"""A page that is shown is shown at once; later nobody needs to ask the database."""


@h5.get("/<text>/seen.css")
def seen(text: str) -> Response:
    """Always empty. Raises NotOurs, Blocked, TooFast, Stalled."""
    shared, met = runtime(), request.environ.pop(KNOWN, None)
    if isinstance(met, Exception):  # what the front was refused
        raise met
    code, visitor = read_code(shared, text), known_visitor()
    if visitor is not None:
        alone(shared, confirm(shared, request.environ, code, visitor, shared.now()))
    return Response("", mimetype="text/css")


def confirm(
    shared: Runtime, environ: Mapping[str, Any], code: ReadCode, visitor: Visitor, now: datetime
) -> Steps[None]:
    """The page was shown to this browser, if it is one that has just come."""
    if visitor.is_new or is_bot(environ) or now - made_at(visitor.id) >= SHOWN_WITHIN:
        return
    require_welcome(shared, environ, visitor, now)
    about, terms = Marked(code.code_id, code.brand.id, code.product.id, code.batch.number), shared.copy_terms
    confirmation = Confirmation(visitor.id, about, code.batch.is_test, terms.get(code.brand.id))
    shared.guard.confirmation(visitor.id, now=now)
    yield confirmation
