"""Staff accounts, for administrators: those of their brand, or for the operator's administrators all of them."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import PasswordField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from scancode.catalog import service as catalog
from scancode.errors import Invalid, NotAllowed
from scancode.staff import service as staff
from scancode.staff.models import Staff
from scancode.staff.rules import PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN, Role
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.console.session import agent_words, refuse_field
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

EVERY_BRAND = ""


class PersonForm(FlaskForm):
    """What somebody may do. Brands that may be chosen are filled in by ``offer_brands``."""

    name = StringField(lazy_gettext("Name"), validators=[InputRequired(), Length(max=80)])
    role = RadioField(
        lazy_gettext("Role"),
        choices=[
            SelectChoice(Role.FACTORY.value, lazy_gettext("Factory: orders, prints, activates and ships codes")),
            SelectChoice(Role.MARKETING.value, lazy_gettext("Marketing: runs campaigns and reads reports")),
            SelectChoice(Role.ADMIN.value, lazy_gettext("Administrator: everything, and the accounts")),
        ],
        default=Role.FACTORY.value,
    )
    brand = SelectField(lazy_gettext("Brand"))

    def offer_brands(self, session: Session) -> None:
        scope = brand_scope()
        offered = [
            SelectChoice(str(brand.id), brand.name(current_locale()))
            for brand in catalog.list_brands(session, brand_id=scope)
        ]
        everything = [] if scope else [SelectChoice(EVERY_BRAND, gettext("Every brand (the operator's own staff)"))]
        self.brand.choices = everything + offered

    @property
    def brand_id(self) -> UUID | None:
        return UUID(self.brand.data) if self.brand.data else None


class NewPersonForm(PersonForm):
    login = StringField(lazy_gettext("Login"), validators=[InputRequired(), Length(2, 80)])
    password = PasswordField(
        lazy_gettext("First password"), validators=[InputRequired(), Length(PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX)]
    )


class GivenPasswordForm(FlaskForm):
    password = PasswordField(
        lazy_gettext("New password"), validators=[InputRequired(), Length(PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX)]
    )


@console.get("/people")
@allow()
def people() -> ResponseReturnValue:
    shared = runtime()
    with shared.db.reading() as session:
        rows = staff.list_staff(session, brand_id=brand_scope())
        brands = _brand_names(session)
    return render_template("console/people/list.html", rows=rows, brands=brands, now=shared.now())


@console.route("/people/new", methods=["GET", "POST"])
@allow()
def new_person() -> ResponseReturnValue:
    form, shared = NewPersonForm(), runtime()
    with shared.db.reading() as session:
        form.offer_brands(session)
    if form.validate_on_submit():
        try:
            with shared.db.transaction() as session:
                made = staff.create(
                    session,
                    login=form.login.data or "",
                    name=form.name.data or "",
                    password=form.password.data or "",
                    role=Role(form.role.data),
                    brand_id=form.brand_id,
                    actor=current_staff().actor,
                    now=shared.now(),
                )
        except staff.LoginTaken as refusal:
            refuse_field(form, "login", refusal)
        except Invalid as refusal:
            refuse_field(form, refusal.facts["field"], refusal)
        else:
            flash(gettext("The account is open. Hand the first password over in person."), "success")
            return redirect(url_for("console.person", staff_id=made.id))
    return render_template("console/people/new.html", form=form), 422 if request.method == "POST" else 200


@console.route("/people/<uuid:staff_id>", methods=["GET", "POST"])
@allow()
def person(staff_id: UUID) -> ResponseReturnValue:
    shared = runtime()
    with shared.db.reading() as session:
        row = _visible_person(session, staff_id)
        form = PersonForm(
            data={"name": row.name, "role": row.role, "brand": str(row.brand_id) if row.brand_id else EVERY_BRAND}
        )
        form.offer_brands(session)
        sessions = staff.list_sessions(session, staff_id=staff_id, now=shared.now())
        brands = _brand_names(session)
    if form.validate_on_submit():
        _change(row, form)
        flash(gettext("The account is changed."), "success")
        return redirect(url_for("console.person", staff_id=staff_id))
    page = render_template(
        "console/people/person.html",
        row=row,
        form=form,
        password_form=GivenPasswordForm(formdata=None),
        sessions=sessions,
        brands=brands,
        agent_words=agent_words,
        now=shared.now(),
    )
    return page, 422 if request.method == "POST" else 200


def _change(row: Staff, form: PersonForm) -> None:
    shared, actor = runtime(), current_staff().actor
    if row.id == current_staff().id and (form.role.data, form.brand_id) != (row.role, row.brand_id):
        raise NotAllowed
    with shared.db.transaction() as session:
        now = shared.now()
        staff.rename(session, staff_id=row.id, name=form.name.data or "", actor=actor, now=now)
        staff.set_role(
            session, staff_id=row.id, role=Role(form.role.data), brand_id=form.brand_id, actor=actor, now=now
        )


@console.post("/people/<uuid:staff_id>/password")
@allow()
def give_password(staff_id: UUID) -> ResponseReturnValue:
    form, shared = GivenPasswordForm(), runtime()
    if form.validate():
        try:
            with shared.db.transaction() as session:
                _visible_person(session, staff_id)
                staff.set_password(
                    session,
                    staff_id=staff_id,
                    password=form.password.data or "",
                    actor=current_staff().actor,
                    now=shared.now(),
                )
        except Invalid as refusal:
            refuse_field(form, "password", refusal)
    problems = form.password.errors
    if problems:
        flash(f"{gettext('New password')}: {' '.join(str(problem) for problem in problems)}", "danger")
    else:
        flash(gettext("The password is changed and the person signed out everywhere."), "success")
    return redirect(url_for("console.person", staff_id=staff_id))


@console.post("/people/<uuid:staff_id>/<any(deactivate, reactivate, unlock):verb>")
@allow()
def change_person_state(staff_id: UUID, verb: str) -> ResponseReturnValue:
    if staff_id == current_staff().id:
        raise NotAllowed
    change = {"deactivate": staff.deactivate, "reactivate": staff.reactivate, "unlock": staff.unlock}[verb]
    said = {
        "deactivate": gettext("The account is closed and the person signed out everywhere."),
        "reactivate": gettext("The account is open again."),
        "unlock": gettext("The account is unlocked."),
    }[verb]
    with runtime().db.transaction() as session:
        _visible_person(session, staff_id)
        change(session, staff_id=staff_id, actor=current_staff().actor, now=runtime().now())
    flash(said, "success")
    return redirect(url_for("console.person", staff_id=staff_id))


@console.post("/people/<uuid:staff_id>/sessions/revoke")
@allow()
def revoke_sessions_of(staff_id: UUID) -> ResponseReturnValue:
    text = request.form.get("session_id", "")
    with runtime().db.transaction() as session:
        _visible_person(session, staff_id)
        staff.revoke_sessions(
            session,
            staff_id=staff_id,
            session_id=_uuid(text) if text else None,
            actor=current_staff().actor,
            now=runtime().now(),
        )
    flash(gettext("Signed out."), "success")
    return redirect(url_for("console.person", staff_id=staff_id))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _visible_person(session: Session, staff_id: UUID) -> Staff:
    row = staff.get_staff(session, staff_id=staff_id)
    visible(row.brand_id)
    return row


def _brand_names(session: Session) -> dict[UUID, str]:
    found = catalog.list_brands(session, brand_id=brand_scope())
    return {brand.id: brand.name(current_locale()) for brand in found}
