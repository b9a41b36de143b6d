"""What the console shows of misuse, made by the same rules as anywhere: a copied code, somebody who reports it, and
items that surface where their channel may not sell."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.catalog.rules import BrandFacts
from scancode.channels import service as channels
from scancode.channels.rules import UNKNOWN
from scancode.codes.rules import Life
from scancode.complaints import service as complaints
from scancode.complaints.rules import ComplaintKind, Draft
from scancode.complaints.service import About
from scancode.db import new_id
from scancode.diversion import service as diversion
from scancode.diversion.rules import DiversionTerms
from scancode.scans.models import Scan
from scancode.scans.rules import Verdict
from scancode.scans.writer import Sighting, write
from scancode.sealing import Sealer

COPIES_SEEN_IN = (310000, 440300, 110000, 510100, 330100, 610100, 420100, 320500)
"""Cities in which people scan the copied code, one after the other."""
TERRITORY = (310000, 320000, 330000)
"""Where the channels of the demo may sell: Shanghai, Jiangsu, Zhejiang."""


def play(session: Session, *, brand: BrandFacts, sealer: Sealer, until: datetime) -> None:
    """Once the crowd has gone home."""
    found = session.scalars(
        select(Scan)
        .where(Scan.brand_id == brand.id, Scan.verdict == Verdict.REPEAT.value, Scan.item_channel_id.is_not(None))
        .order_by(Scan.id)
        .limit(1)
    ).first()
    if found is None:
        return
    _copies(session, found, brand, until)
    complaints.complain(
        session,
        about=About("suspect", brand.id, found.product_id, found.batch_number, found.code_id),
        draft=Draft(ComplaintKind.FAKE, "标签颜色偏淡，瓶盖里的码有点模糊，味道也不太对。"),
        photo=None,
        visitor_id=new_id(until),
        language="zh",
        consent_version=None,
        sealer=sealer,
        now=until,
    )
    for channel in channels.list_channels(session, brand_id=brand.id):
        diversion.set_territory(session, channel_id=channel.id, places=TERRITORY, actor="demo", now=until)
    diversion.look(session, brand=brand, terms=DiversionTerms(), now=until)


def _copies(session: Session, first: Scan, brand: BrandFacts, until: datetime) -> None:
    """The same code in city after city, two hours apart."""
    for number, region in enumerate(COPIES_SEEN_IN):
        at = until - timedelta(hours=2 * (len(COPIES_SEEN_IN) - number))
        sighting = Sighting(
            code_id=first.code_id,
            scan_id=new_id(at),
            scanned_at=at,
            day=brand.day(at),
            visitor_id=new_id(at),
            brand_id=brand.id,
            product_id=first.product_id,
            batch_number=first.batch_number,
            life=Life.ACTIVE,
            attribution=replace(UNKNOWN, item_channel_id=first.item_channel_id, region=region),
            client="wechat",
            address_digest=None,
            is_test=False,
        )
        write(session, [sighting])
