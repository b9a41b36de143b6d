"""Registers a view of the API: one place says its scope, what it answers and how it may refuse. The scope that is
checked and the one that the document names are therefore the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import Response
from flask_openapi.models import Tag

from scancode.web.api import api
from scancode.web.api.described import MORE

View = TypeVar("View", bound=Callable[..., Response])

BATCHES = Tag(name="batches", description="Order codes, follow their making, fetch their files, change their life.")
HANDOVER = Tag(name="handover", description="Packs sealed for print houses, links to them, downloads, press kits.")
LIFE = Tag(name="life", description="Life of a case, a pallet, a shipment, a lot or ranges; now or at a set time.")
CODES = Tag(name="codes", description="Look a single code up, without recording a scan.")
PACKING = Tag(name="packing", description="Items into cases, cases onto pallets, and what is in them.")
UPLOADS = Tag(name="uploads", description="Files for the worker: association, shipment, rejects, returned files.")
SHIPMENTS = Tag(name="shipments", description="Out, from place to place, back; receipts; what a place holds.")
PLACES = Tag(name="places", description="Channels, stores, guides, placed and live codes, a brand's look.")
SCANS = Tag(name="scans", description="Recorded scans with where they came from; never who made them.")
CAMPAIGNS = Tag(name="campaigns", description="How campaigns are going, prize by prize; pausing and ending them.")
CLAIMS = Tag(name="claims", description="Rewards that staff look at before they are paid.")
COMPLAINTS = Tag(name="complaints", description="What people report about items, without who they are.")
MEMBERS = Tag(name="members", description="Members by id, and their tags; never who they are.")
POINTS = Tag(name="points", description="What a member holds, how it came to that; giving and taking.")
REPORTS = Tag(name="reports", description="The attribution funnel.")

SCOPE_OF: dict[str, str] = {}
"""By endpoint: the scope that a token needs. An endpoint that is not here is not served."""
TAKES_FILES: set[str] = set()
"""Endpoints that are sent files, as ``multipart/form-data``."""


def get(
    rule: str, *, scope: str, tag: Tag, answers: Mapping[int, Any], refusals: tuple[int, ...] = ()
) -> Callable[[View], View]:
    """A view for GET. ``answers`` by status: the model of its JSON, or an OpenAPI description."""
    return _register(api.get, rule, scope, tag, answers, refusals)


def post(
    rule: str, *, scope: str, tag: Tag, answers: Mapping[int, Any], refusals: tuple[int, ...] = ()
) -> Callable[[View], View]:
    """A view for POST with a JSON body."""
    return _register(api.post, rule, scope, tag, answers, (400, 413, 415, *refusals))


def post_files(
    rule: str, *, scope: str, tag: Tag, answers: Mapping[int, Any], refusals: tuple[int, ...] = ()
) -> Callable[[View], View]:
    """A view for POST with files in a form."""
    put = _register(api.post, rule, scope, tag, answers, (400, 413, 415, *refusals))

    def put_files(view: View) -> View:
        TAKES_FILES.add(f"{api.name}.{view.__name__}")
        registered: View = put(view)
        return registered

    return put_files


def _register(
    method: Callable[..., Callable[[View], View]],
    rule: str,
    scope: str,
    tag: Tag,
    answers: Mapping[int, Any],
    refusals: tuple[int, ...],
) -> Callable[[View], View]:
    def put(view: View) -> View:
        SCOPE_OF[f"{api.name}.{view.__name__}"] = scope
        return method(
            rule,
            tags=[tag],
            operation_id=view.__name__,
            security=[{"token": [scope]}],
            responses={**answers, **{status: MORE[status] for status in refusals}},
        )(view)

    return put
