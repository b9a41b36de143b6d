"""Members as staff see them: where they came from and what they did here, never who they are.

A phone is shown masked only. Customer service finds a caller by the full number, which is sent in a form, looked up
through the blind index and kept nowhere; looking somebody up and exporting leave audit rows.
"""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scancode.channels import service as channels
from scancode.channels.rules import Source
from scancode.claims import service as claims
from scancode.errors import Refusal
from scancode.ledger import service as ledger
from scancode.ledger.rules import cause_text
from scancode.letters import REASONS
from scancode.members import service as members
from scancode.members.rules import normalise_phone
from scancode.payouts import service as payouts
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.stories import own_data, roster
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff, visible
from scancode.web.console.chosen import brand_choices, chosen_brand
from scancode.web.console.content import link_kind
from scancode.web.console.moments import read_day
from scancode.web.console.pages import turned
from scancode.web.csv_files import csv_file
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

PAGE_ROWS = 50
PART_ROWS = 50
TASTES_SHOWN = 10
HEADER = (
    "member_id", "joined_day", "language", "source", "channel", "store", "guide", "gtin", "batch", "points",
    "wechat", "wants_offers", "state", "tags", "tier",
)  # fmt: skip
FILTERS = ("source", "channel", "store", "guide", "tag", "tier", "first_day", "last_day")
marketing = allow(Role.MARKETING)


@console.get("/members", endpoint="members")
@marketing
def member_list() -> ResponseReturnValue:
    chosen, shown = _filter()
    before = _uuid(request.args.get("before", ""))
    with runtime().db.reading() as session:
        brand = chosen_brand(session)
        rows = roster.list_members(session, brand_id=brand.id, chosen=chosen, limit=PAGE_ROWS + 1, before=before)
        brands = brand_choices(session)
        places = {
            "channels": channels.list_channels(session, brand_id=brand.id),
            "stores": [store for store, _ in channels.list_stores(session, brand_id=brand.id)],
            "guides": [guide for guide, *_ in channels.list_guides(session, brand_id=brand.id)],
            "tags": members.find_tags(session, brand_id=brand.id),
            "tiers": members.load_ladder(session, brand_id=brand.id).tiers,
        }
    rows, pages = turned(rows, PAGE_ROWS, lambda row: row.id)
    return render_template(
        "console/members/list.html",
        brand=brand,
        brands=brands,
        rows=rows,
        shown=shown,
        pages=pages,
        sources=[source.value for source in Source],
        export_query=urlencode({"brand": brand.slug, **shown}),
        **places,
    )


@console.post("/members/find")
@marketing
def find_member() -> ResponseReturnValue:
    """The member of a full phone number, for somebody who calls. The number stays out of addresses, logs and audit."""
    shared, person = runtime(), current_staff()
    try:
        phone = normalise_phone(request.form.get("phone", ""))
    except Refusal as refusal:
        flash(refusal.sentence(gettext), "danger")
        return redirect(url_for("console.members", brand=request.args.get("brand")))
    with shared.db.transaction() as session:
        brand = chosen_brand(session)
        found = members.find_phone(session, brand_id=brand.id, phone=phone, sealer=shared.sealer)
        member_id = found.member_id if found else None
        staff.audit(
            session,
            actor=person.actor,
            brand_id=brand.id,
            action="member.find",
            subject=f"member:{member_id}" if member_id else "member",
            facts={"found": member_id is not None},
            now=shared.now(),
        )
    if member_id is None:
        flash(gettext("No member has this phone number."), "warning")
        return redirect(url_for("console.members", brand=brand.slug))
    return redirect(url_for("console.member", member_id=member_id))


@console.get("/members/<uuid:member_id>", endpoint="member")
@marketing
def show_member(member_id: UUID) -> ResponseReturnValue:
    shared = runtime()
    now = shared.now()
    with shared.db.reading() as session:
        row = roster.get_row(session, member_id=member_id)
        visible(row.brand_id)
        claimant = own_data.claimant_of(session, member_id=member_id)
        prizes = claims.of_person(session, claimant=claimant, now=now, limit=PART_ROWS + 1)
        entries = ledger.entries(session, account_id=member_id, limit=PART_ROWS + 1)
        consents = members.consents_of(session, member_id=member_id)
        marks = members.marks_of(session, member_ids=[member_id])[member_id]
        tags = members.find_tags(session, brand_id=row.brand_id)
        standing = members.standing(session, member_id=member_id, brand_id=row.brand_id, now=now)
        held = members.tiers_held(session, member_ids=[member_id]).get(member_id)
        seen = own_data.scans_of(
            session, brand_id=row.brand_id, member_id=member_id, visitor_id=None, limit=PART_ROWS + 1
        )
        likings = channels.likings_of(session, member_id=member_id)
        openids = [one.id for one in members.identities_of(session, member_id=member_id)]
        agreed = payouts.list_authorisations(session, identity_ids=openids)
        given = channels.find_given(session, member_id=member_id)
    return render_template(
        "console/members/member.html",
        likes_products=channels.tastes(likings, lambda one: one.product_id, TASTES_SHOWN),
        likes_kinds=channels.tastes(likings, lambda one: one.link_type, TASTES_SHOWN),
        kind_name=link_kind,
        preference_days=shared.settings.preference_days,
        row=row,
        brand=shared.brands.get(row.brand_id),
        prizes=prizes,
        entries=entries,
        consents=consents,
        marks=marks,
        standing=standing,
        held=held,
        agreed=agreed,
        given=given,
        reasons=REASONS,
        other_tags=[tag for tag in tags if tag.id not in {one.tag_id for one in marks}],
        scans=seen,
        product_name=_product_name,
        words=lambda entry: gettext(cause_text(entry.cause)),
        part_rows=PART_ROWS,
    )


def _product_name(product_id: UUID) -> str:
    page = runtime().products.get(product_id)
    return page.name(current_locale()) if page else "–"


@console.post("/members/export")
@marketing
def export_members() -> ResponseReturnValue:
    """The list as a CSV file without anything personal: no phone, no openid, not even masked."""
    chosen, shown = _filter()
    shared, person = runtime(), current_staff()
    now = shared.now()
    with shared.db.transaction() as session:
        brand = chosen_brand(session)
        rows = list(roster.all_members(session, brand_id=brand.id, chosen=chosen))
        staff.audit(
            session,
            actor=person.actor,
            brand_id=brand.id,
            action="member.export",
            subject="members",
            facts={"rows": len(rows), "filters": sorted(shown)},
            now=now,
        )
    return csv_file(f"members-{brand.slug}-{brand.day(now)}.csv", HEADER, map(_cells, rows))


def _cells(row: roster.RosterRow) -> tuple[object, ...]:
    return (
        row.id,
        row.day,
        row.language,
        row.source,
        row.channel,
        row.store,
        row.guide,
        row.gtin,
        row.batch_number or "",
        row.points,
        int(row.has_openid),
        int(row.wants_offers),
        "left" if row.left_at else "member",
        "; ".join(row.tags),
        row.tier[current_locale() == "en"],
    )


def _filter() -> tuple[roster.Chosen, dict[str, str]]:
    """What the page was asked to show, and the same as it goes into links."""
    shown = {name: request.args.get(name, "").strip()[:40] for name in FILTERS}
    if shown["source"] not in {source.value for source in Source}:
        shown["source"] = ""
    ids = {name: _uuid(shown[name]) for name in ("channel", "store", "guide", "tag", "tier")}
    days = {name: read_day(shown[name]) for name in ("first_day", "last_day")}
    shown |= {name: str(id_ or "") for name, id_ in ids.items()} | days
    chosen = roster.Chosen(
        source=shown["source"],
        channel_id=ids["channel"],
        store_id=ids["store"],
        guide_id=ids["guide"],
        tag_id=ids["tag"],
        tier_id=ids["tier"],
        first_day=days["first_day"],
        last_day=days["last_day"],
    )
    return chosen, {name: value for name, value in shown.items() if value}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
