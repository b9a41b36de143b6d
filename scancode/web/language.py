"""A page's language: what was asked for with ``?lang=``, else the cookie, else the browser's wish, else Chinese."""

from __future__ import annotations

from urllib.parse import urlencode

from babel.support import NullTranslations
from flask import Flask, Response, g, request
from flask_babel import Babel, Domain, get_locale

from scancode.i18n import DEFAULT_LOCALE, LOCALES, translations

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


def _choose() -> str:
    for wish in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wish in LOCALES:
            return str(wish)
    header = request.headers.get("Accept-Language")
    if not header or header == "*":
        return DEFAULT_LOCALE
    return request.accept_languages.best_match(("zh", "zh-CN", "zh-TW", "zh-HK", "en"), DEFAULT_LOCALE)[:2]


def _keep(response: Response) -> Response:
    asked = request.args.get("lang")
    if asked in LOCALES and request.cookies.get(COOKIE) != asked:
        response.set_cookie(COOKIE, str(asked), max_age=400 * 24 * 3600, samesite="Lax", secure=request.is_secure)
    return response


__all__ = ["current_locale", "get_locale", "install", "language_url"]
