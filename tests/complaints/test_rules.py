"""What a complaint must say."""

from __future__ import annotations

import pytest

from scancode.complaints.rules import (
    TEXT_LENGTH_MAX,
    ComplaintKind,
    ContactNotAgreed,
    Draft,
    NothingSaid,
    TextTooLong,
)
from scancode.errors import Refusal
from scancode.members.rules import BadPhone


@pytest.mark.parametrize(
    ("over", "refusal"),
    [
        ({"text": "  "}, NothingSaid),
        ({"text": "x" * (TEXT_LENGTH_MAX + 1)}, TextTooLong),
        ({"contact": "13800000001"}, ContactNotAgreed),
        ({"contact": "12", "is_agreed": True}, BadPhone),
    ],
)
def test_it_refuses(over: dict[str, object], refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        Draft(**({"kind": ComplaintKind.FAKE, "text": "faded ink"} | over)).checked()  # type: ignore[arg-type]


def test_a_photo_says_enough() -> None:
    assert Draft(ComplaintKind.FAKE, "", has_photo=True).checked().text == ""


def test_a_number_is_kept_with_consent_only_and_shown_masked() -> None:
    draft = Draft(ComplaintKind.FAKE, "x", " 138 0000 0001 ", is_agreed=True).checked()
    assert draft.contact == "+8613800000001"
    assert "0000" not in draft.hint
    assert not Draft(ComplaintKind.FAKE, "x", "", is_agreed=True).checked().is_agreed
