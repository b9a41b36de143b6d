"""Marketing dresses a brand: what the form says is tried out beside it, saved, and seen by consumers."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask
from PIL import Image

from scancode.wiring import Wired
from tests.web.console.office import Browser, Office, open_office, words


@pytest.fixture
def office(app: Flask, wired: Wired) -> Office:
    return open_office(app, wired)


@pytest.fixture
def dave(office: Office) -> Browser:
    return office.browser("dave")


def page_of(office: Office) -> str:
    return f"/console/brands/{office.brand_id}/look"


def logo(size: tuple[int, int] = (120, 40)) -> tuple[io.BytesIO, str]:
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, "PNG")
    file.seek(0)
    return file, "logo.png"


def test_the_form_is_tried_out_before_it_is_saved(office: Office, dave: Browser) -> None:
    page = dave.get(page_of(office)).get_data(as_text=True)
    assert re.search(r'<iframe[^>]+src="/preview/look/', page)
    trial = dave.get(f"{page_of(office)}/trial?colour=%23ffcc00&accent=&font=kai")
    assert "text is dark" in words(trial)
    assert "colour=%23ffcc00" in trial.get_data(as_text=True)
    assert "good to read" in words(dave.get(f"{page_of(office)}/trial?colour=%23000000"))
    answer = dave.send(page_of(office), colour="#ffcc00", accent="", font="kai")
    assert answer.status_code == 302
    assert 'value="#ffcc00"' in dave.get(page_of(office)).get_data(as_text=True)


def test_what_is_no_colour_is_refused_beside_the_field(office: Office, dave: Browser) -> None:
    answer = dave.send(page_of(office), colour="#ffcc00", accent="gold", font="")
    assert answer.status_code == 422
    assert "“gold” is no colour" in words(answer)


def test_a_logo_is_set_and_removed(office: Office, dave: Browser) -> None:
    form = dave.get(page_of(office)).get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    assert token is not None
    base = f"/console/brands/{office.brand_id}/logo"
    sent = dave.client.post(f"{base}/set", data={"csrf_token": token[1], "file": logo()})
    assert sent.status_code == 302
    shown = re.search(
        r'class="look__logo" src="(/media/[0-9a-f]{64})"', dave.get(page_of(office)).get_data(as_text=True)
    )
    assert shown is not None
    assert dave.get(shown[1]).mimetype == "image/webp"
    small = dave.client.post(f"{base}/set", data={"csrf_token": token[1], "file": logo((8, 8))}, follow_redirects=True)
    assert "太小" in small.get_data(as_text=True) or "too small" in small.get_data(as_text=True)
    dave.client.post(f"{base}/remove", data={"csrf_token": token[1]})
    assert "look__logo" not in dave.get(page_of(office)).get_data(as_text=True)


def test_it_is_marketings_and_of_their_brand_alone(office: Office, dave: Browser) -> None:
    assert dave.get("/console/look").headers["Location"] == page_of(office)
    assert office.browser("carol").get(page_of(office)).status_code == 403
    assert office.browser("mallory").get(page_of(office)).status_code == 404
    assert office.browser("olga").get(page_of(office)).status_code == 200
