"""The three faces: ``h5`` for consumers, ``console`` for staff, ``api`` for machines. They do not know each other.

``install`` puts them on an app; every module of views that exists is named in ``VIEWS``.
"""

from __future__ import annotations

from importlib import import_module

from flask import Flask

from scancode.config import Settings

VIEWS = (
    "scancode.web.console.session",
    "scancode.web.console.dashboard",
    "scancode.web.console.people",
    "scancode.web.console.audit",
    "scancode.web.console.tokens",
    "scancode.web.console.jobs",
    "scancode.web.console.brands",
    "scancode.web.console.products",
    "scancode.web.console.looks",
    "scancode.web.console.product_links",
    "scancode.web.console.site_files",
    "scancode.web.console.batches",
    "scancode.web.console.ordering",
    "scancode.web.console.label_layouts",
    "scancode.web.console.packs",
    "scancode.web.console.approvals",
    "scancode.web.console.houses",
    "scancode.web.console.handover",
    "scancode.web.console.kits",
    "scancode.web.console.alerts",
    "scancode.web.console.code_life",
    "scancode.web.console.life_orders",
    "scancode.web.console.packing",
    "scancode.web.console.packing_by_hand",
    "scancode.web.console.preflight",
    "scancode.web.console.uploads",
    "scancode.web.console.captures",
    "scancode.web.console.lookup",
    "scancode.web.console.suspects",
    "scancode.web.console.risk_terms",
    "scancode.web.console.blocks",
    "scancode.web.console.channels",
    "scancode.web.console.placed",
    "scancode.web.console.live_codes",
    "scancode.web.console.shipments",
    "scancode.web.console.diversion",
    "scancode.web.console.territories",
    "scancode.web.console.held",
    "scancode.web.console.reports",
    "scancode.web.console.campaigns",
    "scancode.web.console.campaign_breaker",
    "scancode.web.console.campaign_export",
    "scancode.web.console.campaign_conditions",
    "scancode.web.console.held_claims",
    "scancode.web.console.campaign_pools",
    "scancode.web.console.campaign_reviews",
    "scancode.web.console.campaign_testers",
    "scancode.web.console.payouts",
    "scancode.web.console.money_books",
    "scancode.web.console.members",
    "scancode.web.console.content",
    "scancode.web.console.tags",
    "scancode.web.console.tiers",
    "scancode.web.console.welcomes",
    "scancode.web.console.points",
    "scancode.web.console.reminders",
    "scancode.web.console.complaints",
    "scancode.web.h5.scan",
    "scancode.web.h5.seen",
    "scancode.web.h5.digital_link",
    "scancode.web.h5.well_known",
    "scancode.web.h5.claim",
    "scancode.web.h5.complain",
    "scancode.web.h5.work",
    "scancode.web.h5.wallet",
    "scancode.web.h5.touch",
    "scancode.web.h5.go",
    "scancode.web.h5.trial",
    "scancode.web.h5.rules_page",
    "scancode.web.h5.brand_assets",
    "scancode.web.h5.login",
    "scancode.web.h5.crossing",
    "scancode.web.h5.page_scripts",
    "scancode.web.h5.join",
    "scancode.web.h5.me",
    "scancode.web.h5.welcome",
    "scancode.web.h5.privacy",
    "scancode.web.h5.sandbox",
)


def install(app: Flask, settings: Settings) -> None:
    """Everything between WSGI and the features: headers, languages, limits, errors, cookies and the pages."""
    from scancode.web import assets, health, language, limits, notices, pickup, problems, security, visitor

    for part in (security, limits, visitor):
        part.install(app, settings)
    security.trust_proxies(app, settings)
    for piece in (assets, language, problems, health, pickup, notices):
        piece.install(app)
    for module in VIEWS:
        import_module(module)
    for face in ("h5", "console", "api"):
        import_module(f"scancode.web.{face}").install(app)
