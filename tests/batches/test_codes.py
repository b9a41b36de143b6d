"""The code: its format against an independent reference, and everything that is not one."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batches import codes
from batches.codes import Kind, Verifier
from tests.batches import reference

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))
KEY = codes.derive_key("alice's brand", bytes(range(16)))
OTHER_KEY = codes.derive_key("mallory", bytes(range(16)))
BATCH = 1234567

batches = st.integers(0, codes.MAX_BATCH_COUNT - 1)
kinds = st.sampled_from(list(Kind))
serials = st.integers(0, codes.MAX_BATCH_COUNT - 1)
keys = st.binary(min_size=32, max_size=32)


def test_the_published_vectors_are_those_of_the_reference():
    assert reference.vectors() == VECTORS


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["code"])
def test_every_way_agrees_with_the_published_vectors(vector):
    key = codes.derive_key(vector["secret"], bytes.fromhex(vector["batch_salt"]))
    kind = Kind.of(vector["kind"])
    batch, serial, code = vector["batch"], vector["serial"], vector["code"]
    assert key.hex() == vector["key"]
    assert codes.mint_one(key, batch, kind, serial) == code
    assert bytes(codes.mint_range(key, batch, kind, serial, 1)[0]).decode() == code
    assert codes.verify(key, code) == (batch, kind, serial)
    assert codes.code_id(batch, kind, serial) == vector["code_id"] == codes.verify(key, code).code_id
    assert codes.split_code_id(vector["code_id"]) == (batch, kind, serial)
    assert reference.tag_of(key, batch, kind, serial).hex() == vector["tag"]


@settings(deadline=None)
@given(keys, batches, kinds, serials)
def test_it_mints_what_the_reference_mints_and_reads_it_back(key, batch, kind, serial):
    code = codes.mint_one(key, batch, kind, serial)
    assert code == reference.mint(key, batch, kind, serial)
    assert codes.verify(key, code) == (batch, kind, serial)
    assert codes.batch_of(code) == batch


@settings(deadline=None)
@given(keys, batches, kinds, serials, st.integers(0, 40))
def test_a_range_is_what_its_codes_are_singly(key, batch, kind, first, count):
    count = min(count, codes.MAX_BATCH_COUNT - first)
    rows = codes.mint_range(key, batch, kind, first, count)
    assert rows.shape == (count, 20)
    assert rows.dtype == np.uint8
    assert [bytes(row).decode() for row in rows] == [
        reference.mint(key, batch, kind, serial) for serial in range(first, first + count)
    ]
    block = codes.read_range(key, rows)
    assert block.genuine.all()
    assert set(block.batches.tolist()) <= {batch}
    assert set(block.kinds.tolist()) <= {kind}
    assert block.serials.tolist() == list(range(first, first + count))


def test_a_range_is_right_across_its_inner_chunks():
    rows = codes.mint_range(KEY, BATCH, Kind.CASE, 100, 70_000)
    for place in (0, 65_535, 65_536, 69_999):
        assert bytes(rows[place]).decode() == reference.mint(KEY, BATCH, 2, 100 + place)
    block = codes.read_range(KEY, rows)
    assert block.genuine.all()
    assert len(np.unique(rows, axis=0)) == 70_000


@settings(deadline=None)
@given(keys, st.text(alphabet=reference.CROCKFORD, min_size=20, max_size=20))
def test_any_twenty_characters_are_judged_as_the_reference_judges(key, text):
    expected = reference.verify(key, text)
    block = codes.read_range(key, np.frombuffer(text.encode(), dtype=np.uint8).reshape(1, 20))
    assert bool(block.genuine[0]) == (expected is not None)
    if expected is None:
        with pytest.raises(codes.Forged):
            codes.verify(key, text)


def variants(code):
    for place, old in enumerate(code):
        for new in reference.CROCKFORD:
            if new != old:
                yield code[:place] + new + code[place + 1 :]
        if place + 1 < len(code) and code[place + 1] != old:
            yield code[:place] + code[place + 1] + old + code[place + 2 :]


@pytest.mark.parametrize("kind", list(Kind))
def test_it_refuses_every_substitution_and_neighbour_swap(kind):
    verifier = Verifier(KEY)
    for row in codes.mint_range(KEY, BATCH, kind, 1000, 10):
        tried = list(variants(bytes(row).decode()))
        assert 620 <= len(tried) <= 639
        for text in tried:
            with pytest.raises(codes.Forged):
                verifier.verify(text)


def test_it_refuses_every_substitution_and_neighbour_swap_of_many_codes_at_once():
    for row in codes.mint_range(KEY, BATCH, Kind.INNER, 0, 300):
        tried = "".join(variants(bytes(row).decode()))
        rows = np.frombuffer(tried.encode(), dtype=np.uint8).reshape(-1, 20)
        assert not codes.read_range(KEY, rows).genuine.any()


def test_it_refuses_the_code_of_another_key():
    code = codes.mint_one(OTHER_KEY, BATCH, Kind.INNER, 5)
    with pytest.raises(codes.Forged) as caught:
        codes.verify(KEY, code)
    assert caught.value.code == "forged"
    assert caught.value.facts == {"batch": BATCH}
    assert caught.value.payload == code


def test_codes_tell_neither_order_nor_kind():
    rows = codes.mint_range(KEY, BATCH, Kind.INNER, 0, 5000)
    assert np.all(rows[:, :5] == rows[0, :5])
    for column in range(5, 20):
        assert len(np.unique(rows[:, column])) == 32


@pytest.mark.parametrize(
    ("batch", "kind", "serial", "field"),
    [(-1, 0, 0, "batch"), (1 << 25, 0, 0, "batch"), (0, 4, 0, "kind"), (0, 0, -1, "serial"), (0, 0, 1 << 25, "serial")],
)
def test_it_refuses_numbers_that_do_not_fit(batch, kind, serial, field):
    for attempt in (codes.code_id, Verifier(KEY).mint):
        with pytest.raises(codes.OutOfRange) as caught:
            attempt(batch, kind, serial)
        assert caught.value.facts["field"] == field


def test_it_refuses_ranges_that_leave_the_batch():
    assert codes.mint_range(KEY, BATCH, 1, codes.MAX_BATCH_COUNT - 1, 1).shape == (1, 20)
    assert codes.mint_range(KEY, BATCH, 1, 0, 0).shape == (0, 20)
    for first, count in ((codes.MAX_BATCH_COUNT - 1, 2), (0, -1), (-1, 1)):
        with pytest.raises(codes.OutOfRange):
            codes.mint_range(KEY, BATCH, 1, first, count)


@pytest.mark.parametrize("code_id", [-1, 1 << 52])
def test_it_refuses_integers_that_are_no_code_id(code_id):
    with pytest.raises(codes.OutOfRange):
        codes.split_code_id(code_id)


def test_kinds_have_labels_and_refuse_unknown_ones():
    assert [kind.label for kind in Kind] == ["outer", "inner", "case", "pallet"]
    assert Kind.of("Inner") is Kind.INNER
    with pytest.raises(codes.UnknownKind, match="none of outer, inner, case, pallet"):
        Kind.of("label")


def test_keys_depend_on_the_secret_and_the_salt_and_weak_ones_are_refused():
    assert codes.derive_key("s", bytes(16)) == codes.derive_key(b"s", bytes(16))
    assert len({codes.derive_key(s, salt) for s in ("a", "b") for salt in (bytes(16), bytes(range(16)))}) == 4
    for secret, salt in (("", bytes(16)), ("s", b""), ("s", bytes(15)), ("s", bytes(17))):
        with pytest.raises(ValueError):
            codes.derive_key(secret, salt)
    with pytest.raises(ValueError, match="32 bytes"):
        Verifier(bytes(16))


def test_a_verifier_shows_no_key():
    assert repr(Verifier(KEY)) == "Verifier(…)"
    assert not hasattr(Verifier(KEY), "__dict__")


def test_one_verifier_serves_many_threads_at_once():
    verifier = Verifier(KEY)
    genuine = [bytes(row).decode() for row in codes.mint_range(KEY, BATCH, Kind.INNER, 0, 300)]
    start = threading.Barrier(8)
    wrong = []

    def scan():
        start.wait()
        for serial, code in enumerate(genuine):
            if verifier.verify(code) != (BATCH, Kind.INNER, serial):
                wrong.append(code)
            if verifier.mint(BATCH, Kind.INNER, serial) != code:
                wrong.append(code)

    threads = [threading.Thread(target=scan) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


class TestNearMiss:
    verifier = Verifier(KEY)
    other = Verifier(OTHER_KEY)
    code = codes.mint_one(KEY, BATCH, Kind.INNER, 99)

    def find(self, batch):
        return {BATCH: self.verifier, 7: self.other}.get(batch)

    def test_it_notices_every_single_typing_error(self):
        for text in variants(self.code):
            assert codes.near_miss(self.find, text)

    def test_it_notices_them_as_typed_by_hand(self):
        wrong = self.code[:-1] + ("0" if self.code[-1] != "0" else "1")
        assert codes.near_miss(self.find, f" {wrong[:10].lower()}－{wrong[10:]} ")

    def test_it_says_no_to_two_errors_and_to_forgeries(self):
        swapped = {"0": "1"}
        twice = swapped.get(self.code[0], "0") + self.code[1:10] + swapped.get(self.code[10], "0") + self.code[11:]
        assert not codes.near_miss(self.find, twice)
        assert not codes.near_miss(self.find, codes.mint_one(bytes(32), BATCH, Kind.INNER, 99))
        assert not codes.near_miss(lambda batch: None, twice)

    def test_it_asks_for_a_bounded_number_of_batches(self):
        asked = []
        codes.near_miss(asked.append, self.code)
        assert len(asked) <= 161

    def test_it_refuses_what_is_no_code_at_all(self):
        with pytest.raises(codes.Malformed):
            codes.near_miss(self.find, "hello")


@settings(max_examples=50)
@given(st.integers(0, 19), st.sampled_from("uU!_*我"))
def test_arrays_refuse_foreign_bytes(place, symbol):
    row = codes.mint_range(KEY, BATCH, Kind.INNER, 3, 2)
    row[0, place] = symbol.encode()[0]
    assert codes.read_range(KEY, row).genuine.tolist() == [False, True]


def test_arrays_refuse_lower_case_which_no_file_of_ours_holds():
    row = np.frombuffer(codes.mint_one(KEY, BATCH, 1, 3).lower().encode(), dtype=np.uint8).reshape(1, 20)
    assert not codes.read_range(KEY, row).genuine.any()


def test_no_codes_are_read_as_none():
    assert len(codes.read_range(KEY, np.zeros((0, 20), dtype=np.uint8)).serials) == 0
