"""What keeps the program from starting although its settings are well formed: what the database says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from scancode.app import create_app
from scancode.codes.keys import Keyring
from scancode.config import ConfigError
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.wiring import Wired, require_sound
from tests.factories import make_batch, make_brand, make_product

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)


def hire(wired: Wired, *, is_demo: bool) -> None:
    with wired.db.transaction() as session:
        staff.create(
            session,
            login="anna",
            name="Anna",
            password="tea-and-codes",
            role=Role.ADMIN,
            brand_id=None,
            actor="cli",
            is_demo=is_demo,
            now=NOW,
        )


def in_production(wired: Wired) -> Wired:
    return replace(wired, settings=wired.settings.model_copy(update={"env": "production"}))


def test_production_refuses_accounts_with_published_passwords(wired: Wired) -> None:
    hire(wired, is_demo=True)
    require_sound(wired)
    with pytest.raises(ConfigError, match="published passwords"):
        require_sound(in_production(wired))


def test_a_new_password_makes_the_account_a_common_one(wired: Wired) -> None:
    hire(wired, is_demo=True)
    with wired.db.transaction() as session:
        person = staff.find_staff(session, login="anna")
        assert person is not None
        staff.set_password(session, staff_id=person.id, password="something-else", actor="cli", now=NOW)
    require_sound(in_production(wired))


def test_it_refuses_to_start_without_the_secret_of_a_batch(wired: Wired) -> None:
    with wired.db.transaction() as session:
        brand = make_brand(session)
        make_batch(session, brand_id=brand.id, product_id=make_product(session, brand_id=brand.id).id)
    require_sound(wired)
    with pytest.raises(ConfigError, match="SCANCODE_CODE_KEYS lacks"):
        require_sound(replace(wired, keyring=Keyring("k9:" + "x" * 40)))


def test_an_application_of_its_own_asks_the_database_before_it_is_built(wired: Wired) -> None:
    create_app(wired.settings)
    with wired.db.transaction() as session:
        brand = make_brand(session)
        product = make_product(session, brand_id=brand.id)
        make_batch(session, brand_id=brand.id, product_id=product.id, kid="lost")
    with pytest.raises(ConfigError, match="lacks lost"):
        create_app(wired.settings)
