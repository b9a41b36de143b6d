"""Signed addresses of links, the permit that a right passcode earns, and the keyed hash of a passcode.

All three are keyed with the links' secrets: whoever steals the database alone can neither make an address nor try
passcodes against what it holds. The newest secret signs, all of them verify.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

from batches.text import ALPHABET
from scancode.handover.rules import PERMIT

PASSCODE_LENGTH = 10
"""Of 32 signs: 50 bits, behind a limit of 20 tries."""
_FOLD = str.maketrans("ILO", "110")


class Passes:
    """``keys`` is the setting: a comma list, the last signs."""

    def __init__(self, keys: str) -> None:
        self._keys = [key.strip().encode() for key in keys.split(",")]
        signer = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        self._links = URLSafeSerializer(self._keys, salt="scancode.pack_link", signer_kwargs=signer)
        self._permits = URLSafeSerializer(self._keys, salt="scancode.pack_permit", signer_kwargs=signer)

    def address(self, link_id: UUID) -> str:
        """The last part of a link's address."""
        return str(self._links.dumps(link_id.hex))

    def read_address(self, text: str) -> UUID | None:
        try:
            return UUID(hex=self._links.loads(text))
        except (BadSignature, ValueError, TypeError, AttributeError):
            return None

    def permit(self, link_id: UUID, *, now: datetime) -> str:
        """What opens the file of one link to one client for a while."""
        return str(self._permits.dumps([link_id.hex, secrets.token_hex(8), int((now + PERMIT).timestamp())]))

    def read_permit(self, text: str, *, link_id: UUID, now: datetime) -> str | None:
        """The name of the client that a permit was given to; None when it is over, or for another link."""
        try:
            link_hex, client, until = self._permits.loads(text)
        except (BadSignature, ValueError, TypeError):
            return None
        return str(client) if link_hex == link_id.hex and now.timestamp() < until else None

    def passcode_mac(self, link_id: UUID, passcode: str) -> str:
        """What is kept of a passcode."""
        return self._mac(self._keys[-1], link_id, passcode)

    def is_passcode(self, link_id: UUID, passcode: str, kept: str) -> bool:
        """Whether this is it, compared in constant time with every key that may have made what is kept."""
        matches = [hmac.compare_digest(self._mac(key, link_id, passcode), kept) for key in self._keys]
        return any(matches)

    @staticmethod
    def _mac(key: bytes, link_id: UUID, passcode: str) -> str:
        tidy = "".join(sign for sign in passcode.upper().translate(_FOLD) if sign.isalnum())
        return hmac.digest(key, b"scancode.passcode." + link_id.bytes + tidy.encode(), "sha256").hex()


def new_passcode() -> str:
    """Two groups of five signs that nobody confuses."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(PASSCODE_LENGTH))
    return f"{signs[:5]}-{signs[5:]}"
