"""Which link fits, without a database."""

from __future__ import annotations

import pytest

from scancode.errors import Invalid
from scancode.resolver.link_types import read_link_type
from scancode.resolver.rules import Level, Link, LinkDraft, ProductLinks, Wish, find_links, links_for_people
from scancode.resolver.site_files import is_site_file, read_content


def link(name: str, *languages: str, link_type: str = "faqs", **over: object) -> Link:
    return Link(link_type, f"https://b.example/{name}", name, languages, **over)  # type: ignore[arg-type]


def chosen(links: list[Link], wish: Wish, link_type: str | None = "faqs") -> list[str]:
    return [each.title for each in find_links([Level("a", "b", tuple(links))], link_type, wish)]


@pytest.mark.parametrize(
    ("wished", "title"),
    [
        ((("zh-CN", 1.0),), "cn"),
        ((("zh-TW", 1.0), ("zh-CN", 0.9)), "tw"),
        ((("zh-HK", 1.0), ("en", 0.9)), "cn tw"),
        ((("en-US", 0.9), ("zh-CN", 0.5)), "en"),
        ((("fr", 1.0),), "any"),
        ((("fr", 1.0), ("*", 0.1)), "cn tw en"),
    ],
)
def test_the_nearest_language_is_taken(wished: tuple[tuple[str, float], ...], title: str) -> None:
    links = [link("cn", "zh-CN"), link("tw", "zh-TW"), link("en", "en"), link("any")]
    assert chosen(links, Wish(wished)) == title.split()


def test_the_kind_of_file_decides_where_languages_do_not() -> None:
    links = [link("page", "zh", media_type="text/html"), link("paper", "zh", media_type="application/pdf")]
    assert chosen(links, Wish(media=lambda mime: 1.0 if mime == "application/pdf" else 0.1)) == ["paper"]
    assert chosen(links, Wish(media=lambda mime: 0.0)) == ["page", "paper"]


def test_the_default_of_the_nearest_level_that_has_one() -> None:
    near = Level("a", "b", (link("near"),))
    far = Level("c", "d", (link("far", "en", is_default=True), link("other", "zh")))
    for asked in (None, "defaultLink", "defaultLinkMulti"):
        assert [each.title for each in find_links([near, far], asked, Wish())] == ["far"]
        assert [each.title for each in find_links([near, far], asked, Wish((("zh", 1.0),)))] == ["other"]
    assert find_links([near], None, Wish()) == ()
    assert find_links([near, far], "epcis", Wish()) == ()


def test_people_are_offered_what_they_can_read() -> None:
    own = (link("en", "en"), link("zh", "zh-CN"), link("any"), link("api", link_type="masterData"))
    links = ProductLinks(own, {7: (link("batch"),)}, {})
    assert [each.title for each in links_for_people(links, locale="zh")] == ["zh", "any"]
    assert [each.title for each in links_for_people(links, batch_number=7, locale="en")] == ["batch", "en", "any"]


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("gs1:pip", "pip"), ("https://ref.gs1.org/voc/pip", "pip"), ("http://www.gs1.org/voc/pip", "pip"),
        ("describedby", "describedby"), ("pip", None), ("gs1:", None), ("gs1:p-i", None), ("schema:url", None),
    ],
)  # fmt: skip
def test_link_types_are_read_in_every_form(asked: str, name: str | None) -> None:
    assert read_link_type(asked) == name


DRAFT = {"link_type": "faqs", "href": "https://b.example/a", "title": "Questions"}


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"link_type": "defaultLink"}, "link_type"),
        ({"link_type": "careersInfo"}, "link_type"),
        ({"href": "javascript:alert(1)"}, "href"),
        ({"href": "//b.example"}, "href"),
        ({"href": "https://user@b.example/"}, "href"),
        ({"href": "https://例子.example/"}, "href"),
        ({"href": "https://b.example/a\r\nX: y"}, "href"),
        ({"href": "https://b.example/" + "a" * 1000}, "href"),
        ({"href": "HTTPS://Q.EXAMPLE/01/06901234567892"}, "href"),
        ({"title": " \n"}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"language": "chinese"}, "language"),
        ({"media_type": "text/unheard"}, "media_type"),
    ],
)
def test_a_link_that_cannot_be_kept_names_the_field(over: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        LinkDraft(**{**DRAFT, **over}).checked(own_hosts=["https://q.example"])
    assert refused.value.facts["field"] == field


def test_a_link_is_tidied() -> None:
    over = {"href": " https://q.example/help?a=水 #x", "title": "  Ask\nus ", "language": "ZH-cn"}
    tidy = LinkDraft(**{**DRAFT, **over}).checked(own_hosts=["https://q.example"])
    assert (tidy.href, tidy.title, tidy.language) == ("https://q.example/help?a=%E6%B0%B4%20#x", "Ask us", "zh-CN")


@pytest.mark.parametrize(
    "name",
    [
        "MP_verify_aB3d.txt",
        "WW_verify_abcd1234.txt",
        "Qc7DhYcL3v.txt",
        "ByteDanceVerify.html",
        "baidu_verify_codeva-x1.html",
    ],
)
def test_names_that_platforms_give_are_taken(name: str) -> None:
    assert is_site_file(name)


@pytest.mark.parametrize(
    "name",
    [
        "robots.txt",
        "ads.txt",
        "a.txt",
        "../MP_verify_aB3d.txt",
        "MP_verify_aB3d.txt\n",
        "index.html",
        "MP_verify_aB3d.php",
        "x" * 70 + ".txt",
        "МP_verify_abcd.txt",
    ],
)
def test_other_names_are_not(name: str) -> None:
    assert not is_site_file(name)


@pytest.mark.parametrize("upload", [b"", b" \n", b"\x00", b"\xff\xfe", b"a" * 4097, "a\u202eb".encode()])
def test_what_is_no_short_text_is_not_kept(upload: bytes) -> None:
    assert read_content(upload) is None


def test_a_short_text_is_kept_as_it_is() -> None:
    assert read_content(b"\xef\xbb\xbfaB3\r\n") == "aB3\r\n"
