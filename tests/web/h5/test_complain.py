"""``/CODE/report`` as people and vandals use it, and what staff see of it."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from scancode.complaints.models import Complaint, ComplaintPhoto
from scancode.wiring import Wired
from tests.web.console.office import Office, open_office, words

EN = {"Accept-Language": "en"}
FORGED = "ZZZZZZZZZZZZZZZZZZZZ"


@pytest.fixture
def office(app: Flask, wired: Wired) -> Office:
    office = open_office(app, wired)
    office.go_live()
    return office


@pytest.fixture
def text(office: Office) -> str:
    return office.text(7)


def photo() -> io.BytesIO:
    """A JPEG that says where it was taken."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "Shelf 7, Yiwu"
    Image.new("RGB", (64, 48), "red").save(file, "JPEG", exif=exif)
    file.seek(0)
    return file


def send(client: FlaskClient, code: str, /, **fields: object) -> str:
    page = client.get(f"/{code}/report", headers=EN).text
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    form = {"token": token[1], "kind": "fake", **fields}
    answer = client.post(
        f"/{code}/report", data=form, headers=EN, content_type="multipart/form-data", follow_redirects=True
    )
    return words(answer)


def test_a_photo_reaches_the_brand_and_the_answer_comes_back(office: Office, text: str, client: FlaskClient) -> None:
    scanned = client.get(f"/{text}", headers=EN).text
    assert f'href="/{text}/report"' in scanned
    assert "Your report is with the brand" in send(client, text, text="Blurred <b>print</b>", photo=(photo(), "a.jpg"))
    with office.wired.db.reading() as session:
        row, kept = session.scalars(select(Complaint)).one(), session.scalars(select(ComplaintPhoto)).one()
    assert (row.brand_id, row.verdict, row.contact) == (office.brand_id, "first", None)
    assert (kept.mime, kept.width) == ("image/webp", 64)
    assert b"Yiwu" not in kept.content
    dave, mallory, here = office.desk(), office.desk(brand="other_brand_id"), f"/console/complaints/{row.id}"
    assert "Blurred" in words(dave.get("/console/complaints"))
    assert "Nobody has complained" in words(mallory.get("/console/complaints"))
    assert [mallory.get(path).status_code for path in (here, f"{here}/photo")] == [404, 404]
    assert mallory.post(f"{here}/answer", {"text": "mine"}).status_code == 404
    assert "&lt;b&gt;print" in dave.get(here).text
    assert dave.get(f"{here}/photo").mimetype == "image/webp"
    dave.post(f"{here}/answer", {"text": "It is a copy. Please send it to us."})
    assert "It is a copy." in words(client.get(f"/{text}/report", headers=EN))
    assert "It is a copy." not in words(office.app.test_client().get(f"/{text}/report", headers=EN))
    export = dave.post("/console/complaints/export.csv").text
    assert "Blurred" in export


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "what looks wrong, or add a photo"),
        ({"text": "x", "contact": "13800000001"}, "please agree that your number is kept"),
        ({"text": "x", "contact": "1", "is_agreed": "y"}, "number"),
        ({"text": "x", "photo": (b"<svg onload=alert(1)>", "a.jpg")}, "no picture that can be read"),
    ],
)
def test_what_is_missing_is_said_and_the_words_stay(
    office: Office, text: str, client: FlaskClient, fields: dict[str, object], said: str
) -> None:
    sent = {
        name: (io.BytesIO(value[0]), value[1]) if isinstance(value, tuple) else value for name, value in fields.items()
    }
    page = send(client, text, **sent)
    assert said in page
    with office.wired.db.reading() as session:
        assert session.scalars(select(Complaint)).all() == []


def test_a_forgery_is_reported_to_whose_batch_it_pretends_to_be_of(office: Office, text: str) -> None:
    forged = text[:-1] + ("0" if text[-1] != "0" else "1")
    forged = forged[:6] + "".join("Z" if letter != "Z" else "Y" for letter in forged[6:])
    client = office.app.test_client()
    page = client.get(f"/{forged}", headers=EN).text
    assert 'action="/report"' in page
    assert client.get(f"/report?code={forged}").location == f"/{forged}/report"
    for typed in (forged, FORGED):
        assert "Your report is with the brand" in send(client, typed, text="x")
    with office.wired.db.reading() as session:
        rows = session.scalars(select(Complaint).order_by(Complaint.made_at)).all()
    assert [(row.brand_id, row.typed, row.code_id) for row in rows] == [
        (office.brand_id, forged, None),
        (None, FORGED, None),
    ]
    assert words(office.desk(brand="").get("/console/complaints")).count("Looks counterfeit") == 2
    assert words(office.desk().get("/console/complaints")).count("Looks counterfeit") == 1


def test_a_number_is_shown_to_who_asks_and_that_is_on_record(office: Office, text: str, client: FlaskClient) -> None:
    send(client, text, text="call me", contact="13800000001", is_agreed="y")
    with office.wired.db.reading() as session:
        row = session.scalars(select(Complaint)).one()
    dave, here = office.desk(), f"/console/complaints/{row.id}"
    assert "13800000001" not in dave.get(here).text
    assert "+8613800000001" in dave.post(f"{here}/contact").text
