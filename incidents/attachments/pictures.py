"""Decode and copy pictures within limits (in `decoder`'s process only)."""

import io
import re
import struct
import warnings
import zlib
from typing import IO, Any

import pillow_heif
from PIL import AvifImagePlugin, Image, ImageCms, MpoImagePlugin, WebPImagePlugin

from incidents.attachments.animations import copy_gif, copy_webp, read_exactly
from incidents.attachments.kinds import (
    AVIF,
    GIF,
    HEIC,
    JPEG,
    MAX_PIXELS,
    MAX_WEBP_PIXELS,
    PNG,
    WEBP,
    Bomb,
    Damaged,
    Kind,
    Size,
)

# Pillow would import every format when opening the first picture.
PLUGINS = (AvifImagePlugin, MpoImagePlugin, WebPImagePlugin)
# Progressive JPEGs have about ten scans; a hostile scan takes 75 bytes.
MAX_SCAN_PIXELS = 12 * MAX_PIXELS
MAX_SCANS = 100
MAX_ICC_BYTES = 1024 * 1024
THUMBNAIL_SIDE = 320

# Fail before a pixel is decoded.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
# Each thread takes stack and heap.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)

# Pillow promises no single class for broken input.
BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError)
BROKEN_FURTHER = (EOFError, struct.error, zlib.error, Image.DecompressionBombError, Warning)

# EXIF 2.32
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
# ITU-T T.81, annex B.
JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
JPEG_END, JPEG_SCAN = 0xD9, 0xDA
JPEG_MARKER = re.compile(rb"\xff+([^\x00\xff])")
JPEG_MARKER_AFTER_SCAN = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")


def make_copy(source: IO[bytes], kind: Kind, target: IO[bytes]) -> Size:
    """Write a copy that is safe to serve, decoding every frame. Raises Damaged and Bomb."""
    try:
        return _copy_picture(source, kind, target)
    except (Bomb, Damaged):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(kind) from error
    except MemoryError as error:
        raise Bomb("the memory that a picture may take") from error
    except (*BROKEN, *BROKEN_FURTHER) as error:
        raise Damaged(repr(error)) from error


def _copy_picture(source: IO[bytes], kind: Kind, target: IO[bytes]) -> Size:
    source.seek(0)
    with Image.open(source, formats=kind.pillow_formats) as picture:
        _require_pixels(picture, kind)
        if kind is GIF:
            copy_gif(source, target, Size(*picture.size))
            return Size(*picture.size)
        if kind is WEBP and getattr(picture, "is_animated", False):
            copy_webp(picture, target, is_lossless=_has_lossless_webp(source, 4096))
            return Size(*picture.size)
        if kind is JPEG:
            _require_scans(picture, source)
        if kind is PNG:
            require_png_end(source)
        picture.load()
        upright = _strip_metadata(picture)
        _save_copy(upright, kind, target, is_lossless=kind is WEBP and _has_lossless_webp(source, 64))
        return Size(*upright.size)


def _require_pixels(picture: Image.Image, kind: Kind) -> None:
    width, height = picture.size
    if width < 1 or height < 1:
        raise Damaged("no pixels")
    if width * height > _most_pixels(kind):
        raise _too_many_pixels(kind)


def _most_pixels(kind: Kind) -> int:
    return MAX_WEBP_PIXELS if kind is WEBP else MAX_PIXELS


def _too_many_pixels(kind: Kind) -> Bomb:
    return Bomb(f"{_most_pixels(kind) // 1_000_000} million pixels")


def _require_scans(picture: Image.Image, source: IO[bytes]) -> None:
    source.seek(0)
    scans = count_scans(source.read())
    if scans > MAX_SCANS or scans * picture.width * picture.height > MAX_SCAN_PIXELS:
        raise Bomb(f"{MAX_SCAN_PIXELS // 1_000_000} million pixels in its {scans} scans")


def count_scans(content: bytes) -> int:
    """Return the number of scans of a JPEG."""
    scans, position, marker = 0, 2, JPEG_MARKER
    while found := marker.search(content, position):
        code, position, marker = found[1][0], found.end(), JPEG_MARKER
        if code == JPEG_END:
            break
        if code in JPEG_ALONE:
            continue
        position += int.from_bytes(content[position : position + 2], "big")
        if code == JPEG_SCAN:
            scans, marker = scans + 1, JPEG_MARKER_AFTER_SCAN
    return scans


def require_png_end(source: IO[bytes]) -> None:
    """Raise ValueError unless the PNG has its last chunk, which decoders do not require."""
    source.seek(8)
    name = b""
    while name != b"IEND":
        length, name = int.from_bytes(read_exactly(source, 4), "big"), read_exactly(source, 4)
        source.seek(length, 1)
        read_exactly(source, 4)


def _strip_metadata(picture: Image.Image) -> Image.Image:
    turn = TURNS.get(_read_orientation(picture))
    profile = picture.info.get("icc_profile")
    upright = picture.transpose(turn) if turn is not None else picture
    upright.info = {name: value for name, value in picture.info.items() if name == "transparency"}
    return _convert_to_srgb(upright, profile)


def _read_orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except (*BROKEN, *BROKEN_FURTHER):
        return 1


def _convert_to_srgb(picture: Image.Image, profile: Any) -> Image.Image:
    if not isinstance(profile, bytes) or len(profile) > MAX_ICC_BYTES or picture.mode not in ("RGB", "RGBA"):
        return picture
    if b"sRGB" in profile[:4096] or b"s\0R\0G\0B" in profile[:4096]:
        return picture
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), inPlace=True)
    except (ImageCms.PyCMSError, OSError, ValueError):
        pass  # the colours stay as they are
    picture.info.pop("icc_profile", None)
    return picture


def _save_copy(picture: Image.Image, kind: Kind, target: IO[bytes], *, is_lossless: bool) -> None:
    if kind in (JPEG, HEIC, AVIF):
        _flatten_on_white(picture).save(target, "JPEG", quality=88)
    elif kind is PNG:
        # A third of the default's time, slightly larger files.
        picture.save(target, "PNG", compress_level=3)
    elif is_lossless:
        picture.save(target, "WEBP", lossless=True, quality=20, method=0)
    else:
        picture.save(target, "WEBP", quality=88, method=2)


def _has_lossless_webp(source: IO[bytes], within: int) -> bool:
    source.seek(0)
    return b"VP8L" in source.read(within)


def _flatten_on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in ("L", "RGB"):
        return picture
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layered = picture.convert("RGBA")
    page = Image.new("RGB", layered.size, "white")
    page.paste(layered, mask=layered.getchannel("A"))
    return page


def make_thumbnail(source: IO[bytes], target: IO[bytes]) -> Size:
    """Write a WebP of at most 320 × 320 pixels and return the full size. Raises Damaged."""
    try:
        source.seek(0)
        with Image.open(source, formats=("JPEG", "PNG", "WEBP", "GIF")) as picture:
            size = Size(*picture.size)
            picture.draft("RGB", (THUMBNAIL_SIDE * 2, THUMBNAIL_SIDE * 2))
            small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except (MemoryError, *BROKEN, *BROKEN_FURTHER) as error:
        raise Damaged(repr(error)) from error
    small.info = {}
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    small.save(target, "WEBP", quality=80, method=4)
    return size
