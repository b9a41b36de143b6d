"""Plain factory functions for the tests, by feature. Each makes one valid thing; ``over`` changes a column or two."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from unittest import mock
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.models import Campaign
from scancode.campaigns.planning import PrizeLine, RangeLine
from scancode.catalog.models import Brand, Product
from scancode.channels.models import Channel, Store, Touchpoint
from scancode.codes.models import Batch, LifeRange
from scancode.db import Database, new_id
from scancode.sealing import Sealer
from scancode.staff import passwords
from scancode.staff import service as staff
from scancode.staff.models import Role, Staff, StaffSession

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)

# staff

PASSWORD = "correct horse 9"
_hashed = cache(passwords.hashed)


def make_staff(session: Session, **over: Any) -> Staff:
    """An account whose password is ``PASSWORD``, hashed once in a process: hashing is slow on purpose."""
    name = over.pop("name", "Carol")
    columns: dict[str, Any] = {"login": f"{name.lower()}-{new_id(NOW).hex[-6:]}", "role": Role.FACTORY, "now": NOW}
    with mock.patch.object(passwords, "hashed", _hashed):
        return staff.create(session, **({"name": name, "password": PASSWORD} | columns | over))


def add_staff(session: Session, **over: Any) -> Staff:
    """An account that nobody opens with a password, for ``sign_in``: hashing one is slow on purpose."""
    name = over.pop("name", "Carol")
    columns: dict[str, Any] = {"login": f"{name.lower()}-{new_id(NOW).hex[-6:]}", "role": Role.FACTORY}
    person = Staff(id=new_id(NOW), name=name, password_hash="", created_at=NOW, **(columns | over))
    session.add(person)
    session.flush()
    return person


def sign_in(client: FlaskClient, db: Database, staff_id: UUID) -> StaffSession:
    """Gives the browser a session of this person, as the sign-in page would."""
    now = datetime.now(UTC)
    with db.transaction() as session:
        opened, secret = staff.open_session(session, staff_id=staff_id, agent="test", now=now, session_hours=1)
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = f"{opened.id.hex}.{secret}", True
    return opened


# catalog


def make_brand(session: Session, **over: Any) -> Brand:
    brand_id = over.pop("id", None) or new_id(NOW)
    columns: dict[str, Any] = {
        "slug": f"brand-{brand_id.hex[-8:]}",
        "name_zh": "山泉",
        "name_en": "Mountain Spring",
        "timezone": "Asia/Shanghai",
        "colour": "#0f7b4f",
        "company_zh": "山泉饮料有限公司",
        "company_en": "Mountain Spring Ltd",
        "support_phone": "400 000 0000",
        "support_url": "https://brand.example/help",
        "privacy_zh": "隐私说明",
        "privacy_en": "Privacy notice",
        "privacy_version": "2026-11",
        "company_prefix": "",
        "sscc_next": 0,
        "created_at": NOW,
    }
    brand = Brand(id=brand_id, **(columns | over))
    session.add(brand)
    session.flush()
    return brand


def make_product(session: Session, *, brand_id: UUID, **over: Any) -> Product:
    product_id = over.pop("id", None) or new_id(NOW)
    columns: dict[str, Any] = {
        "gtin": make_gtin(product_id.int % 10**13),
        "name_zh": "山泉柠檬水",
        "name_en": "Lemon water",
        "created_at": NOW,
        "changed_at": NOW,
    }
    product = Product(id=product_id, brand_id=brand_id, **(columns | over))
    session.add(product)
    session.flush()
    return product


def make_gtin(number: int) -> str:
    """Thirteen digits and the check digit that fits them."""
    digits = str(number).zfill(13)
    return digits + str(-sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(digits)) % 10)


# codes


def make_batch(session: Session, *, brand_id: UUID, product_id: UUID, **over: Any) -> Batch:
    number = over.pop("number", None) or new_id(NOW).int % (1 << 25)
    columns: dict[str, Any] = {
        "order_no": f"PO-{number}",
        "kid": "t1",
        "salt": bytes(16),
        "kinds": "inner",
        "count": 1000,
        "base_url": "https://q.example",
        "formats": "csv",
        "is_test": False,
        "state": "ready",
        "ordered_at": NOW,
        "life_changes": 0,
    }
    batch = Batch(number=number, brand_id=brand_id, product_id=product_id, **(columns | over))
    session.add(batch)
    session.flush()
    return batch


def make_life(session: Session, *, batch_number: int, first: int, last: int, **over: Any) -> LifeRange:
    row = LifeRange(
        batch_number=batch_number, first=first, last=last, **({"state": "active", "changed_at": NOW} | over)
    )
    session.add(row)
    session.flush()
    return row


# channels


def make_channel(session: Session, *, brand_id: UUID, **over: Any) -> Channel:
    channel_id = over.pop("id", None) or new_id(NOW)
    columns = {"name": f"渠道 {channel_id.hex[-6:]}", "kind": "retail", "is_active": True, "created_at": NOW}
    channel = Channel(id=channel_id, brand_id=brand_id, **(columns | over))
    session.add(channel)
    session.flush()
    return channel


def make_store(session: Session, *, channel_id: UUID, **over: Any) -> Store:
    store_id = over.pop("id", None) or new_id(NOW)
    columns = {"name": f"门店 {store_id.hex[-6:]}", "city": "上海市", "is_active": True, "created_at": NOW}
    store = Store(id=store_id, channel_id=channel_id, **(columns | over))
    session.add(store)
    session.flush()
    return store


def make_touchpoint(session: Session, *, brand_id: UUID, channel_id: UUID, **over: Any) -> Touchpoint:
    point_id = over.pop("id", None) or new_id(NOW)
    columns = {
        "token": f"T{point_id.int % 10**11:011d}",
        "kind": "scene",
        "scene": "shelf",
        "name": "货架",
        "is_active": True,
        "created_at": NOW,
    }
    point = Touchpoint(id=point_id, brand_id=brand_id, channel_id=channel_id, **(columns | over))
    session.add(point)
    session.flush()
    return point


# campaigns


def make_campaign(session: Session, *, brand_id: UUID, **over: Any) -> Campaign:
    """A draft that runs from an hour before NOW for 30 days, with 1,000 yuan and 100,000 points to spend."""
    terms: dict[str, Any] = {
        "name_zh": "开盖有奖",
        "name_en": "Open and win",
        "starts_at": NOW - timedelta(hours=1),
        "ends_at": NOW + timedelta(days=30),
        "budget_fen": 100_000,
        "budget_points": 100_000,
    }
    return campaigns.create(
        session, brand_id=brand_id, terms=campaigns.Terms(**(terms | over)), staff_id=None, actor="test", now=NOW
    )


def make_offer(
    session: Session, sealer: Sealer, *, batch: Batch, prizes: Sequence[PrizeLine] = (), **over: Any
) -> Campaign:
    """A published campaign over a whole batch: every code holds a red packet of 1.00 yuan unless ``prizes`` says so."""
    mode, conditions = over.pop("mode", "exact"), over.pop("conditions", None)
    campaign = make_campaign(session, brand_id=batch.brand_id, **over)
    if conditions is not None:
        campaigns.set_conditions(session, campaign_id=campaign.id, conditions=conditions, actor="test", now=NOW)
    campaigns.add_tranche(
        session,
        campaign_id=campaign.id,
        ranges=[RangeLine(batch.number, 0, batch.count - 1)],
        prizes=prizes or [PrizeLine("red_packet", 100, batch.count, "红包", "Red packet")],
        mode=mode,
        actor="test",
        now=NOW,
    )
    publish_campaign(session, sealer, campaign_id=campaign.id)
    return campaign


def publish_campaign(session: Session, sealer: Sealer, *, campaign_id: UUID, now: datetime = NOW) -> None:
    campaigns.publish(
        session,
        campaign_id=campaign_id,
        new_secret=lambda: os.urandom(32).hex(),
        sealer=sealer,
        claimed=lambda batch_number, first, last: 0,
        actor="test",
        now=now,
    )
