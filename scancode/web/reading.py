"""From the text of a URL to a genuine code, without a query: the batch number is looked up in memory, the tag is
verified with the batch's key, and what does not verify is refused here, before anything touches the database.

A mistyped code is told apart from a forgery by trying whether one slip of the fingers explains it. That costs a
thousand times a verification, so each process tries only a few a second; beyond it the answer is the general one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from batches import codes as press
from scancode.catalog.rules import BrandFacts, ProductPage
from scancode.codes.rules import BatchFacts
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.web.runtime import Runtime


class NotOurs(Refusal):
    """The text is no code of ours. ``verdict`` is what is counted."""

    verdict = "forged"
    status = 404


class Unreadable(NotOurs):
    code = "code_malformed"
    verdict = "malformed"
    text = N_("This is not a complete code. A code has 20 letters and digits; please check it against the package.")


class Mistyped(NotOurs):
    code = "code_mistyped"
    verdict = "mistyped"
    text = N_("One or two characters seem to be wrong. Please check them against the package and try again.")


class UnknownCode(NotOurs):
    code = "code_unknown"
    verdict = "unknown"
    text = N_(
        "We do not know this code. If you typed it, check every character. "
        "If you scanned it from a package, the item may not be genuine."
    )


class ForgedCode(NotOurs):
    code = "code_forged"
    verdict = "forged"
    text = N_(
        "This code was not made by the brand. If you typed it, check every character. "
        "If you scanned it from a package, the item is probably a counterfeit: do not use it."
    )


@dataclass(frozen=True)
class ReadCode:
    """A genuine code with all that memory knows of it."""

    text: str
    """Canonical: 20 characters, upper case."""
    code_id: int
    kind: press.Kind
    serial: int
    batch: BatchFacts
    product: ProductPage
    brand: BrandFacts


def read_code(shared: Runtime, text: str, *, met_in: Mapping[str, Any] | None = None) -> ReadCode:
    """Raises Unreadable, Mistyped, UnknownCode or ForgedCode. A scan names the WSGI environment that it was ``met_in``:
    then these are counted, and after too many of them it raises WorkNeeded instead."""
    try:
        return _read(shared, text)
    except NotOurs as refusal:
        if met_in is None:
            raise
        now = shared.now()
        shared.misses.add(now.strftime("%Y-%m-%d"), refusal.verdict)
        if not isinstance(refusal, Unreadable):
            shared.guard.miss(met_in, now=now)
        raise


def _read(shared: Runtime, text: str) -> ReadCode:
    try:
        canonical = press.normalise(text)
    except press.Malformed as error:
        raise Unreadable from error
    number = press.batch_of(canonical)
    batch = shared.batches.get(number) if number in shared.numbers.get(None) else None
    if batch is None:
        raise _explain(shared, canonical, UnknownCode())
    try:
        parts = batch.verifier.verify(canonical)
    except press.Forged as error:
        raise _explain(shared, canonical, ForgedCode()) from error
    kind = press.Kind(parts.kind)
    if kind not in batch.kinds or parts.serial >= batch.count:
        raise UnknownCode
    product = shared.products.get(batch.product_id)
    brand = shared.brands.get(batch.brand_id)
    if product is None or brand is None:
        raise UnknownCode
    code_id = press.code_id(number, parts.kind, parts.serial)
    return ReadCode(canonical, code_id, kind, parts.serial, batch, product, brand)


def _explain(shared: Runtime, canonical: str, otherwise: NotOurs) -> NotOurs:
    if not shared.near_misses.take():
        return otherwise
    numbers = shared.numbers.get(None)

    def verifier_for(number: int) -> press.Verifier | None:
        batch = shared.batches.get(number) if number in numbers else None
        return batch.verifier if batch else None

    return Mistyped() if press.near_miss(verifier_for, canonical) else otherwise


def brand_of(shared: Runtime, brand_id: UUID) -> BrandFacts:
    """The brand, from memory. Raises UnknownCode when it is gone."""
    brand = shared.brands.get(brand_id)
    if brand is None:
        raise UnknownCode
    return brand
