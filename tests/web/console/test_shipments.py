"""The factory books shipments; what cannot go out is refused beside the field, with what can be done."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from scancode.wiring import Wired
from tests import factories
from tests.web.console.office import Browser, Office, open_office, words

NEW = "/console/shipments/new"


@pytest.fixture
def office(app: Flask, wired: Wired) -> Office:
    return open_office(app, wired)


@pytest.fixture
def places(office: Office) -> tuple[str, str]:
    """The values of a channel and of a store in the form."""
    with office.wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=office.brand_id, name="华东商超")
        store = factories.make_store(session, channel_id=channel.id, name="南京西路店")
        return f"channel:{channel.id}", f"store:{store.id}"


@pytest.fixture
def carol(office: Office) -> Browser:
    return office.browser("carol")


def book(browser: Browser, office: Office, place: str, number: str = "CK-1", **over: str) -> TestResponse:
    form = {"number": number, "batch": str(office.batch), "ranges": "0-99", "place": place}
    return browser.send(NEW, **(form | over))


def test_an_empty_list_says_what_a_shipment_is(carol: Browser) -> None:
    page = carol.read("/console/shipments")
    assert "No shipments yet" in page
    assert "New shipment" in page


def test_without_a_channel_the_form_says_who_makes_one(carol: Browser) -> None:
    assert "There is no channel in use yet" in carol.read(NEW)


def test_a_shipment_to_a_store_is_booked_and_shown(office: Office, carol: Browser, places: tuple[str, str]) -> None:
    answer = book(carol, office, places[1], note="调货")
    assert answer.status_code == 302, words(answer)
    page = carol.read(answer.location)
    for part in ("Shipment CK-1", "华东商超", "南京西路店", "0–99", "100", "调货"):
        assert part in page
    assert "CK-1" in carol.read("/console/shipments")
    store_page = f"/console/channels/stores/{places[1][6:]}"
    assert f"{office.batch} Lemon water 100" in carol.read(store_page)


def test_the_whole_batch_by_order_number_to_a_channel(office: Office, carol: Browser, places: tuple[str, str]) -> None:
    answer = book(carol, office, places[0], batch=f"PO-{office.batch}", ranges="")
    assert "0–999" in carol.read(answer.location)


def test_shipped_codes_are_refused_with_the_number_and_moved_when_ticked(
    office: Office, carol: Browser, places: tuple[str, str]
) -> None:
    first = book(carol, office, places[1]).location
    refused = book(carol, office, places[0], "CK-2", ranges="50-149")
    assert refused.status_code == 422
    assert "Serials 50–99 already went out with shipment CK-1" in words(refused)
    assert "Tick “Move codes that were shipped before”" in words(refused)
    second = book(carol, office, places[0], "CK-2", ranges="50-149", move="y")
    assert second.status_code == 302
    assert "50–99 50 50 CK-1" in carol.read(second.location)
    assert "0–99 100 50" in carol.read(first)


def test_void_codes_are_refused_and_left_out_when_ticked(
    office: Office, carol: Browser, places: tuple[str, str]
) -> None:
    with office.wired.db.transaction() as session:
        factories.make_life(session, batch_number=office.batch, first=5, last=7, state="void")
    refused = book(carol, office, places[0])
    assert "Serials 5–7 are void or recalled (3 in all)" in words(refused)
    answer = book(carol, office, places[0], leave_out_dead="y")
    assert "8–99" in carol.read(answer.location)


@pytest.mark.parametrize(
    ("over", "sentence"),
    [
        ({"batch": "123"}, "There is no batch 123 of this brand."),
        ({"batch": "no such order"}, "There is no batch no such order of this brand."),
        ({"ranges": "1.9"}, "is neither a number, nor a range such as 0-999"),
        ({"ranges": "0-1000"}, "its serials run from 0 to 999"),
        ({"ranges": "0-9,5"}, "Serial 5 is named more than once"),
    ],
)
def test_what_was_mistyped_is_said(
    office: Office, carol: Browser, places: tuple[str, str], over: dict[str, str], sentence: str
) -> None:
    answer = book(carol, office, places[0], **over)
    assert answer.status_code == 422
    assert sentence in words(answer)


def test_a_number_twice_is_refused(office: Office, carol: Browser, places: tuple[str, str]) -> None:
    book(carol, office, places[0])
    assert "There is already a shipment CK-1." in words(book(carol, office, places[0], ranges="100-199"))


@pytest.mark.parametrize("place", ["", "store:nonsense", "moon:1"])
def test_a_place_that_was_not_offered_is_refused(
    office: Office, carol: Browser, places: tuple[str, str], place: str
) -> None:
    assert book(carol, office, place).status_code == 422


def test_another_brands_batch_is_unknown(office: Office, carol: Browser, places: tuple[str, str]) -> None:
    with office.wired.db.transaction() as session:
        product = factories.make_product(session, brand_id=office.other_brand_id)
        foreign = factories.make_batch(session, brand_id=office.other_brand_id, product_id=product.id).number
    assert f"There is no batch {foreign}" in words(book(carol, office, places[0], batch=str(foreign)))


def test_marketing_looks_and_another_brand_does_not(office: Office, carol: Browser, places: tuple[str, str]) -> None:
    path = book(carol, office, places[0]).location
    dave, mallory = office.browser("dave"), office.browser("mallory")
    assert dave.get(path).status_code == 200
    assert dave.get(NEW).status_code == 403
    assert mallory.get(path).status_code == 404
    assert "CK-1" not in mallory.read("/console/shipments")


def test_the_form_opens_with_the_place_that_it_was_asked_for(carol: Browser, places: tuple[str, str]) -> None:
    page: Any = carol.get(f"{NEW}?store={places[1][6:]}").get_data(as_text=True)
    assert f'<option selected value="{places[1]}">' in page


def test_a_receipt_with_something_missing_and_the_file_of_what_is_held(
    office: Office, carol: Browser, places: tuple[str, str]
) -> None:
    path = book(carol, office, places[1]).location
    code = office.text(3)
    page = carol.get(path).get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page)
    assert token
    form = {"csrf_token": token[1], "missing": code, "note": "one torn"}
    assert carol.client.post(f"{path}/receive", data=form, headers={"Accept-Language": "en"}).status_code == 302
    shown = carol.read(path)
    assert "one torn" in shown
    assert f"PO-{office.batch} · Serials 3" in shown
    held = carol.get(f"/console/channels/held.csv?store={places[1][6:]}").get_data(as_text=True)
    assert [line.split(",")[4:7] for line in held.splitlines()[1:]] == [["0", "2", "3"], ["4", "99", "96"]]


def test_codes_in_a_file_are_shipped_and_a_return_needs_no_place(
    office: Office, carol: Browser, places: tuple[str, str]
) -> None:
    codes = "\n".join(office.text(serial) for serial in (4, 5, 9))
    answer = book(carol, office, places[0], batch="", ranges="", codes=codes)
    assert "4–5" in carol.read(answer.location)
    back = book(carol, office, "", "TH-1", batch="", ranges="", codes=codes, kind="return")
    assert back.status_code == 302, words(back)
    refused = book(carol, office, "", "TH-2", batch="", ranges="", codes=codes, kind="return")
    assert "are not there to move or to come back" in words(refused)
    assert "Choose where it goes." in words(book(carol, office, "", "CK-3"))


def test_an_operator_says_for_which_brand(office: Office, places: tuple[str, str]) -> None:
    """Never the first of several unasked: neither for what is shipped nor for what is packed, checked or changed."""
    olga = office.browser("olga")
    own, other = (f"brand-{each.hex[-8:]}" for each in (office.brand_id, office.other_brand_id))
    asking = (NEW, "/console/packing", "/console/preflight", "/console/channels/new", "/console/look")
    for path in (*asking, "/console/suspects/terms", "/console/alerts/terms", "/console/diversion/territories"):
        page = olga.get(path)
        assert "Choose the brand that this is for." in words(page)
        assert all(f'href="{path}?brand={slug}"' in page.text for slug in (own, other))
    assert "华东商超" in olga.get(f"{NEW}?brand={own}").text
    assert "华东商超" not in olga.get(f"{NEW}?brand={other}").text
    sent = olga.send(f"{NEW}?brand={own}", number="CK-9", batch=str(office.batch), ranges="0-9", place=places[0])
    assert sent.status_code == 302, words(sent)
    for path in ("/console/products/new", "/console/layouts/new", "/console/houses/new", "/console/campaigns/new"):
        assert re.search(r'<select[^>]* name="brand(_id)?"[^>]*>\s*<option( selected)? value="">', olga.get(path).text)
        assert olga.send(path, name="x").status_code == 422
    form = {"kind": "shipment", "value": "CK-9", "note": "x"}
    refused = olga.send("/console/life/activate", **form)
    assert (refused.status_code, "Choose the brand that this is for." in words(refused)) == (422, True)
    assert "10 codes will change" in words(olga.send("/console/life/activate", **form, brand=own))
    assert olga.send("/console/life/activate", **form, brand=other).status_code == 422
