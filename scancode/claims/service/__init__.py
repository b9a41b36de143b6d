"""The verbs of claims. Call sites read ``claims.claim(…)``, ``claims.bind(…)``, ``claims.find_claim(…)``."""

from scancode.claims.numbers import cause_of, code_of, second_id
from scancode.claims.rules import ClaimAnswer, Claimant, ClaimCode, ClaimView, Standing
from scancode.claims.service.asking import Request
from scancode.claims.service.binding import bind, quarantine, reassign
from scancode.claims.service.claiming import claim
from scancode.claims.service.crossing import (
    CrossingFacts,
    find_crossing,
    has_reserved,
    offer_crossing,
    spend_try,
    sweep_crossings,
)
from scancode.claims.service.deciding import (
    HeldFacts,
    closing_of,
    count_held,
    find_held,
    list_due,
    list_held,
    look_again,
    refuse_held,
    release_due,
    release_held,
    steps_of,
)
from scancode.claims.service.gate import STOP
from scancode.claims.service.limits import charge
from scancode.claims.service.many import claim_many
from scancode.claims.service.reading import (
    count_claimed,
    find_claim,
    find_facts,
    list_large,
    list_quarantined,
    of_person,
    paid_fen,
    spent_fen,
)
from scancode.claims.service.seconds import mark_second
from scancode.claims.service.trials import (
    TrialView,
    erase_tried,
    find_tried,
    forget_tried,
    list_tried,
    reassign_tried,
    tried_by,
    try_out,
)

__all__ = [
    "STOP",
    "ClaimAnswer",
    "ClaimCode",
    "ClaimView",
    "Claimant",
    "CrossingFacts",
    "HeldFacts",
    "Request",
    "Standing",
    "TrialView",
    "bind",
    "cause_of",
    "charge",
    "claim",
    "claim_many",
    "closing_of",
    "code_of",
    "count_claimed",
    "count_held",
    "erase_tried",
    "find_claim",
    "find_crossing",
    "find_facts",
    "find_held",
    "find_tried",
    "forget_tried",
    "has_reserved",
    "list_due",
    "list_held",
    "list_large",
    "list_quarantined",
    "list_tried",
    "look_again",
    "mark_second",
    "of_person",
    "offer_crossing",
    "paid_fen",
    "quarantine",
    "reassign",
    "reassign_tried",
    "refuse_held",
    "release_due",
    "release_held",
    "second_id",
    "spend_try",
    "spent_fen",
    "steps_of",
    "sweep_crossings",
    "tried_by",
    "try_out",
]
