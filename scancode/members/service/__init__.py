"""The verbs of membership: who somebody is, proving a phone, joining, consenting, leaving."""

from scancode.members.service.consents import consent, consents_of, has_consent, withdraw
from scancode.members.service.identities import (
    claim_identity,
    find_identity,
    find_phone,
    forget_identities,
    identify,
    identities_of,
    of_identity,
    phone_index,
    reveal,
)
from scancode.members.service.membership import (
    find_member,
    forget,
    get_member,
    is_linked,
    join,
    link_visitor,
    speak,
    visitors_of,
)
from scancode.members.service.passwords import SMS_JOB, ask_password, check_password, open_message, purge

__all__ = [
    "SMS_JOB",
    "ask_password",
    "check_password",
    "claim_identity",
    "consent",
    "consents_of",
    "find_identity",
    "find_member",
    "find_phone",
    "forget",
    "forget_identities",
    "get_member",
    "has_consent",
    "identify",
    "identities_of",
    "is_linked",
    "join",
    "link_visitor",
    "of_identity",
    "open_message",
    "phone_index",
    "purge",
    "reveal",
    "speak",
    "visitors_of",
    "withdraw",
]
