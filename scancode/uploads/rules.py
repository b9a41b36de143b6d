"""What an upload goes through, and how large it may be. Pure.

waiting -> running -> done -> undoing -> undone
                   -> refused
                   -> read (a person is asked) -> confirmed -> done
cancelled from anywhere before done
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath

from scancode.errors import Refusal
from scancode.i18n import N_

FILES_MAX = 50
"""Files of one upload."""
AT_ONCE_BYTES = 64_000
"""A file up to this size may be read within the request, about 3,000 codes; a larger one is the worker's."""
SPARE_BYTES = 50_000_000
"""What is left free on the disk whatever comes in."""
NAME_LENGTH_MAX = 120


class UploadKind(StrEnum):
    PACKING = "packing"
    CHECK = "check"
    LIFE = "life"
    SHIPMENT = "shipment"
    TAGS = "tags"


OF_PEOPLE = frozenset({UploadKind.TAGS})
"""Files that name people: marketing's to see, and nobody else's."""


class UploadState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    READ = "read"
    CONFIRMED = "confirmed"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    UNDOING = "undoing"
    UNDONE = "undone"


AT_WORK = frozenset({UploadState.WAITING, UploadState.RUNNING, UploadState.CONFIRMED, UploadState.UNDOING})
"""A worker is to do something, or does."""
CANCELLABLE = frozenset({UploadState.WAITING, UploadState.RUNNING, UploadState.READ, UploadState.CONFIRMED})


class UploadMoved(Refusal):
    code = "upload_state"
    text = N_("This file has moved on meanwhile: this is not possible any more. Look at its page again.")


class FilesMissing(Refusal):
    code = "files_missing"
    text = N_("Choose a file first.")
    status = 422


class TooManyFiles(Refusal):
    code = "too_many_files"
    text = N_("At most {limit} files at once. Put them into a ZIP, or send them one after the other.")
    status = 422


class DiskFull(Refusal):
    code = "disk_full"
    text = N_("There is no room for this on the server's disk: it needs {needs_mb} MB and {has_mb} MB are free.")
    status = 507


def require_space(*, needs_bytes: int, free_bytes: int) -> None:
    """Raises DiskFull where the disk would be left with less than SPARE_BYTES."""
    if free_bytes < needs_bytes + SPARE_BYTES:
        needs = needs_bytes + SPARE_BYTES
        raise DiskFull(needs_mb=round(needs / 1e6), has_mb=round(free_bytes / 1e6))


def plain_name(sent: str) -> str:
    """The last part of a file's name as a browser sent it, without what no page or disk should see."""
    name = PurePosixPath(sent.replace("\\", "/")).name.lstrip(".")
    return "".join(sign for sign in name if sign.isprintable())[-NAME_LENGTH_MAX:] or "file"
