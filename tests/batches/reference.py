"""The code of scancode/docs/press.md once more: slow, with big integers and the stock CMAC, sharing nothing.

It exists to disagree. It was written from the specification, imports nothing of the press, and made
``vectors.json``: ``python tests/batches/reference.py > tests/batches/vectors.json`` makes it again.
"""

import hashlib
import hmac
import json

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.cmac import CMAC

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KINDS = ("outer", "inner", "case", "pallet")


def key_of(secret: bytes, batch_salt: bytes) -> bytes:
    return hmac.new(secret, b"scancode.batch." + batch_salt, hashlib.sha256).digest()


def tag_of(key: bytes, batch: int, kind: int, serial: int) -> bytes:
    message = batch.to_bytes(4, "big") + bytes([kind]) + serial.to_bytes(4, "big") + bytes(7)
    mac = CMAC(AES(key[:16]))
    mac.update(message)
    return mac.finalize()[:6]


def pad_of(key: bytes, tag: bytes) -> int:
    encryptor = Cipher(AES(key[16:32]), ECB()).encryptor()
    block = encryptor.update(tag + bytes(10)) + encryptor.finalize()
    return int.from_bytes(block, "big") >> (128 - 27)


def mint(key: bytes, batch: int, kind: int, serial: int) -> str:
    tag = tag_of(key, batch, kind, serial)
    sealed = (kind * 2**25 + serial) ^ pad_of(key, tag)
    number = (batch * 2**27 + sealed) * 2**48 + int.from_bytes(tag, "big")
    code = ""
    for _ in range(20):
        number, value = divmod(number, 32)
        code = CROCKFORD[value] + code
    assert number == 0
    return code


def verify(key: bytes, code: str) -> tuple[int, int, int] | None:
    number = 0
    for symbol in code:
        number = number * 32 + CROCKFORD.index(symbol)
    tag = (number % 2**48).to_bytes(6, "big")
    batch, sealed = divmod(number // 2**48, 2**27)
    kind, serial = divmod(sealed ^ pad_of(key, tag), 2**25)
    return (batch, kind, serial) if tag_of(key, batch, kind, serial) == tag else None


def vector(secret: str, batch_salt: bytes, batch: int, kind: int, serial: int) -> dict[str, str | int]:
    key = key_of(secret.encode(), batch_salt)
    return {
        "secret": secret,
        "batch_salt": batch_salt.hex(),
        "key": key.hex(),
        "batch": batch,
        "kind": KINDS[kind],
        "serial": serial,
        "code_id": batch * 2**27 + kind * 2**25 + serial,
        "tag": tag_of(key, batch, kind, serial).hex(),
        "code": mint(key, batch, kind, serial),
    }


def vectors() -> list[dict[str, str | int]]:
    last = 2**25 - 1
    first_salt, second_salt = bytes(range(16)), hashlib.sha256(b"second").digest()[:16]
    found = [vector("a published secret", first_salt, 1234567, kind, 0) for kind in range(4)]
    found += [vector("a published secret", first_salt, 1234567, 1, serial) for serial in (1, 2, 65535, 65536, last)]
    found += [vector("a published secret", second_salt, batch, 0, 42) for batch in (0, 1, last)]
    found += [vector("公开的密钥", second_salt, 20_000_001, 3, last), vector("x" * 100, bytes(16), 7, 2, 9_999_999)]
    return found


if __name__ == "__main__":
    print(json.dumps(vectors(), ensure_ascii=False, indent=2))
