"""Symbols by the million against the ``qrcode`` package: every module under every mask, and the mask that is chosen."""

import io

import numpy as np
import pytest
import qrcode
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from qrcode.util import MODE_ALPHA_NUM, QRData, lost_point

from batches import codes
from batches.linear import BLOCK_FIXED, BLOCK_JUDGED, Symbols, symbols_for
from batches.masks import lines_of
from batches.symbols import modules_for, symbol_of

KEY = bytes(range(32))
SHORT, USUAL, ODD = "HTTPS://Q.CN/", "HTTPS://Q.EXAMPLE.CN/", "HTTPS://Q.EXAMPLE.COM/"
LINKED = "HTTPS://Q.EXAMPLE.CN/01/06901234567892/21/"
LONG = [f"HTTPS://{'A' * length}/" for length in (62, 100, 141)]
VERSIONS = {SHORT: 2, USUAL: 3, ODD: 3, LINKED: 4, LONG[0]: 5, LONG[1]: 6, LONG[2]: 7}

characters = st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=20, max_size=20)


def rows_of(*texts):
    return np.frombuffer("".join(texts).encode(), dtype=np.uint8).reshape(-1, 20)


def unpacked(packed, symbols):
    return np.unpackbits(packed, axis=-1)[..., : symbols.modules].astype(np.bool_)


def package_code(text):
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0)
    code.add_data(QRData(text, mode=MODE_ALPHA_NUM))
    code.make()
    return code


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([SHORT, USUAL, ODD]), characters)
def test_every_mask_gives_the_matrix_of_the_package_and_the_standard_one_is_its_choice(prefix, text):
    symbols = symbols_for(prefix)
    code = package_code(prefix + text)
    assert code.version == symbols.version == VERSIONS[prefix]
    chosen, masks = symbols.standard(rows_of(text))
    assert np.array_equal(unpacked(chosen[0], symbols), np.array(code.get_matrix()))
    penalties = symbols.penalties(rows_of(text))[:, 0]
    for mask in range(8):
        code.makeImpl(True, mask)
        assert penalties[mask] == lost_point(code.modules)
        code.makeImpl(False, mask)
        assert np.array_equal(unpacked(symbols.fixed(rows_of(text), mask)[0], symbols), np.array(code.modules))
    assert masks[0] == np.argmin(penalties)


@pytest.mark.parametrize("prefix", VERSIONS)
def test_larger_versions_agree_as_well(prefix):
    symbols = symbols_for(prefix)
    assert symbols.version == VERSIONS[prefix]
    assert symbols.modules == modules_for(len(prefix) + 20)
    block = codes.mint_range(KEY, 7, 1, 0, 4)
    chosen, _ = symbols.standard(block)
    for row, packed in zip(block, chosen, strict=True):
        expected = symbol_of(prefix + bytes(row).decode())
        assert np.array_equal(unpacked(packed, symbols), expected)
        assert np.array_equal(symbols.of(bytes(row).decode()), expected)


@pytest.mark.parametrize("prefix", [USUAL, LONG[0]])
def test_penalties_of_any_picture_are_those_of_the_package(prefix):
    """Noise has few runs; stripes, blots and finders meet every rule at its edges."""
    symbols = symbols_for(prefix)
    judge = symbols._new_judge(1)
    size = symbols.modules
    random = np.random.default_rng(1)
    pictures = [np.zeros((size, size), bool), np.ones((size, size), bool), np.indices((size, size)).sum(0) % 2 == 0]
    pictures += [random.random((size, size)) < share for share in (0.05, 0.3, 0.5, 0.7, 0.95)]
    finder = np.array([0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0], bool)
    for place in range(-7, size - 3):
        picture = random.random((size, size)) < 0.5
        line = np.zeros(size + 30, bool)
        line[place + 15 : place + 30] = finder
        picture[place % size] = picture[:, size - 1] = line[15 : 15 + size]
        pictures += [picture, picture.T]
    for picture in pictures:
        lines = np.broadcast_to(lines_of(picture)[:, np.newaxis, np.newaxis], (len(lines_of(picture)), 8, 1))
        assert set(judge.penalties(lines).ravel().tolist()) == {lost_point(picture.tolist())}


def test_blocks_do_not_show():
    symbols = symbols_for(USUAL)
    count = BLOCK_FIXED + 3
    block = codes.mint_range(KEY, 7, 1, 0, count)
    chosen, masks = symbols.standard(block)
    for mask in range(8):
        fixed = symbols.fixed(block, mask)
        assert np.array_equal(fixed[masks == mask], chosen[masks == mask])
    for place in (0, BLOCK_JUDGED - 1, BLOCK_JUDGED, count - 1):
        alone, mask = symbols.standard(block[place : place + 1])
        assert np.array_equal(alone[0], chosen[place])
        assert mask[0] == masks[place]
    assert set(masks.tolist()) == set(range(8))


@pytest.mark.parametrize("prefix", [SHORT, ODD, LINKED])
def test_a_reader_reads_them(prefix):
    symbols = symbols_for(prefix)
    block = codes.mint_range(KEY, 7, 1, 50, 20)
    chosen, _ = symbols.standard(block)
    for row, packed in zip(block, chosen, strict=True):
        picture = np.kron(np.pad(~unpacked(packed, symbols), 4, constant_values=True), np.ones((4, 4), bool))
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        (found,) = zxingcpp.read_barcodes(Image.open(file))
        assert found.text == prefix + bytes(row).decode()


def test_no_codes_make_no_symbols():
    symbols = symbols_for(USUAL)
    chosen, masks = symbols.standard(np.zeros((0, 20), np.uint8))
    assert chosen.shape == symbols.fixed(np.zeros((0, 20), np.uint8), 0).shape == (0, 29, 4)
    assert len(masks) == 0


def test_it_refuses_what_is_too_long():
    with pytest.raises(ValueError, match="larger than 11"):
        Symbols("HTTPS://" + "A" * 400)
