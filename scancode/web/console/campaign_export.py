"""The prizes of a campaign as a table for a spreadsheet: of each how many were drawn, claimed, lapsed, void, left."""

from __future__ import annotations

from uuid import UUID

from flask.typing import ResponseReturnValue

from scancode.campaigns import service as campaigns
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.stories.campaign_figures import PrizeFigures, all_figures
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.campaigns import own_campaign
from scancode.web.csv_files import csv_file
from scancode.web.runtime import runtime

COLUMNS = (
    "pool",
    "kind",
    "name_zh",
    "name_en",
    "amount",
    "amount_most",
    "chance_ppm",
    "count",
    "drawn",
    "claimed",
    "reserved",
    "lapsed",
    "void",
    "left",
    "given",
)


@console.post("/campaigns/<uuid:campaign_id>/prizes.csv")
@allow(Role.MARKETING)
def export_prizes(campaign_id: UUID) -> ResponseReturnValue:
    """A line a prize, pool by pool; then the second prizes of n-th codes. Amounts in fen or points."""
    shared, campaign = runtime(), own_campaign(campaign_id)
    with shared.db.transaction() as session:
        plan = campaigns.load_plan(session, campaign_id=campaign_id)
        figures = all_figures(session, campaign=campaign, plan=plan, sealer=shared.draw_sealer, now=shared.now())
        staff.audit(
            session,
            actor=current_staff().actor,
            brand_id=campaign.brand_id,
            action="campaign.export_prizes",
            subject=f"campaign:{campaign_id}",
            facts={"rows": len(figures.prizes)},
            now=shared.now(),
        )
    pools = {pool.id: number for number, pool in enumerate(plan.tranches, 1)}
    rows = [_cells(pools[one.tranche_id], one) for one in figures.prizes]
    rows += [_cells("", figures.second)] if figures.second else []
    return csv_file(f"prizes-{campaign_id}.csv", COLUMNS, rows)


def _cells(pool: int | str, one: PrizeFigures) -> list[str | int]:
    named: list[str | int] = [pool, one.kind, one.name_zh, one.name_en, one.amount]
    told = (one.amount_most, one.chance_ppm, one.count)
    counts = (one.drawn, one.claimed, one.reserved, one.lapsed, one.void, one.remaining, one.given)
    return [*named, *("" if value is None else value for value in (*told, *counts))]
