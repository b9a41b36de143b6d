"""The console's menu: one list for all pages, shown to whom each entry is for.

A page adds its line here; an entry is shown to the roles named and to administrators.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType

from flask import Flask, request, url_for
from flask_babel import gettext
from sqlalchemy.exc import SQLAlchemyError

from scancode.campaigns import service as campaigns
from scancode.claims import service as claims
from scancode.codes import service as codes
from scancode.complaints import service as complaints
from scancode.diversion import service as diversion
from scancode.handover import service as handover
from scancode.i18n import N_
from scancode.scans import service as scans
from scancode.staff.rules import Role, StaffFacts
from scancode.web.runtime import runtime

FACTORY, MARKETING = Role.FACTORY, Role.MARKETING


@dataclass(frozen=True)
class Entry:
    endpoint: str
    icon: str
    """A symbol of ``static/icons.svg``."""
    label: str
    roles: tuple[Role, ...] = ()
    is_operators: bool = False
    """Only for those without a brand."""


@dataclass(frozen=True)
class Group:
    label: str
    entries: tuple[Entry, ...]


MENU = (
    Group("", (Entry("console.home", "layout-dashboard", N_("Home"), (FACTORY, MARKETING)),)),
    # Catalogue and codes
    Group(
        N_("Codes"),
        (
            Entry("console.batches", "qrcode", N_("Batches"), (FACTORY, MARKETING)),
            Entry("console.approvals", "clipboard-list", N_("Orders to approve"), (FACTORY,)),
            Entry("console.life_list", "bolt", N_("Activation and voiding"), (FACTORY,)),
            Entry("console.packing", "packages", N_("Packing"), (FACTORY,)),
            Entry("console.preflight", "shield-check", N_("Check returned files"), (FACTORY,)),
            Entry("console.captures", "inbox", N_("EPCIS events received"), (FACTORY,)),
            Entry("console.alerts", "bell", N_("Alerts"), (FACTORY,)),
            Entry("console.lookup", "search", N_("Look up a code"), (FACTORY, MARKETING)),
            Entry("console.suspects", "alert-triangle", N_("Suspect codes"), (FACTORY, MARKETING)),
            Entry("console.label_layouts", "tag", N_("Label layouts"), (FACTORY,)),
            Entry("console.products", "box", N_("Products"), (FACTORY, MARKETING)),
            Entry("console.houses", "printer", N_("Print houses"), (FACTORY,)),
            Entry("console.brands", "building", N_("Brands")),
        ),
    ),
    # Where items go
    Group(
        N_("Channels"),
        (
            Entry("console.channels", "building-store", N_("Channels and stores"), (FACTORY, MARKETING)),
            Entry("console.shipments", "truck-delivery", N_("Shipments"), (FACTORY, MARKETING)),
            Entry("console.diversion_list", "map-pin", N_("Diversion"), (MARKETING,)),
        ),
    ),
    # Campaigns, people, money
    Group(
        N_("Marketing"),
        (
            Entry("console.campaigns", "gift", N_("Campaigns"), (MARKETING,)),
            Entry("console.look", "sparkles", N_("Look of the pages"), (MARKETING,)),
            Entry("console.held_claims", "hourglass", N_("Held rewards"), (MARKETING,)),
            Entry("console.members", "users", N_("Members"), (MARKETING,)),
            Entry("console.welcomes", "confetti", N_("Welcomes"), (MARKETING,)),
            Entry("console.tags", "tags", N_("Tags"), (MARKETING,)),
            Entry("console.tiers", "crown", N_("Tiers"), (MARKETING,)),
            Entry("console.content", "heart", N_("What people open"), (MARKETING,)),
            Entry("console.complaints", "message-circle", N_("Complaints"), (MARKETING,)),
            Entry("console.payouts", "cash", N_("Payouts"), (MARKETING,)),
            Entry("console.reports", "chart-bar", N_("Reports"), (MARKETING,)),
        ),
    ),
    Group(
        N_("System"),
        (
            Entry("console.people", "user-circle", N_("Staff")),
            Entry("console.tokens", "key", N_("API tokens")),
            Entry("console.site_files", "shield-check", N_("Verification files")),
            Entry("console.audit_log", "history", N_("Audit log")),
            Entry("console.blocks", "ban", N_("Held off"), is_operators=True),
            Entry("console.jobs", "list-details", N_("Jobs"), is_operators=True),
        ),
    ),
)
ACCOUNT_MENU = (
    ("console.account", "user-circle", N_("My account"), "get"),
    ("console.logout", "logout", N_("Sign out"), "post"),
)


def install(app: Flask) -> None:
    app.context_processor(_for_console_pages)


def _for_console_pages() -> dict[str, object]:
    if not request.path.startswith("/console"):
        return {}
    from scancode.web.console.access import find_current_staff

    person = find_current_staff()
    return {
        "current_staff": person,
        "home_url": url_for("console.home"),
        "navigation": menu_of(person, _badges(person)) if person else [],
        "account_menu": [
            {"endpoint": endpoint, "icon": icon, "label": gettext(label), "method": method}
            for endpoint, icon, label, method in ACCOUNT_MENU
        ],
    }


def _badges(person: StaffFacts) -> dict[str, int]:
    """What waits for somebody, by the entry beside which its number stands. A database that is away shows none."""
    found: dict[str, int] = {}
    brand_id = person.brand_id
    with suppress(SQLAlchemyError), runtime().db.reading() as session:
        found["console.suspects"] = scans.count_suspects(session, brand_id=brand_id)
        if person.may((MARKETING,)):
            found["console.diversion_list"] = diversion.count_cases(session, brand_id=brand_id)
            found["console.complaints"] = complaints.count_open(session, brand_id=brand_id)
            found["console.held_claims"] = claims.count_held(session, brand_id=brand_id)
            in_review = campaigns.count_in_review(session, brand_id=brand_id, besides=person.id)
            found["console.campaigns"] = in_review + len(campaigns.list_tripped(session, brand_id=brand_id))
        if person.may((FACTORY,)):
            orders = codes.count_waiting(session, brand_id=brand_id)
            found["console.approvals"] = orders + handover.count_waiting_kits(session, brand_id=brand_id)
            found["console.alerts"] = handover.count_alerts(session, brand_id=brand_id)
    return found


def _shown(entry: Entry, badges: Mapping[str, int]) -> dict[str, object]:
    badge = badges.get(entry.endpoint) or None
    return {"endpoint": entry.endpoint, "icon": entry.icon, "label": gettext(entry.label), "badge": badge}


def menu_of(person: StaffFacts, badges: Mapping[str, int] = MappingProxyType({})) -> list[dict[str, object]]:
    """The menu as this person sees it, in the page's language, as the base page takes it."""
    groups: list[dict[str, object]] = []
    for group in MENU:
        items = [
            {
                "endpoint": entry.endpoint,
                "icon": entry.icon,
                "label": gettext(entry.label),
                "badge": badges.get(entry.endpoint) or None,
            }
            for entry in group.entries
            if person.may(entry.roles) and not (entry.is_operators and person.brand_id is not None)
        ]
        if items:
            groups.append({"label": gettext(group.label) if group.label else "", "items": items})
    return groups
