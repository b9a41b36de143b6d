"""Digital Links as GS1's own engine reads and writes them: every vector of its default options, and more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scancode.resolver import dictionary
from scancode.resolver.digital_link import NotDigitalLink, escape, parse, unescape, write
from scancode.resolver.elements import is_value

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "gs1" / "digital_link_vectors.json").read_text("utf-8"))
CSET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def by_default(kind: str) -> list[dict[str, Any]]:
    return [vector for vector in VECTORS[kind] if not vector["options"]]


def elements(bracketed: str) -> list[tuple[str, str]]:
    return [tuple(part.split(")", 1)) for part in bracketed.split("(")[1:]]  # type: ignore[misc]


def test_there_are_as_many_vectors_as_were_copied() -> None:
    assert (len(by_default("parse")), len(by_default("generate"))) == (50, 10)
    assert (len(VECTORS["valid_path_ai_sequences"]), len(VECTORS["uri_unescape"])) == (37, 21)


@pytest.mark.parametrize("vector", by_default("parse"), ids=lambda vector: vector["uri"] or "empty")
def test_it_reads_what_gs1_reads(vector: dict[str, Any]) -> None:
    if vector["valid"]:
        assert parse(vector["uri"]).element_string() == vector["element_string"]
    else:
        with pytest.raises(NotDigitalLink):
            parse(vector["uri"])


@pytest.mark.parametrize("vector", by_default("generate"), ids=lambda vector: vector["bracketed_ai"])
def test_it_writes_what_gs1_writes(vector: dict[str, Any]) -> None:
    stem = {"stem": vector["stem"]} if vector["stem"] else {}
    if vector["valid"]:
        assert write(elements(vector["bracketed_ai"]), **stem) == vector["uri"]
    else:
        with pytest.raises(NotDigitalLink):
            write(elements(vector["bracketed_ai"]), **stem)


def test_every_sequence_of_the_path_that_gs1_allows_is_one() -> None:
    for key, *qualifiers in VECTORS["valid_path_ai_sequences"]:
        orders = dictionary.entries()[key].qualifiers
        assert orders is not None, key
        assert any([ai for ai in order if ai in qualifiers] == qualifiers for order in orders), (key, qualifiers)


def test_escapes_are_those_of_gs1() -> None:
    for case in VECTORS["uri_escape"]:
        assert (escape(case["raw"]), escape(case["raw"], in_query=True)) == (case["path"], case["query"])
    for case in VECTORS["uri_unescape"]:
        assert (unescape(case["escaped"]), unescape(case["escaped"], in_query=True)) == (case["path"], case["query"])


OUR_OWN = "https://q.example/01/09506000134352"


@pytest.mark.parametrize(
    "uri",
    [
        "HTTPS://Q.EXAMPLE/01/09506000134352/21/0123456789ABCDEFGHJK",
        f"{OUR_OWN}/10/L1/21/0123456789ABCDEFGHJK?17=261231&utm_source=wechat&linkType=gs1:pip",
        f"{OUR_OWN}/22/V1",
        f"{OUR_OWN}/235/TPX",
        f"{OUR_OWN}?17=280229",
        f"{OUR_OWN}?17=280200",
    ],
)
def test_it_takes_what_is_printed_and_what_links_add(uri: str) -> None:
    assert parse(uri).key == ("01", "09506000134352")


@pytest.mark.parametrize(
    "uri",
    [
        f"{OUR_OWN}/",
        "https://q.example/01/9506000134352",
        "https://q.example/01/09506000134353",
        f"{OUR_OWN}/21/0123456789ABCDEFGHJKM",
        f"{OUR_OWN}/21/x/10/y",
        f"{OUR_OWN}/10/a/22/b",
        f"{OUR_OWN}/235/TPX/21/x",
        f"{OUR_OWN}/21/%C3%A9",
        f"{OUR_OWN}/21/a%20b",
        f"{OUR_OWN}?17=270229",
        f"{OUR_OWN}?17=261301",
        f"{OUR_OWN}?21=abc",
        f"{OUR_OWN}?123456=1",
        f"{OUR_OWN}?37=5",
        f"{OUR_OWN}?99=a&99=b",
        f"{OUR_OWN}/foo",
        f"{OUR_OWN}/foo/bar",
        "https://q.example/21/abc",
        "https://q_x.example/01/09506000134352",
        "ftp://q.example/01/09506000134352",
        f"{OUR_OWN}/10/ab\ncd",
        f"{OUR_OWN}?" + "&".join(f"9{place % 9 + 1}={place}" for place in range(70)),
    ],
)
def test_it_refuses_what_is_wrong(uri: str) -> None:
    with pytest.raises(NotDigitalLink) as refused:
        parse(uri)
    assert "{" not in refused.value.sentence()


@given(
    lot=st.none() | st.text(CSET_82, min_size=1, max_size=20),
    serial=st.none() | st.text(CSET_82, min_size=1, max_size=20),
    note=st.none() | st.text(CSET_82, min_size=1, max_size=30),
)
@settings(max_examples=30, deadline=None)
def test_what_is_written_is_read_again(lot: str | None, serial: str | None, note: str | None) -> None:
    given_ = [("99", note), ("21", serial), ("01", "09506000134352"), ("10", lot)]
    wanted = {ai: value for ai, value in given_ if value is not None}
    found = parse(write(list(wanted.items()), stem="https://q.example/s"))
    assert dict((*found.path, *found.attributes)) == wanted


@given(st.text(max_size=60))
@settings(max_examples=40, deadline=None)
def test_no_text_makes_it_stumble(text: str) -> None:
    for uri in (text, f"https://q.example/{text}", f"{OUR_OWN}/{text}", f"{OUR_OWN}?{text}"):
        try:
            parse(uri)
        except NotDigitalLink:
            continue


@pytest.mark.parametrize(
    ("ai", "good", "bad"),
    [
        ("00", "006141411234567890", "006141411234567891"),
        ("01", "09506000134352", "0950600013435"),
        ("8006", "095060001343520102", "095060001343520201"),
        ("8003", "09506000134352X", "19506000134352X"),
        ("8010", "9506000ABC-1", "9506000abc"),
        ("8013", "1987654Ad4X4bL5ttr2310c2K", "1987654Ad4X4bL5ttr2310c2L"),
        ("8007", "FR7630006000011234567890189", "FR7630006000011234567890188"),
        ("7003", "2612312359", "2612312460"),
        ("8008", "26123123", "26123124"),
        ("423", "276040", "27604"),
        ("7258", "1/2", "3/2"),
        ("4330", "000123-", "000123+"),
        ("4300", "A%20B", "A%2"),
        ("4309", "02790858483015297971", "18000000013015297971"),
        ("8011", "12", "012"),
        ("8001", "12341234512391", "00001234512391"),
        ("8030", "-_AZ", "-_A+"),
        ("7250", "20281231", "20281331"),
        ("99", "x" * 90, "x" * 91),
    ],
)
def test_values_are_checked_as_their_definition_says(ai: str, good: str, bad: str) -> None:
    entry = dictionary.entries()[ai]
    assert is_value(entry, good)
    assert not is_value(entry, bad)


def test_every_check_that_the_dictionary_names_is_one() -> None:
    for entry in dictionary.entries().values():
        is_value(entry, "1" * 20)
        is_value(entry, "20261231235959")
    assert len(dictionary.entries()) > 500
