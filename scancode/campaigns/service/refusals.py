"""What campaigns refuse."""

from __future__ import annotations

from collections.abc import Sequence

from scancode.campaigns.planning import Fault
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_


class CampaignNotFound(NotFound):
    code = "campaign_not_found"
    text = N_("This campaign does not exist. It may have been a draft that somebody discarded.")


class TrancheNotFound(NotFound):
    code = "tranche_not_found"
    text = N_("This prize pool does not exist. Somebody may have removed it.")


class Frozen(Refusal):
    """What is published does not change. Facts: ``state``."""

    code = "campaign_frozen"
    text = N_("This is published and cannot be changed any more: people take part under these rules.")


class InReview(Refusal):
    code = "campaign_in_review"
    text = N_("A colleague is looking at this campaign. Take it back from review before you change it.")


class NotInReview(Refusal):
    code = "campaign_not_in_review"
    text = N_("This campaign does not wait for review any more. Look at it again.")


class SamePerson(Refusal):
    code = "campaign_same_person"
    text = N_("Whoever asked for the review cannot give it. Ask a colleague who runs campaigns.")
    status = 403


class ReasonMissing(Refusal):
    code = "campaign_reason"
    text = N_("Say what is to be changed, in up to 300 characters: whoever asked will read it.")
    status = 422


class WrongState(Refusal):
    """Facts: ``state``."""

    code = "campaign_state"
    text = N_("The campaign is not in a state for this. Somebody may just have changed it; look again.")


class CannotPublish(Refusal):
    """``faults`` says everything that is wrong at once. Facts: ``codes`` of the faults and their ``count``."""

    code = "campaign_faults"
    text = N_("The campaign cannot be published yet: {count} things are to be mended first.")
    status = 422

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        super().__init__(codes=[fault.code for fault in faults], count=len(faults))
        self.faults = tuple(faults)


class NotRevealed(Refusal):
    code = "draw_not_revealed"
    text = N_("The secrets of the draw are revealed when the campaign has ended.")


class TrialOver(Refusal):
    code = "trial_over"
    text = N_("This campaign cannot be tried any more: it was published, or it has begun.")


class TesterNotFound(NotFound):
    code = "tester_not_found"
    text = N_("This tester is not there any more. Somebody may have removed them.")


class TooManyTesters(Refusal):
    """Facts: ``most``."""

    code = "trial_too_many"
    text = N_("A campaign has at most {most} testers.")


class NotLonger(Refusal):
    code = "campaign_not_longer"
    text = N_("The end can only be moved later: an earlier one would take back what was promised.")
    status = 422


class TooMany(Refusal):
    """Facts: ``most``."""

    code = "campaign_too_many"
    text = N_("A campaign has at most {most} prize pools.")
    status = 422
