"""Builders of files for tests, harmless and hostile."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import SimpleTestCase, override_settings
from PIL import Image

import incidents.attachments.pictures  # noqa: F401 (teaches Pillow HEIC)
from incidents.attachments import Checked, inspect

IMAGES = Path(settings.BASE_DIR).parent / "shared" / "data" / "images"
FINDINGS = IMAGES.parent / "hostile-findings"
NO_IMAGES = f"{IMAGES} is not there"
IN_MEMORY = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
FULL = {**IN_MEMORY, "default": {"BACKEND": "incidents.tests.files.FullStorage"}}
ABSENT = {**IN_MEMORY, "default": {"BACKEND": "incidents.tests.files.AbsentStorage"}}
LATITUDE = "51 deg 28 min 38 sec, Greenwich"

# File → media type and upright size, or status and code of the refusal.
REAL_FILES: dict[str, tuple[Any, ...]] = {
    "Canon_40D.jpg": ("image/jpeg", 100, 68),
    "DSCN0010.jpg": ("image/jpeg", 640, 480),
    "DSCN0042.jpg": ("image/jpeg", 640, 480),
    "decompression_bomb.gif": (400, "decompression_bomb"),
    "exif.png": ("image/png", 512, 512),
    "hopper.gif": ("image/gif", 128, 128),
    "hopper.png": ("image/png", 128, 128),
    "hopper.webp": ("image/webp", 128, 128),
    "image01137.jpg": ("image/jpeg", 88, 64),
    "iss634.gif": ("image/gif", 245, 245),
    "landscape_6.jpg": ("image/jpeg", 600, 450),
    "no_exif.jpg": ("image/jpeg", 322, 466),
    "portrait_8.jpg": ("image/jpeg", 450, 600),
    "samplefilehub.heif": ("image/heic", 640, 426),
    "truncated_jpeg.jpg": (400, "damaged_file"),
}


def upload(content: bytes, name: str = "file.bin", media_type: str = "application/octet-stream") -> SimpleUploadedFile:
    """A file as a form brings it."""
    return SimpleUploadedFile(name, content, media_type)


def inspected(content: bytes, name: str = "file.bin") -> Checked:
    """What is made of a file that is accepted."""
    (checked,) = inspect([upload(content, name)])
    return checked


def picture(form: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any) -> bytes:
    """A picture in one of Pillow's formats, red in its left half and blue in its right."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    stream = io.BytesIO()
    image.convert(mode).save(stream, form, **options)
    return stream.getvalue()


def located_picture(form: str = "JPEG", orientation: int = 6, **options: Any) -> bytes:
    """A picture that tells where it was taken, and that it is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = LATITUDE
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (51.0, 28.0, 38.0)
    return picture(form, exif=exif.tobytes(), **options)


def animation(form: str = "GIF", frames: int = 3, size: tuple[int, int] = (20, 10), **options: Any) -> bytes:
    """An animated GIF or WebP whose frames differ."""
    images = [Image.new("RGB", size, (50 * number % 256, 0, 200)) for number in range(frames)]
    stream = io.BytesIO()
    images[0].save(stream, form, save_all=True, append_images=images[1:], duration=80, loop=0, **options)
    return stream.getvalue()


def png_bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """A PNG of a few hundred kilobytes at most that unpacks to gigabytes of black."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        png_chunk(name, content)
        for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1_000_000))), (b"IEND", b""))
    )


def png_text_bomb() -> bytes:
    """A small PNG whose comment unpacks to 100 MB."""
    whole = picture("PNG")
    comment = b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9)
    return whole[:33] + png_chunk(b"zTXt", comment) + whole[33:]


def png_chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def scans_bomb(scans: int = 130, side: int = 7000) -> bytes:
    """A progressive JPEG with many scans, each of which says nothing and passes over all pixels."""
    whole = picture("JPEG", (side, side), progressive=True, quality=20)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * scans + b"\xff\xd9"


def blocks(content: bytes) -> bytes:
    """Content as sub-blocks of a GIF, with their end."""
    return bytes([len(content)]) + content + b"\0"


def with_blocks(gif: bytes, more: bytes) -> bytes:
    """The GIF with further blocks before its first image."""
    start = 13 + (3 << ((gif[10] & 7) + 1) if gif[10] & 0x80 else 0)
    return gif[:start] + more + gif[start:]


def after_pixels(gif: bytes, more: bytes) -> bytes:
    """The GIF with bytes in a sub-block of its own behind its last frame's data."""
    assert gif.endswith(b"\0;")
    return gif[:-2] + blocks(more) + b";"


def in_frames(webp: bytes, name: bytes, more: bytes) -> bytes:
    """The animated WebP with another chunk in each of its frames."""
    return _each_frame(webp, lambda frame: frame + _riff_chunk(name, more))


def after_bitstreams(webp: bytes, more: bytes) -> bytes:
    """The animated WebP with bytes behind the pixels of each frame, within their chunk."""

    def longer(frame: bytes) -> bytes:
        size = int.from_bytes(frame[20:24], "little")
        return frame[:16] + _riff_chunk(frame[16:20], frame[24 : 24 + size] + more)

    return _each_frame(webp, longer)


def _each_frame(webp: bytes, change: Callable[[bytes], bytes]) -> bytes:
    parts, position = [], 12
    while position < len(webp):
        name, size = webp[position : position + 4], int.from_bytes(webp[position + 4 : position + 8], "little")
        content = webp[position + 8 : position + 8 + size]
        parts.append(_riff_chunk(name, change(content) if name == b"ANMF" else content))
        position += 8 + size + size % 2
    return _riff_chunk(b"RIFF", b"WEBP" + b"".join(parts))


def _riff_chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


def zip_file(name: str = "payload.jar", content: bytes = bytes(1_000_000)) -> bytes:
    """A ZIP archive, which a Java virtual machine reads from its end."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    b"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000055 00000 n \n"
    b"trailer<</Size 3/Root 1 0 R>>\nstartxref\n104\n%%EOF\n"
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(document.cookie)</script></svg>'
SCRIPT = b"<script>alert(1)</script>"


class OwnStore(SimpleTestCase):
    """Gives each test an empty store of its own, in memory."""

    def setUp(self) -> None:
        super().setUp()
        override = override_settings(STORAGES=IN_MEMORY)
        override.enable()
        self.addCleanup(override.disable)


class FullStorage(InMemoryStorage):
    """A store that has room for two files; the third write fails half-way."""

    room = 2

    def _save(self, name: str, content: Any) -> str:
        if self.room == 0:
            super()._save(name, ContentFile(b"half"))
            raise OSError(28, "No space left on device")
        self.room -= 1
        return super()._save(name, content)


class AbsentStorage(InMemoryStorage):
    """A store that cannot be reached."""

    def _save(self, name: str, content: Any) -> str:
        raise ConnectionError("no route to host")

    def _open(self, name: str, mode: str = "rb") -> Any:
        raise ConnectionError("no route to host")


def body_of(response: Any) -> bytes:
    """All that was answered."""
    return response.getvalue() if response.streaming else response.content


def stored_files(storage: Any) -> list[str]:
    """The names of all files in a storage."""
    found, folders = [], [""]
    while folders:
        folder = folders.pop()
        try:
            inner, names = storage.listdir(folder)
        except FileNotFoundError:
            continue
        folders += [f"{folder}/{name}".lstrip("/") for name in inner]
        found += [f"{folder}/{name}".lstrip("/") for name in names]
    return found
