"""``GET /CODE/seen.css``: the page's own confirmation that a browser has shown it.

The page of somebody who brought no cookie names this empty style sheet, meant for print, so that nothing is painted
later because of it. A browser fetches it, with the cookie that came with the page and also without JavaScript; what
reads a page to preview its title does not. Only then does the scan count (docs/decisions/0026).
"""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request

from scancode.db import made_at
from scancode.scans.confirming import Confirmation
from scancode.scans.past import Marked
from scancode.web.clients import is_bot
from scancode.web.h5 import h5
from scancode.web.h5.meeting import require_welcome
from scancode.web.reading import read_code
from scancode.web.runtime import runtime
from scancode.web.visitor import known_visitor

SHOWN_WITHIN = timedelta(hours=1)
"""A page that is shown is shown at once; later nobody needs to ask the database."""


@h5.get("/<text>/seen.css")
def seen(text: str) -> Response:
    """Always empty. Raises NotOurs, Blocked, TooFast, Stalled."""
    shared, visitor, now = runtime(), known_visitor(), runtime().now()
    code = read_code(shared, text)
    if visitor is not None and not is_bot(request.environ) and now - made_at(visitor.id) < SHOWN_WITHIN:
        require_welcome(shared, request.environ, visitor, now)
        shared.guard.confirmation(visitor.id, now=now)
        about = Marked(code.code_id, code.brand.id, code.product.id, code.batch.number)
        terms = shared.copy_terms.get(code.brand.id)
        shared.writer.confirm(Confirmation(visitor.id, about, code.batch.is_test, terms))
    return Response("", mimetype="text/css")
