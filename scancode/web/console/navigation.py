"""The console's menu: one list for all pages, shown to whom each entry is for.

A page adds its line here; an entry is shown to the roles named and to administrators.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, request, url_for
from flask_babel import gettext

from scancode.i18n import N_
from scancode.staff.rules import Role, StaffFacts

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
            Entry("console.lookup", "search", N_("Look up a code"), (FACTORY, MARKETING)),
            Entry("console.products", "box", N_("Products"), (FACTORY, MARKETING)),
            Entry("console.brands", "building", N_("Brands")),
        ),
    ),
    # Where items go
    Group(
        N_("Channels"),
        (
            Entry("console.channels", "building-store", N_("Channels and stores"), (FACTORY, MARKETING)),
            Entry("console.shipments", "truck-delivery", N_("Shipments"), (FACTORY, MARKETING)),
        ),
    ),
    # Campaigns, people, money
    Group(
        N_("Marketing"),
        (
            Entry("console.campaigns", "gift", N_("Campaigns"), (MARKETING,)),
            Entry("console.members", "users", N_("Members"), (MARKETING,)),
            Entry("console.payouts", "cash", N_("Payouts"), (MARKETING,)),
            Entry("console.reports", "chart-bar", N_("Reports"), (MARKETING,)),
        ),
    ),
    Group(
        N_("System"),
        (
            Entry("console.people", "user-circle", N_("Staff")),
            Entry("console.tokens", "key", N_("API tokens")),
            Entry("console.audit_log", "history", N_("Audit log")),
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
        "navigation": menu_of(person) if person else [],
        "account_menu": [
            {"endpoint": endpoint, "icon": icon, "label": gettext(label), "method": method}
            for endpoint, icon, label, method in ACCOUNT_MENU
        ],
    }


def menu_of(person: StaffFacts) -> list[dict[str, object]]:
    """The menu as this person sees it, in the page's language, as the base page takes it."""
    groups: list[dict[str, object]] = []
    for group in MENU:
        items = [
            {"endpoint": entry.endpoint, "icon": entry.icon, "label": gettext(entry.label), "badge": None}
            for entry in group.entries
            if person.may(entry.roles) and not (entry.is_operators and person.brand_id is not None)
        ]
        if items:
            groups.append({"label": gettext(group.label) if group.label else "", "items": items})
    return groups
