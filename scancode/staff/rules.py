"""Who may do what in the console, and the arithmetic of its safety: passwords, lock-outs, scopes, the chain's hashes.

Pure decisions on frozen facts. A staff member without a brand works for the operator of the installation and sees
every brand; one with a brand sees that brand alone, as if there were no other.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from scancode.i18n import N_

PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 200
PASSWORD_DISTINCT_MIN = 5
FACTS_LENGTH_MAX = 4000
CHAIN_START = "0" * 64
"""What the first row of the audit chain names as the hash before it."""

SCOPES = (
    "batches:read", "batches:files", "batches:write", "batches:restore", "batches:approve", "batches:handover",
    "places:read", "places:write", "brands:look", "scans:read", "campaigns:read", "campaigns:move", "claims:read",
    "claims:decide", "complaints:read", "reports:read", "epcis:read", "epcis:capture", "members:read",
    "members:write", "points:read", "points:write",
)  # fmt: skip
"""What an API token may be allowed to do. Print files hold every code, and so every prize: a right of their own, and
so is handing them over. Bringing dead codes back is one, too: whoever steals a line's token shall not revive loot."""

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,79}")
_ACTION = re.compile(r"[a-z_]+\.[a-z_]+")


class Role(StrEnum):
    FACTORY = "factory"
    MARKETING = "marketing"
    ADMIN = "admin"


@dataclass(frozen=True)
class StaffFacts:
    """A staff member as pages and commands know one. ``actor`` is the name in audit rows: an id, never a person."""

    id: UUID
    name: str
    role: Role
    brand_id: UUID | None

    @property
    def actor(self) -> str:
        return f"staff:{self.id}"

    def may(self, roles: Iterable[Role]) -> bool:
        """Whether one of the roles is theirs. Administrators have every role."""
        return self.role is Role.ADMIN or self.role in tuple(roles)

    def sees(self, brand_id: UUID | None) -> bool:
        """Whether a thing of this brand (None: of the installation) is theirs to look at."""
        return self.brand_id is None or self.brand_id == brand_id


@dataclass(frozen=True)
class TokenFacts:
    """A machine that showed a good token."""

    id: UUID
    name: str
    brand_id: UUID | None
    scopes: frozenset[str]
    staff_id: UUID

    @property
    def actor(self) -> str:
        return f"token:{self.id}"


def tidy_login(text: str) -> str:
    """How a login is kept and compared: without spaces around it, in lower case."""
    return text.strip().casefold()


def login_problem(login: str) -> str | None:
    """Why this cannot be a login (an English sentence, translated later), or None."""
    if not _LOGIN.fullmatch(login):
        return N_("2 to 80 characters: letters, digits and . _ @ + -")
    return None


def password_problem(password: str, *, login: str) -> str | None:
    """Why this password cannot be taken (an English sentence, translated later), or None."""
    if len(password) < PASSWORD_LENGTH_MIN:
        return N_("Use at least 10 characters.")
    if len(password) > PASSWORD_LENGTH_MAX:
        return N_("Use at most 200 characters.")
    if len(set(password)) < PASSWORD_DISTINCT_MIN:
        return N_("Use at least 5 different characters.")
    if login and login in password.casefold():
        return N_("The password must not contain the login.")
    return None


def audit_facts(facts: Mapping[str, object]) -> str:
    """The facts as the one text that is kept and hashed. Raises ValueError when they are too long to keep."""
    text = json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    if len(text) > FACTS_LENGTH_MAX:
        raise ValueError(f"audit facts of {len(text)} characters, more than {FACTS_LENGTH_MAX}: keep ids and counts")
    return text


def is_action(text: str) -> bool:
    """Whether this names an action: ``batch.order``."""
    return _ACTION.fullmatch(text) is not None and len(text) <= 60


@dataclass(frozen=True)
class ChainRow:
    """What a row of the audit chain says, without its own hash."""

    seq: int
    at: datetime
    actor: str
    brand_id: UUID | None
    action: str
    subject: str
    facts: str
    previous_hash: str

    def digest(self) -> str:
        """SHA-256 over every field, each apart from the next, in hexadecimal."""
        fields = [
            self.seq,
            self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            self.actor,
            str(self.brand_id) if self.brand_id else None,
            self.action,
            self.subject,
            self.facts,
            self.previous_hash,
        ]
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
