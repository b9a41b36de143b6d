"""Why somebody does not take part in a campaign for some people, in the words that the brand chose for them. Pure.

The name of a tag is for staff; people are told its public name, or nothing.
"""

from __future__ import annotations

from scancode.errors import Refusal
from scancode.i18n import N_


class MembersOnly(Refusal):
    code = "claim_members"
    text = N_("This campaign is for members. Join with your phone, then claim: the code keeps its reward.")


class NewMembersOnly(Refusal):
    code = "claim_new_members"
    text = N_("This campaign is for people who joined after it began.")


class ExistingMembersOnly(Refusal):
    code = "claim_existing_members"
    text = N_(
        "This campaign is for people who were members before it began. If you are one, sign in with the phone that the "
        "brand knows, then claim: the code keeps its reward."
    )


class InvitedOnly(Refusal):
    """Whom the brand invited it tells; what it calls them is not for everybody's eyes."""

    code = "claim_invited"
    text = N_(
        "This campaign is for invited members. If the brand invited you, sign in with the phone that it knows, then "
        "claim: the code keeps its reward."
    )


class GroupOnly(Refusal):
    """Facts: ``zh``, ``en``, the public name of the group."""

    code = "claim_group"
    text = N_(
        "This campaign is for: {en}. If that is you, sign in with the phone that the brand knows, then claim: the code "
        "keeps its reward."
    )


class LeftOut(Refusal):
    code = "claim_left_out"
    text = N_("Not every member takes part in this campaign, and your account does not. Customer service can say why.")


class GroupLeftOut(Refusal):
    """Facts: ``zh``, ``en``, the public name of the group."""

    code = "claim_group_left_out"
    text = N_("These do not take part in this campaign: {en}. Your account is one of them.")


class TierOnly(Refusal):
    """Facts: ``zh``, ``en``, the tiers that take part."""

    code = "claim_tier"
    text = N_(
        "This campaign is for members of these tiers: {en}. Your page shows your own and how to reach the next; the "
        "code keeps its reward."
    )
