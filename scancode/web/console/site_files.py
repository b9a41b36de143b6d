"""Verification files of WeChat, Alipay and other platforms at the root of the host, for administrators."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import FileField

from scancode.errors import Refusal
from scancode.resolver import service as resolver
from scancode.resolver.site_files import CONTENT_BYTES_MAX
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff
from scancode.web.console.session import refuse_field
from scancode.web.runtime import runtime


class SiteFileForm(FlaskForm):
    file = FileField(lazy_gettext("File, as the platform gave it"))


@console.route("/site-files", methods=["GET", "POST"])
@allow()
def site_files() -> ResponseReturnValue:
    form, shared = SiteFileForm(), runtime()
    if form.validate_on_submit():
        upload = request.files.get("file")
        try:
            with shared.db.transaction() as session:
                resolver.add_file(
                    session,
                    name=(upload.filename or "") if upload else "",
                    upload=upload.stream.read(CONTENT_BYTES_MAX + 1) if upload else b"",
                    brand_id=brand_scope(),
                    staff_id=current_staff().id,
                    actor=current_staff().actor,
                    now=shared.now(),
                )
        except Refusal as refusal:
            refuse_field(form, "file", refusal)
        else:
            flash(gettext("The file is served within a second. Now press “verify” at the platform."), "success")
            return redirect(url_for("console.site_files"))
    with shared.db.reading() as session:
        rows = resolver.list_files(session, brand_id=brand_scope())
    bases = [base.lower() for base in shared.settings.scan_bases]
    page = render_template("console/site_files/list.html", rows=rows, form=form, bases=bases)
    return page, 422 if request.method == "POST" else 200


@console.post("/site-files/<name>/remove")
@allow()
def remove_site_file(name: str) -> ResponseReturnValue:
    with runtime().db.transaction() as session:
        resolver.remove_file(
            session, name=name, brand_id=brand_scope(), actor=current_staff().actor, now=runtime().now()
        )
    flash(gettext("The file is removed."), "success")
    return redirect(url_for("console.site_files"))
