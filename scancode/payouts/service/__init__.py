"""The verbs of payouts. Call sites read ``payouts.create(…)``, ``payouts.apply_state(…)``."""

from scancode.payouts.service.books import (
    find_balance,
    keep_balance,
    keep_balance_error,
    keep_comparison,
    list_comparisons,
)
from scancode.payouts.service.control import cancel, look_sooner, recheck, reissue, retry
from scancode.payouts.service.creating import Order, create, create_many, give_identity, job_key
from scancode.payouts.service.notices import forget_notices, take_notice
from scancode.payouts.service.queue import (
    Totals,
    list_payouts,
    neglected,
    paid_within,
    short_of_money,
    totals,
    wake_short,
)
from scancode.payouts.service.reading import (
    events,
    find,
    find_newest,
    find_number,
    get,
    is_held_back,
    of_identities,
    placed_since,
)
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
    "find_balance",
    "find_newest",
    "find_number",
    "forget_notices",
    "get",
    "give_identity",
    "is_held_back",
    "job_key",
    "keep_balance",
    "keep_balance_error",
    "keep_comparison",
    "list_comparisons",
    "list_payouts",
    "look_sooner",
    "mark_unknown",
    "neglected",
    "of_identities",
    "paid_within",
    "placed_since",
    "prepare",
    "recheck",
    "reissue",
    "retry",
    "short_of_money",
    "take_notice",
    "totals",
    "wake_short",
]
