"""``/api/v1``: batches, codes, scans and reports for machines, with bearer tokens, JSON and problem+json.

``routes`` registers a view with its scope and its place in the OpenAPI document; ``access`` lets a request in;
``bodies`` reads what it sent; ``document`` makes the document whole. No answer sets a cookie or depends on one.
"""

from __future__ import annotations

from importlib import import_module

from flask import Flask
from flask_openapi import APIBlueprint, OpenAPI

from scancode.web.api.described import COMMON

PREFIX = "/api/v1"
VIEWS = (
    "batches", "approvals", "handover", "kits", "life", "life_orders", "codes", "packing", "shipments", "uploads",
    "places", "placed", "looks", "scans", "campaigns", "held_claims", "suspects", "complaints", "diversion", "reports",
    "content", "people", "points", "welcomes",
)  # fmt: skip

api = APIBlueprint("api", __name__, url_prefix=PREFIX, abp_responses=COMMON)


def install(app: Flask) -> None:
    """Puts the API on the app, which must be one that collects an OpenAPI document."""
    if not isinstance(app, OpenAPI):
        raise TypeError("the API needs an app of flask_openapi, which collects its document")
    from scancode.web.api import access, bodies, document, errors

    for module in VIEWS:
        import_module(f"{__name__}.{module}")
    errors.install(app)
    access.install(app)
    bodies.install(app)
    document.install(app)
    from scancode.web.api import epcis, epcis_capture  # noqa: F401  (whose views are the blueprint's)

    app.register_api(api)
    app.register_blueprint(epcis.epcis)
