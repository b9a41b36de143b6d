"""Looks every hour for items that surface outside their territory. One job, which puts itself back into the outbox."""

from __future__ import annotations

from datetime import timedelta

import structlog

from scancode.catalog import service as catalog
from scancode.diversion import service as diversion
from scancode.diversion.rules import DiversionTerms
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.wiring import Wired
from scancode.worker.progress import Clock

KEY = "diversion"
EVERY = timedelta(hours=1)
log = structlog.get_logger(__name__)


def terms_of(wired: Wired) -> DiversionTerms:
    """From when on a case is opened, unless a brand has values of its own."""
    settings = wired.settings
    return DiversionTerms(
        settings.diversion_items, settings.diversion_share, settings.diversion_km, settings.diversion_days
    )


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    terms, opened = terms_of(wired), 0
    with wired.db.reading() as session:
        brands = catalog.list_brands(session)
    for brand in brands:
        opened += wired.db.retrying(
            lambda session, brand=brand: diversion.look(  # type: ignore[misc]
                session,
                brand=brand,
                terms=diversion.load_terms(session, brand_id=brand.id, otherwise=terms),
                now=clock(),
            )
        )
    log.info("looked_for_diversion", opened=opened)
    with wired.db.transaction() as session:
        jobs.reschedule(session, leased=leased, run_at=clock() + EVERY, now=clock())
