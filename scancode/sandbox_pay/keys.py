"""The keys of both sides: made once in a folder, and handed to the program as settings."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

MCH_ID, APP_ID = "1900009999", "wxsandbox00000001"
FILE = "keys.json"
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303  as documented


@dataclass(frozen=True)
class Identity:
    """Something that the server signs with: under a public key's id, or under its certificate's serial."""

    serial: str
    private_pem: str
    certificate_pem: str = ""

    @property
    def key(self) -> rsa.RSAPrivateKey:
        key = serialization.load_pem_private_key(self.private_pem.encode(), password=None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key

    @property
    def public_pem(self) -> str:
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, spki).decode()


@dataclass
class Keys:
    """``platform`` in the order in which they came; the newest of its kind signs."""

    merchant: Identity
    v3_key: str
    platform: list[Identity]
    _loaded: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)

    def private(self, identity: Identity) -> rsa.RSAPrivateKey:
        if identity.serial not in self._loaded:
            self._loaded[identity.serial] = identity.key
        return self._loaded[identity.serial]

    def signer(self, asked: str | None) -> Identity:
        """The public key that the caller goes by, if it is one of ours; else the newest certificate."""
        by_id = [one for one in self.platform if one.serial == asked and not one.certificate_pem]
        certificates = [one for one in self.platform if one.certificate_pem]
        return (by_id or certificates or self.platform)[-1]

    def sign(self, identity: Identity, text: bytes) -> str:
        return base64.b64encode(self.private(identity).sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()

    def is_merchants(self, text: bytes, signature: str) -> bool:
        try:
            raw = base64.b64decode(signature, validate=True)
            self.private(self.merchant).public_key().verify(raw, text, padding.PKCS1v15(), hashes.SHA256())
        except Exception:  # whatever is wrong with it, it is not theirs
            return False
        return True

    def open_name(self, sealed: str, serial: str | None) -> str | None:
        """A personal value that the merchant sealed with one of our keys."""
        for identity in self.platform:
            if identity.serial == serial:
                try:
                    return self.private(identity).decrypt(base64.b64decode(sealed, validate=True), OAEP).decode()
                except ValueError:
                    return None
        return None

    def seal(self, text: str, associated: str) -> dict[str, str]:
        """A resource for the merchant's eyes, as callbacks and certificates are sent."""
        nonce = secrets.token_hex(6)
        raw = AESGCM(self.v3_key.encode()).encrypt(nonce.encode(), text.encode(), associated.encode())
        return {
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": base64.b64encode(raw).decode(),
            "nonce": nonce,
            "associated_data": associated,
        }

    def settings(self, url: str, *, certificates: bool = False) -> dict[str, str]:
        """What ``scancode`` has to be told to pay here, as its environment variables."""
        public = "".join(f"{one.serial}\n{one.public_pem}" for one in self.platform if not one.certificate_pem)
        return {
            "SCANCODE_PAYOUT_GATEWAY": "wechatpay",
            "SCANCODE_WECHATPAY_URL": url,
            "SCANCODE_WECHATPAY_BACKUP_URL": "",
            "SCANCODE_WECHATPAY_MCH_ID": MCH_ID,
            "SCANCODE_WECHAT_APP_ID": APP_ID,
            "SCANCODE_WECHATPAY_MERCHANT_KEY": self.merchant.private_pem,
            "SCANCODE_WECHATPAY_MERCHANT_SERIAL": self.merchant.serial,
            "SCANCODE_WECHATPAY_V3_KEYS": self.v3_key,
            "SCANCODE_WECHATPAY_PLATFORM_KEYS": "" if certificates else public,
            "SCANCODE_WECHATPAY_CERTIFICATES": "true" if certificates else "false",
            "SCANCODE_WECHATPAY_SANDBOX": "true",
        }

    def rotate(self, *, with_certificate: bool) -> Identity:
        """A new key beside the old ones, which signs from now on."""
        self.platform.append(new_certificate("sandbox platform") if with_certificate else new_public_key())
        return self.platform[-1]


def make() -> Keys:
    """A merchant, a public key and a certificate of the platform's, and an APIv3 key that production refuses."""
    v3_key = "insecure" + secrets.token_hex(12)
    return Keys(new_certificate("sandbox merchant"), v3_key, [new_certificate("sandbox platform"), new_public_key()])


def load(folder: Path) -> Keys:
    """The keys of a folder; made there on the first call."""
    path = folder / FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        save(make(), folder)
    kept = json.loads(path.read_text())
    return Keys(Identity(**kept["merchant"]), kept["v3_key"], [Identity(**one) for one in kept["platform"]])


def save(keys: Keys, folder: Path) -> None:
    text = json.dumps(
        {
            "merchant": vars(keys.merchant),
            "v3_key": keys.v3_key,
            "platform": [vars(one) for one in keys.platform],
        }
    )
    part = folder / f"{FILE}.part"
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    part.replace(folder / FILE)


def new_public_key() -> Identity:
    return Identity(f"PUB_KEY_ID_{secrets.token_hex(12).upper()}", _pem(rsa.generate_private_key(65537, 2048)))


def new_certificate(name: str) -> Identity:
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=5 * 365))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return Identity(f"{certificate.serial_number:X}", _pem(key), pem)


def _pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
