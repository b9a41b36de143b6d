"""The order form and the page of a layout in a real Chromium: previews that follow the fields, refusals that are found,
tables that fit a phone; a large file that is sent with a bar."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from scancode.catalog import revision
from scancode.config import Settings
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests import browser as chrome
from tests import factories, servers
from tests.browser import DESK, Window

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("servers"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def test_a_layout_is_drawn_while_it_is_described_and_then_ordered_with(
    settings: Settings, wired: Wired, tmp_path: Path
) -> None:
    chrome.path()
    port = servers.free_port()
    settings = settings.model_copy(update={"base_url": f"http://127.0.0.1:{port}"})
    with wired.db.transaction() as session:
        brand = factories.make_brand(session)
        for name in ("Lemon water", "Iced tea"):
            product = factories.make_product(session, brand_id=brand.id, name_en=name)
        batch = factories.make_batch(
            session, brand_id=brand.id, product_id=product.id, order_no="PO-OLD", count=1234567
        )
        factories.make_staff(session, name="Carol", login="carol", role=Role.FACTORY, brand_id=brand.id)
        revision.bump(session)
    with servers.gunicorn(settings, workers=1, port=port) as url, chrome.chromium() as browser:
        assert servers.Browser(url).get("/readyz")[0] == 200
        carol = Window.open(browser, url, "carol", locale="en-US", device=DESK)
        carol.go("/console/login?next=/console/layouts/new")
        carol.page.fill("#login", "carol")
        carol.page.fill("#password", factories.PASSWORD)
        carol.click("form button[type=submit]")
        describe_layout(carol)
        order_with_it(carol)
        carol.page.set_viewport_size({"width": 390, "height": 844})
        carol.go("/console/batches")
        row = carol.page.locator("tbody tr", has_text="PO-OLD")
        expect(row.locator("td").nth(2)).to_have_attribute("data-label", "Items")
        assert row.locator("td").nth(2).is_visible()  # within the screen: nothing scrolls sideways
        box = row.locator("td").last.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390
        assert str(batch.number) in row.inner_text()
        send_a_large_file(carol, tmp_path)


def describe_layout(carol: Window) -> None:
    page, drawn = carol.page, carol.page.locator(".label-previews")
    expect(drawn).to_contain_text("36 x 26 mm")
    expect(drawn.locator(".sheet-preview use")).to_have_count(50)
    page.fill("[name=label_width_mm]", "90")
    expect(drawn).to_contain_text("5x10 labels of 90.0x26.0 mm")  # wider than the sheet
    page.select_option("[name=medium]", "roll")
    page.fill("[name=columns]", "1")
    expect(drawn).to_contain_text("90 x 26 mm")
    page.fill("[name=label_height_mm]", "60")
    expect(drawn.locator("figure")).to_have_count(3)  # large enough for a case: with its SSCC; and the page
    page.select_option("[name=dpi]", "203")
    page.fill("[name=name]", "Case label")
    carol.press("Save")
    carol.sees("Case label", "90 x 60 mm · 203 dpi")


def order_with_it(carol: Window) -> None:
    page, drawn = carol.page, carol.page.locator("#label-preview")
    carol.go("/console/batches/order")
    expect(drawn).to_contain_text("Choose a product")
    page.select_option("[name=product]", index=1)
    page.select_option("[name=layout]", label="Case label")
    expect(drawn).to_contain_text("90 x 60 mm")
    page.check("[name=formats][value=pdf]")
    page.fill("[name=count]", "300000")
    expect(drawn).to_contain_text("200000")  # labels are drawn for no more than that
    page.fill("[name=count]", "1000")
    expect(drawn).to_contain_text("1,000 items, 1,000 codes")
    page.click("summary >> nth=0")
    page.fill("[name=rows_per_file]", "1")
    page.click("summary >> nth=0")
    with page.expect_navigation():
        page.get_by_role("button", name="Order the codes").click()
    expect(page.locator("[name=rows_per_file]")).to_be_focused()  # unfolded, and where the eye should be
    assert all("422" in complaint for complaint in carol.complaints)
    carol.complaints.clear()
    page.fill("[name=rows_per_file]", "")
    carol.press("Order the codes")
    carol.sees("Ordered.", "Waiting for a worker")


def send_a_large_file(carol: Window, folder: Path) -> None:
    """What is refused is shown as ever, with the bar gone; what is taken in leads to its page."""
    file = folder / "shift.csv"
    file.write_bytes(b"item,case\n" * 200_000)
    bar, button = carol.page.locator(".sending progress"), carol.page.locator("form[enctype] button[type=submit]")
    carol.go("/console/packing")
    expect(bar).to_be_hidden()
    carol.page.set_input_files("#file", file)
    carol.page.fill("#batch", "no such batch")
    with carol.page.expect_request("**/console/packing") as sent:
        button.click()
    assert sent.value.headers["x-sending"] == "1"
    expect(carol.page.locator("#batch-error")).to_contain_text("There is no batch no such batch")
    carol.complaints.clear()  # Chromium writes every 422 down
    carol.page.set_input_files("#file", file)
    carol.page.fill("#batch", "")
    button.click()
    carol.page.wait_for_url("**/console/uploads/*")
    carol.sees("shift.csv")
