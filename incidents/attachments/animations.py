"""Copy animations without metadata.

Functions raise ValueError where the file is broken, and Bomb where it unpacks to too much.
"""

import io
from dataclasses import dataclass
from typing import IO

from PIL import Image

from incidents.attachments.kinds import MAX_FRAME_PIXELS, MAX_FRAMES, MAX_PIXELS, Bomb, Damaged, Size

# GIF89a specification (1990), sections 18–27.
PADDING, EXTENSION, IMAGE, TRAILER = 0x00, 0x21, 0x2C, 0x3B
GRAPHIC_CONTROL, APPLICATION = 0xF9, 0xFF
LOOPING = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
INTERLACED = 0x40
GREYS = bytes(level for level in range(256) for _ in range(3))

MAX_WEBP_ANIMATION_PIXELS = 60_000_000  # encoding is ten times slower than decoding


class Budget:
    """What an animation may still unpack to."""

    def __init__(self) -> None:
        self.frames = MAX_FRAMES
        self.pixels = MAX_FRAME_PIXELS

    def count_frame(self, pixels: int) -> None:
        self.frames -= 1
        self.pixels -= pixels
        if self.frames < 0:
            raise Bomb(f"{MAX_FRAMES:,} frames")
        if self.pixels < 0:
            raise Bomb(f"{MAX_FRAME_PIXELS // 1_000_000} million pixels in its frames")


@dataclass(frozen=True)
class Frame:
    """An image block of a GIF."""

    place: bytes  # left, top
    width: int
    height: int
    flags: int
    colours: bytes
    data: bytes

    @classmethod
    def read(cls, source: IO[bytes]) -> "Frame":
        """Read the block after its introducer."""
        descriptor = read_exactly(source, 9)
        colours = read_exactly(source, _colour_table_size(descriptor[8]))
        data = read_exactly(source, 1) + _sub_blocks(source)
        width, height = int.from_bytes(descriptor[4:6], "little"), int.from_bytes(descriptor[6:8], "little")
        return cls(descriptor[:4], width, height, descriptor[8], colours, data)

    def unpack(self) -> Image.Image:
        """Decode the frame, each colour index as a grey."""
        if not self.width or not self.height:
            raise ValueError("a frame without pixels")
        if self.width * self.height > MAX_PIXELS:
            raise Bomb(f"{MAX_PIXELS // 1_000_000} million pixels")
        size = self._size()
        alone = b"GIF89a" + size + b"\xf7\0\0" + GREYS
        alone += bytes([IMAGE]) + bytes(4) + size + bytes([self.flags & INTERLACED]) + self.data + bytes([TRAILER])
        with Image.open(io.BytesIO(alone), formats=("GIF",)) as picture:
            picture.load()
            if picture.mode != "L":
                raise ValueError("a frame that is no list of indices")
            return picture.copy()

    def repack(self) -> bytes:
        """Encode the frame again."""
        packed = io.BytesIO()
        pixels = self.unpack()
        pixels.info = {}
        pixels.save(packed, "GIF", optimize=False, interlace=0)
        packed.seek(0)
        block = bytes([IMAGE]) + self.place + self._size() + bytes([self.flags & ~INTERLACED])
        return block + self.colours + _image_data(packed)

    def _size(self) -> bytes:
        return self.width.to_bytes(2, "little") + self.height.to_bytes(2, "little")


def copy_gif(source: IO[bytes], target: IO[bytes], canvas: Size) -> None:
    """Copy a GIF's frames, timing and looping."""
    source.seek(0)
    header = read_exactly(source, 13)
    target.write(header + read_exactly(source, _colour_table_size(header[10])))
    budget, control, is_looping = Budget(), b"", False
    while (block := read_exactly(source, 1)[0]) != TRAILER:
        if block == IMAGE:
            frame = Frame.read(source)
            budget.count_frame(max(canvas.pixels, frame.width * frame.height))  # a frame may exceed its canvas
            target.write(control + frame.repack())
            control = b""
        elif block == EXTENSION:
            label, blocks = read_exactly(source, 1)[0], _sub_blocks(source)
            if label == GRAPHIC_CONTROL:
                control = _graphic_control(blocks)
            elif label == APPLICATION and not is_looping and (loop := _loop_extension(blocks)):
                is_looping = True
                target.write(loop)
        elif block != PADDING:
            raise ValueError("unknown block")
    if budget.frames == MAX_FRAMES:
        raise Damaged("no frames")
    target.write(bytes([TRAILER]))


def _image_data(packed: IO[bytes]) -> bytes:
    header = read_exactly(packed, 13)
    read_exactly(packed, _colour_table_size(header[10]))
    while (block := read_exactly(packed, 1)[0]) != IMAGE:
        if block != EXTENSION:
            raise ValueError("unknown block")
        read_exactly(packed, 1)
        _sub_blocks(packed)
    return Frame.read(packed).data


def _colour_table_size(flags: int) -> int:
    return 3 << ((flags & 0x07) + 1) if flags & 0x80 else 0


def _graphic_control(blocks: bytes) -> bytes:
    if len(blocks) < 6 or blocks[0] != 4:
        return b""
    return bytes([EXTENSION, GRAPHIC_CONTROL, 4, blocks[1] & 0x1F]) + blocks[2:5] + b"\0"


def _loop_extension(blocks: bytes) -> bytes:
    name, rest = blocks[1:12], blocks[12:]
    if blocks[0] != 11 or name not in LOOPING or len(rest) < 4 or rest[0] < 3 or rest[1] != 1:
        return b""
    return bytes([EXTENSION, APPLICATION, 11]) + name + b"\x03\x01" + rest[2:4] + b"\0"


def _sub_blocks(source: IO[bytes]) -> bytes:
    parts = []
    length = b"\xff"
    while length[0]:
        length = read_exactly(source, 1)
        parts.append(length + read_exactly(source, length[0]))
    return b"".join(parts)


def copy_webp(picture: Image.Image, target: IO[bytes], *, is_lossless: bool) -> None:
    """Copy an animated WebP; only the first frame of a very large one."""
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
    budget, durations = Budget(), []
    try:
        for number in range(MAX_FRAMES + 1):
            picture.seek(number)
            budget.count_frame(picture.width * picture.height)
            picture.load()
            durations.append(int(picture.info.get("duration", 0)))
    except EOFError:
        pass
    return durations


def read_exactly(source: IO[bytes], length: int) -> bytes:
    """Return the next bytes. Raises ValueError where fewer are left."""
    content = source.read(length)
    if len(content) < length:
        raise ValueError("the file breaks off")
    return content
