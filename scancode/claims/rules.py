"""Who may claim what: whose a claim is, when a reservation has lapsed, and every reason to say no. Pure.

A claim belongs to a subject: the openid inside WeChat, a phone, or a member; else the browser, which holds a
reservation for some hours until one of them binds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from batches.codes import Kind
from scancode.campaigns.rules import Offer, Phase
from scancode.catalog.rules import BrandFacts
from scancode.claims.numbers import cause_of
from scancode.codes.rules import Life
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.payouts.rules import PayoutFacts


class ClaimState(StrEnum):
    RESERVED = "reserved"
    """An anonymous visitor won; nobody is paid until an openid or a phone binds it, or it lapses."""
    CLAIMED = "claimed"
    QUARANTINED = "quarantined"
    """The provider's book knows a payment that ours lost in a restore: the code never pays again by itself."""
    HELD = "held"
    """It is somebody's, and staff look before it is paid: the campaign's rules say when."""
    REFUSED = "refused"
    """Staff looked and refused it, with a reason that its owner reads. The code never pays."""


class NotARewardCode(Refusal):
    code = "claim_outer"
    text = N_("This code shows that the item is genuine. The reward is under the code inside the package.")


class CartonCode(Refusal):
    code = "claim_carton"
    text = N_("This code belongs to a carton. Only the code inside a single package holds a reward.")


class CodeInactive(Refusal):
    code = "claim_inactive"
    text = N_("This item has not been released for sale yet, so its reward cannot be claimed.")


class CodeVoid(Refusal):
    code = "claim_void"
    text = N_("This code was voided, so it holds no reward any more. Please ask customer service about the item.")


class CodeRecalled(Refusal):
    code = "claim_recalled"
    text = N_("This item was recalled, so its reward cannot be claimed. Please follow the notice on the item's page.")


class CodeSuspect(Refusal):
    code = "claim_suspect"
    text = N_(
        "This code seems to have been copied, so its reward is held until the brand has looked at it. "
        "If the item in your hands is genuine, tell us: your report is what we look at first."
    )


class NoCampaign(Refusal):
    code = "claim_no_campaign"
    text = N_("There is no reward campaign for this item at the moment.")


class NotStarted(Refusal):
    """Facts: ``day``."""

    code = "claim_not_started"
    text = N_("The campaign has not started yet. It begins on {day}: keep the package and scan again then.")


class CampaignPaused(Refusal):
    code = "claim_paused"
    text = N_("The campaign is paused. Your code keeps its reward: please scan again later.")


class CampaignEnded(Refusal):
    """Facts: ``day``."""

    code = "claim_ended"
    text = N_("The campaign ended on {day}. Thank you for your interest.")


class PersonDayFull(Refusal):
    """Facts: ``most``."""

    code = "claim_person_day"
    text = N_(
        "Codes of this campaign that one person may claim a day: {most}. This one keeps its chance: come back tomorrow."
    )


class PersonFull(Refusal):
    """Facts: ``most``."""

    code = "claim_person"
    text = N_("Codes of this campaign that one person may claim in all: {most}. You have claimed as many.")


class Elsewhere(Refusal):
    code = "claim_elsewhere"
    text = N_("This campaign is for items of other shops or regions. Its rules page says which.")


class OtherItem(Refusal):
    code = "claim_other_item"
    text = N_("This campaign is for other products or batches. Its rules page says which.")


class ScannedElsewhere(Refusal):
    code = "claim_scanned_elsewhere"
    text = N_(
        "This campaign is for codes that are scanned in other provinces or cities; its rules page says where. If you "
        "are there, tell the brand your city on the item's page and claim again: the code keeps its reward."
    )


class WhereUnknown(Refusal):
    code = "claim_where_unknown"
    text = N_(
        "This campaign depends on where the code is scanned, and we could not tell where you are. Tell the brand your "
        "city on the item's page and claim again: the code keeps its reward."
    )


class DayFull(Refusal):
    code = "claim_day_full"
    text = N_("All rewards of today are given out. The code keeps its chance: come back tomorrow.")


class NotHeld(Refusal):
    code = "claim_not_held"
    text = N_("This reward does not wait for a decision any more. Look at the list again.")


class HeldSameEyes(Refusal):
    code = "held_same_person"
    text = N_("You refused this reward before. Somebody else decides after a second look; you may only release it.")
    status = 403


class HeldCodeClosed(Refusal):
    code = "held_code_closed"
    text = N_(
        "The code of this reward is void, recalled, not on sale or looks copied. Settle that first: until then the "
        "reward is not paid. You may refuse it."
    )


class TooLateToLook(Refusal):
    """Facts: ``days``."""

    code = "held_too_late"
    text = N_("This was refused more than {days} days ago and is not looked at again.")


class PrizeGone(Refusal):
    code = "held_prize_gone"
    text = N_("What this claim had won went back to the pool and others have won it. It cannot be looked at again.")


class HeldReasonMissing(Refusal):
    code = "claim_reason"
    text = N_("Say why, in up to 200 characters: whoever claimed will read it.")
    status = 422


class ClaimsStopped(Refusal):
    code = "claims_stopped"
    text = N_("Rewards are being checked and cannot be claimed right now. Nothing is lost: please try again later.")
    status = 503


class ClaimedByAnother(Refusal):
    """Facts: ``day``, never by whom."""

    code = "claimed_by_another"
    text = N_("The reward of this code was claimed on {day}. Each code rewards only once.")


class SnapshotAccount(Refusal):
    code = "claim_snapshot"
    text = N_("You are looking at a preview. Tap “Use full service” at the bottom of the screen, then claim again.")
    status = 403


class CrossingOver(Refusal):
    code = "crossing_over"
    text = N_(
        "This link is not valid any more. The reward is still kept in the browser where you won it: "
        "open it there and ask for a new link."
    )
    status = 404


class WrongNumber(Refusal):
    """Facts: ``left``, how many more tries there are."""

    code = "crossing_number"
    text = N_("That is not the number shown in the other browser. Tries left: {left}.")
    status = 422


@dataclass(frozen=True)
class ClaimCode:
    """The parts of a genuine code."""

    code_id: int
    batch_number: int
    kind: int
    serial: int


@dataclass(frozen=True)
class Claimant:
    """Whoever is at the other end, as far as is known. ``identity_id`` is an openid's."""

    visitor_id: UUID | None
    identity_id: UUID | None = None
    phone_identity_id: UUID | None = None
    member_id: UUID | None = None
    is_snapshot: bool = False
    """The openid is a virtual account that the platform shows before consent: no money goes there."""

    @property
    def subject_id(self) -> UUID | None:
        """Whom a claim belongs to: the openid, else the phone."""
        return self.identity_id or self.phone_identity_id

    @property
    def account_id(self) -> UUID | None:
        """The ledger account: the member's, or the identity's while it belongs to no member."""
        return self.member_id or self.identity_id or self.phone_identity_id

    @property
    def is_known(self) -> bool:
        """More than a browser: what they claim is theirs at once."""
        return self.account_id is not None

    @property
    def ids(self) -> frozenset[UUID]:
        found = (self.identity_id, self.phone_identity_id, self.member_id)
        return frozenset(one for one in found if one is not None)


@dataclass(frozen=True)
class ClaimFacts:
    """A claim as the book has it."""

    code_id: int
    state: ClaimState
    brand_id: UUID
    product_id: UUID
    batch_number: int
    campaign_id: UUID | None
    prize_id: UUID | None
    prize_kind: str
    amount: int
    visitor_id: UUID | None
    subject_id: UUID | None
    account_id: UUID | None
    day: str
    reserved_until: datetime | None
    claimed_at: datetime
    is_test: bool
    nth: int | None = None
    """Of a second prize: the how manieth code of its person earned it."""
    turn: int | None = None

    @property
    def turns_done(self) -> int:
        return self.turn or 1

    @property
    def is_again(self) -> bool:
        """The wheel stopped at one more turn, which its owner has not taken yet."""
        return self.prize_kind == "again"

    @property
    def cause(self) -> str:
        return cause_of(self.code_id, self.nth)

    @property
    def is_second(self) -> bool:
        return self.nth is not None

    def has_lapsed(self, now: datetime) -> bool:
        """A reservation that nobody bound in time; the code can be claimed again."""
        return self.state == ClaimState.RESERVED and (self.reserved_until is None or self.reserved_until <= now)


class Standing(StrEnum):
    """Where a claim stands, for the person it belongs to."""

    RESERVED = "reserved"
    LAPSED = "lapsed"
    CLAIMED = "claimed"
    QUARANTINED = "quarantined"
    HELD = "held"
    REFUSED = "refused"


@dataclass(frozen=True)
class ClaimView:
    """What somebody may see of a claim. When it is not theirs only ``day`` is meant for their eyes."""

    claim: ClaimFacts
    is_mine: bool
    standing: Standing
    payout: PayoutFacts | None = None

    @property
    def day(self) -> str:
        return self.claim.day

    @property
    def wins(self) -> bool:
        return self.claim.prize_kind != "thanks"

    @property
    def needs_subject(self) -> bool:
        """A reservation: an openid or a phone binds it."""
        return self.standing == Standing.RESERVED

    @property
    def needs_openid(self) -> bool:
        """Money that is theirs and waits for the openid that is to be paid."""
        return self.payout is not None and self.payout.waits_for_identity


@dataclass(frozen=True)
class ClaimAnswer:
    """What a claim came to. ``is_new`` only for the request that made it (or bound it)."""

    view: ClaimView
    is_new: bool


def owns(claimant: Claimant, claim: ClaimFacts) -> bool:
    """Whether the claim is theirs. Ids decide where both sides have some, else the browser does."""
    theirs = {one for one in (claim.subject_id, claim.account_id) if one is not None}
    if theirs and claimant.ids:
        return bool(theirs & claimant.ids)
    return claim.visitor_id is not None and claim.visitor_id == claimant.visitor_id


def view_of(claimant: Claimant, claim: ClaimFacts, now: datetime, payout: PayoutFacts | None = None) -> ClaimView:
    """The claim in the eyes of this claimant."""
    mine = owns(claimant, claim)
    standing = Standing.LAPSED if claim.has_lapsed(now) else Standing(claim.state.value)
    return ClaimView(claim=claim, is_mine=mine, standing=standing, payout=payout if mine else None)


def check_kind(kind: int) -> None:
    """Only the code of a single item's inside rewards. Raises NotARewardCode, CartonCode."""
    if kind == Kind.OUTER:
        raise NotARewardCode
    if kind != Kind.INNER:
        raise CartonCode


def check_life(life: Life) -> None:
    """Only a live code rewards. Raises CodeRecalled, CodeVoid, CodeInactive."""
    if life is Life.RECALLED:
        raise CodeRecalled
    if life is Life.VOID:
        raise CodeVoid
    if life is not Life.ACTIVE:
        raise CodeInactive


def check_phase(phase: Phase, offer: Offer | None, brand: BrandFacts) -> Offer:
    """The offer, where it runs. Raises NoCampaign, NotStarted, CampaignPaused, CampaignEnded; days are the brand's."""
    if offer is None or phase is Phase.NONE:
        raise NoCampaign
    if phase is Phase.BEFORE:
        raise NotStarted(day=brand.day(offer.starts_at))
    if phase is Phase.PAUSED:
        raise CampaignPaused
    if phase is Phase.ENDED:
        raise CampaignEnded(day=brand.day(offer.over_at))
    return offer
