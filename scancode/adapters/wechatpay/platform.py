"""Whose signature is believed: the provider's public keys by their id, and its certificates by their serial.

Both kinds stand in one setting, so that a new one is believed beside the old one before the provider changes over. An
installation without a public key downloads the certificates and looks for new ones when an unknown serial appears, but
never more often than once a minute: whoever forges callbacks must not make us call out.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from scancode.adapters.wechatpay.signing import SCHEME, BadKey, is_signed
from scancode.errors import OutsideError

FRESH_S = 300
"""What was signed longer ago, or later than now, is refused."""
PROBE = "WECHATPAY/SIGNTEST/"
"""The provider sends such signatures to see whether they are refused."""
HEADER_MAX = 1024
REFETCH_S = 60.0
KEEP_S = 12 * 3600.0
_BLOCK = re.compile(r"-----BEGIN (PUBLIC KEY|CERTIFICATE)-----.*?-----END \1-----", re.DOTALL)
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Trusted:
    """One key of the provider's, and when it may be believed."""

    serial: str
    key: RSAPublicKey
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_public_key(self) -> bool:
        return self.until is None

    def is_valid(self, now: datetime) -> bool:
        return (self.since is None or self.since <= now) and (self.until is None or now <= self.until)


def read_keys(text: str) -> list[Trusted]:
    """Certificates as they are, and public keys each after a line with its id. Raises BadKey."""
    found, end = [], 0
    for block in _BLOCK.finditer(text):
        before, end = text[end : block.start()].split(), block.end()
        if block[1] == "CERTIFICATE":
            found.append(from_certificate(block[0]))
            continue
        if not before:
            raise BadKey("a public key without its id on the line before it")
        try:
            key = serialization.load_pem_public_key(block[0].encode())
        except ValueError as error:
            raise BadKey(f"{before[-1]} cannot be read") from error
        if not isinstance(key, RSAPublicKey):
            raise BadKey(f"{before[-1]} is not an RSA key")
        found.append(Trusted(before[-1], key))
    return found


def from_certificate(pem: str) -> Trusted:
    """Raises BadKey."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise BadKey("a certificate that cannot be read") from error
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise BadKey("a certificate without an RSA key")
    serial = f"{certificate.serial_number:X}"
    return Trusted(serial, key, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


class Refused(OutsideError):
    """What came is not believed to be the provider's. Codes: ``signature_missing``, ``signature_scheme``,
    ``signature_probe``, ``signature_stale``, ``signature_serial``, ``signature_wrong``."""

    def __init__(self, code: str) -> None:
        super().__init__(code, permanent=False)


class Platform:
    """All keys that are believed. ``fetch`` downloads certificates; None where the setting is to be enough."""

    def __init__(
        self,
        keys: list[Trusted],
        *,
        fetch: Callable[[Platform], list[Trusted]] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._fixed = {_folded(key.serial): key for key in keys}
        self._fetched: dict[str, Trusted] = {}
        self._fetch = fetch
        self._fetched_at = -KEEP_S
        self._turn = threading.Lock()
        self._clock = clock

    def find(self, serial: str) -> RSAPublicKey | None:
        """The key of that id or serial, if it may be believed now."""
        found = self._known(serial)
        if found is None and self._may_fetch(REFETCH_S):
            self._refetch()
            found = self._known(serial)
        return found.key if found and found.is_valid(self._clock()) else None

    def newest(self) -> Trusted | None:
        """What to seal with: the public key where there is one, else the certificate that lasts longest."""
        if not self._fixed and self._may_fetch(KEEP_S):
            self._refetch()
        now = self._clock()
        valid = [key for key in (*self._fetched.values(), *self._fixed.values()) if key.is_valid(now)]
        return max(valid, key=lambda key: (key.is_public_key, key.until or now), default=None)

    def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raises Refused unless the provider signed this body within the last minutes. Nothing of it is read."""
        given = {name: headers.get(f"Wechatpay-{name}", "") for name in ("Signature", "Timestamp", "Nonce", "Serial")}
        if any(not value or len(value) > HEADER_MAX for value in given.values()):
            raise Refused("signature_missing")
        if given["Signature"].startswith(PROBE):
            raise Refused("signature_probe")
        if headers.get("Wechatpay-Signature-Type", SCHEME) != SCHEME:
            raise Refused("signature_scheme")
        stamp = given["Timestamp"]
        if not (stamp.isascii() and stamp.isdigit()) or abs(int(stamp[:15]) - self._clock().timestamp()) > FRESH_S:
            raise Refused("signature_stale")
        key = self.find(given["Serial"])
        if key is None:
            raise Refused("signature_serial")
        if not is_signed(key, timestamp=stamp, nonce=given["Nonce"], body=body, signature=given["Signature"]):
            raise Refused("signature_wrong")

    def with_certificates(self, keys: list[Trusted]) -> Platform:
        """One that believes these only: for the answer that brings them."""
        return Platform(keys, clock=self._clock)

    def _known(self, serial: str) -> Trusted | None:
        return self._fixed.get(_folded(serial)) or self._fetched.get(_folded(serial))

    def _may_fetch(self, after_s: float) -> bool:
        return self._fetch is not None and time.monotonic() - self._fetched_at >= after_s

    def _refetch(self) -> None:
        assert self._fetch is not None
        with self._turn:
            if not self._may_fetch(REFETCH_S):
                return
            self._fetched_at = time.monotonic()
            try:
                self._fetched = {_folded(key.serial): key for key in self._fetch(self)}
            except OutsideError as error:
                log.warning("certificates_unavailable", error=error.code)


def _folded(serial: str) -> str:
    """Serials are numbers in hexadecimal, with or without noughts before them; ids of public keys are words."""
    return serial.lstrip("0").upper()
