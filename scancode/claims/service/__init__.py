"""The verbs of claims. Call sites read ``claims.claim(…)``, ``claims.bind(…)``, ``claims.find_claim(…)``."""

from scancode.claims.numbers import cause_of, code_of, second_id
from scancode.claims.rules import ClaimAnswer, Claimant, ClaimCode, ClaimView, Standing
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
from scancode.claims.service.holding import (
    HeldFacts,
    count_held,
    list_held,
    reason_of,
    refuse_held,
    release_held,
)
from scancode.claims.service.limits import charge
from scancode.claims.service.many import Request, claim_many
from scancode.claims.service.reading import (
    count_claimed,
    find_claim,
    find_facts,
    list_large,
    list_quarantined,
    of_person,
    spent_fen,
)
from scancode.claims.service.seconds import mark_second

__all__ = [
    "ClaimAnswer",
    "ClaimCode",
    "ClaimView",
    "Claimant",
    "CrossingFacts",
    "HeldFacts",
    "Request",
    "Standing",
    "bind",
    "cause_of",
    "charge",
    "claim",
    "claim_many",
    "code_of",
    "count_claimed",
    "count_held",
    "find_claim",
    "find_crossing",
    "find_facts",
    "has_reserved",
    "list_held",
    "list_large",
    "list_quarantined",
    "mark_second",
    "of_person",
    "offer_crossing",
    "quarantine",
    "reason_of",
    "reassign",
    "refuse_held",
    "release_held",
    "second_id",
    "spend_try",
    "spent_fen",
    "sweep_crossings",
]
