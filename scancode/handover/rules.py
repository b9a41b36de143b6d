"""Decisions about what leaves the house: which states there are, whether a link still serves, what is late. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

FAILURES_TOTAL_MAX = 20
"""So many wrong passcodes in all close a link for good."""
PERMIT = timedelta(hours=12)
"""How long a right passcode opens the file: enough to resume a large download over night."""


class PackForm(StrEnum):
    """How a pack is encrypted."""

    AGE = "age"
    ZIP = "zip"


class SealState(StrEnum):
    QUEUED = "queued"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"
    GONE = "gone"


class KitState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    """Taken back by whoever asked."""


class AlertKind(StrEnum):
    NOT_DOWNLOADED = "not_downloaded"
    NOT_ACTIVATED = "not_activated"


class LinkState(StrEnum):
    OPEN = "open"
    EXPIRED = "expired"
    REVOKED = "revoked"
    USED_UP = "used_up"
    LOCKED = "locked"
    """For a while."""
    CLOSED = "closed"
    """For good: too many wrong passcodes."""
    GONE = "gone"
    """The file has left the disk."""


@dataclass(frozen=True)
class LinkFacts:
    """A link with the file that it leads to."""

    id: UUID
    sealed_id: UUID
    batch_number: int
    brand_id: UUID
    form: PackForm
    file_name: str
    size_bytes: int
    sha256: str
    sealed_state: SealState
    for_whom: str
    passcode_mac: str
    created_at: datetime
    expires_at: datetime
    downloads: int
    downloads_max: int
    failures_total: int
    locked_until: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> LinkState:
        """Whether it serves, and if not, why; what is for good comes before what passes."""
        if self.revoked_at is not None:
            return LinkState.REVOKED
        if self.sealed_state is not SealState.READY:
            return LinkState.GONE
        if now >= self.expires_at:
            return LinkState.EXPIRED
        if self.failures_total >= FAILURES_TOTAL_MAX:
            return LinkState.CLOSED
        if self.downloads >= self.downloads_max:
            return LinkState.USED_UP
        if self.locked_until is not None and now < self.locked_until:
            return LinkState.LOCKED
        return LinkState.OPEN

    @property
    def left(self) -> int:
        """Downloads that are left."""
        return max(0, self.downloads_max - self.downloads)


@dataclass(frozen=True)
class Terms:
    """The times that hold for a brand's packs, in days."""

    pack_days: int
    download_days: int
    activate_days: int

    def leaves_at(self, ready_at: datetime) -> datetime:
        """When files leave the disk."""
        return ready_at + timedelta(days=self.pack_days)


@dataclass(frozen=True)
class PackFacts:
    """What is asked of a ready batch when somebody looks for what is late."""

    ready_at: datetime
    is_test: bool
    is_downloaded: bool
    is_activated: bool


def late(pack: PackFacts, terms: Terms, *, now: datetime) -> frozenset[AlertKind]:
    """What is late about a pack. Codes that live were fetched somehow; test codes are never late."""
    if pack.is_test or pack.is_activated:
        return frozenset()
    found = set()
    if not pack.is_downloaded and now >= pack.ready_at + timedelta(days=terms.download_days):
        found.add(AlertKind.NOT_DOWNLOADED)
    if now >= pack.ready_at + timedelta(days=terms.activate_days):
        found.add(AlertKind.NOT_ACTIVATED)
    return frozenset(found)
