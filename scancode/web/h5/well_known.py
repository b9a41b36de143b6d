"""What machines look for at fixed places of a host: the description of the resolver, the context of its linksets, and
the files by which platforms see that the host is ours."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from flask import Response, request

from scancode.errors import NotFound
from scancode.resolver.link_types import VOCABULARY
from scancode.web.h5 import h5
from scancode.web.h5.digital_link import CONTEXT_PATH, LD_JSON, OPEN_HEADERS, base_of, context_url
from scancode.web.runtime import runtime

OPEN = frozenset({"h5.digital_link", "h5.resolver_description", "h5.linkset_context"})
"""What pages of other hosts may read."""
NOT_SUPPORTED = (
    "decompression of compressed GS1 Digital Links and of EPC binary (/eh, /ex): such addresses are answered with 404",
    "the context keyword in the query: it is passed on, and decides nothing",
    "primary keys other than 01",
    "walking up from a serial that is not one of our codes: it is answered with 404, because it names no item",
)
DUBLIN = "http://purl.org/dc/terms/"
CONTEXT = {
    "@context": {
        "@version": 1.1,
        "@vocab": "https://www.iana.org/assignments/link-relations/",
        "gs1": VOCABULARY,
        "linkset": "@graph",
        "anchor": "@id",
        "href": "@id",
        "itemDescription": f"{DUBLIN}description",
        "title": f"{DUBLIN}title",
        "type": f"{DUBLIN}format",
        "hreflang": {"@id": f"{DUBLIN}language", "@container": "@set"},
    }
}


@h5.get("/.well-known/gs1resolver")
def resolver_description() -> Response:
    """What this resolver can do, and what not."""
    base = base_of(runtime(), request.host)
    return Response(
        json.dumps(
            {
                "name": "scancode",
                "resolverRoot": base,
                "supportedPrimaryKeys": ["01"],
                "supportedLinkType": [
                    {"namespace": VOCABULARY, "prefix": "gs1:"},
                    {"namespace": "https://www.iana.org/assignments/link-relations/", "prefix": ""},
                ],
                "linkTypeDefaultCanBeLinkset": False,
                "supportsLanguageVariants": True,
                "validatesAIcombinations": True,
                "jsonLdContextLocation": context_url(base),
                "contact": {"fn": urlsplit(base).netloc},
                "notSupported": NOT_SUPPORTED,
            },
            indent=1,
        ),
        content_type="application/json",
    )


@h5.get(CONTEXT_PATH)
def linkset_context() -> Response:
    """What turns a linkset into JSON-LD."""
    return Response(json.dumps(CONTEXT, indent=1), content_type=LD_JSON)


@h5.get("/<name>.txt")
def site_text(name: str) -> Response:
    """``/MP_verify_….txt`` and the like, as an administrator put it there."""
    return _site_file(f"{name}.txt")


@h5.get("/<name>.html")
def site_page(name: str) -> Response:
    """``/baidu_verify_….html`` and ``/ByteDanceVerify.html``; text as well, whatever the name says."""
    return _site_file(f"{name}.html")


def _site_file(name: str) -> Response:
    content = runtime().site_files.get(None).get(name)
    if content is None:
        raise NotFound
    response = Response(content, content_type="text/plain; charset=utf-8")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@h5.after_request
def _open(response: Response) -> Response:
    """For scripts of other hosts, errors and OPTIONS included; never with their cookies."""
    if request.endpoint in OPEN:
        response.headers.extend(OPEN_HEADERS)
    return response
