"""Marketing sets up channels, stores, guides and placed codes; each is shown, printed and switched off."""

from __future__ import annotations

import io
import re
from uuid import uuid4

import pypdfium2
import pytest
import zxingcpp
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


def made(browser: Browser, path: str, **fields: str) -> str:
    """The address where a form led."""
    answer = browser.send(path, **fields)
    assert answer.status_code == 302, words(answer)
    return answer.location


@pytest.fixture
def channel(dave: Browser) -> str:
    return made(dave, "/console/channels/new", name="华东商超", kind="retail")


@pytest.fixture
def store(dave: Browser, channel: str) -> str:
    return made(dave, f"{channel}/stores/new", name="南京西路店", city="上海市")


def code_of(browser: Browser, page: str) -> str:
    """The first code that a page links to."""
    found = re.search(r'href="(/console/channels/codes/[0-9a-f-]{36})"', browser.get(page).get_data(as_text=True))
    assert found is not None
    return found[1]


def test_an_empty_house_says_what_to_do(dave: Browser) -> None:
    page = dave.read("/console/channels")
    assert "No channels yet" in page
    assert "New channel" in page


def test_the_tree_shows_what_was_made(dave: Browser, channel: str, store: str) -> None:
    made(dave, f"{store}/guides/new", name="Bob", staff_no="007")
    page = dave.read("/console/channels")
    assert "华东商超 Retail 1" in page
    assert "南京西路店 上海市 1" in page


def test_the_new_pages_say_what_comes_next(dave: Browser, channel: str, store: str) -> None:
    assert "No placed codes yet" in dave.read(channel)
    page = dave.read(store)
    for words_of_it in ("No guides yet", "No placed codes yet", "Nothing was shipped here yet"):
        assert words_of_it in page


def test_a_name_twice_is_refused_beside_the_field(dave: Browser, channel: str) -> None:
    answer = dave.send("/console/channels/new", name="华东商超", kind="retail")
    assert answer.status_code == 422
    assert "There is already one named “华东商超” here." in words(answer)


def test_an_empty_name_is_refused(dave: Browser) -> None:
    assert dave.send("/console/channels/new", name="  ", kind="retail").status_code == 422
    assert dave.send("/console/channels/new", name="x", kind="moon").status_code == 422


def test_a_store_is_changed_and_switched_off(dave: Browser, store: str) -> None:
    made(dave, f"{store}/edit", name="静安店", city="上海市")
    page = dave.read(store)
    assert "静安店" in page
    assert "This store is not in use" in page


def test_a_channel_is_switched_off_and_its_stores_say_so(dave: Browser, channel: str, store: str) -> None:
    made(dave, f"{channel}/edit", name="华东商超", kind="direct")
    assert "The channel of this store is not in use" in dave.read(store)
    assert dave.send(f"{channel}/stores/new", name="新店").status_code == 422


def test_a_guide_is_changed(dave: Browser, store: str) -> None:
    made(dave, f"{store}/guides/new", name="Bob")
    found = re.search(r'href="(/console/channels/guides/[^"]+/edit)"', dave.get(store).get_data(as_text=True))
    assert found is not None
    made(dave, found[1], name="Bobby", staff_no="008", is_active="y")
    assert "Bobby 008" in dave.read(store)


def test_a_scene_has_value_and_place_and_can_be_changed(dave: Browser, channel: str, store: str) -> None:
    code = made(dave, f"{channel}/codes/new?store={store[-36:]}", name="端架", scene="End Cap", placement="2 号货架")
    page = dave.read(code)
    assert "end-cap" in page
    assert "2 号货架" in page
    made(dave, f"{code}/edit", name="端架", scene="shelf", placement="", is_active="y")
    assert "shelf" in dave.read(code)
    assert "端架" in dave.read(store)


@pytest.mark.parametrize(("form", "mimetype"), [("png", "image/png"), ("svg", "image/svg+xml")])
def test_the_picture_of_a_code_is_downloaded(dave: Browser, store: str, form: str, mimetype: str) -> None:
    answer = dave.get(f"{code_of(dave, store)}/qr.{form}?download=1")
    assert (answer.status_code, answer.mimetype) == (200, mimetype)
    assert answer.headers["Content-Disposition"].endswith(f'.{form}"')


def test_what_is_printed_leads_to_the_landing_page(dave: Browser, store: str, office: Office) -> None:
    picture = Image.open(io.BytesIO(dave.get(f"{code_of(dave, store)}/qr.png").data))
    (found,) = zxingcpp.read_barcodes(picture)
    host, _, path = found.text.partition("/T/")
    assert host == "HTTP://127.0.0.1:8000"
    answer = office.app.test_client().get(f"/T/{path}", headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    assert "Welcome to 南京西路店" in words(answer)


def test_cards_of_one_code_a_store_and_a_channel(dave: Browser, channel: str, store: str) -> None:
    for number in range(4):
        made(dave, f"{store}/guides/new", name=f"Guide {number}")
    made(dave, f"{channel}/codes/new", name="包裹卡", scene="parcel-card")
    counts = []
    for path in (f"{code_of(dave, store)}/card.pdf?call=扫我", f"{store}/cards.pdf", f"{channel}/cards.pdf"):
        answer = dave.get(path)
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
        document = pypdfium2.PdfDocument(answer.data)
        counts.append(sum(len(zxingcpp.read_barcodes(page.render(scale=2).to_pil())) for page in document))
        document.close()
    assert counts == [1, 5, 6]


def test_the_factory_looks_and_changes_nothing(office: Office, channel: str, store: str) -> None:
    carol = office.browser("carol")
    assert "New channel" not in carol.read("/console/channels")
    assert "New guide" not in carol.read(store)
    for path in ("/console/channels/new", f"{channel}/edit", f"{store}/guides/new"):
        assert carol.get(path).status_code == 403


def test_another_brand_sees_none_of_it(office: Office, channel: str, store: str, dave: Browser) -> None:
    mallory = office.browser("mallory")
    code = code_of(dave, store)
    assert "华东商超" not in mallory.read("/console/channels")
    for path in (
        channel,
        f"{channel}/edit",
        f"{channel}/cards.pdf",
        f"{channel}/codes/new",
        store,
        f"{store}/edit",
        f"{store}/cards.pdf",
        code,
        f"{code}/qr.png",
        f"{code}/card.pdf",
        f"/console/shipments?store={store[-36:]}",
    ):
        assert mallory.get(path).status_code == 404, path


def test_the_operator_chooses_a_brand(office: Office, channel: str) -> None:
    olga = office.browser("olga")
    both = [olga.read(f"/console/channels?brand={slug}") for slug in _slugs(office)]
    assert ["华东商超" in page for page in both] == [True, False]
    assert olga.get("/console/channels?brand=nobody").status_code == 404


def _slugs(office: Office) -> list[str]:
    return [f"brand-{brand_id.hex[-8:]}" for brand_id in (office.brand_id, office.other_brand_id)]


def test_what_is_not_there_is_not_found(dave: Browser) -> None:
    for path in ("", "stores/", "codes/"):
        assert dave.get(f"/console/channels/{path}{uuid4()}").status_code == 404
    assert dave.get("/console/channels/stores/nonsense").status_code == 404


def test_nobody_looks_without_signing_in(app: Flask) -> None:
    answer = app.test_client().get("/console/channels")
    assert answer.status_code == 302
    assert "/console/login" in answer.location


def test_a_live_code_is_made_over_guides_and_changed(office: Office, dave: Browser, channel: str, store: str) -> None:
    made(dave, f"{store}/guides/new", name="Bob", is_on_duty="y", shifts="1-7 00:00-24:00")
    form = dave.get(f"{channel}/live/new?store={store[-36:]}").get_data(as_text=True)
    guide = re.search(r'name="guide" value="([^"]+)" checked', form)
    assert guide is not None, "the guides of the store are chosen already"
    fields = {"name": "柜台活码", "scene": "counter", "rotation": "weight", "guide": guide[1]}
    bad = dave.send(f"{channel}/live/new", **fields, **{f"weight-{guide[1]}": "many"})
    assert (bad.status_code, "whole numbers" in words(bad)) == (422, True)
    code = made(dave, f"{channel}/live/new", **fields, **{f"weight-{guide[1]}": "3", f"limit-{guide[1]}": "20"})
    page = dave.read(code)
    assert "By shares" in page
    assert "Bob 南京西路店 1-7 00:00-24:00 3 20 0 On duty" in page
    assert f"?s={re.search(r'/T/([0-9A-Z]+)', page)[1]}" in page  # type: ignore[index]
    edit = f"/console/channels/live/{code[-36:]}/edit"
    made(dave, edit, **{**fields, "rotation": "turns"}, is_active="y")
    assert "In turn: whoever waited longest" in dave.read(code)
    assert "Live code" in dave.read(channel)
    assert office.browser("mallory").get(edit).status_code == 404
    assert office.browser("carol").get(edit).status_code == 403


def test_hours_that_cannot_be_read_are_refused_beside_the_field(dave: Browser, store: str) -> None:
    answer = dave.send(f"{store}/guides/new", name="Bob", shifts="nine to five")
    assert answer.status_code == 422
    assert "Write hours as 09:00-18:00" in words(answer)


def test_a_batch_gets_a_channel_of_its_brand(office: Office, dave: Browser, channel: str) -> None:
    page = f"/console/batches/{office.batch}"
    form = dave.get(page).get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', form)
    assert token is not None
    sent = {"csrf_token": token[1], "channel": channel[-36:]}
    assert dave.client.post(f"{page}/channel", data=sent).status_code == 302
    assert f'value="{channel[-36:]}" selected' in dave.get(page).get_data(as_text=True)
    mallory = office.browser("mallory")
    assert mallory.client.post(f"{page}/channel", data=sent).status_code in {400, 404}
