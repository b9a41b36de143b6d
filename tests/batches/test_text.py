"""What people and scanners make of a code's characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.text import ALPHABET, Malformed, batch_of, from_integer, normalise, to_integer

CODE = "15NG7ABCDEFGH0189XYZ"

canonical = st.text(alphabet=ALPHABET, min_size=20, max_size=20)


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.lower(),
        "15NG7-ABCDE-FGH01-89XYZ",
        " 15ng7 abcde\tfgh01 89xyz\r\n",
        "I5NG7ABCDEFGHOL89XYZ",
        "l5ng7abcdefghoi89xyz",
        "15NG7–ABCDE—FGH01−89XYZ",
        "15NG7－ABCDE　FGH01ー89XYZ",
        "".join(chr(ord(symbol) + 0xFEE0) for symbol in CODE),
        "".join(chr(ord(symbol) + 0xFEE0) for symbol in CODE.lower()),
        "\ufeff15NG7\u200bABCDEFGH0189XYZ\u00a0",
        "-".join(CODE),
    ],
)
def test_it_reads_what_hands_and_input_methods_write(typed):
    assert normalise(typed) == CODE


@given(canonical)
def test_a_canonical_code_is_left_alone(code):
    assert normalise(code) == code == normalise(code.lower())
    assert from_integer(to_integer(code)) == code


@given(st.text(max_size=100))
def test_it_returns_a_code_or_refuses_whatever_it_is_given(text):
    try:
        code = normalise(text)
    except Malformed:
        return
    assert len(code) == 20
    assert set(code) <= set(ALPHABET)


@pytest.mark.parametrize(
    ("typed", "length"), [("", 0), (CODE[:-1], 19), (CODE + "0", 21), ("A" * 10_000_000, 10_000_000)]
)
def test_it_tells_the_length_of_what_is_too_short_or_too_long(typed, length):
    with pytest.raises(Malformed) as caught:
        normalise(typed)
    assert caught.value.facts == {"reason": "length", "length": length, "expected": 20}
    assert len(caught.value.payload) <= 80


@pytest.mark.parametrize("wrong", ["U", "u", "Ｕ", "_", "*", "酒", "é", "А", "१"])
def test_it_tells_which_character_cannot_be(wrong):
    with pytest.raises(Malformed) as caught:
        normalise(f"15NG7-AB{wrong}DEFGH0189XYZ")
    assert caught.value.facts == {"reason": "character", "character": wrong, "position": 8}


def test_a_code_with_a_line_end_inside_a_number_is_not_read_as_python_would():
    for text in ("1_5NG7ABCDEFGH0189XY", "+5NG7ABCDEFGH0189XYZ", "0x5NG7ABCDEFGH0189X!"):
        with pytest.raises(Malformed):
            normalise(text)


def test_the_batch_is_in_clear_in_the_first_five_characters():
    assert batch_of("00000" + "Z" * 15) == 0
    assert batch_of("zzzzz" + "0" * 15) == 2**25 - 1
    assert batch_of("0000o-" + "z" * 15) == 0
    with pytest.raises(Malformed):
        batch_of("zzzzz")
