"""Where the payment provider posts what became of a bill. Not for browsers: the body is read as bytes, the signature is
verified before anything of it is parsed, and the answer is a bare status.

Whatever is not believed is refused; what is believed is applied by the same transition as the poller's. A database that
is busy for too long is answered with 503 and the provider calls again: it waits five seconds for us.
"""

from __future__ import annotations

import structlog
from flask import Blueprint, Flask, Response, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from scancode import patience
from scancode.config import NOTIFY_PATH
from scancode.errors import NotFound, OutsideError
from scancode.payouts import service as payouts
from scancode.ports import Notice
from scancode.web.runtime import Runtime, runtime

notices = Blueprint("notices", __name__)
BODY_BYTES_MAX = 64_000
WITHIN_S, ANSWER_S = 3.5, 4.5
"""How long a lock, and all that the database has to say, may take."""
log = structlog.get_logger(__name__)


def install(app: Flask) -> None:
    app.register_blueprint(notices)


@notices.post(NOTIFY_PATH)
def wechat_notice() -> Response:
    """200: dealt with, now or before. 401: not believed. 404: no such bill here (yet). 503: call again."""
    shared = runtime()
    if shared.ports.payout is None or request.query_string:
        return Response(status=404)
    request.max_content_length = BODY_BYTES_MAX
    body = request.get_data(cache=False, parse_form_data=False)
    try:
        notice = shared.ports.payout.read_notice(dict(request.headers), body)
    except OutsideError as error:
        log.warning("notice_refused", error=error.code)
        return Response(status=401)
    about = notice.bill.out_bill_no if notice.bill else notice.authorisation.number if notice.authorisation else None
    if about is None:
        log.info("notice_of_something_else")
        return Response(status=200)
    try:
        with patience.within(ANSWER_S), shared.db.transaction(within_s=WITHIN_S) as session:
            state = _take(session, shared, notice)
    except NotFound:
        log.warning("notice_of_no_bill", number=about)
        return Response(status=404)
    except (DBAPIError, PoolTimeout) as error:
        log.warning("notice_put_off", error=type(error).__name__)
        return Response(status=503)
    log.info("notice_taken", number=about, state=state)
    return Response(status=200)


def _take(session: Session, shared: Runtime, notice: Notice) -> str:
    """The state in which it leaves what it is about. Raises NotFound."""
    if notice.authorisation is not None:
        return payouts.take_authorisation_notice(
            session, notice_id=notice.id, said=notice.authorisation, sealer=shared.sealer, now=shared.now()
        ).state.value
    assert notice.bill is not None
    return payouts.take_notice(
        session,
        notice_id=notice.id,
        bill=notice.bill,
        prefix=shared.settings.payout_prefix,
        sealer=shared.sealer,
        now=shared.now(),
    ).state.value
