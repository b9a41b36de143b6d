"""Many claims in one transaction: what ``claim`` does for one, for those of a group where nothing is in the way.

A handful of statements serve the whole group: may these be claimed now, claim them, promise their money and points.
A claim that something speaks against is left out: ``claim`` deals with it singly. PostgreSQL is waited for twice, where
something is counted three times, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from batches.codes import Kind
from scancode.campaigns.rules import Offer, draw
from scancode.catalog.rules import BrandFacts
from scancode.claims.models import Claim
from scancode.claims.rules import ClaimAnswer, Claimant, ClaimCode, ClaimFacts, ClaimState, view_of
from scancode.claims.service.asking import Request
from scancode.claims.service.gate import STOP
from scancode.claims.service.row import facts_from
from scancode.claims.service.tally import Tally
from scancode.codes.rules import Life
from scancode.db import Sender, as_uuid, insert_many, is_sqlite, send
from scancode.ledger import service as ledger
from scancode.payouts import service as payouts
from scancode.payouts.rules import PayoutFacts
from scancode.scans.rules import SUSPECT

Sent = Callable[[], list[Any]]


def claim_many(sender: Sender, *, requests: Sequence[Request], now: datetime) -> list[ClaimAnswer | None]:
    """The answer of each request in their order; None for one that has to be made singly.

    Raises what the database or its driver raises, above all when one of the codes was claimed in this moment, and
    CameBetween; then nothing of the group may be committed, and all of them have to be made singly.
    """
    tally = Tally()
    ready = _admit(sender, requests, tally, now)
    rows = {}
    for place, (claimant, offer) in ready.items():
        about = replace(requests[place], claimant=claimant)
        prize = draw(offer, about.code.serial) if offer.is_plain else tally.settle(about, offer)
        if prize is not None:
            rows[place] = about.row(offer, prize)
    made = {place: facts_from(row) for place, row in rows.items()}
    # In the order of their codes: two groups that meet over the same ones never wait for each other in a circle.
    insert_many(sender, Claim, sorted(rows.values(), key=lambda row: int(row["code_id"])))
    tally.count_people(sender)
    won = [(made[place], ready[place][0], requests[place].prefix) for place in made]
    money = _reward(sender, won, {request.brand.id: request.brand for request in requests}, now)
    tally.take(sender)
    tally.check()
    return [
        ClaimAnswer(view_of(ready[place][0], made[place], now, money.get(made[place].code_id)), is_new=True)
        if place in made
        else None
        for place in range(len(requests))
    ]


def _admit(
    sender: Sender, requests: Sequence[Request], tally: Tally, now: datetime
) -> dict[int, tuple[Claimant, Offer]]:
    """The requests that nothing speaks against, by their place, with the claimant as the book knows them; counts aside,
    which ``tally`` has looked up for them."""
    offers: dict[int, Offer] = {}
    codes: set[int] = set()
    for place, request in enumerate(requests):
        unknown_ids = request.claimant.identity_id is None and bool(request.claimant.ids)
        is_first = request.offer is not None and request.offer.is_exclusive
        fits = request.code.kind == Kind.INNER and is_first and not unknown_ids and not request.smells
        if fits and request.attribution is not None and request.code.code_id not in codes and request.offer:
            offers[place] = request.offer
            codes.add(request.code.code_id)
    if not offers:
        return {}
    campaigns = sorted({offer.campaign_id for offer in offers.values()})
    gate_sent = _ask_gate(sender, [requests[place].code for place in offers], campaigns, now)
    marked_sent = send(sender, _marked_text(len(codes)), sorted(codes))
    known_sent = _ask_people(sender, {who for place in offers if (who := requests[place].claimant.identity_id)})
    read_tally = tally.look(sender, [(requests[place], offer) for place, offer in offers.items() if not offer.is_plain])
    stopped, *gate = gate_sent()[0]
    marked = {row[0] for row in marked_sent()}
    known = {as_uuid(row[0]): (as_uuid(row[1]), as_uuid(row[2])) for row in known_sent() if not row[3]}
    many = len(offers)
    lives, taken = gate[:many], gate[many : 2 * many]
    running = dict(zip(campaigns, gate[2 * many :], strict=True))
    if stopped is not None:
        return {}
    read_tally()
    ready = {}
    for (place, offer), life, has_claim in zip(offers.items(), lives, taken, strict=True):
        claimant = _settled(requests[place].claimant, offer.brand_id, known)
        if has_claim or requests[place].code.code_id in marked:
            continue
        if life == Life.ACTIVE and running[offer.campaign_id] and claimant is not None:
            ready[place] = (claimant, offer)
    return ready


def _ask_gate(sender: Sender, codes: Sequence[ClaimCode], campaigns: Sequence[UUID], now: datetime) -> Sent:
    """One row: why claims are stopped, the state of each code's serial, which codes have a claim, and which campaigns
    run at this moment (``campaigns.rules.phase_of`` in the database's words)."""
    values: list[Any] = [value for code in codes for value in (code.serial, code.batch_number, code.serial)]
    values += [code.code_id for code in codes]
    values += [value for campaign_id in campaigns for value in (campaign_id, now, now)]
    return send(sender, _gate_text(len(codes), len(campaigns)), values)


def _ask_people(sender: Sender, ids: set[UUID]) -> Sent:
    """Brand and member of each openid, and whether it is a mere snapshot.

    The rows are share-locked: a join that moves a person's points waits for their claim, or goes before it.
    """
    return send(sender, _people_text(len(ids), "" if is_sqlite(sender) else " FOR SHARE"), sorted(ids)) if ids else list


@lru_cache(maxsize=512)
def _gate_text(codes: int, campaigns: int) -> str:
    # Ranges do not overlap: only the last one that begins before the serial can hold it.
    life = (
        '(SELECT CASE WHEN "last" >= ? THEN state END FROM life_ranges '
        'WHERE batch_number = ? AND "first" <= ? ORDER BY "first" DESC LIMIT 1)'
    )
    runs = "(SELECT 1 FROM campaigns WHERE id = ? AND state = 'published' AND starts_at <= ? AND ends_at > ?)"
    # One by one: a plan made while the table was empty would read it whole for a list.
    taken = "(SELECT 1 FROM claims WHERE code_id = ?)"
    stopped = f"(SELECT reason FROM stops WHERE name = '{STOP}')"
    return f"SELECT {', '.join([stopped, *[life] * codes, *[taken] * codes, *[runs] * campaigns])}"


@lru_cache(maxsize=512)
def _marked_text(count: int) -> str:
    """Which of so many codes look copied."""
    states = ", ".join(f"'{state}'" for state in SUSPECT)
    return f"SELECT code_id FROM suspicions WHERE code_id IN ({', '.join('?' * count)}) AND state IN ({states})"


@lru_cache(maxsize=512)
def _people_text(count: int, lock: str) -> str:
    ids = ", ".join(["?"] * count)
    return f"SELECT id, brand_id, member_id, is_snapshot FROM identities WHERE id IN ({ids}) ORDER BY id{lock}"


def _settled(
    claimant: Claimant, brand_id: UUID, known: Mapping[UUID | None, tuple[UUID | None, UUID | None]]
) -> Claimant | None:
    """The claimant with the member of their openid; None where more would have to be looked up."""
    if claimant.identity_id is None:
        return claimant
    its_brand, member_id = known.get(claimant.identity_id, (None, None))
    if its_brand != brand_id:
        return None
    is_plain = claimant.member_id is None and claimant.phone_identity_id is None
    if not is_plain and (member_id is None or member_id != claimant.member_id):
        return None
    return replace(claimant, member_id=member_id)


def _reward(
    sender: Sender,
    won: Sequence[tuple[ClaimFacts, Claimant, str]],
    brands: Mapping[UUID, BrandFacts],
    now: datetime,
) -> dict[int, PayoutFacts]:
    """Promises money first, then points: counters come last in every transaction. Returns the payouts by code."""
    paid = [one for one in won if one[0].state == ClaimState.CLAIMED and not one[0].is_test]
    money = [
        payouts.Order(
            code_id=claim.code_id,
            brand_id=claim.brand_id,
            campaign_id=claim.campaign_id,
            identity_id=claimant.identity_id,
            amount_fen=claim.amount,
            cause=f"claim:{claim.code_id}",
        )
        for claim, claimant, _ in paid
        if claim.prize_kind == "red_packet"
    ]
    made = payouts.create_many(sender, money, prefix=paid[0][2], now=now) if money else []
    points: dict[UUID, list[ledger.Grant]] = {}
    for claim, claimant, _ in paid:
        if claim.prize_kind == "points" and claimant.account_id is not None:
            expires_at = brands[claim.brand_id].points_expire_at(now)
            grant = ledger.Grant(claimant.account_id, f"claim:{claim.code_id}", claim.amount, expires_at)
            points.setdefault(claim.brand_id, []).append(grant)
    for brand_id in sorted(points):
        ledger.grant_many(sender, brand_id=brand_id, grants=points[brand_id], now=now)
    return {payout.code_id: payout for payout in made}
