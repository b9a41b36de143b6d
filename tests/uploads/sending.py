"""Sending files in and working them off, for the tests of every kind of upload."""

from __future__ import annotations

import hashlib
import json
import threading
from datetime import datetime
from typing import Any
from uuid import UUID

from scancode.uploads import service as uploads
from scancode.uploads.models import Upload
from scancode.uploads.rules import UploadKind
from scancode.uploads.service import Received
from scancode.wiring import Wired
from scancode.worker import loop
from tests.conftest import NOW
from tests.packing.floor import BY


def send(
    wired: Wired, brand_id: UUID, kind: UploadKind, wish: dict[str, Any], *files: tuple[str, bytes | str], **by: Any
) -> UUID:
    received = []
    for number, (name, text) in enumerate(files):
        content = text.encode() if isinstance(text, str) else text
        path = wired.settings.var_dir / f"{number}.sending"
        path.write_bytes(content)
        received.append(Received(path, name, hashlib.sha256(content).hexdigest(), len(content)))
    with wired.db.transaction() as session:
        return uploads.ask(
            session, brand_id=brand_id, kind=kind, wish=wish, files=received, var_dir=wired.settings.var_dir,
            **{**BY, **by},
        )  # fmt: skip


def work(wired: Wired, now: datetime = NOW) -> None:
    loop.run(wired, stop_event=threading.Event(), once=True, kinds=["upload"], clock=lambda: now)


def get(wired: Wired, upload_id: UUID) -> Upload:
    with wired.db.reading() as session:
        return uploads.get_upload(session, upload_id=upload_id)


def result(wired: Wired, upload_id: UUID) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(get(wired, upload_id).result)
    return facts


def go_on(wired: Wired, upload_id: UUID, verb: str) -> None:
    with wired.db.transaction() as session:
        uploads.go_on(session, upload_id=upload_id, step=uploads.STEPS[verb], **BY)
