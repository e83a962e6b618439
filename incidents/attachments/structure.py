"""What a picture's file consists of, read without decoding it. All functions raise ValueError where it breaks off."""

import re
from typing import IO

# ITU-T T.81, annex B: markers that stand alone, and those after which compressed data follow.
JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
JPEG_END, JPEG_SCAN = 0xD9, 0xDA
JPEG_MARKER = re.compile(rb"\xff+([^\x00\xff])")
JPEG_MARKER_AFTER_SCAN = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")


def count_scans(content: bytes) -> int:
    """How many scans a JPEG has: each passes over the whole picture, however little it says."""
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
    """Raise ValueError unless the PNG goes on to its last chunk (PNG specification, 11.2.5); decoders do not mind."""
    source.seek(8)
    name = b""
    while name != b"IEND":
        length, name = int.from_bytes(taken(source, 4), "big"), taken(source, 4)
        source.seek(length, 1)
        taken(source, 4)


def taken(source: IO[bytes], length: int) -> bytes:
    """The next bytes, all of them."""
    content = source.read(length)
    if len(content) < length:
        raise ValueError("the file breaks off")
    return content
