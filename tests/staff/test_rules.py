"""Roles, brands, passwords, and what goes into the chain."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from scancode.staff.rules import (
    CHAIN_START,
    ChainRow,
    Role,
    StaffFacts,
    audit_facts,
    is_action,
    login_problem,
    password_problem,
    tidy_login,
)

BRAND, OTHER = UUID(int=1), UUID(int=2)
ROW = ChainRow(
    1, datetime(2026, 11, 22, 4, 0, tzinfo=UTC), "staff:x", BRAND, "batch.order", "batch:1", "{}", CHAIN_START
)


def person(role: Role, brand_id: UUID | None = None) -> StaffFacts:
    return StaffFacts(UUID(int=9), "Carol", role, brand_id)


def test_a_role_may_what_names_it_and_an_administrator_everything() -> None:
    assert person(Role.FACTORY).may((Role.FACTORY, Role.MARKETING))
    assert not person(Role.FACTORY).may((Role.MARKETING,))
    assert not person(Role.MARKETING).may(())
    assert person(Role.ADMIN).may(())


def test_staff_of_a_brand_see_that_brand_alone_and_the_operator_all() -> None:
    assert person(Role.ADMIN, BRAND).sees(BRAND)
    assert not person(Role.ADMIN, BRAND).sees(OTHER)
    assert not person(Role.ADMIN, BRAND).sees(None)
    assert person(Role.FACTORY).sees(OTHER)
    assert person(Role.FACTORY).sees(None)


def test_the_actor_is_an_id() -> None:
    assert person(Role.ADMIN).actor == "staff:00000000-0000-0000-0000-000000000009"


@pytest.mark.parametrize(
    ("password", "is_good"),
    [
        ("abcdefghi", False),
        ("abcdefghij", True),
        ("abcdefghij" * 20, True),
        ("abcdefghij" * 20 + "k", False),
        ("abcdabcdabcd", False),
        ("abcdeabcdeabcde", True),
        ("my carol secret", False),
        ("正确的马电池订书钉好", True),
    ],
)
def test_a_password_is_long_and_is_not_the_login(password: str, is_good: bool) -> None:
    assert (password_problem(password, login="carol") is None) == is_good


@pytest.mark.parametrize("login", ["carol", "c1", "carol@brand.example", "a+b_c-d.e"])
def test_a_login_of_plain_characters_is_taken(login: str) -> None:
    assert login_problem(login) is None


@pytest.mark.parametrize("login", ["", "c", "Carol", "two words", "周工", "-carol", "c" * 81])
def test_any_other_login_is_not(login: str) -> None:
    assert login_problem(login)


def test_a_login_is_compared_in_lower_case() -> None:
    assert tidy_login("  Carol@Brand.example ") == "carol@brand.example"


def test_facts_are_the_same_text_whatever_their_order() -> None:
    assert audit_facts({"b": 1, "a": "品牌"}) == audit_facts({"a": "品牌", "b": 1}) == '{"a":"品牌","b":1}'


def test_facts_too_long_to_keep_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="audit facts"):
        audit_facts({"a": "x" * 4000})


@pytest.mark.parametrize(
    ("text", "is_good"), [("batch.order", True), ("batch", False), ("Batch.order", False), ("", False)]
)
def test_an_action_is_noun_and_verb(text: str, is_good: bool) -> None:
    assert is_action(text) == is_good


def test_every_field_is_under_the_hash() -> None:
    changed = [
        replace(ROW, seq=2),
        replace(ROW, at=ROW.at + timedelta(microseconds=1)),
        replace(ROW, actor="staff:y"),
        replace(ROW, brand_id=OTHER),
        replace(ROW, brand_id=None),
        replace(ROW, action="batch.void"),
        replace(ROW, subject="batch:2"),
        replace(ROW, facts='{"a":1}'),
        replace(ROW, previous_hash="1" * 64),
        replace(ROW, actor="staff:", action="xbatch.order"),
    ]
    assert len({row.digest() for row in [ROW, *changed]}) == len(changed) + 1


def test_the_hash_does_not_depend_on_the_zone_of_the_time() -> None:
    assert replace(ROW, at=ROW.at.astimezone(timezone(timedelta(hours=8)))).digest() == ROW.digest()
