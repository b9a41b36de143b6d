"""A few dozen consumers of the past days, so that the first look at a report is not an empty page.

They are made up, and what they do is not: every scan, claim, join and payment goes through the functions that the
pages call, with moments in the past; the make-believe payment server pays, and its people confirm. The dice are loaded
with a fixed number, so that two demos resemble each other.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from batches.codes import Kind, code_id
from scancode.catalog import service as catalog
from scancode.catalog.rules import BrandFacts
from scancode.channels import service as channels
from scancode.channels.rules import ItemFacts, Seen, TouchpointFacts, attribute
from scancode.claims import service as claims
from scancode.claims.rules import Claimant, ClaimCode
from scancode.cli.demo.story import Cast, Shop, work_off
from scancode.codes import service as codes
from scancode.codes.rules import BatchFacts
from scancode.db import new_id
from scancode.errors import Refusal
from scancode.payouts import service as payouts
from scancode.ports import Login
from scancode.scans.rules import Verdict
from scancode.scans.writer import Sighting, write
from scancode.stories import join as joining
from scancode.stories.sign_in import sign_in
from scancode.wiring import Wired

PEOPLE = 90
SEED = 20261122
CITIES = (330100, 330100, 310000, 330200, 320500, 440300)
"""Where people scan: Hangzhou, Shanghai, Ningbo, Suzhou, Shenzhen."""
OPENS_PLACED_CODE, CLAIMS, JOINS, SHOWS_A_FRIEND, CONFIRMS = 0.45, 0.8, 0.45, 0.15, 0.85


@dataclass(frozen=True)
class Visit:
    """One person at one bottle. ``serial`` is the bottle's; ``at`` when they scanned its cap."""

    number: int
    at: datetime
    shop: Shop
    serial: int
    token: str | None


class Crowd:
    """Walks through the shops in the order of time."""

    def __init__(self, wired: Wired, cast: Cast, *, since: datetime, until: datetime) -> None:
        self._wired = wired
        self._db = wired.db
        self._dice = random.Random(SEED)
        self._since, self._until = since, until
        self._cast = cast
        self._touchpoints: dict[str, TouchpointFacts | None] = {}
        with self._db.reading() as session:
            brand = catalog.load_brand(session, brand_id=cast.brand_id)
            found = (codes.load_batch(session, number=number, keyring=wired.keyring) for number in cast.batches)
            self._batches: dict[int, BatchFacts] = {batch.number: batch for batch in found if batch is not None}
            for shop in cast.shops:
                for token in shop.tokens:
                    self._touchpoints[token] = channels.load_touchpoint(session, token=token)
        assert brand is not None
        self._brand: BrandFacts = brand

    def walk(self, progress: Callable[[str, int, int], None]) -> None:
        visits = list(self._visits())
        paid_day = ""
        for done, visit in enumerate(visits):
            progress("", done, len(visits))
            day = self._brand.day(visit.at)
            if day != paid_day and paid_day:
                self._settle(visit.at - timedelta(minutes=2))
            paid_day = day
            self._live(visit)
        self._settle(self._until)
        progress("", len(visits), len(visits))

    def _visits(self) -> Iterator[Visit]:
        """People come by day, more of them in the last days; every bottle is bought once."""
        span = (self._until - self._since).total_seconds()
        moments = sorted(self._since + timedelta(seconds=span * self._dice.random() ** 0.7) for _ in range(PEOPLE))
        weights = [shop.weight for shop in self._cast.shops]
        sold: set[tuple[int, int]] = set()
        for number, at in enumerate(moments):
            shop = self._dice.choices(self._cast.shops, weights)[0]
            serial = self._dice.randint(shop.first, shop.last)
            while (shop.batch_number, serial) in sold:
                serial = self._dice.randint(shop.first, shop.last)
            sold.add((shop.batch_number, serial))
            token = self._dice.choice(shop.tokens) if shop.tokens and self._rolls(OPENS_PLACED_CODE) else None
            yield Visit(number, at, shop, serial, token)

    def _rolls(self, chance: float) -> bool:
        return self._dice.random() < chance

    def _live(self, visit: Visit) -> None:
        """Perhaps a placed code, then the cap's code, perhaps the prize, perhaps membership, perhaps a friend."""
        visitor_id = new_id(visit.at)
        touch = self._touchpoints.get(visit.token) if visit.token else None
        touched_at = visit.at - timedelta(minutes=self._dice.randint(2, 50)) if touch else None
        if touch is not None and touched_at is not None:
            with self._db.transaction() as session:
                channels.touch(session, touchpoint_id=touch.id, visitor_id=visitor_id, now=touched_at)
        touches = [Seen(touch, touched_at)] if touch is not None and touched_at is not None else []
        verdict = self._scan(visit, visitor_id, touches, visit.at)
        if verdict is Verdict.FIRST and self._rolls(CLAIMS):
            identity_id = self._sign_in(visit, visitor_id) if self._rolls(0.85) else None
            self._claim(visit, visitor_id, identity_id)
            if self._rolls(JOINS):
                arrival = joining.Arrival(visitor_id, identity_id, touches, touch_days=self._wired.settings.touch_days)
                self._join(visit, arrival)
        if self._rolls(SHOWS_A_FRIEND):
            friend_at = min(visit.at + timedelta(minutes=self._dice.randint(5, 300)), self._until)
            self._scan(visit, new_id(friend_at), [], friend_at)

    def _scan(self, visit: Visit, visitor_id: UUID, touches: list[Seen], at: datetime) -> Verdict:
        batch = self._batches[visit.shop.batch_number]
        with self._db.transaction(durable=False) as session:
            place = channels.load_shipped(session, batch_number=batch.number).find(visit.serial)
            sighting = Sighting(
                code_id=code_id(batch.number, Kind.INNER, visit.serial),
                scan_id=new_id(at),
                scanned_at=at,
                day=self._brand.day(at),
                visitor_id=visitor_id,
                brand_id=batch.brand_id,
                product_id=batch.product_id,
                batch_number=batch.number,
                life=batch.life_of(visit.serial).state,
                attribution=attribute(
                    touches=touches,
                    item=ItemFacts(place.value if place else None, region=CITIES[visit.number % len(CITIES)]),
                    brand_id=batch.brand_id,
                    now=at,
                    touch_days=self._wired.settings.touch_days,
                ),
                client="wechat" if self._rolls(0.8) else "browser",
                address_digest=None,
                is_test=batch.is_test,
            )
            return write(session, [sighting])[0].verdict

    def _sign_in(self, visit: Visit, visitor_id: UUID) -> UUID:
        with self._db.transaction() as session:
            return sign_in(
                session,
                brand_id=self._brand.id,
                login=Login(openid=f"sandbox-crowd-{visit.number:03}"),
                visitor_id=visitor_id,
                member_id=None,
                sealer=self._wired.sealer,
                prefix=self._wired.settings.payout_prefix,
                now=visit.at + timedelta(seconds=20),
            ).identity_id

    def _claim(self, visit: Visit, visitor_id: UUID, identity_id: UUID | None) -> None:
        batch = self._batches[visit.shop.batch_number]
        at = visit.at + timedelta(seconds=25)
        code = ClaimCode(code_id(batch.number, Kind.INNER, visit.serial), batch.number, Kind.INNER, visit.serial)
        asked = claims.Request(
            code=code,
            batch=batch,
            brand=self._brand,
            offer=None,
            claimant=Claimant(visitor_id, identity_id),
            now=at,
            reservation_hours=self._wired.settings.reservation_hours,
            prefix=self._wired.settings.payout_prefix,
            draw_sealer=self._wired.draw_sealer,
        )
        try:
            with self._db.transaction() as session:
                claims.claim(session, asked)
        except Refusal:  # the code lies outside the campaign: this person got nothing, as anybody would
            return

    def _join(self, visit: Visit, arrival: joining.Arrival) -> None:
        """By phone, as the page does once the password was right; that part needs a person and is left out here."""
        with self._db.transaction() as session:
            joining.join(
                session,
                brand=self._brand,
                phone=f"+86138001{visit.number:05}",
                arrival=arrival,
                accepts_terms=True,
                accepts_marketing=self._rolls(0.6),
                language="zh" if self._rolls(0.9) else "en",
                sealer=self._wired.sealer,
                prefix=self._wired.settings.payout_prefix,
                now=visit.at + timedelta(minutes=2),
            )

    def _settle(self, at: datetime) -> None:
        """The worker sends the day's money; most people take it; the worker asks again and books it as paid."""
        work_off(self._wired, at=at)
        person = self._wired.ports.person
        assert person is not None
        with self._db.reading() as session:
            waiting = [payout for payout in payouts.list_payouts(session, brand_id=self._brand.id) if payout.package]
        for payout in waiting:
            if payout.package and self._rolls(CONFIRMS):
                person.confirm(payout.package)
        work_off(self._wired, at=at + timedelta(minutes=1))
