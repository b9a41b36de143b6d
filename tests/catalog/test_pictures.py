"""Uploaded pictures: what is kept of them, and what is refused."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from scancode.catalog import pictures
from scancode.catalog.pictures import NotAPicture, PictureTooLarge, PictureTooSmall, encode

ORIENTATION, GPS = 0x0112, 0x8825


def upload(size: tuple[int, int], form: str = "JPEG", mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, 120 if mode in ("L", "P") else None).save(file, form, **options)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize(
    ("form", "mode"), [("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB"), ("GIF", "P")]
)
def test_it_becomes_webp_of_at_most_1280(form: str, mode: str) -> None:
    made = encode(upload((2000, 1000), form, mode))
    picture = opened(made.content)
    assert (picture.format, picture.size) == ("WEBP", (1280, 640))
    assert (made.mime, made.width, made.height) == ("image/webp", 1280, 640)
    assert len(made.sha256) == 64


def test_a_small_one_is_not_blown_up() -> None:
    assert opened(encode(upload((32, 40))).content).size == (32, 40)


def test_transparency_is_kept() -> None:
    assert opened(encode(upload((50, 50), "PNG", "RGBA")).content).mode == "RGBA"


def test_it_stands_upright_and_forgets_the_camera() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[0x010F] = "Spy Camera"
    exif.get_ifd(GPS)[2] = (31.0, 14.0, 0.0)
    content = upload((300, 100), "JPEG", exif=exif)
    assert b"Spy Camera" in content
    made = encode(content)
    assert (made.width, made.height) == (100, 300)
    assert b"Spy Camera" not in made.content
    assert not opened(made.content).getexif()


def test_the_same_pixels_get_the_same_name() -> None:
    assert encode(upload((60, 60))).sha256 == encode(upload((60, 60))).sha256


@pytest.mark.parametrize(
    "content",
    [b"", b"<svg onload=alert(1)>", b"%PDF-1.7", b"GIF89a", upload((64, 64))[:200], b"\x89PNG\r\n\x1a\n" + b"\0" * 64],
)
def test_it_refuses_what_is_no_picture(content: bytes) -> None:
    with pytest.raises(NotAPicture):
        encode(content)


def test_it_refuses_a_bomb_before_unpacking_it() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    with pytest.raises(PictureTooLarge):
        encode(bomb)


def test_it_refuses_one_that_is_too_heavy() -> None:
    with pytest.raises(PictureTooLarge):
        encode(b"\xff\xd8\xff" + b"\0" * pictures.UPLOAD_BYTES_MAX)


def test_it_refuses_one_that_is_too_small_to_see() -> None:
    with pytest.raises(PictureTooSmall):
        encode(upload((31, 400)))
