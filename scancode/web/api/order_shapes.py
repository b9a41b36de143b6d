"""What an order over the API may say, and what that means for the press."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session

from batches.errors import PressError
from batches.layouts import Layout
from batches.ticket import Ticket
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.orders import ORDER_COUNT_MAX, LayoutUnknown, check_host, unprintable
from scancode.web.api.shapes import Asked, EachOnce, FormatName, KindName, OrderNumber, ProductRef, text_field
from scancode.web.runtime import Runtime


class Order(Asked):
    """An order of codes. The same `order_no` with the same content never orders twice."""

    order_no: OrderNumber
    product: ProductRef
    count: Annotated[
        int,
        Field(
            strict=True,
            ge=1,
            le=ORDER_COUNT_MAX,
            description="items; each gets a code of every kind; above 33554432 the order becomes several batches",
        ),
    ]
    kinds: Annotated[
        list[KindName], EachOnce, Field(min_length=1, max_length=4, json_schema_extra={"uniqueItems": True})
    ]
    formats: Annotated[
        list[FormatName], EachOnce, Field(min_length=1, max_length=7, json_schema_extra={"uniqueItems": True})
    ] = ["csv"]
    lot: Annotated[str, text_field(20, description="GS1 production lot, AI (10)", examples=["L20261122"])] = ""
    note: Annotated[str, text_field(200)] = ""
    is_test: Annotated[bool, Field(strict=True, description="codes for trying out, which no report counts")] = False
    replaces: Annotated[
        int | None, Field(strict=True, ge=0, lt=1 << 25, description="batch whose void codes these stand in for")
    ] = None
    offline: Annotated[bool, Field(strict=True, description="made elsewhere with a press kit, not by the worker")] = (
        False
    )

    base_url: Annotated[
        str, text_field(120, description="a scan host of this installation; the usual one if empty")
    ] = ""
    digital_link: Annotated[bool, Field(strict=True, description="symbols say GS1 Digital Links")] = False
    encoding: Literal["usual", "utf-8-bom", "utf-8", "gbk"] = "usual"
    newline: Literal["usual", "crlf", "lf"] = "usual"
    header: Literal["en", "zh", "none"] = "en"
    with_product: Annotated[bool, Field(strict=True, description="product, GTIN and lot in every row")] = False
    rows_per_file: Annotated[int, Field(strict=True, ge=0, le=1 << 25, description="split tables; 0: do not")] = 0
    spoilage: Annotated[int, Field(strict=True, ge=0, lt=1 << 25, description="so many of the items are spare")] = 0
    layout: Annotated[str, text_field(60, description="name of a saved layout of labels; A4 if empty")] = ""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "order_no": "PO-2026-1122",
                    "product": "6901234567892",
                    "count": 100000,
                    "kinds": ["outer", "inner"],
                    "formats": ["csv"],
                    "lot": "L20261122",
                }
            ]
        }
    }


def base_url_of(wanted: str, shared: Runtime, earlier: Batch | None) -> str:
    """Raises ScanHostUnknown."""
    offered = shared.settings.scan_bases
    return check_host(wanted, offered if earlier is None else (earlier.base_url, *offered))


def ticket_of(session: Session, body: Order, brand_id: UUID) -> Ticket:
    """How the files are to be written. Raises LayoutUnknown, BadOrder."""
    layout = Layout()
    if body.layout:
        saved = codes.find_layout(session, brand_id=brand_id, name=body.layout)
        if saved is None:
            raise LayoutUnknown(name=body.layout)
        layout = saved.layout
    names = ("encoding", "newline", "header", "with_product", "rows_per_file", "spoilage")
    try:
        return Ticket(layout=layout, **{name: getattr(body, name) for name in names})
    except PressError as error:
        raise unprintable(error) from error
