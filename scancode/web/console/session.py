"""Signing in and out, and one's own account: password, open sessions."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from scancode.errors import Invalid, Refusal
from scancode.staff import service as staff
from scancode.staff.rules import PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN
from scancode.web.console import access, console
from scancode.web.console.access import anybody, current_staff
from scancode.web.limits import limiter
from scancode.web.runtime import runtime

BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


class SignInForm(FlaskForm):
    login = StringField(lazy_gettext("Login"), validators=[InputRequired(), Length(max=80)])
    password = PasswordField(lazy_gettext("Password"), validators=[InputRequired(), Length(max=PASSWORD_LENGTH_MAX)])


class PasswordForm(FlaskForm):
    old_password = PasswordField(lazy_gettext("Present password"), validators=[InputRequired(), Length(max=200)])
    password = PasswordField(
        lazy_gettext("New password"), validators=[InputRequired(), Length(PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX)]
    )
    again = PasswordField(
        lazy_gettext("New password again"),
        validators=[InputRequired(), EqualTo("password", lazy_gettext("The two passwords differ."))],
    )


@console.route("/login", methods=["GET", "POST"])
@limiter.limit("30 per minute", methods=["POST"])
def login() -> ResponseReturnValue:
    onward = access.local_path(request.args.get("next"))
    if request.method == "GET" and access.find_current_staff() is not None:
        return redirect(onward or url_for("console.home"))
    form, status = SignInForm(), 200
    refusal: Refusal | None = None
    if form.validate_on_submit():
        try:
            _sign_in(form.login.data or "", form.password.data or "")
            return redirect(onward or url_for("console.home"))
        except (staff.WrongPassword, staff.AccountLocked) as error:
            status, refusal = error.status, error
    elif request.method == "POST":
        status = 422
    sentence = refusal.sentence(gettext) if refusal else ""
    return render_template("console/session/login.html", form=form, refusal=refusal, sentence=sentence), status


def _sign_in(login: str, password: str) -> None:
    """Raises WrongPassword or AccountLocked; either way the try is counted and committed before it is compared."""
    shared = runtime()
    settings, now = shared.settings, shared.now()
    with shared.db.transaction() as session:
        attempt = staff.begin_sign_in(
            session,
            login=login,
            now=now,
            failures_max=settings.login_failures,
            lock_minutes=settings.login_lock_minutes,
        )
    if not attempt.matches(password):
        with shared.db.transaction() as session:
            staff.fail_sign_in(session, attempt=attempt, now=now)
        raise attempt.refusal(now)
    new_hash = attempt.upgraded_hash(password)
    with shared.db.transaction() as session:
        opened, secret = staff.complete_sign_in(
            session,
            attempt=attempt,
            agent=request.user_agent.string,
            now=now,
            session_hours=settings.session_hours,
            new_hash=new_hash,
        )
        signed = staff.find_session(session, session_id=opened.id, secret=secret, now=now)
    if signed is None:
        raise staff.WrongPassword
    access.sign_in(secret, signed)


@console.post("/logout")
def logout() -> ResponseReturnValue:
    signed = access.current_session()
    if signed is not None:
        with runtime().db.transaction() as session:
            staff.sign_out(session, session_id=signed.session_id, now=runtime().now())
    access.sign_out()
    flash(gettext("You are signed out."), "success")
    return redirect(url_for("console.login"))


@console.route("/account", methods=["GET", "POST"])
@anybody
@limiter.limit("30 per minute", methods=["POST"])
def account() -> ResponseReturnValue:
    form, shared, person = PasswordForm(), runtime(), current_staff()
    signed, status = access.current_session(), 200
    if form.validate_on_submit() and signed is not None:
        try:
            with shared.db.transaction() as session:
                staff.set_password(
                    session,
                    staff_id=person.id,
                    password=form.password.data or "",
                    old_password=form.old_password.data or "",
                    keep_session_id=signed.session_id,
                    actor=person.actor,
                    now=shared.now(),
                )
        except staff.WrongOldPassword as refusal:
            refuse_field(form, "old_password", refusal)
        except Invalid as refusal:
            refuse_field(form, "password", refusal)
        else:
            flash(gettext("The password is changed. All other sessions are signed out."), "success")
            return redirect(url_for("console.account"))
    if request.method == "POST":
        status = 422
    with shared.db.reading() as session:
        row = staff.get_staff(session, staff_id=person.id)
        sessions = staff.list_sessions(session, staff_id=person.id, now=shared.now())
    brand = shared.brands.get(person.brand_id) if person.brand_id else None
    page = render_template(
        "console/session/account.html",
        form=form,
        person=person,
        login=row.login,
        brand=brand,
        sessions=sessions,
        own_session_id=signed.session_id if signed else None,
        agent_words=agent_words,
    )
    return page, status


def refuse_field(form: FlaskForm, name: str, refusal: Refusal) -> None:
    """Writes a refusal beside the field that it is about."""
    problem = refusal.facts.get("problem")
    words = gettext(problem) if isinstance(problem, str) else refusal.sentence(gettext)
    form[name].errors = [*form[name].errors, words]


@console.post("/account/sessions/<uuid:session_id>/revoke")
@anybody
def revoke_own_session(session_id: UUID) -> ResponseReturnValue:
    _revoke(session_id=session_id)
    flash(gettext("The session is signed out."), "success")
    return redirect(url_for("console.account"))


@console.post("/account/sessions/revoke-others")
@anybody
def revoke_other_sessions() -> ResponseReturnValue:
    signed = access.current_session()
    _revoke(keep_session_id=signed.session_id if signed else None)
    flash(gettext("All other sessions are signed out."), "success")
    return redirect(url_for("console.account"))


def _revoke(*, session_id: UUID | None = None, keep_session_id: UUID | None = None) -> None:
    person = current_staff()
    with runtime().db.transaction() as session:
        staff.revoke_sessions(
            session,
            staff_id=person.id,
            actor=person.actor,
            now=runtime().now(),
            session_id=session_id,
            keep_session_id=keep_session_id,
        )


def agent_words(agent: str) -> str:
    """``Chrome · Windows``: what a person recognises of a browser's long name for itself."""
    browser = next((name for mark, name in BROWSERS if mark in agent), None)
    system = next((name for mark, name in SYSTEMS if mark in agent), None)
    return " · ".join(word for word in (browser, system) if word) or (agent[:40] or "?")
