"""The cryptography of WeChat Pay v3: what we sign, what we verify, what is sealed for either side. No network here."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SCHEME = "WECHATPAY2-SHA256-RSA2048"
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303  as documented


class BadKey(ValueError):
    """A setting holds no key that can be used; the message says why, and quotes nothing of it."""


@dataclass(frozen=True)
class Merchant:
    """Us: the merchant number, the serial of our certificate and its private key."""

    mch_id: str
    serial: str
    key: RSAPrivateKey = field(repr=False)

    def authorization(self, *, method: str, target: str, body: str, timestamp: int) -> str:
        """The Authorization header of one request; ``target`` is path and query as they are sent."""
        nonce = secrets.token_hex(16)
        signed = f"{method}\n{target}\n{timestamp}\n{nonce}\n{body}\n"
        signature = base64.b64encode(self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
        return (
            f'{SCHEME} mchid="{self.mch_id}",nonce_str="{nonce}",signature="{signature}",'
            f'timestamp="{timestamp}",serial_no="{self.serial}"'
        )


def private_key(pem: str) -> RSAPrivateKey:
    """From PEM. Raises BadKey."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (TypeError, ValueError) as error:
        raise BadKey("no private key in PEM, or one with a password") from error
    if not isinstance(key, RSAPrivateKey):
        raise BadKey("not an RSA key")
    return key


def is_signed(key: RSAPublicKey, *, timestamp: str, nonce: str, body: bytes, signature: str) -> bool:
    """Whether the provider signed exactly this."""
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, f"{timestamp}\n{nonce}\n".encode() + body + b"\n", padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def seal(key: RSAPublicKey, text: str) -> str:
    """A personal value for the provider's eyes only."""
    return base64.b64encode(key.encrypt(text.encode(), OAEP)).decode()


def unseal(keys: Sequence[bytes], *, nonce: str, ciphertext: str, associated: str) -> bytes | None:
    """What the provider sealed with the APIv3 key; any of ours may be it while one replaces another."""
    try:
        raw = base64.b64decode(ciphertext, validate=True)
    except (binascii.Error, ValueError):
        return None
    for key in reversed(keys):
        try:
            return AESGCM(key).decrypt(nonce.encode(), raw, associated.encode())
        except (InvalidTag, ValueError):
            continue
    return None
