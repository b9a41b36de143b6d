"""The places and groups of people that a campaign's conditions name, and the conditions in words: the same for staff
and for the public, so that a tag is called by its public name only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.campaigns.conditions import HOLD_DAYS, Boost, Conditions, Members, RegionsOf
from scancode.campaigns.planning import yuan
from scancode.catalog.models import Product
from scancode.channels.models import Channel, Store, TouchKind, Touchpoint
from scancode.channels.regions import name_of
from scancode.codes.models import Batch
from scancode.members import service as members
from scancode.members.tags import TagFacts, public_names
from scancode.members.tiers import Ladder, tier_names
from scancode.web.language import current_locale

SHOWN_MAX = 1000


@dataclass(frozen=True)
class Places:
    """What there is to choose from: id and name."""

    channels: list[tuple[str, str]]
    stores: list[tuple[str, str]]
    scenes: list[tuple[str, str]]
    tags: list[TagFacts]
    ladder: Ladder
    products: list[tuple[str, str]]
    batches: list[tuple[str, str]]
    """By number, with the production lot where there is one."""
    known_batches: list[tuple[str, str]]
    """The same for those who choose: with the product, too."""

    def names(self, ids: Sequence[str]) -> list[str]:
        known = dict([*self.channels, *self.stores, *self.scenes, *self.products, *self.batches])
        return [known.get(one, one) for one in ids]

    def public(self, ids: Sequence[str]) -> str:
        """What people are told of these tags; empty where one of them has no public name."""
        names = public_names(tag for tag in self.tags if str(tag.id) in ids)
        return names[current_locale() == "en"] if names else ""


def load_places(session: Session, *, brand_id: UUID) -> Places:
    """Of one brand; the first thousand of each."""
    channels = session.execute(
        select(Channel.id, Channel.name).where(Channel.brand_id == brand_id).order_by(Channel.name).limit(SHOWN_MAX)
    ).all()
    stores = session.execute(
        select(Store.id, Store.name)
        .join(Channel, Channel.id == Store.channel_id)
        .where(Channel.brand_id == brand_id)
        .order_by(Store.name)
        .limit(SHOWN_MAX)
    ).all()
    scenes = session.execute(
        select(Touchpoint.id, Touchpoint.name)
        .where(Touchpoint.brand_id == brand_id, Touchpoint.kind == TouchKind.SCENE)
        .order_by(Touchpoint.name)
        .limit(SHOWN_MAX)
    ).all()
    in_english = current_locale() == "en"
    products = session.execute(
        select(Product.id, Product.name_en if in_english else Product.name_zh, Product.gtin)
        .where(Product.brand_id == brand_id)
        .order_by(Product.name_zh, Product.gtin)
        .limit(SHOWN_MAX)
    )
    batches = session.execute(
        select(Batch.number, Batch.lot, Product.name_en if in_english else Product.name_zh)
        .join(Product, Product.id == Batch.product_id)
        .where(Batch.brand_id == brand_id, Batch.kinds.contains("inner"))
        .order_by(Batch.ordered_at.desc(), Batch.number)
        .limit(SHOWN_MAX)
    )
    named = [(str(number), f"{number} · {lot}" if lot else str(number), name) for number, lot, name in batches]
    first, second, third = ([(str(row.id), row.name) for row in rows] for rows in (channels, stores, scenes))
    return Places(
        first,
        second,
        third,
        members.find_tags(session, brand_id=brand_id),
        members.load_ladder(session, brand_id=brand_id),
        [(str(product_id), f"{name} ({gtin})") for product_id, name, gtin in products],
        [(number, label) for number, label, _ in named],
        [(number, f"{label} · {name}") for number, label, name in named],
    )


def in_words(conditions: Conditions, places: Places, *, has_odds: bool, codes: int) -> list[str]:
    """A sentence for each condition, in the reader's language; ``codes`` take part."""
    return [*_who_and_where(conditions, places), *_how_much(conditions, has_odds), *_more(conditions, places, codes)]


def sharing_in_words(priority: int) -> str:
    """What others over the same codes mean for whoever takes part."""
    return str(
        gettext(
            "A code gives one reward, once. If it takes part in several campaigns of the brand, the one with the "
            "highest priority that the code and you may take part in gives it (this one has priority %(priority)s; "
            "with equal priority the earlier published one), and the prize that it holds here is then not given.",
            priority=priority,
        )
    )


def _who_and_where(conditions: Conditions, places: Places) -> Iterator[str]:
    if conditions.products or conditions.batches:
        lots = [gettext("batch %(batch)s", batch=name) for name in places.names(conditions.batches)]
        names = _listed([*places.names(conditions.products), *lots])
        yield gettext("Only these products take part: %(names)s.", names=names)
    if conditions.scan_regions:
        names = _listed([name_of(one, current_locale()) for one in conditions.scan_regions])
        yield gettext(
            "Only codes that are scanned here take part: %(names)s. Where that is, the network address or the city "
            "that you share tells; a scan of which we cannot tell it does not take part until you do.",
            names=names,
        )
    if conditions.names_places:
        ids = (*conditions.channels, *conditions.stores, *conditions.scenes)
        regions = conditions.regions if conditions.regions_of == RegionsOf.STORE else ()
        names = _listed([*places.names(ids), *regions])
        yield gettext("Only items from these places take part: %(names)s.", names=names)
    said = {
        Members.MEMBERS: gettext("Only members may claim. Joining is free."),
        Members.NEW: gettext("Only members who joined after the campaign began may claim. Joining is free."),
        Members.EXISTING: gettext("Only people who were members before the campaign began may claim."),
    }
    yield from _groups(conditions, places)
    if conditions.members:
        yield said[Members(conditions.members)]


def _groups(conditions: Conditions, places: Places) -> Iterator[str]:
    if conditions.tags_any:
        names = places.public(conditions.tags_any)
        yield (
            gettext("Only these members may claim: %(names)s.", names=names)
            if names
            else gettext("Only members whom the brand invited may claim.")
        )
    if conditions.names_tiers:
        names = tier_names(places.ladder, conditions.tier_min, conditions.tiers)[current_locale() == "en"]
        yield gettext(
            "Only members of these tiers may claim: %(names)s. The tier at the moment of claiming counts.", names=names
        )
    if conditions.tags_none:
        names = places.public(conditions.tags_none)
        yield (
            gettext("These do not take part: %(names)s. Joining is needed to claim.", names=names)
            if names
            else gettext("Only members may claim, and not every member is invited.")
        )


def _how_much(conditions: Conditions, has_odds: bool) -> Iterator[str]:
    if conditions.person_day_max:
        count = f"{conditions.person_day_max:,}"
        yield gettext("Codes that one person may claim a day: %(count)s at most.", count=count)
    if conditions.person_max:
        yield gettext("Codes that one person may claim in all: %(count)s at most.", count=f"{conditions.person_max:,}")
    if conditions.day_max:
        count = f"{conditions.day_max:,}"
        yield gettext(
            "Up to %(count)s codes may be claimed a day. Later ones keep their chance until the next day.", count=count
        )
    if conditions.may_hold:
        yield from _held(conditions)
    if conditions.day_fen_max and has_odds:
        yield gettext(
            "Up to %(sum)s is given in red packets a day; then red packets become thanks until the next day.",
            sum=f"¥{yuan(conditions.day_fen_max)}",
        )


def _held(conditions: Conditions) -> Iterator[str]:
    """The published rule: never the weights."""
    if conditions.hold_day:
        nth = conditions.hold_day
        yield gettext("From code number %(nth)s of a person in a day on, our staff look first.", nth=nth)
    if conditions.hold_score:
        yield gettext("Our staff also look first at claims that look as if they were not made by a consumer.")
    days = conditions.hold_days or HOLD_DAYS
    yield gettext(
        "They refuse a reward only for claims that were not made by a consumer, and say why. What is not refused "
        "within %(days)s days is given.",
        days=days,
    )


def _more(conditions: Conditions, places: Places, codes: int) -> Iterator[str]:
    for boost in conditions.boosts:
        yield gettext(
            "%(times)s times the points for items from %(stores)s, %(window)s.",
            times=boost.factor,
            stores=_listed(places.names(boost.stores)),
            window=_window(boost),
        )
    if conditions.nth:
        yield gettext(
            "The code number %(nth)s that a person claims brings a second prize, whatever it holds itself: %(prize)s. "
            "Once for each person, at most %(count)s in all.",
            nth=conditions.nth,
            prize=gettext("a red packet of %(sum)s", sum=f"¥{yuan(conditions.nth_fen)}")
            if conditions.nth_fen
            else gettext("%(count)s points", count=f"{conditions.nth_points:,}"),
            count=f"{conditions.nth_most(codes):,}",
        )


def _window(boost: Boost) -> str:
    days = " – ".join(f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M}" for at in (boost.starts_at, boost.ends_at))
    if (boost.from_hour, boost.to_hour) == (0, 24):
        return days
    hours = {"from_hour": boost.from_hour, "to_hour": boost.to_hour}
    return str(gettext("%(days)s, %(from_hour)s:00 to %(to_hour)s:00", days=days, **hours))


def _listed(names: Sequence[str]) -> str:
    return str(gettext(", ")).join(names)
