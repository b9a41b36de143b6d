"""Counting in memory and together, who is held off, and the proof of work, without a server."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import altcha
import pytest

from scancode.errors import Refusal
from scancode.scans.blocklist import BadBlock, Block, BlockKind, Blocklist, BlockReasonNeeded, read_terms, read_value
from scancode.scans.rules import Risk
from scancode.web.guard import BULK_CODES, Caps, Guard, TooFast, TooManyClaims, WorkNeeded
from scancode.web.guard.counts import Counts
from scancode.web.guard.work import Work, WorkWrong
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("noon")
ALICE, BOB = UUID(int=1), UUID(int=2)
HOME = {"REMOTE_ADDR": "192.0.2.1"}


def work() -> Work:
    return Work([b"old key of this installation", b"new key of this installation"], cost=1000)


def guard(**over: int) -> Guard:
    caps = {"scans_of_address": 0, "scans_of_visitor": 0, "scans_of_code": 0, "claims_of_person": 0, "misses": 0}
    return Guard(Caps(**(caps | over)), work=work())


class Board:
    """A Redis that two processes share."""

    def __init__(self) -> None:
        self.sums: dict[str, int] = {}
        self.is_away = False

    def add_all(self, names: Sequence[str], counts: Sequence[int], *, lives_s: int) -> list[int]:
        if self.is_away:
            raise ConnectionError
        for name, count in zip(names, counts, strict=True):
            self.sums[name] = self.sums.get(name, 0) + count
        return [self.sums[name] for name in names]


def test_a_window_begins_anew() -> None:
    counts = Counts("x", 60)
    assert [counts.add("a", at) for at in (0, 59, 60)] == [1, 2, 1]
    assert (counts.get("a", 61), counts.get("a", 200), counts.get("b", 61)) == (1, 0, 0)


def test_a_storm_of_new_keys_costs_no_memory() -> None:
    counts = Counts("x", 60, keys_max=3, is_strict=True)
    assert [counts.add(key, 0) for key in "abcdef"] == [1, 1, 1, 1, 2, 3]
    assert counts.add("a", 0) == 2


def test_nobody_is_refused_for_what_others_do_on_a_great_day() -> None:
    counts = Counts("x", 60, keys_max=3)
    assert [counts.add(key, 0) for key in "abcdefef"] == [1] * 8
    assert counts.add("a", 0) == 2


def test_processes_count_together_and_alone_while_they_cannot() -> None:
    board, one, two = Board(), Counts("x", 60), Counts("x", 60)
    for _ in range(3):
        one.add("a", 0)
    one.share(board)  # type: ignore[arg-type]
    two.add("a", 0)
    two.share(board)  # type: ignore[arg-type]
    assert two.add("a", 0) == 5
    board.is_away = True
    with pytest.raises(ConnectionError):
        two.share(board)  # type: ignore[arg-type]
    two.add("a", 0)
    board.is_away = False
    two.share(board)  # type: ignore[arg-type]
    one.add("a", 0)
    one.share(board)  # type: ignore[arg-type]
    assert (one.get("a", 0), two.get("a", 0)) == (7, 6)


@pytest.mark.parametrize("name", ["scans_of_address", "scans_of_visitor", "scans_of_code"])
def test_scans_are_held_off_beyond_a_limit_and_go_on_after_it(name: str) -> None:
    watching = guard(**{name: 2})
    for _ in range(2):
        watching.scan(HOME, visitor_id=ALICE, code_id=1, now=NOW)
    with pytest.raises(TooFast):
        watching.scan(HOME, visitor_id=ALICE, code_id=1, now=NOW)
    watching.scan(HOME, visitor_id=ALICE, code_id=1, now=NOW + timedelta(minutes=1))
    watching.scan({"REMOTE_ADDR": "192.0.2.2"}, visitor_id=BOB, code_id=2, now=NOW + timedelta(minutes=1))


def test_what_is_odd_about_a_scan_is_told() -> None:
    watching = guard()
    found = [watching.scan(HOME, visitor_id=ALICE, code_id=n, now=NOW) for n in range(BULK_CODES + 1)]
    assert found[-2:] == [(), (Risk.BULK,)]
    for _ in range(5):
        watching.miss(HOME, now=NOW)
    assert watching.scan(HOME, visitor_id=BOB, code_id=1, now=NOW) == (Risk.MISSES,)


def test_a_person_claims_so_much_a_day_in_any_browser() -> None:
    watching = guard(claims_of_person=1)
    watching.claim(HOME, (ALICE, BOB), code=(1, 0), now=NOW)
    with pytest.raises(TooManyClaims):
        watching.claim(HOME, (UUID(int=3), BOB), code=(1, 1), now=NOW)
    watching.claim(HOME, (UUID(int=4), None), code=(1, 2), now=NOW)


def test_a_claim_knows_what_its_person_and_its_address_did_before() -> None:
    watching = guard()
    for serial in (0, 1, 1, 1, 49):  # the same tap again is no further code
        seen = watching.claim(HOME, (ALICE, None), code=(1, serial), now=NOW)
    assert (seen.today, seen.run, seen.address_run, seen.address_people) == (5, 3, 3, 1)
    assert (seen.misses, seen.bulk, seen.near_block) == (False, False, False)
    other = watching.claim(HOME, (BOB, None), code=(1, 2), near_block=True, now=NOW)
    assert (other.today, other.run, other.address_run, other.address_people) == (1, 1, 4, 2)
    assert other.near_block
    elsewhere = watching.claim({"REMOTE_ADDR": "198.51.100.7"}, (BOB, None), code=(2, 3), now=NOW)
    assert (elsewhere.run, elsewhere.address_run, elsewhere.address_people) == (1, 1, 0)
    for _ in range(5):
        watching.miss(HOME, now=NOW)
    assert watching.claim(HOME, (UUID(int=9), None), code=(3, 3), now=NOW).misses


def test_next_door_to_somebody_who_is_held_off() -> None:
    until = NOW + timedelta(days=1)
    blocks = [Block(BlockKind.ADDRESS, value, until) for value in ("192.0.2.9/32", "2001:db8:1:2::/64")]
    listed = Blocklist(blocks)
    assert [listed.is_near(one, NOW) for one in ("192.0.2.77", "::ffff:192.0.2.77", "2001:db8:1:ff::1")] == [True] * 3
    assert [listed.is_near(one, NOW) for one in ("192.0.3.77", "2001:db8:2::1", "unknown")] == [False] * 3
    assert not listed.is_near("192.0.2.77", until)


def solved(asking: Work, **over: object) -> str:
    question = asking.ask(now=NOW)
    challenge = altcha.ChallengeV1(
        "SHA-256", question["challenge"], question["maxnumber"], question["salt"], question["signature"]
    )
    solution = altcha.solve_challenge_v1(challenge)
    assert solution is not None
    answer = {name: question[name] for name in ("algorithm", "challenge", "salt", "signature")}  # type: ignore[literal-required]
    return base64.b64encode(json.dumps({**answer, "number": solution.number, **over}).encode()).decode()


def test_after_too_many_misses_a_browser_works_for_the_next() -> None:
    watching = guard(misses=3)
    for _ in range(3):
        watching.miss(HOME, now=NOW)
    with pytest.raises(WorkNeeded):
        watching.miss(HOME, now=NOW)
    watching.scan(HOME, visitor_id=ALICE, code_id=1, now=NOW)  # a genuine code is answered all the same
    allowed = watching.work.check(solved(watching.work), now=NOW)
    with_pass = HOME | {"HTTP_COOKIE": f"sw={allowed}"}
    for _ in range(3):
        watching.miss(with_pass, now=NOW)
    with pytest.raises(WorkNeeded):
        watching.miss(with_pass, now=NOW)
    with pytest.raises(WorkNeeded):
        watching.miss(HOME | {"HTTP_COOKIE": "sw=forged.signature"}, now=NOW)
    assert watching.work.read_pass(allowed, now=NOW + timedelta(hours=1)) is None


def test_an_answer_is_good_once_and_only_if_it_is_right() -> None:
    asking = work()
    right = solved(asking)
    asking.check(right, now=NOW)
    forms = ["", "%", "W10=", base64.b64encode(b"[1]").decode(), "A" * 3000]
    changed = [
        solved(asking, **over) for over in ({"number": -1}, {"number": None}, {"salt": 7}, {"signature": "0" * 64})
    ]
    for wrong in [right, *forms, *changed, solved(work(), salt="x?expires=1&")]:
        with pytest.raises(WorkWrong):
            asking.check(wrong, now=NOW)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (" 203.0.113.7 ", (BlockKind.ADDRESS, "203.0.113.7/32")),
        ("203.0.113.7/24", (BlockKind.ADDRESS, "203.0.113.0/24")),
        ("2001:db8::/32", (BlockKind.ADDRESS, "2001:db8::/32")),
        (str(ALICE), (BlockKind.VISITOR, str(ALICE))),
    ],
)
def test_what_is_held_off_is_read(typed: str, read: tuple[BlockKind, str]) -> None:
    assert read_value(typed) == read


@pytest.mark.parametrize("typed", ["", "brand.cn", "10.0.0.0/8", "2001::/16", "0.0.0.0/0"])
def test_a_slip_of_the_finger_locks_nobody_out(typed: str) -> None:
    with pytest.raises(BadBlock):
        read_value(typed)


@pytest.mark.parametrize(("reason", "days"), [(" ", 1), ("storm", 0), ("storm", 366)])
def test_it_needs_a_reason_and_an_end(reason: str, days: int) -> None:
    with pytest.raises(BlockReasonNeeded):
        read_terms(reason, days, NOW)


def test_a_block_holds_until_its_end() -> None:
    soon = NOW + timedelta(hours=1)
    blocks = Blocklist([Block(BlockKind.ADDRESS, "203.0.113.0/24", soon), Block(BlockKind.VISITOR, str(ALICE), soon)])
    assert blocks.holds("203.0.113.9", BOB, NOW)
    assert blocks.holds("::ffff:203.0.113.9", BOB, NOW)
    assert blocks.holds("192.0.2.1", ALICE, NOW)
    assert not blocks.holds("203.0.114.1", BOB, NOW)
    assert not blocks.holds("unknown", BOB, NOW)
    assert not blocks.holds("203.0.113.9", ALICE, soon)
    assert issubclass(WorkWrong, Refusal)
