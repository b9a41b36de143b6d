"""How long points are good for, on the brand's clocks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from scancode.ledger.rules import BadRemindDays, BadTerm, PointsTerm, TermKind

NIGHT = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)  # a minute before midnight in Shanghai
MORNING = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("term", "earned", "expires"),
    [
        (PointsTerm(), NIGHT, None),
        (PointsTerm(TermKind.DAYS, 1), NIGHT, datetime(2027, 1, 1, 16, tzinfo=UTC)),
        (PointsTerm(TermKind.DAYS, 1), MORNING, datetime(2027, 1, 2, 16, tzinfo=UTC)),
        (PointsTerm(TermKind.YEARS, 1), NIGHT, datetime(2027, 12, 31, 16, tzinfo=UTC)),
        (PointsTerm(TermKind.YEARS, 1), MORNING, datetime(2028, 12, 31, 16, tzinfo=UTC)),
        (PointsTerm(TermKind.YEARS, 0), MORNING, datetime(2027, 12, 31, 16, tzinfo=UTC)),
    ],
)
def test_a_term_ends_at_midnight(term: PointsTerm, earned: datetime, expires: datetime | None) -> None:
    assert term.checked().expires_at(earned, "Asia/Shanghai") == expires


@pytest.mark.parametrize(("kind", "count"), [("days", 0), ("days", 3651), ("years", -1), ("years", 11)])
def test_a_term_without_sense_is_refused(kind: str, count: int) -> None:
    with pytest.raises(BadTerm):
        PointsTerm(TermKind(kind), count).checked()


def test_a_reminder_half_a_year_ahead_is_enough() -> None:
    with pytest.raises(BadRemindDays):
        PointsTerm(remind_days=181).checked()
