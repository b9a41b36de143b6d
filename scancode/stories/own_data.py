"""A person's rights over their own data, across the features: a copy of all of it, and the end of membership.

Leaving deletes what says who somebody was. The books of claims, points and money stay, as the law on prizes and taxes
asks, and name nobody any more.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.catalog.rules import BrandFacts
from scancode.channels import service as channels
from scancode.claims import service as claims
from scancode.claims.rules import Claimant, ClaimView
from scancode.complaints import service as complaints
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.ledger import service as ledger
from scancode.members import service as members
from scancode.members.models import IdentityKind
from scancode.payouts import service as payouts
from scancode.scans import service as scans
from scancode.scans.service import ScanFacts
from scancode.sealing import Sealer

ROWS_MAX = 2000
"""Of each kind in a copy: more than any person has."""
BROWSERS_MAX = 20


class MoneyUnderWay(Refusal):
    code = "money_under_way"
    text = N_(
        "Money is on its way to you. Receive it first, or wait until it has gone back; then you can close your account."
    )


def claimant_of(session: Session, *, member_id: UUID, visitor_id: UUID | None = None) -> Claimant:
    """The member with their phone and newest openid, for looking up what is theirs."""
    known = members.identities_of(session, member_id=member_id)
    phones = [one.id for one in known if one.kind == IdentityKind.PHONE]
    openids = [one.id for one in known if one.kind == IdentityKind.OPENID]
    return Claimant(visitor_id, openids[-1] if openids else None, phones[0] if phones else None, member_id)


def scans_of(
    session: Session, *, brand_id: UUID, member_id: UUID | None, visitor_id: UUID | None, limit: int
) -> list[ScanFacts]:
    """What a person scanned, newest first: in this browser, and in every other that turned out to be theirs."""
    browsers = list(members.visitors_of(session, member_id=member_id)[:BROWSERS_MAX]) if member_id else []
    if visitor_id is not None and visitor_id not in browsers:
        browsers.append(visitor_id)
    found = [
        scan
        for browser in browsers
        for scan in scans.latest_of_visitor(session, visitor_id=browser, brand_id=brand_id, limit=limit)
    ]
    return sorted(found, key=lambda scan: scan.scanned_at, reverse=True)[:limit]


def copy(session: Session, *, brand: BrandFacts, member_id: UUID, sealer: Sealer, now: datetime) -> dict[str, Any]:
    """Everything that the brand keeps about a member, in plain values for JSON. Raises NotAMember."""
    member = members.get_member(session, member_id=member_id)
    known = members.identities_of(session, member_id=member_id)
    prizes = claims.of_person(session, claimant=claimant_of(session, member_id=member_id), now=now, limit=ROWS_MAX)
    seen = scans_of(session, brand_id=brand.id, member_id=member_id, visitor_id=None, limit=ROWS_MAX)
    return {
        "exported_at": now.isoformat(),
        "brand": {"name_zh": brand.name_zh, "name_en": brand.name_en, "company_zh": brand.company_zh},
        "member": {
            "id": str(member.id),
            "joined_at": member.joined_at.isoformat(),
            "language": member.language,
            "points": ledger.balance(session, account_id=member_id),
        },
        "identities": [
            {"kind": one.kind, "value": members.reveal(session, identity_id=one.id, sealer=sealer)} for one in known
        ],
        "consents": _consents(session, member_id),
        "tags": _tags(session, member_id),
        "preferences": _likings(session, member_id),
        "welcome": _welcome(session, member_id),
        "tier": _tier(session, brand.id, member_id, now),
        "browsers": [str(one) for one in members.visitors_of(session, member_id=member_id)],
        "scans": [
            {
                "code_id": one.code_id,
                "scanned_at": one.scanned_at.isoformat(),
                "verdict": str(one.verdict),
                "source": str(one.attribution.source),
            }
            for one in seen
        ],
        "prizes": [_prize(one) for one in prizes],
        "trials": _trials(session, member_id),
        "authorisations": _authorisations(session, [one.id for one in known]),
        "complaints": _complaints(session, brand_id=brand.id, member_id=member_id, sealer=sealer),
        "points": [
            {"points": one.points, "cause": one.cause, "at": one.occurred_at.isoformat(), "note": one.note}
            for one in ledger.entries(session, account_id=member_id, limit=ROWS_MAX)
        ],
        "points_lots": _points_lots(session, member_id),
        "points_pending": _pending(session, member_id),
    }


def _points_lots(session: Session, member_id: UUID) -> list[dict[str, Any]]:
    return [
        {
            "left": one.left_points,
            "earned_at": one.earned_at.isoformat(),
            "expires_at": one.expires_at.isoformat() if one.expires_at else None,
            "reminded_at": one.reminded_at.isoformat() if one.reminded_at else None,
        }
        for one in ledger.list_lots(session, account_id=member_id, limit=ROWS_MAX)
    ]


def _ids_of(session: Session, member_id: UUID) -> list[UUID]:
    return [member_id, *(one.id for one in members.identities_of(session, member_id=member_id))]


def _trials(session: Session, member_id: UUID) -> dict[str, Any]:
    ids = _ids_of(session, member_id)
    return {
        "campaigns": [
            {"campaign_id": str(one.campaign_id), "added_at": one.added_at.isoformat()}
            for one in campaigns.trials_of(session, person_ids=ids)
        ],
        "shown": [
            {
                "code_id": one.view.claim.code_id,
                "campaign_id": str(one.campaign_id),
                "kind": one.view.claim.prize_kind,
                "amount": one.view.claim.amount,
                "shown_at": one.view.claim.claimed_at.isoformat(),
            }
            for one in claims.tried_by(session, person_ids=ids, limit=ROWS_MAX)
        ],
    }


def _tier(session: Session, brand_id: UUID, member_id: UUID, now: datetime) -> dict[str, Any]:
    standing = members.standing(session, member_id=member_id, brand_id=brand_id, now=now)
    held = members.tiers_held(session, member_ids=[member_id]).get(member_id)
    return {
        "name_zh": standing.tier.name_zh if standing.tier else None,
        "name_en": standing.tier.name_en if standing.tier else None,
        "since": held.since.isoformat() if held else None,
        "points_earned": standing.earned,
        "months": standing.ladder.months,
    }


def _consents(session: Session, member_id: UUID) -> list[dict[str, Any]]:
    return [
        {
            "purpose": one.purpose,
            "version": one.version,
            "language": one.language,
            "granted_at": one.granted_at.isoformat(),
            "withdrawn_at": one.withdrawn_at.isoformat() if one.withdrawn_at else None,
        }
        for one in members.consents_of(session, member_id=member_id)
    ]


def _likings(session: Session, member_id: UUID) -> list[dict[str, Any]]:
    """What they opened, where they agreed that it is kept."""
    return [
        {
            "product_id": str(one.product_id),
            "link_id": str(one.link_id),
            "link_type": one.link_type,
            "page": one.page or None,
            "opened": one.opened,
            "first_at": one.first_at.isoformat(),
            "last_at": one.last_at.isoformat(),
        }
        for one in channels.likings_of(session, member_id=member_id)
    ]


def _welcome(session: Session, member_id: UUID) -> dict[str, Any] | None:
    """What they were greeted with, and whether a message about it went out."""
    given = channels.find_given(session, member_id=member_id)
    if given is None:
        return None
    moments = {"given_at": given.given_at, "seen_at": given.seen_at, "dismissed_at": given.dismissed_at}
    return {
        "texts": vars(given.welcome.draft),
        "for": str(given.welcome.target),
        "source": given.source,
        **{name: at.isoformat() if at else None for name, at in moments.items()},
        "message": str(given.state),
    }


def _pending(session: Session, member_id: UUID) -> list[dict[str, Any]]:
    return [
        {"points": one.points, "state": str(one.state), "due_at": one.due_at.isoformat(), "note": one.note}
        for one in ledger.list_holds(session, account_id=member_id, limit=ROWS_MAX)
    ]


def _authorisations(session: Session, identity_ids: list[UUID]) -> list[dict[str, Any]]:
    """What was agreed to about being paid without confirming."""
    return [
        {
            "number": one.number,
            "state": str(one.state),
            "asked_at": one.asked_at.isoformat(),
            "granted_at": one.granted_at.isoformat() if one.granted_at else None,
            "ended_at": one.ended_at.isoformat() if one.ended_at else None,
        }
        for one in payouts.list_authorisations(session, identity_ids=identity_ids)
    ]


def _tags(session: Session, member_id: UUID) -> list[dict[str, Any]]:
    return [
        {"name": one.name, "source": str(one.source), "tagged_at": one.tagged_at.isoformat()}
        for one in members.marks_of(session, member_ids=[member_id])[member_id]
    ]


def _complaints(session: Session, *, brand_id: UUID, member_id: UUID, sealer: Sealer) -> list[dict[str, Any]]:
    """What was reported in the browsers of a member."""
    told = [
        one
        for browser in members.visitors_of(session, member_id=member_id)[:BROWSERS_MAX]
        for one in complaints.of_visitor(session, visitor_id=browser, limit=ROWS_MAX)
        if one.brand_id == brand_id
    ]
    return [
        {
            "made_at": one.made_at.isoformat(),
            "kind": one.kind,
            "text": one.text,
            "answer": one.answer,
            "state": one.state,
            "phone": sealer.open(one.contact, purpose=complaints.PURPOSE) if one.contact else None,
        }
        for one in told
    ]


def _prize(view: ClaimView) -> dict[str, Any]:
    money = view.payout
    return {
        "code_id": view.claim.code_id,
        "kind": view.claim.prize_kind,
        "amount": view.claim.amount,
        "claimed_at": view.claim.claimed_at.isoformat(),
        "state": str(view.claim.state),
        "payment": {"state": str(money.state), "changed_at": money.changed_at.isoformat()} if money else None,
    }


def leave(session: Session, *, brand_id: UUID, member_id: UUID, now: datetime) -> bool:
    """Closes an account: points lapse, identities go, browsers are unlinked. True on the first call.

    Raises MoneyUnderWay while a red packet that was asked for can still arrive.
    """
    person = claimant_of(session, member_id=member_id)
    for prize in claims.of_person(session, claimant=person, now=now, limit=ROWS_MAX):
        if prize.payout and prize.payout.identity_id is not None and not prize.payout.state.is_final:
            raise MoneyUnderWay
    browsers = members.visitors_of(session, member_id=member_id)
    ids = _ids_of(session, member_id)
    known = [one.id for one in members.identities_of(session, member_id=member_id)]
    payouts.end_all_authorisations(session, identity_ids=known, now=now)
    if not members.forget(session, member_id=member_id, now=now):
        return False
    channels.forget_likings(session, member_id=member_id)
    channels.close_welcome(session, member_id=member_id, now=now)
    complaints.erase_of_visitors(session, visitor_ids=browsers, brand_id=brand_id, now=now)
    campaigns.forget_testers(session, person_ids=ids)
    claims.erase_tried(session, person_ids=ids)
    ledger.close(session, account_id=member_id, brand_id=brand_id, now=now)
    return True
