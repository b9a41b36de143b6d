"""What is printed is read back: the QR of every picture, and of every card on a sheet."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import pypdfium2
import zxingcpp
from PIL import Image

from scancode.channels import cards

URL = cards.touch_url("https://q.brand.example", "8H3TATE9RS42")


def card(title: str = "南京西路店", token: str = "8H3TATE9RS42") -> cards.Card:
    return cards.Card(
        url=cards.touch_url("https://q.brand.example", token),
        brand="山泉",
        title=title,
        line="上海市 南京西路 1266 号",
        call="微信扫一扫，一扫知真伪",
        footnote="",
        colour="#0f7b4f",
        ink="#ffffff",
    )


def texts_of(picture: Image.Image) -> list[str]:
    return sorted(found.text for found in zxingcpp.read_barcodes(picture))


def pages(pdf: bytes) -> list[Image.Image]:
    document = pypdfium2.PdfDocument(pdf)
    found = [page.render(scale=2).to_pil() for page in document]
    document.close()
    return found


def test_the_address_is_upper_case_for_the_alphanumeric_mode() -> None:
    assert URL == "HTTPS://Q.BRAND.EXAMPLE/T/8H3TATE9RS42"
    assert re.fullmatch(r"[0-9A-Z $%*+\-./:]+", URL)


def test_the_png_says_the_address() -> None:
    assert texts_of(Image.open(io.BytesIO(cards.picture(URL)))) == [URL]


def test_the_svg_has_every_dark_module_and_a_quiet_zone() -> None:
    root = ElementTree.fromstring(cards.drawing(URL))
    side = int(root.attrib["viewBox"].split()[2])
    picture = Image.new("1", (side, side), 1)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1", root[1].attrib["d"]):
        for step in range(int(width)):
            picture.putpixel((int(x) + step, int(y)), 0)
    assert texts_of(picture.resize((side * 8, side * 8))) == [URL]


def test_a_card_is_a6_and_says_the_address() -> None:
    (page,) = pages(cards.one_card(card()))
    assert (round(page.width / 2 / 72 * 25.4), round(page.height / 2 / 72 * 25.4)) == (105, 148)
    assert texts_of(page) == [URL]


def test_a_sheet_has_four_cards_to_a_page() -> None:
    tokens = [f"ABCDEFGH12{number:02d}" for number in range(5)]
    found = pages(cards.sheet([card(token=token) for token in tokens], title="Codes"))
    assert [len(texts_of(page)) for page in found] == [4, 1]
    assert texts_of(found[1]) == [cards.touch_url("https://q.brand.example", tokens[4])]


def test_a_long_name_is_made_to_fit_and_the_code_still_reads() -> None:
    (page,) = pages(cards.one_card(card(title="一个名字特别特别长的门店" * 6)))
    assert texts_of(page) == [URL]


def test_the_same_facts_give_the_same_bytes() -> None:
    assert cards.one_card(card()) == cards.one_card(card())
