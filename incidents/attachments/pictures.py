"""Pictures: decoded in full within limits, copied upright and without metadata, made small.

Only the decoder that the content calls for is ever tried. A copy holds pixels (and transparency) and nothing else:
no EXIF, no position, no XMP, no comments, no colour profile (colours are converted to sRGB instead).
Orientation is applied, so width and height are those of the upright picture.
"""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from threading import Lock
from typing import IO, Any

import pillow_heif
from PIL import Image, ImageCms

from incidents.attachments.containers import copy_gif, copy_webp, require_png_end
from incidents.attachments.kinds import AVIF, GIF, HEIC, JPEG, PNG, WEBP, Kind

MAX_PIXELS = 50_000_000  # a telephone's best camera has 48 million
MAX_FRAMES = 1_000
MAX_FRAME_PIXELS = 250_000_000  # all frames of an animation together: at worst four seconds of decoding
MAX_ICC_BYTES = 1024 * 1024
THUMBNAIL_SIDE = 320
THUMBNAIL_MEDIA_TYPE = "image/webp"

# Pillow keeps these two per process. Anything above the limit must be an error before a pixel is unpacked.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)

# What decoders are known to raise over broken input (Pillow promises no single class).
BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError)
BROKEN_FURTHER = (EOFError, struct.error, zlib.error, Image.DecompressionBombError, Warning)

# EXIF 2.32, tag 0x0112: how to turn the stored picture so that it stands upright.
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# One picture at a time in each process: a large one takes a few hundred megabytes while it is open.
_one_at_a_time = Lock()


class Damaged(ValueError):
    """The picture breaks off, or is not what its first bytes promise."""


class Bomb(ValueError):
    """The picture is too large once unpacked."""


@dataclass(frozen=True)
class Size:
    """The upright picture's size in pixels."""

    width: int
    height: int


def make_copy(source: IO[bytes], kind: Kind, target: IO[bytes]) -> Size:
    """Write the copy that is safe to serve; the whole picture, every frame of it, is decoded on the way.

    Raises Damaged, Bomb, and OSError where `target` cannot be written.
    """
    with _one_at_a_time:
        try:
            return _copy(source, kind, target)
        except (Bomb, Damaged):
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise Bomb from error
        except (*BROKEN, *BROKEN_FURTHER) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's trouble, not the picture's
            raise Damaged from error


def _copy(source: IO[bytes], kind: Kind, target: IO[bytes]) -> Size:
    source.seek(0)
    with Image.open(source, formats=kind.pillow_formats) as picture:
        _require_pixels(picture)
        if kind is GIF or (kind is WEBP and getattr(picture, "is_animated", False)):
            size = _decode_frames(picture)
            (copy_gif if kind is GIF else copy_webp)(source, target)
            return size
        if kind is PNG:
            require_png_end(source)
        picture.load()
        upright = _cleaned(picture)
        _save(upright, kind, target, is_lossless=kind is WEBP and _is_lossless_webp(source))
        return Size(*upright.size)


def _require_pixels(picture: Image.Image) -> None:
    width, height = picture.size
    if width < 1 or height < 1:
        raise Damaged
    if width * height > MAX_PIXELS:
        raise Bomb


def _decode_frames(picture: Image.Image) -> Size:
    """Decode each frame in turn; only one is held at a time."""
    size, budget = picture.size, MAX_FRAME_PIXELS
    for number in range(MAX_FRAMES + 1):
        try:
            picture.seek(number)
        except EOFError:
            return Size(*size)
        _require_pixels(picture)
        budget -= picture.width * picture.height
        if budget < 0:
            raise Bomb
        picture.load()
    raise Bomb


def _cleaned(picture: Image.Image) -> Image.Image:
    """The pixels, upright and in sRGB, with nothing attached but their transparency."""
    turn = TURNS.get(_orientation(picture))
    profile = picture.info.get("icc_profile")
    upright = picture.transpose(turn) if turn is not None else picture
    upright.info = {name: value for name, value in picture.info.items() if name == "transparency"}
    return _in_srgb(upright, profile)


def _orientation(picture: Image.Image) -> int:
    """The orientation that EXIF tells; broken EXIF is no reason to refuse a good picture."""
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except (*BROKEN, *BROKEN_FURTHER):
        return 1


def _in_srgb(picture: Image.Image, profile: Any) -> Image.Image:
    if not isinstance(profile, bytes) or len(profile) > MAX_ICC_BYTES or picture.mode not in ("RGB", "RGBA"):
        return picture
    if b"sRGB" in profile[:4096] or b"s\0R\0G\0B" in profile[:4096]:
        return picture
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), inPlace=True)
    except (ImageCms.PyCMSError, OSError, ValueError):
        pass  # the profile is unusable: the colours stay as they are
    picture.info.pop("icc_profile", None)
    return picture


def _save(picture: Image.Image, kind: Kind, target: IO[bytes], *, is_lossless: bool) -> None:
    if kind in (JPEG, HEIC, AVIF):
        _on_white(picture).save(target, "JPEG", quality=88)
    elif kind is PNG:
        # Level 3 costs a third of the default's time for a few per cent more bytes.
        picture.save(target, "PNG", compress_level=3)
    elif is_lossless:
        picture.save(target, "WEBP", lossless=True, quality=20, method=0)
    else:
        picture.save(target, "WEBP", quality=88, method=2)


def _is_lossless_webp(source: IO[bytes]) -> bool:
    source.seek(0)
    return b"VP8L" in source.read(64)


def _on_white(picture: Image.Image) -> Image.Image:
    """As JPEG can hold it: grey or RGB, transparency over white."""
    if picture.mode in ("L", "RGB"):
        return picture
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layered = picture.convert("RGBA")
    page = Image.new("RGB", layered.size, "white")
    page.paste(layered, mask=layered.getchannel("A"))
    return page


def make_thumbnail(source: IO[bytes], target: IO[bytes]) -> None:
    """Write a WebP of at most 320 × 320 pixels of a served copy's first frame. Raises Damaged."""
    with _one_at_a_time:
        try:
            source.seek(0)
            with Image.open(source, formats=("JPEG", "PNG", "WEBP", "GIF")) as picture:
                picture.draft("RGB", (THUMBNAIL_SIDE * 2, THUMBNAIL_SIDE * 2))
                small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        except (*BROKEN, *BROKEN_FURTHER) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise Damaged from error
    small.info = {}
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    small.save(target, "WEBP", quality=80, method=4)
