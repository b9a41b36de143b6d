"""What a channel or a store holds, range by range, as a file. Taking it away leaves an audit row."""

from __future__ import annotations

from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from scancode.channels import service as channels
from scancode.errors import NotFound
from scancode.staff import service as staff
from scancode.web.console import console
from scancode.web.console.access import current_staff, visible
from scancode.web.console.channels import anyone
from scancode.web.csv_files import csv_file
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

ROWS_MAX = 100_000
COLUMNS = ("batch", "order_no", "gtin", "product", "first", "last", "count", "store", "shipment", "shipped_at")


@console.get("/channels/held.csv")
@anyone
def held_csv() -> ResponseReturnValue:
    """``?store=`` or ``?channel=``."""
    store_id, channel_id = request.args.get("store", type=UUID), request.args.get("channel", type=UUID)
    shared = runtime()
    with shared.db.reading() as session:
        if store_id is not None:
            store, channel = channels.get_store(session, store_id=store_id)
            name = store.name
        elif channel_id is not None:
            channel = channels.get_channel(session, channel_id=channel_id)
            name = channel.name
        else:
            raise NotFound
        visible(channel.brand_id)
        rows = channels.held_ranges(session, channel_id=channel.id, store_id=store_id, limit=ROWS_MAX)
    with shared.db.transaction() as session:
        staff.audit(
            session,
            actor=current_staff().actor,
            brand_id=channel.brand_id,
            action="holding.export",
            subject=f"store:{store_id}" if store_id else f"channel:{channel.id}",
            facts={"rows": len(rows)},
            now=shared.now(),
        )
    return csv_file(f"{name}.csv", COLUMNS, (_cells(row, current_locale()) for row in rows))


def _cells(row: channels.HeldRange, locale: str) -> list[object]:
    product = row.product_name_zh if locale == "zh" else row.product_name_en
    at, place = row.shipment.shipped_at.isoformat(), row.store.name if row.store else ""
    what = (row.batch_number, row.order_no, row.gtin, product)
    return [*what, row.first, row.last, row.count, place, row.shipment.number, at]
