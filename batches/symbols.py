"""QR symbols as arrays of modules, and their pictures. Level M and the standard's own choice of mask.

ISO/IEC 18004 wants a quiet zone of four modules around a symbol; whoever draws one leaves it.
"""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import qrcode
from numpy.typing import NDArray
from PIL import Image
from qrcode.util import MODE_ALPHA_NUM, QRData

QUIET_MODULES: Final = 4

Modules = NDArray[np.bool_]


def symbol_of(text: str) -> Modules:
    """The symbol that says ``text`` (of QR's alphanumeric set): shape (n, n), True is dark, no quiet zone."""
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0)
    code.add_data(QRData(text, mode=MODE_ALPHA_NUM))
    code.make(fit=True)
    return np.array(code.get_matrix(), dtype=np.bool_)


def modules_for(text_length: int) -> int:
    """How many modules wide the symbol of so many alphanumeric characters is at level M."""
    return len(symbol_of("A" * text_length))


def packed_rows(modules: Modules) -> bytes:
    """One bit a module, dark is 1, each row filled up to whole bytes."""
    return np.packbits(modules, axis=1).tobytes()


def png_of(modules: Modules, *, module_px: int, dpi: int) -> bytes:
    """A one-bit PNG with its quiet zone; ``dpi`` is noted in it, so that it prints at the size meant."""
    quiet = np.pad(modules, QUIET_MODULES)
    large = np.repeat(np.repeat(quiet, module_px, axis=0), module_px, axis=1)
    side = len(large)
    picture = Image.frombytes("1", (side, side), packed_rows(~large))
    out = io.BytesIO()
    picture.save(out, format="PNG", dpi=(dpi, dpi))
    return out.getvalue()
