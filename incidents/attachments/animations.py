"""Copies of animations that hold their pictures, their timing and their looping, and nothing else.

Every frame is unpacked and packed anew, so that neither comments, application data and metadata remain, nor bytes that
follow the end of a frame's own data or of the file. A GIF loses nothing by it. All functions raise ValueError where the
file breaks off or breaks its format, and Bomb where it unpacks to too much.
"""

import io
from dataclasses import dataclass
from typing import IO

from PIL import Image

from incidents.attachments.structure import taken
from incidents.attachments.verdicts import MAX_FRAME_PIXELS, MAX_FRAMES, MAX_PIXELS, Bomb, Damaged, Size

# GIF89a specification (CompuServe, 1990), sections 18–27.
PADDING, EXTENSION, IMAGE, TRAILER = 0x00, 0x21, 0x2C, 0x3B
GRAPHIC_CONTROL, APPLICATION = 0xF9, 0xFF
LOOPING = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
INTERLACED = 0x40
GREYS = bytes(level for level in range(256) for _ in range(3))  # a palette by which each pixel's index is its grey

MAX_WEBP_ANIMATION_PIXELS = 60_000_000  # packing takes ten times as long as unpacking


class Budget:
    """What an animation may still unpack to."""

    def __init__(self) -> None:
        self.frames = MAX_FRAMES
        self.pixels = MAX_FRAME_PIXELS

    def take(self, pixels: int) -> None:
        """Count a frame; raises Bomb where it is one too many."""
        self.frames -= 1
        self.pixels -= pixels
        if self.frames < 0:
            raise Bomb(f"{MAX_FRAMES:,} frames")
        if self.pixels < 0:
            raise Bomb(f"{MAX_FRAME_PIXELS // 1_000_000} million pixels in its frames")


@dataclass(frozen=True)
class Frame:
    """An image block of a GIF: where it lies, its own colours, and its packed data."""

    place: bytes  # left, top
    width: int
    height: int
    flags: int
    colours: bytes
    data: bytes

    @classmethod
    def read(cls, source: IO[bytes]) -> "Frame":
        """The image block whose introducer was read."""
        descriptor = taken(source, 9)
        colours = taken(source, _colours(descriptor[8]))
        data = taken(source, 1) + _sub_blocks(source)
        width, height = int.from_bytes(descriptor[4:6], "little"), int.from_bytes(descriptor[6:8], "little")
        return cls(descriptor[:4], width, height, descriptor[8], colours, data)

    def unpacked(self) -> Image.Image:
        """The frame's own pixels, each by its index as a grey."""
        if not self.width or not self.height:
            raise ValueError("a frame without pixels")
        if self.width * self.height > MAX_PIXELS:
            raise Bomb(f"{MAX_PIXELS // 1_000_000} million pixels")
        size = self.width.to_bytes(2, "little") + self.height.to_bytes(2, "little")
        alone = b"GIF89a" + size + b"\xf7\0\0" + GREYS
        alone += bytes([IMAGE]) + bytes(4) + size + bytes([self.flags & INTERLACED]) + self.data + bytes([TRAILER])
        with Image.open(io.BytesIO(alone), formats=("GIF",)) as picture:
            picture.load()
            if picture.mode != "L":
                raise ValueError("a frame that is no list of indices")
            return picture.copy()

    def cleaned(self) -> bytes:
        """The block anew, with its colours and pixels alone."""
        packed = io.BytesIO()
        pixels = self.unpacked()
        pixels.info = {}
        pixels.save(packed, "GIF", optimize=False, interlace=0)
        packed.seek(0)
        return (
            bytes([IMAGE])
            + self.place
            + self._size()
            + bytes([self.flags & ~INTERLACED])
            + self.colours
            + _data_of(packed)
        )

    def _size(self) -> bytes:
        return self.width.to_bytes(2, "little") + self.height.to_bytes(2, "little")


def copy_gif(source: IO[bytes], target: IO[bytes], canvas: Size) -> None:
    """Copy a GIF of this canvas with its frames, timing and looping, and nothing else."""
    source.seek(0)
    header = taken(source, 13)
    target.write(header + taken(source, _colours(header[10])))
    budget, control, is_looping = Budget(), b"", False
    while (block := taken(source, 1)[0]) != TRAILER:
        if block == IMAGE:
            frame = Frame.read(source)
            budget.take(max(canvas.pixels, frame.width * frame.height))  # a frame may be larger than its canvas
            target.write(control + frame.cleaned())
            control = b""
        elif block == EXTENSION:
            label, blocks = taken(source, 1)[0], _sub_blocks(source)
            if label == GRAPHIC_CONTROL:
                control = _control(blocks)
            elif label == APPLICATION and not is_looping and (loop := _loop(blocks)):
                is_looping = True
                target.write(loop)
        elif block != PADDING:
            raise ValueError("unknown block")
    if budget.frames == MAX_FRAMES:
        raise Damaged("no frames")
    target.write(bytes([TRAILER]))


def _data_of(packed: IO[bytes]) -> bytes:
    """The packed data of the only frame of a GIF that Pillow wrote."""
    header = taken(packed, 13)
    taken(packed, _colours(header[10]))
    while (block := taken(packed, 1)[0]) != IMAGE:
        if block != EXTENSION:
            raise ValueError("unknown block")
        taken(packed, 1)
        _sub_blocks(packed)
    return Frame.read(packed).data


def _colours(flags: int) -> int:
    """Bytes of the colour table that the flags announce."""
    return 3 << ((flags & 0x07) + 1) if flags & 0x80 else 0


def _control(blocks: bytes) -> bytes:
    """Timing, disposal and transparency of the next frame: four bytes, whatever came with them."""
    if len(blocks) < 6 or blocks[0] != 4:
        return b""
    return bytes([EXTENSION, GRAPHIC_CONTROL, 4, blocks[1] & 0x1F]) + blocks[2:5] + b"\0"


def _loop(blocks: bytes) -> bytes:
    """How often it is shown: three bytes, whatever came with them; nothing where this says something else."""
    name, rest = blocks[1:12], blocks[12:]
    if blocks[0] != 11 or name not in LOOPING or len(rest) < 4 or rest[0] < 3 or rest[1] != 1:
        return b""
    return bytes([EXTENSION, APPLICATION, 11]) + name + b"\x03\x01" + rest[2:4] + b"\0"


def _sub_blocks(source: IO[bytes]) -> bytes:
    """Sub-blocks as they stand there, with their lengths, up to the empty one that ends them."""
    parts = []
    length = b"\xff"
    while length[0]:
        length = taken(source, 1)
        parts.append(length + taken(source, length[0]))
    return b"".join(parts)


def copy_webp(picture: Image.Image, target: IO[bytes], *, is_lossless: bool) -> None:
    """Copy an animated WebP with its frames, timing and looping; of a very large one, its first frame alone."""
    durations = _durations(picture)
    loop = picture.info.get("loop", 0)
    quality = {"lossless": True, "quality": 20} if is_lossless else {"quality": 80}
    if len(durations) * picture.width * picture.height > MAX_WEBP_ANIMATION_PIXELS:
        picture.seek(0)
        first = picture.copy()
        first.info = {}
        first.save(target, "WEBP", method=0, **quality)
        return
    clear = (0, 0, 0, 0)
    picture.save(
        target,
        "WEBP",
        save_all=True,
        duration=durations,
        loop=loop,
        background=clear,
        method=0,
        icc_profile="",
        **quality,
    )


def _durations(picture: Image.Image) -> list[int]:
    """How long each frame is shown, in milliseconds; each is decoded on the way, and one held at a time."""
    budget, durations = Budget(), []
    try:
        for number in range(MAX_FRAMES + 1):
            picture.seek(number)
            budget.take(picture.width * picture.height)
            picture.load()
            durations.append(int(picture.info.get("duration", 0)))
    except EOFError:
        pass
    return durations
