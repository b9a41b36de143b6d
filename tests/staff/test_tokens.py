"""Tokens for machines: known by their hash, limited in rights and time, ended by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.errors import Invalid, NotFound
from scancode.staff import service as staff
from scancode.staff.models import ApiToken, AuditRow
from tests.factories import make_staff

BRAND = UUID(int=1)


def issue(session: Session, now: datetime, **over: Any) -> tuple[ApiToken, str]:
    owner = over.pop("staff_id", None) or make_staff(session).id
    values: dict[str, Any] = {
        "name": "ERP",
        "scopes": ["reports:read", "batches:read"],
        "brand_id": BRAND,
        "staff_id": owner,
        "actor": "staff:x",
        "expires_at": now + timedelta(days=1),
        "now": now,
    }
    return staff.issue_token(session, **(values | over))


def test_a_token_is_found_with_its_rights_and_kept_as_a_hash(session: Session, now: datetime) -> None:
    row, token = issue(session, now)
    facts = staff.find_token(session, token=token, now=now)
    assert facts is not None
    assert (facts.id, facts.brand_id, facts.scopes) == (row.id, BRAND, {"batches:read", "reports:read"})
    assert facts.actor == f"token:{row.id}"
    assert token.startswith("sct_")
    assert len(token) > 40
    assert token not in row.secret_hash
    audit = session.scalars(select(AuditRow).where(AuditRow.action == "token.issue")).one()
    assert token not in audit.facts


@pytest.mark.parametrize("spoiled", ["", "sct_", "sct_nothing", "x" * 500, None])
def test_anything_else_is_nobody(session: Session, now: datetime, spoiled: str | None) -> None:
    _, token = issue(session, now)
    text = token[:-1] + ("A" if token[-1] != "A" else "B") if spoiled is None else spoiled
    assert staff.find_token(session, token=text, now=now) is None


def test_it_is_over_at_its_time_and_not_before(session: Session, now: datetime) -> None:
    _, token = issue(session, now)
    end = now + timedelta(days=1)
    assert staff.find_token(session, token=token, now=end - timedelta(microseconds=1))
    assert staff.find_token(session, token=token, now=end) is None


def test_a_revoked_token_is_over_and_revoking_twice_is_once(session: Session, now: datetime) -> None:
    row, token = issue(session, now, expires_at=None)
    for _ in range(2):
        staff.revoke_token(session, token_id=row.id, actor="staff:x", now=now)
    assert staff.find_token(session, token=token, now=now) is None
    assert session.scalars(select(AuditRow.action).where(AuditRow.action == "token.revoke")).all() == ["token.revoke"]


def test_it_ends_with_its_owners_account(session: Session, now: datetime) -> None:
    carol = make_staff(session)
    _, token = issue(session, now, staff_id=carol.id)
    staff.deactivate(session, staff_id=carol.id, actor="x", now=now)
    assert staff.find_token(session, token=token, now=now) is None


@pytest.mark.parametrize(
    ("field", "over"),
    [
        ("name", {"name": " "}),
        ("scopes", {"scopes": []}),
        ("scopes", {"scopes": ["batches:read", "everything"]}),
        ("expires_at", {"expires_at": datetime.fromisoformat("2026-11-22T04:00:00+00:00")}),
    ],
)
def test_what_cannot_be_taken_is_refused(session: Session, now: datetime, field: str, over: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        issue(session, now, **over)
    assert refused.value.facts["field"] == field


def test_its_use_is_noted_once_a_minute(session: Session, now: datetime) -> None:
    row, _ = issue(session, now)
    for seconds, noted in ((0, 0), (60, 0), (61, 61)):
        staff.note_token_used(session, token_id=row.id, now=now + timedelta(seconds=seconds))
        session.expire_all()
        assert staff.get_token(session, token_id=row.id).used_at == now + timedelta(seconds=noted)


def test_an_unknown_token_is_not_found(session: Session, now: datetime) -> None:
    with pytest.raises(NotFound):
        staff.revoke_token(session, token_id=UUID(int=4), actor="x", now=now)
