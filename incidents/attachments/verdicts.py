"""What is said of a picture, on both sides of the pipe: this module knows no decoder."""

from dataclasses import dataclass

MAX_PIXELS = 50_000_000  # a telephone's best camera has 48 million
# WebP's decoder holds the picture several times over; no camera writes it.
MAX_WEBP_PIXELS = 25_000_000
MAX_FRAMES = 1_000
MAX_FRAME_PIXELS = 250_000_000  # all frames of an animation together: at worst some seconds of decoding
CPU_SECONDS = 20  # for one picture: the largest take 3 s on a fast processor
READY = b"ready\n"  # what a decoder says first
THUMBNAIL_MEDIA_TYPE = "image/webp"


class Damaged(ValueError):
    """The picture breaks off, or is not what its first bytes promise."""


class Bomb(ValueError):
    """The picture takes too much once unpacked; the text says more of what, as in "more than …"."""


@dataclass(frozen=True)
class Size:
    """The upright picture's size in pixels."""

    width: int
    height: int

    @property
    def pixels(self) -> int:
        return self.width * self.height
