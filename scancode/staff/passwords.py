"""Argon2id, with parameters that may grow: an old hash still opens and is made anew at the next sign-in.

19 MiB and two passes (OWASP's recommendation) take about 20 ms, so a burst of sign-ins fits beside the scans. The
dummy hash is what an unknown login is compared with: it costs as much and never matches.
"""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def hashed(password: str, *, hasher: PasswordHasher = HASHER) -> str:
    """The text to keep, with its own salt and parameters."""
    return hasher.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """Whether this is the password. A broken hash matches nothing."""
    try:
        return HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def is_outgrown(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(password_hash)


@cache
def dummy() -> str:
    """A hash that nobody knows the password of, made once per process."""
    return hashed(secrets.token_urlsafe(24))
