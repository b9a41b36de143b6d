"""A page's language: what was asked for with ``?lang=``, else the cookie, else the browser's wish, else Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.support import NullTranslations
from flask import Flask, Response, g, request
from flask_babel import Babel, Domain, get_locale
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from scancode.channels import regions
from scancode.i18n import DEFAULT_LOCALE, LOCALES, translations
from scancode.web.clients import cookie_of

COOKIE = "lang"


class _Merged(Domain):
    """Flask-Babel with our catalogues, which are read from the package instead of compiled files."""

    def get_translations(self) -> NullTranslations:
        return translations(current_locale())


def install(app: Flask) -> None:
    babel = Babel()
    babel.init_app(app, default_locale=DEFAULT_LOCALE, locale_selector=current_locale)
    babel.domain_instance = _Merged()
    app.jinja_env.globals["language_url"] = language_url
    app.jinja_env.filters["local_moment"] = local_moment
    app.jinja_env.filters["region"] = lambda code: regions.name_of(code, current_locale())
    app.context_processor(lambda: {"current_locale": current_locale()})
    app.after_request(_keep)


def current_locale() -> str:
    """``zh`` or ``en``."""
    if "locale" not in g:
        g.locale = _choose()
    found: str = g.locale
    return found


def language_url(locale: str) -> str:
    """This page in the other language: a relative reference, so that it is the same wherever the page stands."""
    return f"?{urlencode({**request.args.to_dict(), 'lang': locale})}"


def local_moment(when: datetime, zone: str) -> str:
    """``2026-11-22 12:00 (Asia/Shanghai)``: for pages whose readers may be anywhere."""
    return f"{when.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"


def _choose() -> str:
    asked = request.args.get("lang")
    return asked if asked in LOCALES else locale_of(request.environ)


def locale_of(environ: Mapping[str, Any]) -> str:
    """The language of a request that asks for none in its query."""
    kept = cookie_of(environ, COOKIE)
    if kept in LOCALES:
        return str(kept)
    return _wished(environ.get("HTTP_ACCEPT_LANGUAGE") or "*")


@lru_cache(maxsize=1000)
def _wished(header: str) -> str:
    if header == "*":
        return DEFAULT_LOCALE
    wishes = parse_accept_header(header[:500], LanguageAccept)
    return wishes.best_match(("zh", "zh-CN", "zh-TW", "zh-HK", "en"), DEFAULT_LOCALE)[:2]


def _keep(response: Response) -> Response:
    asked = request.args.get("lang")
    if asked in LOCALES and request.cookies.get(COOKIE) != asked:
        response.set_cookie(COOKIE, str(asked), max_age=400 * 24 * 3600, samesite="Lax", secure=request.is_secure)
    return response


__all__ = ["current_locale", "get_locale", "install", "language_url"]
