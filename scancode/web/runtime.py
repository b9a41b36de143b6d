"""What the pages of one process share: the connected program, and what it has read of the reference tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.rules import Offer, Trial
from scancode.catalog import service as catalog
from scancode.catalog.revision import Cached, Watch
from scancode.catalog.rules import BrandFacts, ProductPage
from scancode.channels import service as channels
from scancode.channels.rules import Place, TouchpointFacts
from scancode.claims.desk import Desk
from scancode.codes import service as codes
from scancode.codes.keys import Keyring
from scancode.codes.ranges import SpanMap
from scancode.codes.rules import BatchFacts
from scancode.config import Settings
from scancode.db import Database
from scancode.diversion import service as diversion
from scancode.ports import Ports
from scancode.resolver import service as resolver
from scancode.resolver.rules import ProductLinks
from scancode.scans import service as scans
from scancode.scans.blocklist import Blocklist
from scancode.scans.misses import Misses
from scancode.scans.rules import CopyTerms
from scancode.scans.writer import Writer
from scancode.sealing import Sealer
from scancode.web import guard
from scancode.web.guard import Guard
from scancode.web.guard.counts import Allowance

NEAR_MISSES_A_SECOND = 20


@dataclass(frozen=True)
class Runtime:
    """One per process. The caches hold reference tables only: never a scan, a claim or a person."""

    settings: Settings
    db: Database
    ports: Ports
    keyring: Keyring
    sealer: Sealer
    draw_sealer: Sealer
    watch: Watch
    numbers: Cached[None, frozenset[int]]
    """The numbers of all batches: a text with another number is refused without a query."""
    batches: Cached[int, BatchFacts | None]
    brands: Cached[UUID, BrandFacts | None]
    houses: Cached[None, tuple[BrandFacts, ...]]
    """Every brand, for pages that cannot know which one they are about."""
    products: Cached[UUID, ProductPage | None]
    gtins: Cached[None, dict[str, UUID]]
    links: Cached[UUID, ProductLinks]
    """By product: where its Digital Links lead."""
    site_files: Cached[None, dict[str, str]]
    shipped: Cached[int, SpanMap[Place]]
    batch_channels: Cached[int, UUID | None]
    """By batch number: the channel that explains what was shipped nowhere."""
    sole_channels: Cached[UUID, dict[int, UUID]]
    """By brand: the channel that is alone in a province or city."""
    touchpoints: Cached[str, TouchpointFacts | None]
    offers: Cached[int, SpanMap[Offer]]
    """By batch number: the newest published offer over each range of serials, running or not."""
    trials: Cached[int, tuple[Trial, ...]]
    """By batch number: what testers may try."""
    copy_terms: Cached[UUID, CopyTerms]
    """By brand: when a code looks copied."""
    writer: Writer
    desk: Desk
    misses: Misses
    guard: Guard
    near_misses: Allowance
    """Looks for a slip of the fingers in what is no code."""
    blocks: Cached[None, Blocklist]
    """Addresses and browsers that staff hold off."""

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC)


def build(
    *, settings: Settings, db: Database, ports: Ports, keyring: Keyring, sealer: Sealer, draw_sealer: Sealer
) -> Runtime:
    """Connects nothing yet: caches fill and threads start on first use, so a server may fork first."""
    watch = Watch(db)
    terms = CopyTerms(settings.suspect_visitors, settings.suspect_cities, settings.suspect_days, settings.suspect_kmh)
    misses = Misses(db)
    watch.on_look(misses.flush)
    guarding = guard.build(settings, db, sealer)
    watch.on_look(guarding.share)
    return Runtime(
        settings=settings,
        db=db,
        ports=ports,
        keyring=keyring,
        sealer=sealer,
        draw_sealer=draw_sealer,
        watch=watch,
        numbers=Cached(watch, db, lambda session, _: codes.load_numbers(session)),
        batches=Cached(watch, db, lambda session, number: codes.load_batch(session, number=number, keyring=keyring)),
        brands=Cached(watch, db, lambda session, brand_id: catalog.load_brand(session, brand_id=brand_id)),
        houses=Cached(watch, db, lambda session, _: tuple(catalog.list_brands(session))),
        products=Cached(watch, db, lambda session, product_id: catalog.load_page(session, product_id=product_id)),
        gtins=Cached(watch, db, lambda session, _: catalog.load_gtins(session)),
        links=Cached(watch, db, lambda session, product_id: resolver.load_links(session, product_id=product_id)),
        site_files=Cached(watch, db, lambda session, _: resolver.load_files(session)),
        shipped=Cached(watch, db, lambda session, number: channels.load_shipped(session, batch_number=number)),
        batch_channels=Cached(
            watch, db, lambda session, number: channels.load_batch_channel(session, batch_number=number)
        ),
        sole_channels=Cached(watch, db, _load_sole_channels),
        touchpoints=Cached(watch, db, lambda session, token: channels.load_touchpoint(session, token=token)),
        offers=Cached(
            watch, db, lambda session, number: campaigns.load_offers(session, batch_number=number, sealer=draw_sealer)
        ),
        trials=Cached(
            watch, db, lambda session, number: campaigns.load_trials(session, batch_number=number, sealer=draw_sealer)
        ),
        copy_terms=Cached(
            watch, db, lambda session, brand_id: scans.load_copy_terms(session, brand_id=brand_id, otherwise=terms)
        ),
        writer=Writer(db, stall_s=settings.scan_stall_s),
        desk=Desk(db, stall_s=settings.claim_stall_s),
        misses=misses,
        guard=guarding,
        near_misses=Allowance(NEAR_MISSES_A_SECOND),
        blocks=Cached(watch, db, lambda session, _: scans.load_blocklist(session)),
    )


def _load_sole_channels(session: Session, brand_id: UUID) -> dict[int, UUID]:
    """Where channels may sell counts as well as where their stores are."""
    owned = diversion.territories_of(session, brand_id=brand_id).items()
    territories = [(region, channel_id) for (channel_id, _), regions in owned for region in regions]
    return channels.load_sole_channels(session, brand_id=brand_id, territories=territories)


def runtime() -> Runtime:
    """The runtime of the app that serves this request."""
    found: Runtime = current_app.extensions["scancode"]
    return found
