"""The verbs of packing."""

from scancode.packing.service.imports import (
    Wish,
    ask_import,
    check_against_database,
    end_undoing,
    load_keys,
    still_there,
    take_in,
    undo_some,
    wish_of,
)
from scancode.packing.service.packing import Filled, close, empty, find_container, open_container, pack, unpack
from scancode.packing.service.reading import (
    Contents,
    Step,
    contents,
    everything,
    history,
    look_into,
    parent_of,
    parents,
    serials,
)

__all__ = [
    "Contents",
    "Filled",
    "Step",
    "Wish",
    "ask_import",
    "check_against_database",
    "close",
    "contents",
    "empty",
    "end_undoing",
    "everything",
    "find_container",
    "history",
    "load_keys",
    "look_into",
    "open_container",
    "pack",
    "parent_of",
    "parents",
    "serials",
    "still_there",
    "take_in",
    "undo_some",
    "unpack",
    "wish_of",
]
