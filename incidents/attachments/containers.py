"""Copies of animations without what surrounds the pictures: block by block, so that no frame loses quality.

Everything that is not needed to show the animation is left out: comments, XMP, EXIF, application data, and whatever
follows the end of the file. All functions raise ValueError where the file breaks off or breaks its format.
"""

from typing import IO

# GIF89a specification (CompuServe, 1990), sections 18–27.
GIF_EXTENSION, GIF_IMAGE, GIF_TRAILER = 0x21, 0x2C, 0x3B
GIF_GRAPHIC_CONTROL, GIF_APPLICATION = 0xF9, 0xFF
LOOPING = (b"NETSCAPE2.0", b"ANIMEXTS1.0")

# WebP container specification (RFC 9649, section 2.7).
WEBP_KEPT = frozenset({b"VP8X", b"ANIM", b"ANMF", b"VP8 ", b"VP8L", b"ALPH"})
WEBP_FLAGS_KEPT = 0x12  # alpha and animation; ICC profile, EXIF and XMP are left out


def copy_gif(source: IO[bytes], target: IO[bytes]) -> None:
    """Copy a GIF with its frames, timing and looping, and nothing else."""
    source.seek(0)
    header = _take(source, 13)
    target.write(header + _take(source, _colours(header[10])))
    while (block := _take(source, 1)[0]) != GIF_TRAILER:
        if block == GIF_IMAGE:
            descriptor = _take(source, 9)
            target.write(bytes([block]) + descriptor + _take(source, _colours(descriptor[8])) + _take(source, 1))
            _copy_sub_blocks(source, target)
        elif block == GIF_EXTENSION:
            _copy_extension(source, target)
        else:
            raise ValueError("unknown block")
    target.write(bytes([GIF_TRAILER]))


def _colours(flags: int) -> int:
    """Bytes of the colour table that the flags announce."""
    return 3 << ((flags & 0x07) + 1) if flags & 0x80 else 0


def _copy_extension(source: IO[bytes], target: IO[bytes]) -> None:
    label = _take(source, 1)[0]
    length = _take(source, 1)
    first = _take(source, length[0])
    is_kept = label == GIF_GRAPHIC_CONTROL or (label == GIF_APPLICATION and first in LOOPING)
    if is_kept:
        target.write(bytes([GIF_EXTENSION, label]) + length + first)
    if length[0]:
        _copy_sub_blocks(source, target if is_kept else None)


def _copy_sub_blocks(source: IO[bytes], target: IO[bytes] | None) -> None:
    length = b"\xff"
    while length[0]:
        length = _take(source, 1)
        block = _take(source, length[0])
        if target is not None:
            target.write(length + block)


def copy_webp(source: IO[bytes], target: IO[bytes]) -> None:
    """Copy an animated WebP with its frames, timing and looping, and nothing else."""
    source.seek(0)
    header = _take(source, 12)
    end = 8 + int.from_bytes(header[4:8], "little")
    target.write(header)
    while source.tell() < end:
        name, length = _take(source, 4), int.from_bytes(_take(source, 4), "little")
        if name in WEBP_KEPT:
            _copy_chunk(source, target, name, length)
        else:
            source.seek(length + length % 2, 1)
    size = target.tell()
    target.seek(4)
    target.write((size - 8).to_bytes(4, "little"))
    target.seek(size)


def _copy_chunk(source: IO[bytes], target: IO[bytes], name: bytes, length: int) -> None:
    content = _take(source, length)
    if name == b"VP8X":
        content = bytes([content[0] & WEBP_FLAGS_KEPT]) + content[1:]
    target.write(name + length.to_bytes(4, "little") + content)
    if length % 2:
        _take(source, 1)
        target.write(b"\0")


def require_png_end(source: IO[bytes]) -> None:
    """Raise ValueError unless the PNG goes on to its last chunk (PNG specification, 11.2.5); decoders do not mind."""
    source.seek(8)
    name = b""
    while name != b"IEND":
        length, name = int.from_bytes(_take(source, 4), "big"), _take(source, 4)
        source.seek(length, 1)
        _take(source, 4)


def _take(source: IO[bytes], length: int) -> bytes:
    content = source.read(length)
    if len(content) < length:
        raise ValueError("the file breaks off")
    return content
