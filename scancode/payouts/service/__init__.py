"""The verbs of payouts. Call sites read ``payouts.create(…)``, ``payouts.apply_state(…)``."""

from scancode.payouts.service.control import cancel, look_sooner, recheck, reissue, retry
from scancode.payouts.service.creating import Order, create, create_many, give_identity, job_key
from scancode.payouts.service.queue import Totals, list_payouts, neglected, totals
from scancode.payouts.service.reading import events, find, find_number, get, of_identities
from scancode.payouts.service.sending import Errand, adopt, apply_absence, apply_state, mark_unknown, prepare

__all__ = [
    "Errand",
    "Order",
    "Totals",
    "adopt",
    "apply_absence",
    "apply_state",
    "cancel",
    "create",
    "create_many",
    "events",
    "find",
    "find_number",
    "get",
    "give_identity",
    "job_key",
    "list_payouts",
    "look_sooner",
    "mark_unknown",
    "neglected",
    "of_identities",
    "prepare",
    "recheck",
    "reissue",
    "retry",
    "totals",
]
