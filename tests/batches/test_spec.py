"""Orders that can be printed, orders that cannot, and the addresses that symbols carry."""

import pytest

from batches.errors import BadSpec
from batches.items import MAX_BATCH_COUNT, Kind
from batches.spec import BatchSpec, base_url, digital_link_url, is_gtin14, url
from batches.symbols import modules_for

CODE = "15NM7S29QW9NE0X6EF0K"
GTIN = "06901234567892"


def make_spec(**over):
    return BatchSpec(**{"number": 7, "kinds": (Kind.INNER,), "count": 10, "host": "q.example.cn", **over})


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("q.example.cn", "HTTPS://Q.EXAMPLE.CN"),
        ("https://q.example.cn/", "HTTPS://Q.EXAMPLE.CN"),
        ("http://127.0.0.1:8000", "HTTP://127.0.0.1:8000"),
        ("localhost:8443", "HTTPS://LOCALHOST:8443"),
        ("xn--fiq228c.cn", "HTTPS://XN--FIQ228C.CN"),
    ],
)
def test_an_address_is_upper_case_and_keeps_to_the_alphanumeric_mode(host, base):
    assert base_url(host) == base
    assert url(host, CODE) == f"{base}/{CODE}"
    assert set(url(host, CODE)) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def test_a_digital_link_is_written_as_gs1_says():
    assert digital_link_url("q.example.cn", GTIN, CODE) == f"HTTPS://Q.EXAMPLE.CN/01/{GTIN}/21/{CODE}"


@pytest.mark.parametrize(
    "host",
    [
        "",
        "q_x.cn",
        "q.cn/path",
        "q..cn",
        "-q.cn",
        "q.cn:0",
        "q.cn:65536",
        "ftp://q.cn",
        "中国.cn",
        "q.cn?x",
        "[::1]",
        "q" * 200,
    ],
)
def test_it_refuses_hosts_that_cannot_be_printed(host):
    with pytest.raises(BadSpec) as caught:
        make_spec(host=host)
    assert caught.value.code == "bad_spec"
    assert caught.value.facts["field"] == "host"


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"number": -1}, "number"),
        ({"number": MAX_BATCH_COUNT}, "number"),
        ({"kinds": ()}, "kinds"),
        ({"kinds": (Kind.INNER, Kind.INNER)}, "kinds"),
        ({"first": -1}, "first"),
        ({"count": 0}, "count"),
        ({"first": MAX_BATCH_COUNT - 1, "count": 2}, "count"),
        ({"gtin": "6901234567892"}, "gtin"),
        ({"gtin": "06901234567893"}, "gtin"),
        ({"digital_link": True}, "gtin"),
        ({"lot": ""}, "lot"),
        ({"lot": "L" * 21}, "lot"),
        ({"lot": "批号"}, "lot"),
        ({"product_name": "茶\n"}, "product_name"),
        ({"order_no": "x" * 65}, "order_no"),
    ],
)
def test_it_refuses_an_impossible_field_and_names_it(over, field):
    with pytest.raises(BadSpec) as caught:
        make_spec(**over)
    assert caught.value.facts["field"] == field


def test_it_takes_the_last_serial_of_a_batch():
    spec = make_spec(first=MAX_BATCH_COUNT - 1, count=1, kinds=(Kind.OUTER, Kind.INNER))
    assert (spec.last, spec.code_count) == (MAX_BATCH_COUNT - 1, 2)


@pytest.mark.parametrize(
    ("text", "right"),
    [(GTIN, True), ("09506000134352", True), ("06901234567890", False), ("٠٦٩٠١٢٣٤٥٦٧٨٩٢", False), ("", False)],
)
def test_a_gtin_has_a_check_digit(text, right):
    assert is_gtin14(text) is right


@pytest.mark.parametrize(("host_length", "modules"), [(9, 25), (10, 29), (32, 29), (33, 33)])
def test_symbols_are_as_small_as_promised(host_length, modules):
    assert modules_for(len("HTTPS:///") + host_length + 20) == modules
