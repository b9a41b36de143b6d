"""What may be ordered: the checks of an order before it gets a number, and the press's spec of a batch. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from uuid import UUID

from batches.codes import MAX_BATCH_COUNT, Kind
from batches.errors import BadSpec, PressError
from batches.press import FORMATS, plan
from batches.spec import BatchSpec
from batches.ticket import Ticket
from batches.words import ZH, sentence_key
from scancode.errors import Refusal
from scancode.i18n import N_

ORDER_NO_LENGTH_MAX = 60
PARTS_MAX = 32
ORDER_COUNT_MAX = PARTS_MAX * MAX_BATCH_COUNT
ANY_GTIN = "0" * 14
"""Stands for the product's in checks of an address's form."""
NOTE_LENGTH_MAX = 200


class BadOrder(Refusal):
    """The press would refuse this. Facts: ``zh`` and ``en``, its own sentence."""

    code = "order_unprintable"
    text = N_("The press cannot print this: {en}.")
    status = 422


class OrderNumberMissing(Refusal):
    code = "order_no"
    text = N_("An order number is needed: 1 to 60 characters. The same number never orders twice.")
    status = 422


class CountOutside(Refusal):
    code = "order_count"
    text = N_("An order is for 1 to {limit} items.")
    status = 422


class ScanHostUnknown(Refusal):
    code = "scan_host"
    text = N_("{typed} is none of this installation's scan hosts: {offered}. A label with another host leads nowhere.")
    status = 422


class LayoutUnknown(Refusal):
    code = "layout_unknown"
    text = N_("The brand has no saved layout named “{name}”.")
    status = 422


class KindMissing(Refusal):
    code = "order_kinds"
    text = N_("Choose at least one kind of code.")
    status = 422


@dataclass(frozen=True, kw_only=True)
class OrderDraft:
    """What somebody wants to have minted."""

    product_id: UUID
    order_no: str
    count: int
    kinds: tuple[Kind, ...]
    formats: tuple[str, ...]
    base_url: str
    lot: str = ""
    note: str = ""
    is_test: bool = False
    replaces: int | None = None
    """The batch whose void codes these stand in for."""
    is_offline: bool = False
    """Made by a press kit on somebody's computer, not here."""
    digital_link: bool = False
    ticket: Ticket = field(default_factory=Ticket)

    def checked(self) -> OrderDraft:
        """The same, tidied. Raises OrderNumberMissing, CountOutside, KindMissing, BadOrder."""
        order_no = self.order_no.strip()
        if not 1 <= len(order_no) <= ORDER_NO_LENGTH_MAX or not order_no.isprintable():
            raise OrderNumberMissing
        if not 1 <= self.count <= ORDER_COUNT_MAX:
            raise CountOutside(limit=f"{ORDER_COUNT_MAX:,}")
        if not self.kinds:
            raise KindMissing
        draft = replace(
            self,
            order_no=order_no,
            kinds=tuple(sorted(set(self.kinds))),
            formats=tuple(name for name in FORMATS if name in self.formats) or self.formats,
            base_url=self.base_url.strip().rstrip("/"),
            lot=self.lot.strip(),
            note=self.note.strip()[:NOTE_LENGTH_MAX],
        )
        try:
            for count in set(draft.counts):
                part = replace(draft, count=count)
                plan(part.spec(number=0, gtin=ANY_GTIN), part.formats, part.ticket)
            if draft.ticket.spoilage >= draft.count:
                raise BadSpec("spoilage is not less than the count", field="spoilage", value=str(draft.ticket.spoilage))
        except PressError as error:
            raise unprintable(error) from error
        return draft

    @property
    def counts(self) -> tuple[int, ...]:
        """How many items each batch of this order holds: as few batches as it takes, all but the last full."""
        whole, rest = divmod(self.count, MAX_BATCH_COUNT)
        return (MAX_BATCH_COUNT,) * whole + ((rest,) if rest else ())

    @property
    def size_bytes(self) -> int:
        """How large the files of the whole order become at most. Raises PressError for what ``checked`` refuses."""
        parts = [replace(self, count=count).spec(number=0, gtin=ANY_GTIN) for count in self.counts]
        return sum(piece.size_bytes for part in parts for piece in plan(part, self.formats, self.ticket))

    def spec(self, *, number: int, product_name: str = "", gtin: str | None = None) -> BatchSpec:
        """What the press is told. Raises BadSpec."""
        return BatchSpec(
            number=number,
            kinds=self.kinds,
            count=self.count,
            host=self.base_url,
            product_name=product_name,
            gtin=gtin,
            lot=self.lot or None,
            order_no=self.order_no,
            is_test=self.is_test,
            digital_link=self.digital_link,
            replaces=self.replaces,
        )


def unprintable(error: PressError) -> BadOrder:
    """The press's refusal as one of ours."""
    return BadOrder(zh=ZH[sentence_key(error)].format(**error.facts), en=str(error))


def check_host(base_url: str, offered: tuple[str, ...]) -> str:
    """The scan host, the installation's first where nothing is asked for. Raises ScanHostUnknown."""
    wanted = base_url.strip().rstrip("/")
    if not wanted:
        return offered[0]
    for host in offered:
        if wanted.lower() == host.lower():
            return host
    raise ScanHostUnknown(typed=wanted[:120], offered=", ".join(offered))


def ticket_text(ticket: Ticket) -> str:
    """How a ticket is stored."""
    return json.dumps(ticket.to_dict(), sort_keys=True, separators=(",", ":"))


def ticket_of(text: str) -> Ticket:
    """The inverse. Raises BadSpec."""
    return Ticket.from_dict(json.loads(text))


def kinds_text(kinds: tuple[Kind, ...]) -> str:
    """``outer,inner``: how a batch's kinds are stored."""
    return ",".join(kind.label for kind in kinds)


def kinds_of(text: str) -> tuple[Kind, ...]:
    return tuple(Kind.of(label) for label in text.split(","))
