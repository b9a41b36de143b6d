"""Which function does what with which kind of upload: one entry each."""

from __future__ import annotations

from scancode.uploads.rules import UploadKind
from scancode.worker import code_files, packing, preflight, tags
from scancode.worker.uploads import Kind

KINDS: dict[UploadKind, Kind] = {
    UploadKind.PACKING: Kind(packing.take_up, undo=packing.undo),
    UploadKind.CHECK: Kind(preflight.take_up),
    UploadKind.LIFE: Kind(code_files.preview_life, confirmed=code_files.change_life),
    UploadKind.SHIPMENT: Kind(code_files.ship),
    UploadKind.TAGS: Kind(tags.take_up),
}
