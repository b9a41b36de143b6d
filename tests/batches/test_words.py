"""Every refusal of the press has a sentence in Chinese and in English."""

import pytest

from batches import codes, errors, words
from batches.errors import PressError
from batches.spec import BatchSpec


def refusals(kind=PressError):
    for each in kind.__subclasses__():
        yield each
        yield from refusals(each)


def test_every_refusal_has_a_chinese_sentence():
    coded = {each.code for each in refusals() if each is not errors.CodeError}
    assert coded == {key.partition(".")[0] for key in words.ZH}


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: codes.normalise("U" * 20),
        lambda: codes.normalise("1"),
        lambda: codes.verify(bytes(32), "0" * 20),
        lambda: codes.code_id(-1, 0, 0),
        lambda: codes.Kind.of("x"),
        lambda: BatchSpec(number=1, kinds=(codes.Kind.INNER,), count=0, host="q.cn"),
    ],
)
def test_a_refusal_is_spoken_in_both_languages(attempt):
    with pytest.raises(PressError) as caught:
        attempt()
    chinese, english = words.spoken(caught.value).split(" / ", 1)
    assert not chinese.isascii()
    assert "{" not in chinese
    assert english == str(caught.value)
