"""The code keys of this installation, and the key of each batch that follows from them.

A batch remembers the id of the secret that made it; the program refuses to start while one of them is missing, since
every package of that batch would turn into a forgery.
"""

from __future__ import annotations

from collections.abc import Iterable

from batches import codes as press
from scancode.config import ConfigError


class Keyring:
    """``text`` is ``kid:secret,…``; the last makes new batches. Raises ConfigError on a malformed list."""

    def __init__(self, text: str) -> None:
        self._secrets: dict[str, str] = {}
        for item in text.split(","):
            kid, colon, secret = item.strip().partition(":")
            if not (kid and colon and secret):
                raise ConfigError("SCANCODE_CODE_KEYS must look like kid:secret,kid:secret")
            self._secrets[kid] = secret
            self.newest = kid

    def derive(self, kid: str, salt: bytes) -> bytes:
        """K of a batch, 32 bytes. Raises ConfigError when the secret is gone."""
        if kid not in self._secrets:
            raise ConfigError(f"SCANCODE_CODE_KEYS has no secret named {kid}: restore it from your sealed copy")
        return press.derive_key(self._secrets[kid], salt)

    def missing(self, kids: Iterable[str]) -> list[str]:
        return sorted(set(kids) - set(self._secrets))
