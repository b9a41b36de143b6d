"""Who the consumer is, beyond a browser: the ids that they showed to a brand, kept in the signed session cookie.

Ids are per brand (a person of one brand is a stranger to the next), and none of them is personal: they are keyed
hashes and row ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import session

KEY = "people"
_BRANDS_MAX = 8


@dataclass(frozen=True)
class Person:
    """What this browser has shown to a brand; all None for a stranger."""

    identity_id: UUID | None = None
    """The identity of a WeChat openid."""
    phone_identity_id: UUID | None = None
    member_id: UUID | None = None

    @property
    def is_known(self) -> bool:
        return self != Person()


def current_person(brand_id: UUID) -> Person:
    return person_in(session, brand_id)


def person_in(session: Mapping[str, Any], brand_id: UUID) -> Person:
    """The person of a brand in the session of a browser."""
    kept = session.get(KEY, {}).get(brand_id.hex)
    if not isinstance(kept, list) or len(kept) != 3:
        return Person()
    return Person(*(UUID(hex=item) if item else None for item in kept))


def sign_in_person(
    brand_id: UUID,
    *,
    identity_id: UUID | None = None,
    phone_identity_id: UUID | None = None,
    member_id: UUID | None = None,
) -> Person:
    """Adds to what is known of this browser's person; what is not given stays."""
    before = current_person(brand_id)
    after = Person(
        identity_id or before.identity_id, phone_identity_id or before.phone_identity_id, member_id or before.member_id
    )
    people = dict(session.get(KEY, {}))
    people.pop(brand_id.hex, None)
    while len(people) >= _BRANDS_MAX:
        people.pop(next(iter(people)))
    people[brand_id.hex] = [
        item.hex if item else "" for item in (after.identity_id, after.phone_identity_id, after.member_id)
    ]
    session[KEY] = people
    session.permanent = True
    return after


def sign_out_person(brand_id: UUID | None = None) -> None:
    """Forgets the person of one brand, or of all."""
    people = {} if brand_id is None else dict(session.get(KEY, {}))
    if brand_id is not None:
        people.pop(brand_id.hex, None)
    session[KEY] = people


def signed_in_brands() -> list[UUID]:
    return [UUID(hex=item) for item in session.get(KEY, {})]
