"""The money as a whole, for staff: the balance, comparisons of the books with every difference and what to do about it,
and the file for the tax office."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scancode.campaigns import service as campaigns
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.payouts import service as payouts
from scancode.payouts.rules import PayoutFacts
from scancode.staff import service as staff
from scancode.stories.books import Gap
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff, operator_only
from scancode.web.csv_files import csv_file
from scancode.web.runtime import Runtime, runtime

EXPORT_ROWS_MAX = 100_000
COMPARISONS_SHOWN = 10
CAMPAIGNS_MAX = 500
ZONE = ZoneInfo("Asia/Shanghai")
WHAT_TO_DO: dict[str, tuple[str, str]] = {
    Gap.FOUND: (N_("Lost and found"), N_("Nothing: it is in our book again, and its code never pays a second time.")),
    Gap.UNPLACEABLE: (
        N_("Not one of our codes"),
        N_("Restore the batch's rows, or find out which installation uses the same bill prefix."),
    ),
    Gap.DISAGREES: (
        N_("Both have it, differently"),
        N_("Compare amount, person and state on its page with WeChat Pay's console; then ask again there."),
    ),
    Gap.MISSING: (
        N_("The provider does not know it"),
        N_("Look it up in WeChat Pay's console. If it is not there, nobody was paid: cancel it and send it again."),
    ),
    Gap.UNFILED: (
        N_("Paid, but in no daily file"),
        N_("Compare once more tomorrow; if it is still missing, ask WeChat Pay with both bill numbers."),
    ),
    Gap.UNPAID: (
        N_("Won, but no payment was promised"),
        N_("Report this as a fault of the program; pay the person by hand when it was looked into."),
    ),
    Gap.UNCLAIMED: (
        N_("A payment without a claim"),
        N_("Usual after a restore that lost the claim. Otherwise stop payouts and look into it."),
    ),
    Gap.UNEQUAL: (
        N_("Amounts differ"),
        N_("Stop payouts and look into it: amounts never change after a claim."),
    ),
    Gap.UNPOSTED: (
        N_("Won points that are not in the ledger"),
        N_("Report this as a fault of the program; correct the account by hand when it was looked into."),
    ),
}
HEADER = (
    "到账时间",
    "所得项目",
    "商户单号",
    "微信支付单号",
    "活动",
    "领取人编号",
    "实收金额（元）",
    "按实收计税 20%（元）",
    "由扣缴方承担时应纳税额（元）",
)


class TooManyRows(Refusal):
    """Facts: ``limit``."""

    code = "export_too_many"
    text = N_("More than {limit} payments fit. Choose fewer days.")
    status = 422


@console.get("/payouts/books", endpoint="money_books")
@allow()
def show_books() -> ResponseReturnValue:
    """Balance and comparisons; for operators of the whole installation."""
    operator_only()
    shared, now = runtime(), runtime().now()
    with shared.db.reading() as session:
        balance = payouts.find_balance(session)
        short = payouts.short_of_money(session, brand_id=None)
        compared = payouts.list_comparisons(session, limit=COMPARISONS_SHOWN)
    today = now.astimezone(ZONE).date()
    month = today.replace(day=1)
    return render_template(
        "console/payouts/books.html",
        balance=balance,
        short=short,
        compared=compared,
        words={gap: {"name": gettext(name), "todo": gettext(todo)} for gap, (name, todo) in WHAT_TO_DO.items()},
        alert_fen=shared.settings.balance_alert_fen,
        has_gateway=shared.ports.payout is not None,
        today=today.isoformat(),
        first_day=(today - timedelta(days=30)).isoformat(),
        tax_first=(month - timedelta(days=1)).replace(day=1).isoformat(),
        tax_last=(month - timedelta(days=1)).isoformat(),
    )


@console.post("/payouts/tax")
@allow()
def export_tax() -> ResponseReturnValue:
    """What was paid within some days, for the declaration of incidental income. Recipients are pseudonyms, the same in
    every file; whose they are stays in our book. The export leaves an audit row."""
    shared, now, brand_id = runtime(), runtime().now(), brand_scope()
    try:
        first, last = (date.fromisoformat(request.form.get(name, "")) for name in ("first", "last"))
        days = (first, last + timedelta(days=1))
        begin, end = (datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC) for day in days)
    except (ValueError, OverflowError):
        flash(gettext("Choose the first and the last day."), "warning")
        return redirect(url_for("console.payouts"))
    try:
        with shared.db.transaction() as session:
            rows = payouts.paid_within(session, brand_id=brand_id, first=begin, end=end, limit=EXPORT_ROWS_MAX + 1)
            if len(rows) > EXPORT_ROWS_MAX:
                raise TooManyRows(limit=EXPORT_ROWS_MAX)
            named = campaigns.list_campaigns(session, brand_id=brand_id, limit=CAMPAIGNS_MAX)
            staff.audit(
                session,
                actor=current_staff().actor,
                brand_id=brand_id,
                action="payouts.tax_export",
                subject="payouts",
                facts={"first": first.isoformat(), "last": last.isoformat(), "rows": len(rows)},
                now=now,
            )
    except TooManyRows as refusal:
        flash(refusal.sentence(gettext), "warning")
        return redirect(url_for("console.payouts"))
    cells = _tax_rows(shared, rows, {one.id: one.name_zh for one in named})
    return csv_file(f"tax-{first}-{last}.csv", HEADER, cells)


def _tax_rows(shared: Runtime, rows: list[PayoutFacts], names: dict[UUID, str]) -> Iterator[tuple[object, ...]]:
    key = shared.settings.index_key.get_secret_value().encode()
    for row in rows:
        yield (
            f"{row.changed_at.astimezone(ZONE):%Y-%m-%d %H:%M:%S}",
            "偶然所得",
            row.out_bill_no,
            row.provider_bill_no or "",
            names.get(row.campaign_id, "") if row.campaign_id else "",
            _pseudonym(key, row.identity_id),
            _yuan(row.amount_fen),
            _yuan(tax_fen(row.amount_fen)),
            _yuan(tax_fen(row.amount_fen, is_borne=True)),
        )
    total = sum(row.amount_fen for row in rows)
    taxes = [sum(tax_fen(row.amount_fen, is_borne=borne) for row in rows) for borne in (False, True)]
    yield ("合计", "", len(rows), "", "", "", _yuan(total), *map(_yuan, taxes))


def tax_fen(amount_fen: int, *, is_borne: bool = False) -> int:
    """20 % of what was received, rounded half up; ``is_borne`` when the payer bears the tax, so that what was received
    is 80 % of the income."""
    share = Decimal("0.25") if is_borne else Decimal("0.20")
    return int((amount_fen * share).quantize(Decimal(1), ROUND_HALF_UP))


def _pseudonym(key: bytes, identity_id: UUID | None) -> str:
    return hmac.digest(key, b"tax|" + identity_id.bytes, "sha256").hex()[:16] if identity_id else ""


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"
