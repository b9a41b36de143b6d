"""Two brands with their people, for the tests of the pages about channels, shipments and reports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from batches import codes as press
from scancode.catalog import revision
from scancode.codes.models import Batch
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests import factories
from tests.web.console.desk import Desk


@dataclass(frozen=True)
class Office:
    """Carol and Dave work for one brand, Mallory does the marketing of the other, Olga is the operator."""

    app: Flask
    wired: Wired
    brand_id: UUID
    other_brand_id: UUID
    product_id: UUID
    batch: int

    def go_live(self) -> None:
        """Codes 0 to 99 of the batch are live."""
        with self.wired.db.transaction() as session:
            factories.make_life(session, batch_number=self.batch, first=0, last=99)
            revision.bump(session)

    def text(self, serial: int, kind: press.Kind = press.Kind.INNER) -> str:
        """A code as it is printed."""
        with self.wired.db.reading() as session:
            batch = session.get_one(Batch, self.batch)
        return press.mint_one(self.wired.keyring.derive(batch.kid, batch.salt), self.batch, kind, serial)

    def desk(self, role: Role = Role.MARKETING, brand: str = "brand_id") -> Desk:
        """Somebody new of ``brand_id`` or ``other_brand_id``, or of the operator (empty), who reads English."""
        with self.wired.db.transaction() as session:
            brand_id = getattr(self, brand) if brand else None
            person = factories.add_staff(session, role=role, brand_id=brand_id)
        found = Desk(self.app, self.wired.db, person)
        found.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        return found

    def browser(self, login: str) -> Browser:
        """Signs one of them in."""
        role, brand_id = {
            "carol": (Role.FACTORY, self.brand_id),
            "dave": (Role.MARKETING, self.brand_id),
            "mallory": (Role.MARKETING, self.other_brand_id),
            "olga": (Role.ADMIN, None),
        }[login]
        with self.wired.db.transaction() as session:
            person = factories.add_staff(session, login=login, name=login, role=role, brand_id=brand_id)
        client = self.app.test_client()
        factories.sign_in(client, self.wired.db, person.id)
        return Browser(client)


@dataclass(frozen=True)
class Browser:
    """Sends forms with their token, as a person's browser would. English, so that sentences can be compared."""

    client: FlaskClient

    def get(self, path: str, **more: object) -> TestResponse:
        return self.client.get(path, headers={"Accept-Language": "en"}, **more)  # type: ignore[arg-type]

    def read(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return words(answer)

    def send(self, path: str, **fields: str) -> TestResponse:
        page = self.get(path).get_data(as_text=True)
        found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page)
        assert found is not None, f"no form at {path}"
        form = {"csrf_token": found[1], **fields}
        return self.client.post(path, data=form, headers={"Accept-Language": "en"})


def words(answer: TestResponse) -> str:
    """The text of a page without tags, spaces made one."""
    body = re.sub(r"<(script|style|head).*?</\1>", " ", answer.get_data(as_text=True), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("&#39;", "'").replace("&amp;", "&").split())


def open_office(app: Flask, wired: Wired) -> Office:
    with wired.db.transaction() as session:
        brand = factories.make_brand(session)
        other = factories.make_brand(session, name_zh="别家", name_en="Other")
        product = factories.make_product(session, brand_id=brand.id)
        batch = factories.make_batch(session, brand_id=brand.id, product_id=product.id)
        revision.bump(session)
    return Office(app, wired, brand.id, other.id, product.id, batch.number)
