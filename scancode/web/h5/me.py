"""A member's own pages: points, what they scanned, their profile and language, signing out.

A guest finds here what their browser gathered so far, and why joining keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from scancode.catalog.rules import BrandFacts
from scancode.claims import service as claims
from scancode.i18n import LOCALES
from scancode.ledger import service as ledger
from scancode.ledger.rules import HoldFacts, HoldState, cause_text
from scancode.members import service as members
from scancode.members.rules import MemberFacts
from scancode.members.tiers import Standing
from scancode.scans.service import ScanFacts
from scancode.stories.own_data import scans_of
from scancode.web.h5 import h5
from scancode.web.h5.here import Somebody, brand_here, somebody
from scancode.web.language import current_locale
from scancode.web.people import sign_out_person
from scancode.web.runtime import Runtime, runtime
from scancode.web.visitor import current_visitor

SCANS_ON_HOME = 3
SCANS_MAX = 100
ENTRIES_A_PAGE = 30
DAY_END = timedelta(seconds=1)
"""Points end with a day: at its last moment they are still good."""
WINS_COUNTED = 50
LOTS_LOOKED_AT = 200


@dataclass(frozen=True)
class ScanLine:
    """A scan as its owner reads it."""

    name: str
    when: str
    verdict: str
    picture: str | None


@h5.get("/me")
def me() -> str:
    """The member's home, or for a guest the way to become one."""
    shared, brand = runtime(), brand_here(newest_scan_first=False)
    who = somebody(brand)
    now = shared.now()
    with shared.db.reading() as session:
        won = claims.of_person(
            session, claimant=who.claimant(), brand_id=brand.id, now=now, limit=WINS_COUNTED + 1, wins_only=True
        )
        points = ledger.balance(session, account_id=who.member.id) if who.member else 0
        standing = _standing(session, who.member, now)
        expiring = _expiring(session, brand, who.member, now)
        seen = _scans(session, brand, who, SCANS_ON_HOME)
    rewards = sum(not prize.needs_subject for prize in won)
    return render_template(
        "h5/me/home.html",
        brand=brand,
        member=who.member,
        has_openid=who.person.identity_id is not None,
        has_login=shared.ports.identity is not None,
        points=points,
        standing=standing,
        expiring=expiring,
        rewards=f"{WINS_COUNTED}+" if rewards > WINS_COUNTED else rewards,
        waiting=sum(prize.needs_subject for prize in won),
        rewards_url=url_for("h5.rewards", brand=brand.slug),
        unpaid=sum(prize.needs_openid for prize in won),
        scans=_lines(shared, brand, seen),
    )


@h5.get("/me/scans")
def my_scans() -> str:
    """Everything scanned in this browser, and in the member's others."""
    shared, brand = runtime(), brand_here(newest_scan_first=False)
    who = somebody(brand)
    with shared.db.reading() as session:
        seen = _scans(session, brand, who, SCANS_MAX)
    return render_template("h5/me/scans.html", brand=brand, member=who.member, scans=_lines(shared, brand, seen))


@h5.get("/me/points")
def my_points() -> Response | str:
    """The points and how they came, a page at a time."""
    shared, brand = runtime(), brand_here(newest_scan_first=False)
    member = somebody(brand).member
    if member is None:
        return to_join(brand)
    with shared.db.reading() as session:
        account = ledger.account(session, account_id=member.id)
        holds = ledger.list_holds(session, account_id=member.id, limit=ENTRIES_A_PAGE)
        expiring = _expiring(session, brand, member, runtime().now())
        found = ledger.entries(session, account_id=member.id, limit=ENTRIES_A_PAGE + 1, before=_before())
    lines = [
        {
            "text": gettext(cause_text(entry.cause)),
            "when": brand.moment(entry.occurred_at, current_locale()),
            "amount": f"{entry.points:+,}",
            "positive": entry.points > 0,
        }
        for entry in found[:ENTRIES_A_PAGE]
    ]
    older = found[ENTRIES_A_PAGE - 1].id if len(found) > ENTRIES_A_PAGE else None
    pending = [
        {
            "text": gettext("Still to come") if one.points > 0 else gettext("Reserved for you"),
            "when": _until(brand, one),
            "amount": f"{one.points:+,}",
            "positive": one.points > 0,
        }
        for one in holds
        if one.state is HoldState.PENDING
    ]
    return render_template(
        "h5/me/points.html",
        brand=brand,
        account=account,
        pending=pending,
        expiring=expiring,
        entries=lines,
        older=older,
    )


@h5.post("/me/language")
def my_language() -> Response:
    """The language in which the member is written to; this browser changes to it too."""
    brand = brand_here(newest_scan_first=False)
    wish = request.form.get("language", "")
    member = somebody(brand).member
    if wish in LOCALES and member is not None:
        with runtime().db.transaction() as session:
            members.speak(session, member_id=member.id, language=wish)
    return redirect(url_for("h5.me", brand=brand.slug, lang=wish if wish in LOCALES else None))


@h5.post("/me/out")
def sign_out() -> Response:
    """Signs this browser out of the brand. What it scans from now on is a guest's."""
    brand = brand_here(newest_scan_first=False)
    sign_out_person(brand.id)
    flash(gettext("You are signed out."), "success")
    return redirect(url_for("h5.me", brand=brand.slug))


def to_join(brand: BrandFacts) -> Response:
    """A guest asked for a member's page: joining leads back to it."""
    return redirect(url_for("h5.join", brand=brand.slug, next=request.full_path.rstrip("?")))


def get_member() -> tuple[BrandFacts, MemberFacts | None]:
    """The brand of this page and its member, if the browser is one."""
    brand = brand_here(newest_scan_first=False)
    return brand, somebody(brand).member


def _expiring(session: Session, brand: BrandFacts, member: MemberFacts | None, now: datetime) -> list[tuple[str, int]]:
    """The days until which points are good that the person is being told of, and how many those are."""
    if member is None:
        return []
    days: dict[str, int] = {}
    for lot in ledger.list_lots(session, account_id=member.id, limit=LOTS_LOOKED_AT):
        if lot.expires_at is not None and lot.expires_at > now and lot.reminded_at is not None:
            last = brand.day(lot.expires_at - DAY_END)
            days[last] = days.get(last, 0) + lot.left_points
    return sorted(days.items())


def _until(brand: BrandFacts, held: HoldFacts) -> str:
    """By when points that are under way come in, or until when they are reserved."""
    day = brand.day(held.due_at - DAY_END)
    return str(gettext("credited by %(day)s", day=day) if held.points > 0 else gettext("until %(day)s", day=day))


def _standing(session: Session, member: MemberFacts | None, now: datetime) -> Standing | None:
    """On which tier a member stands; None where the brand has none."""
    if member is None:
        return None
    found = members.standing(session, member_id=member.id, brand_id=member.brand_id, now=now)
    return found if found.ladder.tiers else None


def _scans(session: Session, brand: BrandFacts, who: Somebody, limit: int) -> list[ScanFacts]:
    return scans_of(
        session,
        brand_id=brand.id,
        member_id=who.member.id if who.member else None,
        visitor_id=current_visitor().id,
        limit=limit,
    )


def _lines(shared: Runtime, brand: BrandFacts, seen: list[ScanFacts]) -> list[ScanLine]:
    locale = current_locale()
    lines = []
    for scan in seen:
        product = shared.products.get(scan.product_id)
        pictures = product.pictures if product else ()
        lines.append(
            ScanLine(
                name=product.name(locale) if product else "",
                when=brand.moment(scan.scanned_at, locale),
                verdict=str(scan.verdict),
                picture=pictures[0].sha256 if pictures else None,
            )
        )
    return lines


def _before() -> UUID | None:
    try:
        return UUID(request.args.get("before", ""))
    except ValueError:
        return None
