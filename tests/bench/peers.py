"""What people write first: the peers of the press's figures, each with the best-known library for its part."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Final

import qrcode
from itsdangerous import Signer
from qrcode.util import MODE_ALPHA_NUM, QRData
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

PREFIX: Final = "HTTPS://Q.EXAMPLE.CN/"
_CROCKFORD: Final = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def permuted(serial: int) -> int:
    """A serial under a keyed permutation of 25 bits (four Feistel rounds), so that it tells no order."""
    left, right = serial >> 13, serial & 0x1FFF
    for number, mask in enumerate((0xFFF, 0x1FFF, 0xFFF, 0x1FFF)):
        digest = hashlib.blake2b(b"%d %d" % (number, right), key=b"bench", digest_size=2).digest()
        left, right = right, left ^ int.from_bytes(digest, "big") & mask
    return left << 13 | right


def signed_code(signer: Signer, batch: int, serial: int) -> str:
    """Twenty characters: batch, permuted serial, and as much of the signature as fits."""
    body = (batch << 25 | permuted(serial)).to_bytes(7, "big")
    signature = signer.sign(body)[len(body) + 1 :]
    return base64.b32encode(body + signature[:6]).translate(_CROCKFORD)[:20].decode()


def mint_text(path: Path, count: int) -> None:
    """One address a line."""
    signer = Signer("secret", salt=b"bench", digest_method=hashlib.sha256)
    with path.open("w", encoding="ascii") as file:
        for serial in range(count):
            file.write(PREFIX + signed_code(signer, 1234567, serial) + "\n")


def qr_matrices(texts: list[str]) -> list[list[list[bool]]]:
    """Symbols at level M with the mask that the package chooses."""
    found = []
    for text in texts:
        code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0)
        code.add_data(QRData(text, mode=MODE_ALPHA_NUM))
        code.make()
        found.append(code.get_matrix())
    return found


def mint_csv(path: Path, count: int) -> None:
    """Serial, code, address; formatted by hand, which is faster than ``csv.writer``."""
    signer = Signer("secret", salt=b"bench", digest_method=hashlib.sha256)
    with path.open("w", encoding="ascii") as file:
        file.write("serial,code,url\r\n")
        for serial in range(count):
            code = signed_code(signer, 1234567, serial)
            file.write(f"{serial},{code},{PREFIX}{code}\r\n")


def pdf_sheet(path: Path, count: int, font: Path) -> None:
    """A4, fifty labels a page: name, the symbol as ``qrcode`` makes its picture, code."""
    pdfmetrics.registerFont(TTFont("Peer", str(font)))
    signer = Signer("secret", salt=b"bench", digest_method=hashlib.sha256)
    canvas = Canvas(str(path), pagesize=A4)
    for serial in range(count):
        row, column = divmod(serial % 50, 5)
        x, y = (15 + column * 36) * mm, A4[1] - (18.5 + (row + 1) * 26) * mm
        code = signed_code(signer, 1234567, serial)
        symbol = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0, box_size=1)
        symbol.add_data(QRData(PREFIX + code, mode=MODE_ALPHA_NUM))
        canvas.setFont("Peer", 6.5)
        canvas.drawCentredString(x + 18 * mm, y + 23 * mm, "示例茶饮 红茶 500ml")
        canvas.drawImage(ImageReader(symbol.make_image().get_image()), x + 10 * mm, y + 5 * mm, 16 * mm, 16 * mm)
        canvas.drawCentredString(x + 18 * mm, y + 1 * mm, code)
        if serial % 50 == 49:
            canvas.showPage()
    canvas.save()
