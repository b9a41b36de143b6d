"""Signed addresses under which a product's page is shown as a consumer will see it, to whoever has the link.

The console makes them (a phone opens them by their QR code), the consumer pages read them; neither knows the other.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

from itsdangerous import BadSignature, URLSafeTimedSerializer

from scancode.config import Settings
from scancode.errors import Refusal
from scancode.i18n import N_

VALID_S = 7 * 24 * 3600


class PreviewOver(Refusal):
    code = "preview_over"
    text = N_("This preview link is not valid any more. Open a new one from the product's page in the console.")
    status = 404


def sign(settings: Settings, product_id: UUID) -> str:
    """The token of a preview link."""
    return _serializer(settings).dumps(product_id.hex)


def read(settings: Settings, token: str) -> UUID:
    """The product of a token. Raises PreviewOver."""
    try:
        return UUID(hex=_serializer(settings).loads(token, max_age=VALID_S))
    except (BadSignature, ValueError, TypeError, AttributeError) as error:
        raise PreviewOver from error


def _serializer(settings: Settings) -> URLSafeTimedSerializer:
    keys = [key.strip() for key in settings.link_keys.get_secret_value().split(",")]
    return URLSafeTimedSerializer(
        keys,
        salt="scancode.preview",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
