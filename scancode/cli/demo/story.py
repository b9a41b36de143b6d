"""The main job, done once for the demo through the same functions that the pages call: a factory orders, prints,
activates, voids and ships; marketing publishes a campaign. Moments lie in the past days, so that reports have days.

The work of the outbox (minting) is done by the real worker, here in this process.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from batches.codes import Kind
from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Conditions
from scancode.campaigns.planning import RangeLine
from scancode.catalog import pictures as uploads
from scancode.catalog import service as catalog
from scancode.channels import service as channels
from scancode.channels.welcomes import Target, WelcomeDraft
from scancode.claims import service as claims
from scancode.claims.risk import USUAL_THRESHOLD
from scancode.cli.demo import brand as words
from scancode.cli.demo import pictures
from scancode.codes import service as codes
from scancode.codes.rules import Activate, BatchState, Void, VoidReason
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.members import service as members
from scancode.staff import service as staff
from scancode.wiring import Wired
from scancode.worker import loop

DAYS = 6
"""How many days ago the first batch was ordered."""
MAIN_COUNT, PEACH_COUNT, TEST_COUNT = 1200, 220, 12
"""The first has lists only: a label is drawn in some hundredths of a second, and a demo should start soon."""
VOIDED = (1080, 1099)
INACTIVE_FIRST = 1100
DONE_ACTION = "demo.seed"
"""The audit row that says the demo is complete; without it the story was interrupted."""
Step = Callable[[str], None]


class DemoBroken(Refusal):
    code = "demo_broken"
    text = N_("The demo could not be set up: {problem}. Delete the folder {folder} and start again.")


@dataclass
class Shop:
    """A place where the crowd buys: items of ``batch_number``, and the placed codes that hang there."""

    batch_number: int
    first: int
    last: int
    weight: int
    tokens: list[str] = field(default_factory=list)


@dataclass
class Cast:
    """What the story has made, for the crowd and for the printed guide."""

    brand_id: UUID
    actors: dict[str, tuple[str, UUID]] = field(default_factory=dict)
    """Login -> (actor, staff id)."""
    products: list[UUID] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    """Jasmine, peach, test."""
    shops: list[Shop] = field(default_factory=list)


class Story:
    """Tells it once. ``now`` is the present; ``step`` is told what has been done."""

    def __init__(self, wired: Wired, *, now: datetime, step: Step) -> None:
        self._wired = wired
        self._db = wired.db
        self._now = now
        self._start = (now - timedelta(days=DAYS)).replace(hour=1, minute=0, second=0, microsecond=0)
        self._step = step

    def tell(self) -> Cast:
        cast = self._open()
        self._order(cast)
        self._release(cast)
        self._ship(cast)
        self._promise(cast)
        return cast

    def _at(self, **after: float) -> datetime:
        return self._start + timedelta(**after)

    def _open(self) -> Cast:
        at = self._at()
        garden = uploads.encode(pictures.garden())
        drawn = [(item, uploads.encode(pictures.bottle(item.flavour))) for item in (words.JASMINE, words.PEACH)]
        with self._db.transaction() as session:
            made = catalog.create_brand(session, slug=words.SLUG, draft=words.BRAND, actor="demo", now=at)
            cast = Cast(made.id)
            for login, name, role in words.STAFF:
                person = staff.create(
                    session,
                    login=login,
                    name=name,
                    password=words.PASSWORD,
                    role=role,
                    brand_id=None if role is staff.Role.ADMIN else made.id,
                    is_demo=True,
                    actor="demo",
                    now=at,
                )
                cast.actors[login] = (staff.facts_of(person).actor, person.id)
            actor, _ = cast.actors["marketing"]
            for item, picture in drawn:
                product = catalog.create_product(session, brand_id=made.id, draft=item.draft, actor=actor, now=at)
                cast.products.append(product.id)
                for encoded, alt_zh, alt_en in (
                    (picture, item.alt_zh, item.alt_en),
                    (garden, "晨雾中的茶园", "The tea garden in the morning mist"),
                ):
                    catalog.add_picture(
                        session,
                        product_id=product.id,
                        picture=encoded,
                        alt_zh=alt_zh,
                        alt_en=alt_en,
                        actor=actor,
                        now=at,
                    )
            _greet(session, cast, Target.BRAND, made.id, words.WELCOME, at)
            members.create_tag(session, brand_id=made.id, draft=words.TAG, actor=actor, now=at)
            members.set_ladder(session, brand_id=made.id, months=12, tiers=words.TIERS, actor=actor, now=at)
        self._step(N_("brand, two products with pictures, three accounts"))
        return cast

    def _order(self, cast: Cast) -> None:
        actor, staff_id = cast.actors["factory"]
        jasmine, peach = cast.products
        both, inner = (Kind.OUTER, Kind.INNER), (Kind.INNER,)
        orders = (
            (jasmine, "PO-2026-001", MAIN_COUNT, both, ("csv", "txt"), "JM2611A", False),
            (peach, "PO-2026-002", PEACH_COUNT, both, ("csv", "pdf"), "BT2611B", False),
            (jasmine, "TEST-2026-001", TEST_COUNT, inner, ("csv", "png", "pdf"), "", True),
        )
        for number, (product_id, order_no, count, kinds, formats, lot, is_test) in enumerate(orders):
            at = self._at(minutes=30 + number)
            with self._db.transaction() as session:
                batch = codes.order(
                    session,
                    brand_id=cast.brand_id,
                    product_id=product_id,
                    order_no=order_no,
                    count=count,
                    kinds=kinds,
                    formats=formats,
                    lot=lot,
                    base_url=self._wired.settings.base_url,
                    is_test=is_test,
                    kid=self._wired.keyring.newest,
                    staff_id=staff_id,
                    actor=actor,
                    now=at,
                )
                cast.batches.append(batch.number)
        work_off(self._wired, at=self._at(minutes=40))
        with self._db.reading() as session:
            for number in cast.batches:
                state = codes.get_batch(session, number=number).state
                if state != BatchState.READY:
                    problem = f"batch {number} is {state}"
                    raise DemoBroken(problem=problem, folder=str(self._wired.settings.var_dir))
        self._step(N_("three batches ordered; the worker minted them and wrote the print files"))

    def _release(self, cast: Cast) -> None:
        actor, staff_id = cast.actors["factory"]
        jasmine, peach, test = cast.batches
        ranges = ((jasmine, 0, INACTIVE_FIRST - 1), (peach, 0, PEACH_COUNT - 1), (test, 0, TEST_COUNT - 1))
        for number, first, last in ranges:
            with self._db.transaction() as session:
                codes.change(
                    session,
                    batch_number=number,
                    ranges=[(first, last)],
                    what=Activate("下线抽检合格"),
                    actor=actor,
                    staff_id=staff_id,
                    now=self._at(hours=4),
                )
        with self._db.transaction() as session:
            codes.change(
                session,
                batch_number=jasmine,
                ranges=[(VOIDED[0], VOIDED[1])],
                what=Void(VoidReason.MISPRINT, note="末卷喷印偏移"),
                actor=actor,
                staff_id=staff_id,
                now=self._at(hours=5),
            )
        self._step(N_("codes activated; a misprinted roll voided"))

    def _ship(self, cast: Cast) -> None:
        """Jasmine goes to shops and a distributor, peach to the online shop and the live room."""
        jasmine, peach, _ = cast.batches
        where = {
            "retail": [(jasmine, 0, 399), (jasmine, 400, 649)],
            "ecommerce": [(peach, 0, 99)],
            "live": [(peach, 100, 219)],
            "distributor": [(jasmine, 650, VOIDED[0] - 1)],
        }
        actor, staff_id = cast.actors["factory"]
        number = 0
        for planned in words.CHANNELS:
            with self._db.transaction() as session:
                channel_id, stores, tokens = _open_channel(session, planned, cast, self._at(hours=6))
            places: list[UUID | None] = [*stores] or [None]
            for place, (batch_number, first, last) in enumerate(where[planned.kind]):
                number += 1
                with self._db.transaction() as session:
                    channels.ship(
                        session,
                        brand_id=cast.brand_id,
                        number=f"CK-1116-{number:02}",
                        channel_id=channel_id,
                        store_id=places[place],
                        batch_number=batch_number,
                        ranges=[(first, last)],
                        note="演示出库",
                        staff_id=staff_id,
                        actor=actor,
                        now=self._at(hours=8, minutes=number),
                    )
                shop = Shop(batch_number, first, last, planned.weight, tokens if place == 0 else [])
                cast.shops.append(shop)
        self._step(N_("four channels with stores, guides and placed codes; shipments sent out"))

    def _promise(self, cast: Cast) -> None:
        actor, staff_id = cast.actors["marketing"]
        jasmine, peach, _ = cast.batches
        pools = [RangeLine(jasmine, 0, VOIDED[0] - 1)], [RangeLine(peach, 0, PEACH_COUNT - 1)]
        tables = [(ranges, words.prizes(ranges[0].count)) for ranges in pools]
        lines = [prize for _, prizes in tables for prize in prizes]
        at = self._at(hours=9)
        terms = campaigns.Terms(
            name_zh=words.CAMPAIGN_ZH,
            name_en=words.CAMPAIGN_EN,
            starts_at=at + timedelta(minutes=10),
            ends_at=at + timedelta(days=90),
            budget_fen=sum(prize.amount * prize.count for prize in lines if prize.kind == "red_packet"),
            budget_points=sum(prize.amount * prize.count for prize in lines if prize.kind == "points"),
            rules_zh=words.RULES_ZH,
            rules_en=words.RULES_EN,
        )
        with self._db.transaction() as session:
            campaign = campaigns.create(
                session,
                brand_id=cast.brand_id,
                terms=terms,
                staff_id=staff_id,
                actor=actor,
                now=at,
                conditions=Conditions(hold_score=USUAL_THRESHOLD),
            )
            for ranges, prizes in tables:
                campaigns.add_tranche(
                    session, campaign_id=campaign.id, ranges=ranges, prizes=prizes, actor=actor, now=at
                )
            self._review(session, cast, campaign.id, at)
        self._step(N_("a campaign published: red packets, points and thanks"))

    def _review(self, session: Session, cast: Cast, campaign_id: UUID, at: datetime) -> None:
        """Marketing asks, the administrator agrees."""

        def claimed(number: int, first: int, last: int) -> int:
            return claims.count_claimed(session, batch_number=number, first=first, last=last, now=at)

        (asker, asker_id), (second, second_id) = cast.actors["marketing"], cast.actors["admin"]
        campaigns.ask_review(session, campaign_id=campaign_id, claimed=claimed, staff_id=asker_id, actor=asker, now=at)
        campaigns.approve(
            session,
            campaign_id=campaign_id,
            new_secret=lambda: secrets.token_hex(32),
            sealer=self._wired.draw_sealer,
            claimed=claimed,
            staff_id=second_id,
            actor=second,
            now=at,
        )


def _open_channel(
    session: Session, planned: words.DemoChannel, cast: Cast, at: datetime
) -> tuple[UUID, list[UUID], list[str]]:
    """A channel with its stores, guides and scenes; the tokens of all its placed codes."""
    actor, _ = cast.actors["marketing"]
    channel = channels.create_channel(
        session, brand_id=cast.brand_id, name=planned.name, kind=planned.kind, actor=actor, now=at
    )
    _greet(session, cast, Target.CHANNEL, channel.id, planned.welcome, at)
    stores: list[UUID] = []
    for store in planned.stores:
        made = channels.create_store(
            session,
            channel_id=channel.id,
            name=store.name,
            province=store.province,
            city=store.city,
            address=store.address,
            actor=actor,
            now=at,
        )
        stores.append(made.id)
        _greet(session, cast, Target.STORE, made.id, store.welcome, at)
        for name in store.guides:
            channels.create_guide(session, store_id=made.id, name=name, actor=actor, now=at)
    for scene, placement, name in planned.scenes:
        channels.create_scene(
            session,
            channel_id=channel.id,
            store_id=stores[0] if stores else None,
            scene=scene,
            placement=placement,
            name=name,
            actor=actor,
            now=at,
        )
    points = channels.list_touchpoints(session, brand_id=cast.brand_id, channel_id=channel.id, limit=50)
    return channel.id, stores, [point.token for point, _, _ in points]


def _greet(
    session: Session, cast: Cast, target: Target, target_id: UUID, draft: WelcomeDraft | None, at: datetime
) -> None:
    if draft is not None:
        channels.write_welcome(
            session, brand_id=cast.brand_id, target=target, target_id=target_id, draft=draft,
            actor=cast.actors["marketing"][0], now=at,
        )  # fmt: skip


def work_off(wired: Wired, *, at: datetime) -> None:
    """The real worker, once, as if it were ``at``."""
    loop.run(wired, stop_event=threading.Event(), once=True, clock=lambda: at)


def is_told(session: Session) -> bool:
    """Whether the demo is complete in this database."""
    return bool(staff.list_audit(session, brand_id=None, chosen=staff.AuditFilter(action=DONE_ACTION), limit=1))


def sign_off(session: Session, cast: Cast, *, now: datetime) -> None:
    """Says that the demo is complete."""
    staff.audit(
        session,
        actor="demo",
        brand_id=cast.brand_id,
        action=DONE_ACTION,
        subject=f"brand:{cast.brand_id}",
        facts={"batches": cast.batches},
        now=now,
    )
