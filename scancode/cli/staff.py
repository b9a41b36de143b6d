"""``scancode staff``: the first account of an installation, and a way back in when nobody knows a password.

A password is typed at a prompt or made here and shown once; it never stands on the command line, where every process
of the machine could read it.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import click
from sqlalchemy.orm import Session

from scancode.catalog import service as catalog
from scancode.catalog.rules import BrandFacts
from scancode.cli.bars import gettext
from scancode.cli.root import wire
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.staff import service as staff_service
from scancode.staff.rules import Role

GENERATED_BYTES = 15


class NoSuchBrand(Refusal):
    code = "no_such_brand"
    text = N_("There is no brand with the short name {slug}. There are: {known}.")
    status = 404


@click.group()
def staff() -> None:
    """The accounts of the console."""


@staff.command()
@click.argument("login")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True, help="What they may do.")
@click.option("--name", help="The name that others see (default: the login).")
@click.option("--brand", "slug", help="Short name of their brand; without it they see every brand.")
@click.option("--generate", is_flag=True, help="Make a password and show it once, instead of asking for one.")
def create(login: str, role: str, name: str | None, slug: str | None, generate: bool) -> None:
    """Open the account LOGIN. The password is asked for twice, or made with --generate."""
    wired = wire()
    password = _new_password(generate)
    with wired.db.transaction() as session:
        brand_id = find_brand(session, slug).id if slug else None
        staff_service.create(
            session,
            login=login,
            name=name or login,
            password=password,
            role=Role(role),
            brand_id=brand_id,
            actor="cli",
            now=datetime.now(UTC),
        )
    click.echo(gettext(N_("account {login} opened, role {role}"), login=login, role=role))
    _show(password, generate)


@staff.command()
@click.argument("login")
@click.option("--generate", is_flag=True, help="Make a password and show it once, instead of asking for one.")
def password(login: str, generate: bool) -> None:
    """Give the account LOGIN a new password; ends its sessions and any lock."""
    wired = wire()
    new = _new_password(generate)
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        person = staff_service.find_staff(session, login=login)
        if person is None:
            raise NotFound
        staff_service.set_password(session, staff_id=person.id, password=new, actor="cli", now=now)
        staff_service.unlock(session, staff_id=person.id, actor="cli", now=now)
    click.echo(gettext(N_("the password of {login} is changed; open sessions have ended"), login=login))
    _show(new, generate)


def find_brand(session: Session, slug: str | None) -> BrandFacts:
    """The brand of that short name; without one, the only brand there is. Raises NoSuchBrand."""
    brands = catalog.list_brands(session)
    found = [brand for brand in brands if brand.slug == slug] if slug else brands
    if len(found) != 1:
        raise NoSuchBrand(slug=slug or "?", known=", ".join(brand.slug for brand in brands) or "-")
    return found[0]


def _new_password(generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(GENERATED_BYTES)
    typed: str = click.prompt(
        gettext(N_("password")), hide_input=True, confirmation_prompt=gettext(N_("the same password again"))
    )
    return typed


def _show(secret: str, is_generated: bool) -> None:
    if is_generated:
        click.echo(gettext(N_("password, shown this once: {password}"), password=secret))


COMMANDS = (staff,)
