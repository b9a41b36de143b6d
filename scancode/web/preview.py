"""Signed addresses under which a page is shown as a consumer will see it, to whoever has the link: a product's, or any
page in a brand's look, or a welcome that is being written. Another kind makes testers of those who open it.

The console makes them (a phone opens them by their QR code), the consumer pages read them; neither knows the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from uuid import UUID

from itsdangerous import BadSignature, URLSafeTimedSerializer

from scancode.config import Settings
from scancode.errors import Refusal
from scancode.i18n import N_

VALID_S = 7 * 24 * 3600
TRIAL_VALID_S = 24 * 3600


class PreviewOver(Refusal):
    code = "preview_over"
    text = N_("This preview link is not valid any more. Open a new one from the product's page in the console.")
    status = 404


class TrialLinkOver(Refusal):
    code = "trial_link_over"
    text = N_("This link is not valid any more. Ask whoever sent it for a new one.")
    status = 404


def sign(settings: Settings, product_id: UUID) -> str:
    """The token of a preview link."""
    return _serializer(settings).dumps(product_id.hex)


def read(settings: Settings, token: str) -> UUID:
    """The product of a token. Raises PreviewOver."""
    return _read(_serializer(settings), token)


def sign_brand(settings: Settings, brand_id: UUID) -> str:
    """The token of a preview of a look."""
    return _serializer(settings, "scancode.look").dumps(brand_id.hex)


def read_brand(settings: Settings, token: str) -> UUID:
    """The brand of such a token. Raises PreviewOver."""
    return _read(_serializer(settings, "scancode.look"), token)


def sign_welcome(settings: Settings, brand_id: UUID, locale: str, texts: Mapping[str, str]) -> str:
    """The token of a preview of a welcome. It holds the texts themselves: nobody else can have the page say theirs."""
    return str(_serializer(settings, "scancode.welcome").dumps([brand_id.hex, locale, dict(texts)]))


def read_welcome(settings: Settings, token: str) -> tuple[UUID, str, dict[str, str]]:
    """Brand, language and texts of such a token. Raises PreviewOver."""
    try:
        brand, locale, texts = _serializer(settings, "scancode.welcome").loads(token, max_age=VALID_S)
        return UUID(hex=brand), locale, texts
    except (BadSignature, ValueError, TypeError, AttributeError) as error:
        raise PreviewOver from error


def sign_trial(settings: Settings, campaign_id: UUID, staff_id: UUID) -> str:
    """The token of a link that makes whoever opens it a tester of a campaign."""
    return str(_serializer(settings, "scancode.trial").dumps([campaign_id.hex, staff_id.hex]))


def read_trial(settings: Settings, token: str) -> tuple[UUID, UUID]:
    """The campaign of such a token, and who made it. Raises TrialLinkOver."""
    try:
        campaign, person = _serializer(settings, "scancode.trial").loads(token, max_age=TRIAL_VALID_S)
        return UUID(hex=campaign), UUID(hex=person)
    except (BadSignature, ValueError, TypeError, AttributeError) as error:
        raise TrialLinkOver from error


def _read(serializer: URLSafeTimedSerializer, token: str) -> UUID:
    try:
        return UUID(hex=serializer.loads(token, max_age=VALID_S))
    except (BadSignature, ValueError, TypeError, AttributeError) as error:
        raise PreviewOver from error


def _serializer(settings: Settings, salt: str = "scancode.preview") -> URLSafeTimedSerializer:
    keys = [key.strip() for key in settings.link_keys.get_secret_value().split(",")]
    return URLSafeTimedSerializer(
        keys,
        salt=salt,
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
