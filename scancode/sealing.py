"""Personal values at rest: encrypted with rotating keys, found again through a keyed blind index.

A phone or an openid is never stored in clear. ``Sealer.seal`` encrypts it (AES-256-GCM, the newest key seals, all
keys open); ``Sealer.index`` makes the id under which it is found (128 bits of HMAC-SHA-256, as a UUID). Tranche
secrets are sealed the same way with keys of their own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class SealBroken(Exception):
    """A sealed value does not open: its key is missing, or it was changed or moved to another purpose."""


class Sealer:
    """Seals and indexes values. ``keys`` is ``kid:secret,…`` (newest last), ``index_key`` never changes."""

    def __init__(self, keys: str, index_key: str) -> None:
        self._ciphers: dict[str, AESGCM] = {}
        for item in keys.split(","):
            kid, _, secret = item.strip().partition(":")
            self._ciphers[kid] = AESGCM(hashlib.sha256(b"scancode.seal." + secret.encode()).digest())
            self._newest = kid
        self._index_key = hashlib.sha256(b"scancode.index." + index_key.encode()).digest()

    def seal(self, value: str, *, purpose: str) -> str:
        """``KID.BASE64`` of nonce and ciphertext; it opens for the same purpose only."""
        nonce = os.urandom(12)
        body = nonce + self._ciphers[self._newest].encrypt(nonce, value.encode(), purpose.encode())
        return f"{self._newest}.{base64.urlsafe_b64encode(body).decode()}"

    def open(self, sealed: str, *, purpose: str) -> str:
        """The value again. Raises SealBroken."""
        kid, _, text = sealed.partition(".")
        cipher = self._ciphers.get(kid)
        if cipher is None:
            raise SealBroken(f"no seal key named {kid}: keep old keys in SCANCODE_SEAL_KEYS")
        body = base64.urlsafe_b64decode(text)
        try:
            return cipher.decrypt(body[:12], body[12:], purpose.encode()).decode()
        except InvalidTag as error:
            raise SealBroken("a sealed value does not open with its key") from error

    def index(self, value: str, *, purpose: str) -> UUID:
        """The blind index of a value: the same for the same value and purpose, telling nothing without the key."""
        return UUID(bytes=self._mac(purpose, value)[:16])

    def digest(self, value: str, *, purpose: str) -> str:
        """A keyed hash in hexadecimal, for values that are only ever compared (passwords by SMS, addresses)."""
        return self._mac(purpose, value).hex()

    def _mac(self, purpose: str, value: str) -> bytes:
        return hmac.digest(self._index_key, f"{purpose}\0{value}".encode(), "sha256")
