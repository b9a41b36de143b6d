"""Uploaded pictures made safe and small: checked, turned upright, scaled, and written anew without their metadata.

Nothing of the uploaded file survives but its pixels: no camera position, no trailing bytes, no odd chunks.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from contextlib import suppress
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps

from scancode.errors import Refusal
from scancode.i18n import N_

UPLOAD_BYTES_MAX = 7_000_000
PIXELS_MAX = 50_000_000
SIDE_MAX = 1280
SIDE_MIN = 32
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


class PictureTooLarge(Refusal):
    code = "picture_too_large"
    text = N_("This picture is too large: at most {megabytes} MB and {megapixels} million pixels.")
    status = 422


class PictureTooSmall(Refusal):
    code = "picture_too_small"
    text = N_("This picture is too small to show: it needs at least {limit} pixels on each side.")
    status = 422


class NotAPicture(Refusal):
    code = "picture_unreadable"
    text = N_("This file is no picture that can be read. Use JPEG, PNG, WebP or GIF.")
    status = 422


@dataclass(frozen=True)
class Encoded:
    content: bytes
    mime: str
    width: int
    height: int
    sha256: str


def encode(upload: bytes) -> Encoded:
    """A picture as WebP of at most 1280 pixels a side. Raises PictureTooLarge, PictureTooSmall, NotAPicture."""
    if len(upload) > UPLOAD_BYTES_MAX:
        raise _too_large()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is stricter
            with Image.open(io.BytesIO(upload), formats=FORMATS) as picture:
                if picture.width * picture.height > PIXELS_MAX:
                    raise _too_large()
                if min(picture.size) < SIDE_MIN:
                    raise PictureTooSmall(limit=SIDE_MIN)
                # A JPEG is decoded near its final size at once, which spares most of the memory.
                picture.draft("RGB", (SIDE_MAX * 2, SIDE_MAX * 2))
                picture.load()
                return _written(_upright(picture))
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, IndexError) as error:
        raise NotAPicture from error


def _upright(picture: Image.Image) -> Image.Image:
    """Turned as the camera meant it, in sRGB, transparency kept, scaled down where needed."""
    upright = ImageOps.exif_transpose(picture)
    profile = picture.info.get("icc_profile")
    if profile and upright.mode in ("RGB", "RGBA", "CMYK", "L"):
        # A profile that cannot be applied is dropped: colours a little off are better than no picture.
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            mode = "RGBA" if upright.mode == "RGBA" else "RGB"
            converted = ImageCms.profileToProfile(
                upright, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode=mode
            )
            upright = converted or upright
    has_alpha = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    upright = upright.convert("RGBA" if has_alpha else "RGB")
    upright.thumbnail((SIDE_MAX, SIDE_MAX), Image.Resampling.LANCZOS)
    return upright


def _written(picture: Image.Image) -> Encoded:
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    file = io.BytesIO()
    clean.save(file, "WEBP", quality=QUALITY, method=4)
    content = file.getvalue()
    return Encoded(content, "image/webp", clean.width, clean.height, hashlib.sha256(content).hexdigest())


def _too_large() -> PictureTooLarge:
    return PictureTooLarge(megabytes=UPLOAD_BYTES_MAX // 1_000_000, megapixels=PIXELS_MAX // 1_000_000)
