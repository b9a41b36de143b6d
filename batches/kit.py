"""A press kit: all that one computer without a network needs to make one range of one batch, sealed for one recipient.

It holds K of the batch, what is to be printed, and how. It is opened in memory with the recipient's identity; K is
never written down. The server knows which range each kit was made for and until when: nothing else of the batch can
ever be activated, so a kit that is stolen later, or printed twice, is worth nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from batches.codes import KEY_BYTES
from batches.errors import BadKit, BadSpec, KitOver
from batches.items import Kind
from batches.press import plan
from batches.sealed import open_bytes, seal_bytes
from batches.spec import BatchSpec
from batches.ticket import Ticket

FORMAT: Final = "scancode-kit"
FORMAT_VERSION: Final = 1
KIT_SIZE_MAX: Final = 1 << 20
SUFFIX: Final = ".kit.age"


@dataclass(frozen=True, kw_only=True)
class Kit:
    """What a press kit holds. ``id`` is the server's name for it; after ``expires_at`` the server activates nothing."""

    id: str
    spec: BatchSpec
    key: bytes
    formats: tuple[str, ...]
    ticket: Ticket
    issued_at: datetime
    expires_at: datetime

    def seal(self, recipient: str) -> bytes:
        """The kit for whoever holds the identity of ``recipient``. Raises BadRecipient, BadSpec."""
        plan(self.spec, self.formats, self.ticket)
        spec = asdict(self.spec) | {"kinds": [kind.label for kind in self.spec.kinds]}
        body = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "id": self.id,
            "spec": spec,
            "key": self.key.hex(),
            "formats": list(self.formats),
            "ticket": self.ticket.to_dict(),
            "issued_at": self.issued_at.astimezone(UTC).isoformat(),
            "expires_at": self.expires_at.astimezone(UTC).isoformat(),
        }
        return seal_bytes(json.dumps(body, ensure_ascii=False).encode(), recipient)

    def require_current(self, now: datetime) -> None:
        """Raises KitOver when what the kit would make could not be activated any more."""
        if now >= self.expires_at:
            until = self.expires_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
            raise KitOver(f"the kit expired at {until}", until=until)


def open_kit(path: Path, identity: str) -> Kit:
    """The kit in this file. Raises BadIdentity, NotSealedForYou, BadKit, OSError."""
    with path.open("rb") as file:
        sealed = file.read(KIT_SIZE_MAX + 1)
    if len(sealed) > KIT_SIZE_MAX:
        raise BadKit("the file is too large to be a kit", reason="size")
    return _read(open_bytes(sealed, identity))


def _read(text: bytes) -> Kit:
    try:
        body: dict[str, Any] = json.loads(text)
        if body["format"] != FORMAT or body["format_version"] != FORMAT_VERSION:
            raise BadKit("this is no kit, or one of a later version", reason="version")
        spec = body["spec"]
        kit = Kit(
            id=str(body["id"]),
            spec=BatchSpec(**{**spec, "kinds": tuple(Kind.of(label) for label in spec["kinds"])}),
            key=bytes.fromhex(body["key"]),
            formats=tuple(body["formats"]),
            ticket=Ticket.from_dict(body["ticket"]),
            issued_at=datetime.fromisoformat(body["issued_at"]),
            expires_at=datetime.fromisoformat(body["expires_at"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, BadSpec) as error:
        if isinstance(error, BadKit):
            raise
        raise BadKit("the kit is damaged", reason="form") from error
    if len(kit.key) != KEY_BYTES or kit.expires_at.tzinfo is None:
        raise BadKit("the kit is damaged", reason="form")
    return kit
