"""What is committed to before a campaign is what is revealed after it, and anybody can check it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from scancode.campaigns import proof
from scancode.campaigns import service as campaigns
from scancode.campaigns.planning import PrizeLine
from scancode.campaigns.rules import draw
from scancode.cli import main
from scancode.codes.models import Batch
from scancode.sealing import Sealer
from tests.campaigns.plans import POINTS
from tests.factories import NOW, make_offer

RANDOM = PrizeLine("red_packet", 10, 101, "红包", "Red packet", 99)
WHEEL = PrizeLine("red_packet", 10, 101, "红包", "Red packet", 99, 250_000)


@pytest.mark.parametrize("mode", ["exact", "odds"])
def test_what_is_revealed_draws_what_was_drawn(session: Session, sealer: Sealer, batch: Batch, mode: str) -> None:
    prizes = [RANDOM, POINTS] if mode == "exact" else [WHEEL]
    campaign = make_offer(session, sealer, batch=batch, prizes=prizes, mode=mode)
    offer = campaigns.find_offer(session, batch_number=batch.number, serial=0, sealer=sealer)
    assert offer is not None
    (told,) = campaigns.list_commitments(session, campaign_id=campaign.id)
    with pytest.raises(campaigns.NotRevealed):
        campaigns.reveal(session, campaign_id=campaign.id, sealer=sealer, now=campaign.ends_at - timedelta(seconds=1))
    ((table, secret, committed),) = campaigns.reveal(
        session, campaign_id=campaign.id, sealer=sealer, now=campaign.ends_at
    )
    assert told == committed == proof.commitment(secret, table)
    for serial in range(200):
        prize, index = draw(offer, serial), table.index_of(batch.number, serial)
        assert index is not None
        line, amount = table.drawn(secret, index)
        kind = "thanks" if line is None else table.lines[line].kind
        assert (kind, amount) == (prize.kind, prize.amount)
    found = proof.check(table, secret=secret, committed=told)
    assert found.is_sound
    if mode == "exact":
        assert found.counts == {0: 101, 1: 100, 2: 799}
        assert found.sums[0] == 101 * 109 // 2


def test_further_turns_are_proved_with_the_first(session: Session, sealer: Sealer, batch: Batch) -> None:
    again = PrizeLine("again", 0, 1000, "再来一次", "One more turn", None, 400_000)
    campaign = make_offer(session, sealer, batch=batch, prizes=[again, WHEEL], mode="odds")
    offer = campaigns.find_offer(session, batch_number=batch.number, serial=0, sealer=sealer)
    assert offer is not None
    ((table, secret, told),) = campaigns.reveal(session, campaign_id=campaign.id, sealer=sealer, now=campaign.ends_at)
    lengths = set()
    for serial in range(300):
        index = table.index_of(batch.number, serial)
        assert index is not None
        turns = table.turns(secret, index)
        lengths.add(len(turns))
        for nth, (line, amount) in enumerate(turns, 1):
            prize = draw(offer, serial, nth)
            assert ("thanks" if line is None else table.lines[line].kind, amount) == (prize.kind, prize.amount)
            assert prize.is_again == (nth < len(turns))
    assert lengths == {1, 2, 3}
    found = proof.check(table, secret=secret, committed=told)
    assert found.is_sound
    assert sum(found.counts.values()) == 1000 + found.counts[0], "each further turn is one that was won"


def test_another_secret_table_or_order_is_found_out(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch, prizes=[RANDOM, POINTS])
    ((table, secret, told),) = campaigns.reveal(session, campaign_id=campaign.id, sealer=sealer, now=campaign.ends_at)
    fewer = replace(table.lines[0], count=100)
    for other, key in (
        (table, bytes(32)),
        (replace(table, lines=(fewer, *table.lines[1:])), secret),
        (replace(table, lines=tuple(reversed(table.lines))), secret),
        (replace(table, ranges=((batch.number, 1, 1000),)), secret),
    ):
        assert not proof.check(other, secret=key, committed=told).is_committed


def test_the_command_checks_a_file_and_names_what_is_wrong(
    session: Session, sealer: Sealer, batch: Batch, tmp_path: Path
) -> None:
    campaign = make_offer(session, sealer, batch=batch, prizes=[RANDOM, POINTS])
    pools = campaigns.reveal(session, campaign_id=campaign.id, sealer=sealer, now=NOW + timedelta(days=99))
    file = tmp_path / "draw.json"
    file.write_text(json.dumps(proof.to_file(pools)))
    told = pools[0][2]

    def run(*words: str) -> tuple[int, str]:
        found = CliRunner().invoke(main, ["draw", "verify", str(file), *words])
        return found.exit_code, found.output

    status, said = run("--commitment", told)
    assert (status, "101 drawn by 1,000 codes, 101 in the table, 55.04 in all" in said) == (0, True), said
    assert run("--commitment", "00" * 32)[0] == 5
    assert run("--code", f"{batch.number}:5")[0] == 0
    assert run("--code", "7:5")[0] == 5
    broken = proof.to_file(pools)
    broken["pools"][0]["secret"] = "00" * 32
    file.write_text(json.dumps(broken))
    assert run()[0] == 5
    for nonsense in ("{}", "[]", "nothing", '{"format": "scancode.draw.1", "pools": [{"table": 1}]}'):
        file.write_text(nonsense)
        assert run()[0] == 5
