"""Links and files as they are kept: one default, turns, limits, audit rows; on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.catalog.models import Product
from scancode.db import new_id
from scancode.errors import NotFound
from scancode.resolver import service as resolver
from scancode.resolver.rules import LinkDraft
from scancode.resolver.service import files, links
from scancode.staff.models import AuditRow
from tests import factories

NOW = factories.NOW


@pytest.fixture
def product(session: Session) -> Product:
    return factories.make_product(session, brand_id=factories.make_brand(session).id)


def save(session: Session, product: Product, name: str, *, link_id: UUID | None = None, **over: Any) -> UUID:
    batch_number, minutes = over.pop("batch_number", None), over.pop("minutes", 0)
    draft = LinkDraft(**{"link_type": "pip", "href": f"https://b.example/{name}", "title": name, **over})
    return resolver.save_link(
        session, link_id=link_id, product_id=product.id, batch_number=batch_number, draft=draft, own_hosts=(),
        actor="t", now=NOW + timedelta(minutes=minutes),
    )  # fmt: skip


def defaults(session: Session, product: Product, batch_number: int | None = None) -> list[str]:
    rows = resolver.list_links(session, product_id=product.id, batch_number=batch_number)
    return [row.title for row in rows if row.is_default]


def test_there_is_one_default_at_most(session: Session, product: Product) -> None:
    batch = factories.make_batch(session, brand_id=product.brand_id, product_id=product.id)
    first = save(session, product, "a", is_default=True)
    save(session, product, "of-batch", batch_number=batch.number, is_default=True)
    save(session, product, "b", is_default=True)
    assert (defaults(session, product), defaults(session, product, batch.number)) == (["b"], ["of-batch"])
    resolver.make_default(session, link_id=first, actor="t", now=NOW)
    assert defaults(session, product) == ["a"]
    save(session, product, "a2", link_id=first)
    assert defaults(session, product) == []
    resolver.remove_link(session, link_id=first, actor="t", now=NOW)
    actions = list(session.scalars(select(AuditRow.action).order_by(AuditRow.seq)))
    assert actions == [*["link.add"] * 3, "link.default", "link.change", "link.remove"]


def test_the_resolver_gets_them_by_product_batch_and_lot(session: Session, product: Product) -> None:
    numbers = [
        factories.make_batch(session, brand_id=product.brand_id, product_id=product.id, lot=lot).number
        for lot in ("L1", "L1", "")
    ]
    save(session, product, "own", language="zh")
    for minute, number in enumerate(numbers):
        save(session, product, f"b{minute}", batch_number=number, is_default=True, minutes=minute)
    found = resolver.load_links(session, product_id=product.id)
    assert [(link.title, link.languages) for link in found.own] == [("own", ("zh",))]
    assert {number: [link.title for link in of] for number, of in found.of_batches.items()} == {
        number: [f"b{place}"] for place, number in enumerate(numbers)
    }
    assert [(link.title, link.is_default) for link in found.of_lots["L1"]] == [("b0", True), ("b1", False)]
    assert set(found.of_lots) == {"L1"}


def test_what_cannot_be_kept_is_refused(session: Session, product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = save(session, product, "a")
    with pytest.raises(resolver.SameLink):
        save(session, product, "a")
    save(session, product, "a", link_id=kept)
    other = factories.make_product(session, brand_id=product.brand_id)
    batch = factories.make_batch(session, brand_id=other.brand_id, product_id=other.id)
    for wrong in ({"batch_number": batch.number}, {"batch_number": 1}, {"link_id": new_id(NOW)}):
        with pytest.raises(NotFound):
            save(session, product, "x", **wrong)
    with pytest.raises(NotFound):
        save(session, other, "x", link_id=kept)
    monkeypatch.setattr(links, "LINKS_MAX", 1)
    with pytest.raises(resolver.TooManyLinks):
        save(session, product, "b")


def add(session: Session, name: str, brand_id: UUID | None, upload: bytes = b"abc") -> None:
    who = factories.make_staff(session)
    resolver.add_file(session, name=name, upload=upload, brand_id=brand_id, staff_id=who.id, actor="t", now=NOW)


def test_files_belong_to_who_put_them_there(
    session: Session, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = factories.make_brand(session)
    add(session, "MP_verify_abcd.txt", product.brand_id)
    with pytest.raises(resolver.FileNameTaken):
        add(session, "MP_verify_abcd.txt", other.id, b"mine")
    for wrong in (("robots.txt", b"abc"), ("MP_verify_abce.txt", b"\x00")):
        with pytest.raises(resolver.NotASiteFile):
            add(session, wrong[0], other.id, wrong[1])
    assert resolver.load_files(session) == {"MP_verify_abcd.txt": "abc"}
    assert resolver.list_files(session, brand_id=other.id) == []
    assert [row.added_by for row in resolver.list_files(session, brand_id=None)] == ["Carol"]
    with pytest.raises(NotFound):
        resolver.remove_file(session, name="MP_verify_abcd.txt", brand_id=other.id, actor="t", now=NOW)
    with pytest.raises(NotFound):
        resolver.remove_file(session, name="MP_verify_a\x00b.txt", brand_id=None, actor="t", now=NOW)
    monkeypatch.setattr(files, "FILES_MAX", 1)
    with pytest.raises(resolver.TooManyFiles):
        add(session, "MP_verify_abcf.txt", other.id)
    resolver.remove_file(session, name="MP_verify_abcd.txt", brand_id=None, actor="t", now=NOW)
    assert resolver.load_files(session) == {}
    actions = list(session.scalars(select(AuditRow.action).order_by(AuditRow.seq)))
    assert [each for each in actions if each.startswith("site_file")] == ["site_file.add", "site_file.remove"]
