"""The verbs of scans: questions about those that were made (``writer`` makes them), and about suspect codes."""

from scancode.scans.service.blocks import block, forget_blocks, lift, list_blocks, load_blocklist
from scancode.scans.service.reading import (
    ScanFacts,
    attribution_of,
    forget_addresses,
    latest_of_visitor,
    locate,
    of_code,
    region_of,
)
from scancode.scans.service.suspects import (
    SETTLEMENTS,
    CommentNeeded,
    SuspicionFacts,
    SuspicionMoved,
    are_suspect,
    count_suspects,
    find_suspicion,
    list_suspects,
    settle_suspicion,
    steps_of,
)
from scancode.scans.service.terms import load_copy_terms, own_terms, set_terms

__all__ = [
    "SETTLEMENTS",
    "CommentNeeded",
    "ScanFacts",
    "SuspicionFacts",
    "SuspicionMoved",
    "are_suspect",
    "attribution_of",
    "block",
    "count_suspects",
    "find_suspicion",
    "forget_addresses",
    "forget_blocks",
    "latest_of_visitor",
    "lift",
    "list_blocks",
    "list_suspects",
    "load_blocklist",
    "load_copy_terms",
    "locate",
    "of_code",
    "own_terms",
    "region_of",
    "set_terms",
    "settle_suspicion",
    "steps_of",
]
