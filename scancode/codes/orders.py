"""What may be ordered: the checks of an order before it gets a number, and the press's spec of a batch. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from batches.codes import MAX_BATCH_COUNT, Kind
from batches.errors import PressError
from batches.press import FORMATS, plan
from batches.spec import BatchSpec
from batches.words import ZH, sentence_key
from scancode.errors import Refusal
from scancode.i18n import N_

ORDER_NO_LENGTH_MAX = 60
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
    text = N_("A batch holds 1 to {limit} items. Order more as several batches.")
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

    def checked(self) -> OrderDraft:
        """The same, tidied. Raises OrderNumberMissing, CountOutside, KindMissing, BadOrder."""
        order_no = self.order_no.strip()
        if not 1 <= len(order_no) <= ORDER_NO_LENGTH_MAX or not order_no.isprintable():
            raise OrderNumberMissing
        if not 1 <= self.count <= MAX_BATCH_COUNT:
            raise CountOutside(limit=MAX_BATCH_COUNT)
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
            plan(draft.spec(number=0), draft.formats)
        except PressError as error:
            raise unprintable(error) from error
        return draft

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
        )


def unprintable(error: PressError) -> BadOrder:
    """The press's refusal as one of ours."""
    return BadOrder(zh=ZH[sentence_key(error)].format(**error.facts), en=str(error))


def kinds_text(kinds: tuple[Kind, ...]) -> str:
    """``outer,inner``: how a batch's kinds are stored."""
    return ",".join(kind.label for kind in kinds)


def kinds_of(text: str) -> tuple[Kind, ...]:
    return tuple(Kind.of(label) for label in text.split(","))
