"""Links and verification files in the console: who may, the forms, and what comes of them."""

from __future__ import annotations

import io
from uuid import UUID

import pytest
from flask import Flask

from scancode.resolver import service as resolver
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests.web.console.desk import Desk, hire
from tests.web.console.office import Browser, Office, open_office, words

LINK = {"link_type": "instructions", "href": "https://brand.example/manual", "title": "Manual", "media_type": ""}


@pytest.fixture
def office(app: Flask, wired: Wired) -> Office:
    return open_office(app, wired)


def links_of(office: Office, batch: int | None = None) -> list[resolver.StoredLink]:
    with office.wired.db.reading() as session:
        return resolver.list_links(session, product_id=office.product_id, batch_number=batch)


def test_marketing_keeps_links_of_product_and_batch(office: Office) -> None:
    dave = office.browser("dave")
    path, batch_path = f"/console/products/{office.product_id}/links", f"/console/batches/{office.batch}/links"
    assert "No link yet" in dave.read(path)
    assert "lead back here" in words(dave.send(f"{path}/new", **LINK | {"href": "https://q.example/01/x"}))
    assert dave.send(f"{path}/new", **LINK, language="zh", is_default="y").headers["Location"] == path
    assert dave.send(f"{path}/new", **LINK, language="zh").status_code == 422
    assert dave.send(f"{path}/new", **LINK | {"link_type": "pip"}).status_code == 302
    assert dave.send(f"{batch_path}/new", **LINK | {"title": "Of this lot"}).headers["Location"] == batch_path
    shown = dave.read(batch_path)
    assert "Of this lot" in shown
    assert "Links of the product" in shown
    default, other = links_of(office)
    assert (default.link_type, default.language, default.is_default) == ("instructions", "zh", True)
    form = f"/console/product-links/{other.id}"
    assert dave.send(form, **LINK | {"link_type": "pip", "title": "About"}).headers["Location"] == path
    post(dave, f"{form}/default", form)
    assert [(row.title, row.is_default) for row in links_of(office)] == [("About", True), ("Manual", False)]
    post(dave, f"{form}/remove", form)
    assert [row.title for row in links_of(office)] == ["Manual"]
    assert [row.title for row in links_of(office, office.batch)] == ["Of this lot"]


def post(browser: Browser, path: str, page: str) -> int:
    token = browser.get(page).get_data(as_text=True).split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    return browser.client.post(path, data={"csrf_token": token}).status_code


def test_others_may_look_or_not_even_that(office: Office) -> None:
    path = f"/console/products/{office.product_id}/links"
    office.browser("dave").send(f"{path}/new", **LINK)
    link_id: UUID = links_of(office)[0].id
    carol = office.browser("carol")
    assert "Manual" in carol.read(path)
    assert "Add a link" not in carol.read(path)
    assert carol.get(f"{path}/new").status_code == 403
    mallory = office.browser("mallory")
    for hidden in (path, f"{path}/new", f"/console/product-links/{link_id}", f"/console/batches/{office.batch}/links"):
        assert mallory.get(hidden).status_code == 404, hidden
    assert post(mallory, f"/console/product-links/{link_id}/remove", "/console/account") == 404
    assert len(links_of(office)) == 1


def test_an_administrator_puts_a_file_at_the_root(office: Office) -> None:
    olga = Desk(office.app, office.wired.db, hire(office.wired.db, "Olga", Role.ADMIN, office.brand_id))
    page = "/console/site-files"
    file = (io.BytesIO(b"aB3dE"), "MP_verify_aB3dE.txt")
    assert olga.post(page, {"file": file}, form=page).status_code == 302
    office.app.extensions["scancode"].watch.look()
    served = office.app.test_client().get("/MP_verify_aB3dE.txt")
    assert (served.status_code, served.data, served.content_type) == (200, b"aB3dE", "text/plain; charset=utf-8")
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert "MP_verify_aB3dE.txt" in olga.get(page).text
    for name, content in (("evil.html", b"<script>"), ("MP_verify_aB3dE.txt", b"again"), ("", b"")):
        assert olga.post(page, {"file": (io.BytesIO(content), name)}, form=page).status_code == 422
    assert olga.post(page, form=page).status_code == 422
    rival = Desk(office.app, office.wired.db, hire(office.wired.db, "Rita", Role.ADMIN, office.other_brand_id))
    assert "MP_verify_aB3dE" not in rival.get(page).text
    assert rival.post(f"{page}/MP_verify_aB3dE.txt/remove", form=page).status_code == 404
    assert olga.post(f"{page}/MP_verify_aB3dE.txt/remove", form=page).status_code == 302
    office.app.extensions["scancode"].watch.look()
    assert office.app.test_client().get("/MP_verify_aB3dE.txt").status_code == 404
    marketing = Desk(office.app, office.wired.db, hire(office.wired.db, "Dave", Role.MARKETING, office.brand_id))
    assert marketing.get(page).status_code == 403
