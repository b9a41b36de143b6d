"""Label layouts in the console: saving, whose they are, the preview of a label, ordering with one, the manifest."""

from __future__ import annotations

import json
import re
import threading
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from batches.layouts import Layout
from batches.manifest import Manifest
from scancode.catalog.models import Brand
from scancode.codes import service as codes
from scancode.codes.models import Batch, LabelLayout
from scancode.staff.models import AuditRow
from scancode.wiring import Wired
from scancode.worker import loop
from tests.web.console.test_batches import Works, browser, carol, order_of, post, words, works

__all__ = ["carol", "works"]
LABEL = 'class="label-preview"'

ROLL = {
    "name": "卷筒 40x30", "medium": "roll", "columns": "2", "rows": "10", "label_width_mm": "40",
    "label_height_mm": "30", "gap_x_mm": "2", "gap_y_mm": "0", "bleed_mm": "0", "dpi": "203", "module_mm": "",
    "text_pt": "6.5", "shows_name": "y", "shows_code": "y", "tint": "",
}  # fmt: skip


def brand_of(works: Works) -> UUID:
    with works.wired.db.reading() as session:
        return session.get_one(Batch, works.batch).brand_id


def saved(works: Works) -> LabelLayout | None:
    with works.wired.db.reading() as session:
        return session.scalar(select(LabelLayout).where(LabelLayout.name == ROLL["name"]))


def save(carol: FlaskClient, works: Works, **over: Any) -> LabelLayout:
    answer = post(carol, "/console/layouts/new", **(ROLL | {"brand": str(brand_of(works))} | over))
    assert answer.status_code == 302, words(answer)
    row = saved(works)
    assert row is not None
    return row


def test_a_layout_is_saved_changed_and_deleted_each_with_its_audit_row(carol: FlaskClient, works: Works) -> None:
    row = save(carol, works)
    layout = Layout.from_dict(json.loads(row.layout))
    assert (layout.medium, layout.columns, layout.rows, layout.dpi) == ("roll", 2, 1, 203)
    here = f"/console/layouts/{row.id}"
    assert 'value="40.0"' in carol.get(here).text
    assert post(carol, here, **(ROLL | {"label_width_mm": "45"})).status_code == 302
    changed = saved(works)
    assert changed is not None
    assert json.loads(changed.layout)["label_width_mm"] == 45
    assert "卷筒 40x30" in carol.get("/console/layouts").text
    assert post(carol, f"{here}/delete", here).status_code == 302
    assert saved(works) is None
    with works.wired.db.reading() as session:
        actions = session.scalars(select(AuditRow.action).where(AuditRow.action.like("layout.%"))).all()
    assert sorted(actions) == ["layout.change", "layout.create", "layout.delete"]


def test_what_cannot_be_printed_or_has_a_taken_name_is_told(carol: FlaskClient, works: Works) -> None:
    save(carol, works)
    own = ROLL | {"brand": str(brand_of(works))}
    for wrong, told in (
        ({}, "同名版式"),
        ({"name": "x", "bleed_mm": "3"}, "版式"),
        ({"name": "x", "label_width_mm": "wide"}, "float"),
        ({"name": "x", "tint": "red"}, "版式"),
        ({"name": "x", "brand": str(UUID(int=1))}, "Brand"),
    ):
        answer = post(carol, "/console/layouts/new", **(own | wrong))
        assert answer.status_code == 422, told


def test_another_brand_sees_none_of_it(app: Flask, carol: FlaskClient, works: Works) -> None:
    row = save(carol, works)
    mallory = browser(app, works, "mallory")
    here = f"/console/layouts/{row.id}"
    assert ROLL["name"] not in mallory.get("/console/layouts").text
    assert mallory.get(here).status_code == 404
    assert post(mallory, here, "/console/layouts/new", **ROLL).status_code == 404
    assert post(mallory, f"{here}/delete", "/console/layouts/new").status_code == 404
    query = f"product={works.product_id}&layout={row.id}"
    assert mallory.get(f"/console/batches/order/preview?{query}").status_code == 404
    dave = browser(app, works, "dave")
    assert dave.get("/console/layouts").status_code == 403


def test_the_preview_shows_the_label_its_module_in_dots_and_warns(carol: FlaskClient, works: Works) -> None:
    page = carol.get("/console/layouts/preview", query_string=ROLL)
    assert "large=1" in page.text
    large = carol.get("/console/layouts/preview", query_string=ROLL | {"large": "1"}).text
    assert (large.count('<use href="#label-inner"'), LABEL in large, "</html>" in large) == (2, False, True)
    assert page.text.count(LABEL) == 1
    assert "203 dpi 下 4.00 点" in words(page)
    page = carol.get("/console/layouts/preview", query_string=ROLL | {"module_mm": "0.42"})
    assert "0.420 毫米在 203 dpi 下不是整点" in words(page)
    page = carol.get(
        "/console/layouts/preview", query_string=ROLL | {"label_height_mm": "100", "label_width_mm": "100"}
    )
    assert page.text.count(LABEL) == 2
    assert "(00)" in page.text
    page = carol.get("/console/layouts/preview", query_string=ROLL | {"label_height_mm": "9"})
    assert LABEL not in page.text
    assert "标签只有" in words(page)
    page = carol.get("/console/layouts/preview", query_string={"medium": "x"})
    assert page.status_code == 200
    assert LABEL not in page.text


def test_the_order_form_shows_its_label_and_no_code_that_could_be_scanned(carol: FlaskClient, works: Works) -> None:
    query = {
        "product": str(works.product_id),
        "kinds": ["inner", "outer"],
        "base_url": "https://q.example",
        "is_test": "y",
    }
    page = carol.get("/console/batches/order/preview", query_string=query)
    assert page.text.count(LABEL) == 2
    assert "测试 TEST" in page.text
    assert page.text.count("00000-00000-00000-00000") == 2
    assert carol.get("/console/batches/order/preview?product=nothing").status_code == 404
    page = carol.get("/console/batches/order/preview", query_string=query | {"base_url": "https://a/b"})
    assert "扫码域名" in words(page)


def test_the_order_form_tells_what_the_order_would_come_to(carol: FlaskClient, works: Works) -> None:
    query = {"product": str(works.product_id), "kinds": ["inner", "outer"], "base_url": "https://q.example"}
    here = "/console/batches/order/preview"
    assert "共" not in words(carol.get(here, query_string=query | {"count": "x", "formats": "csv"}))
    page = words(carol.get(here, query_string=query | {"count": "1000", "formats": ["csv", "txt"]}))
    assert "1,000 件，共 2,000 个码" in page
    assert "文件最多" in page
    assert "第二人" not in page
    page = words(carol.get(here, query_string=query | {"count": "40000000", "formats": "csv"}))
    assert "分 2 个批次" in page
    assert "须由第二人批准" in page
    page = words(carol.get(here, query_string=query | {"count": "300000", "formats": "pdf"}))
    assert "超过上限 200000" in page
    assert "选择产品后" in words(carol.get(here))


def test_an_order_keeps_the_layout_and_the_choices_it_was_made_with(
    app: Flask, carol: FlaskClient, works: Works
) -> None:
    row = save(carol, works)
    choices = {"layout": str(row.id), "encoding": "gbk", "header": "zh", "with_product": "y", "rows_per_file": "200"}
    form = order_of(works, order_no="PO-LABEL", formats=["csv", "zpl"], spoilage="20", digital_link="y", **choices)
    assert post(carol, "/console/batches/order", **form).status_code == 302
    with works.wired.db.reading() as session:
        batch = session.scalars(select(Batch).where(Batch.order_no == "PO-LABEL")).one()
        ticket = codes.draft_of(batch).ticket
    assert (ticket.encoding, ticket.header, ticket.rows_per_file, ticket.spoilage) == ("gbk", "zh", 200, 20)
    assert ticket.layout.medium == "roll"
    assert batch.digital_link
    mallory = browser(app, works, "mallory")
    with works.wired.db.reading() as session:
        other = session.get_one(Batch, works.other_batch).product_id
    form = order_of(works, product=str(other), order_no="PO-X", layout=str(row.id))
    assert post(mallory, "/console/batches/order", **form).status_code == 422


def test_a_host_that_is_not_ours_is_refused(carol: FlaskClient, works: Works) -> None:
    answer = post(carol, "/console/batches/order", **order_of(works, base_url="https://q.exampel"))
    assert answer.status_code == 422
    assert "不是本系统的扫码域名" in words(answer)


def test_cases_are_made_with_ssccs_proved_and_told_by_a_manifest_to_print(
    app: Flask, carol: FlaskClient, works: Works, wired: Wired
) -> None:
    brand_id = brand_of(works)
    with wired.db.transaction() as session:
        session.get_one(Brand, brand_id).company_prefix = "6901234"
    form = order_of(works, order_no="PO-CASES", kinds=["case"], count="30", formats=["csv", "pdf"], spoilage="2")
    assert post(carol, "/console/batches/order", **form).status_code == 302
    loop.run(wired, stop_event=threading.Event(), kinds={"mint"}, once=True)
    with wired.db.reading() as session:
        batch = session.scalars(select(Batch).where(Batch.order_no == "PO-CASES")).one()
    assert batch.manifest is not None
    manifest = Manifest.from_json(batch.manifest.encode())
    assert manifest.proof is not None
    assert (manifest.proof.codes_verified, manifest.proof.symbols_decoded) == (60, 30)
    answer = carol.get(f"/console/batches/{batch.number}/manifest")
    text = words(answer)
    for told in ("PO-CASES", "0 – 29", manifest.files[0].sha256, manifest.sample_url, "其中损耗 Of these spare 2"):
        assert told in re.sub(r"\s+", " ", text)
    assert "style-src 'sha256-" in answer.headers["Content-Security-Policy"]
    assert browser(app, works, "mallory").get(f"/console/batches/{batch.number}/manifest").status_code == 404
