"""Files that come in with a form, for every face: onto the disk, summed on the way, gone again unless handed on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from flask import request
from werkzeug.datastructures import FileStorage

from scancode.db import new_id
from scancode.uploads.rules import FilesMissing, plain_name
from scancode.uploads.service import Received
from scancode.web.runtime import runtime


def sent_files(name: str) -> list[FileStorage]:
    """The files of one field of the form that somebody really chose."""
    return [file for file in request.files.getlist(name) if file.filename]


def size_of(file: FileStorage) -> int:
    """How large a file of the form is, in bytes."""
    size = file.stream.seek(0, os.SEEK_END)
    file.stream.seek(0)
    return size


@contextmanager
def received(name: str) -> Iterator[list[Received]]:
    """The files of one field on the disk, until they are handed on or the block ends. Raises FilesMissing."""
    chosen = sent_files(name)
    if not chosen:
        raise FilesMissing
    found: list[Received] = []
    try:
        for file in chosen:
            found.append(_receive(file))
        yield found
    finally:
        for each in found:
            each.path.unlink(missing_ok=True)


def _receive(file: FileStorage) -> Received:
    shared = runtime()
    folder = shared.settings.var_dir / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    path = folder / f"{new_id(shared.now()).hex}.sending"
    with path.open("xb") as writing:
        while piece := file.stream.read(1 << 20):
            digest.update(piece)
            size += len(piece)
            writing.write(piece)
    return Received(path, plain_name(file.filename or ""), digest.hexdigest(), size)
