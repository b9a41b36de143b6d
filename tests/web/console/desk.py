"""Browsers of staff for the console's tests: signed in, with form tokens, in either language."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from scancode.db import Database
from scancode.staff.models import Staff
from scancode.staff.rules import Role
from tests import factories

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Desk:
    """A browser with a person before it (or nobody)."""

    def __init__(self, app: Flask, db: Database, person: Staff | None = None) -> None:
        self.client: FlaskClient = app.test_client()
        self.db = db
        self.person = person
        self.session_id = factories.sign_in(self.client, db, person.id).id if person else None

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def token(self, path: str = "/console/account") -> str:
        found = TOKEN.search(self.get(path).text)
        assert found, f"no form on {path}"
        return found[1]

    def post(self, path: str, data: dict[str, Any] | None = None, *, form: str | None = None) -> TestResponse:
        """Posts with the token of the page ``form`` (by default a page that has one)."""
        shown = form or ("/console/account" if self.person else "/console/login")
        return self.client.post(path, data={"csrf_token": self.token(shown), **(data or {})})

    def said(self) -> str:
        """The messages that wait for the next page."""
        return self.get("/console/login" if self.person is None else "/console/account").text


def hire(db: Database, name: str, role: Role, brand_id: UUID | None = None) -> Staff:
    with db.transaction() as session:
        return factories.make_staff(session, name=name, login=name.lower(), role=role, brand_id=brand_id)
