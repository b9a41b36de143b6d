"""The static files: where they are, what their addresses are, and how they are sent.

An address carries the first eight digits of the file's SHA-256 (``/static/h5/site.css?v=1a2b3c4d``), so a
browser may keep what it has for ever and still gets a new file at once. The files lie beside the package in a
checkout and inside it (``scancode/_static``) in an installed wheel. Text is sent gzipped, packed once per
process: on a slow phone that is one second instead of four, and not every host has a proxy that would do it.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from flask import Flask, Response, abort, request

URL_PREFIX = "/static/"
FILES_MAX = 500
GZIP_BYTES_MIN = 512
FOREVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=300"

_PACKAGE = Path(__file__).resolve().parent.parent
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".wasm": "application/wasm",
    ".txt": "text/plain; charset=utf-8",
}
_GZIPPED = frozenset({".css", ".js", ".svg", ".wasm", ".txt", ".json"})


@cache
def static_folder() -> Path:
    """The folder of the static files, of an installed wheel or of a checkout."""
    for folder in (_PACKAGE / "_static", _PACKAGE.parent / "static"):
        if (folder / "icons.svg").is_file():
            return folder
    raise FileNotFoundError(f"no static files beside or inside {_PACKAGE}")


@cache
def fingerprints() -> Mapping[str, str]:
    """Every static file's path (``h5/site.css``) and its SHA-256 in hexadecimal, once per process."""
    folder = static_folder()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(files) > FILES_MAX:
        raise RuntimeError(f"{len(files)} static files, more than {FILES_MAX}")
    return MappingProxyType(
        {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    )


def asset_url(path: str) -> str:
    """The address of a static file, with its version. An unknown path is a programming error: KeyError."""
    return f"{URL_PREFIX}{quote(path)}?v={fingerprints()[path][:8]}"


@cache
def _body(path: str, zipped: bool) -> bytes:
    body = (static_folder() / path).read_bytes()
    return gzip.compress(body, compresslevel=9, mtime=0) if zipped else body


def _send(path: str) -> Response:
    digest = fingerprints().get(path)
    if digest is None:  # also what stops "../": only files that were found by walking the folder are known
        abort(404)
    suffix = Path(path).suffix
    may_zip = suffix in _GZIPPED and (static_folder() / path).stat().st_size >= GZIP_BYTES_MIN
    zipped = may_zip and request.accept_encodings.quality("gzip") > 0
    mimetype = _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    response = Response(_body(path, zipped), content_type=mimetype)
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    if may_zip:
        response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = FOREVER if request.args.get("v") == digest[:8] else BRIEFLY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.set_etag(digest[:16] + ("-gz" if zipped else ""))
    response.make_conditional(request)
    return response


def install(app: Flask) -> None:
    """Serve the static files; give templates ``asset_url``. The app is made with ``static_folder=None``."""
    app.add_url_rule(f"{URL_PREFIX}<path:path>", endpoint="static", view_func=_send)
    app.jinja_env.globals["asset_url"] = asset_url
