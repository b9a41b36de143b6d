"""Decisions about what leaves the house: which states there are, when a passcode locks, what is late. Pure."""

from __future__ import annotations

from enum import StrEnum


class PackForm(StrEnum):
    """How a pack is encrypted."""

    AGE = "age"
    ZIP = "zip"


class SealState(StrEnum):
    QUEUED = "queued"
    SEALING = "sealing"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"
    GONE = "gone"


class KitState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


class AlertKind(StrEnum):
    NOT_DOWNLOADED = "not_downloaded"
    NOT_ACTIVATED = "not_activated"
