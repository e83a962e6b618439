"""What files are accepted, and what is made of them."""

import io
import random
import unittest
from typing import Any
from unittest import mock

from django.test import SimpleTestCase, override_settings
from PIL import Image

from core.errors import DomainError
from incidents.attachments import animations, inspect, pictures
from incidents.attachments.inspecting import clean_name
from incidents.attachments.kinds import GIF, WEBP
from incidents.attachments.serving import served_name
from incidents.tests.files import (
    FINDINGS,
    IMAGES,
    NO_IMAGES,
    PDF,
    REAL_FILES,
    SCRIPT,
    SVG,
    animation,
    inspected,
    located_picture,
    picture,
    png_bomb,
    png_text_bomb,
    scans_bomb,
    upload,
    zip_file,
)

GRID = b"name,severity,count\ndb,high,3\nweb,low,1\n"


def outcome(content: bytes, name: str) -> tuple[Any, ...]:
    try:
        checked = inspected(content, name)
    except DomainError as error:
        assert name in error.message, error.message
        return error.status, error.code
    return checked.kind.media_type, checked.width, checked.height


class AcceptanceTests(SimpleTestCase):
    """Told by content."""

    @unittest.skipUnless(IMAGES.is_dir(), NO_IMAGES)
    def test_it_judges_every_real_picture(self) -> None:
        names = {path.name for path in IMAGES.iterdir()}

        outcomes = {name: outcome((IMAGES / name).read_bytes(), name) for name in names}

        self.assertEqual(outcomes, REAL_FILES)

    def test_it_tells_kinds_by_content_whatever_the_name(self) -> None:
        cases = {
            "image/jpeg": picture("JPEG"),
            "image/png": picture("PNG"),
            "image/webp": picture("WEBP"),
            "image/gif": picture("GIF"),
            "image/heic": picture("HEIF"),
            "image/avif": picture("AVIF"),
            "application/pdf": PDF,
            "application/json": b'{"level": "error"}',
            "text/csv": GRID,
            "text/plain": "2026-11-21 ERROR Speicher 满\n".encode(),
        }
        for media_type, content in cases.items():
            for name in ("wrong.exe", "picture.svg", "no extension"):
                with self.subTest(media_type, name=name):
                    self.assertEqual(inspected(content, name).kind.media_type, media_type)

    def test_it_accepts_text_as_it_occurs(self) -> None:
        cases = {
            "syslog priority": b"<13>Nov 21 08:00:00 host app: hello",
            "terminal colours": b"\x1b[31mERROR\x1b[0m disk full\r\n",
            "byte order mark": b"\xef\xbb\xbfhello",
            "UTF-16": "größe 满\n".encode("utf-16"),
            "end mark of DOS": "größe\r\n".encode("cp850") + b"\x1a",
            "mentions markup": b"GET /?q=<script>alert(1)</script> 200",
            "one character": b"x",
            "broken JSON": b'{"a": ',
            "deep JSON": b"[" * 100_000,
        }
        for case, content in cases.items():
            with self.subTest(case):
                self.assertEqual(inspected(content, "app.log").kind.media_type, "text/plain")

    def test_it_accepts_files_as_lenient_readers_do(self) -> None:
        cases = {
            "newline before a PDF": (b"\n" + PDF, "application/pdf"),
            "printer's language before a PDF": (b"\x1b%-12345X@PJL JOB\r\n" + b"\r\n" * 100 + PDF, "application/pdf"),
            "line ends after a PDF": (PDF + b"\r\n" * 4000, "application/pdf"),
            "newline before a JPEG": (b"\r\n" + picture("JPEG"), "image/jpeg"),
            "mark before a PNG": (b"\xef\xbb\xbf" + picture("PNG"), "image/png"),
            "newline before a WebP": (b"\n\n" + picture("WEBP"), "image/webp"),
            "newline before a GIF": (b"\n" + animation("GIF"), "image/gif"),
            "newline before a HEIC": (b"\n" + picture("HEIF"), "image/heic"),
            "film after a JPEG": (picture("JPEG") + b"\0\0\0\x18ftypmp42" + bytes(5000), "image/jpeg"),
            "trailer of Samsung": (
                picture("JPEG") + b"\0\0\x01\x0aImage_UTC_DataSEFH" + bytes(9) + b"SEFT",
                "image/jpeg",
            ),
            "zeros after a PNG": (picture("PNG") + bytes(3000), "image/png"),
            "mark before JSON": (b'\xef\xbb\xbf{"level": "error"}', "application/json"),
            "mark before CSV": (b"\xef\xbb\xbf" + GRID, "text/csv"),
            "text that speaks of PDF": (b"2026-11-21 the file begins with %PDF-1.4\n", "text/plain"),
        }
        for case, (content, media_type) in cases.items():
            with self.subTest(case):
                checked = inspected(content, "upload.bin")

                self.assertEqual(checked.kind.media_type, media_type)
                self.assertEqual(checked.size, len(content))

    def test_it_refuses_a_pdf_that_is_another_thing_first(self) -> None:
        for case, content in {"ZIP": zip_file(content=b"x") + PDF, "program": b"MZ\x90\0" + bytes(60) + PDF}.items():
            with self.subTest(case):
                self.assertEqual(outcome(content, "invoice.pdf"), (415, "unsupported_media_type"))

    def test_it_refuses_what_is_of_no_accepted_kind(self) -> None:
        cases = {
            "SVG with script": SVG,
            "SVG after a prolog": b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- -->' + SVG,
            "SVG in UTF-16": SVG.decode().encode("utf-16"),
            "HTML": b"  \n<!DOCTYPE html><html>" + SCRIPT,
            "script": SCRIPT,
            "ZIP named .jpg": zip_file(),
            "binary": bytes(range(256)),
            "NUL in text": b"hello\0world",
            "ELF": b"\x7fELF\x02\x01\x01" + bytes(100),
            "BMP": picture("BMP"),
            "TIFF": picture("TIFF"),
            "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n\x04",
            "MP4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(50),
        }
        for case, content in cases.items():
            with self.subTest(case):
                self.assertEqual(outcome(content, "holiday.jpg"), (415, "unsupported_media_type"))

    def test_it_refuses_what_breaks_off(self) -> None:
        noise = Image.effect_noise((200, 200), 80)
        stream = io.BytesIO()
        noise.save(stream, "PNG")
        wholes = {
            "JPEG": picture("JPEG", (400, 400)),
            "PNG": stream.getvalue(),
            "WEBP": picture("WEBP"),
            "GIF": picture("GIF"),
            "animated GIF": animation("GIF"),
            "animated WebP": animation("WEBP"),
            "HEIF": picture("HEIF"),
            "AVIF": picture("AVIF"),
            "PDF": PDF,
        }
        for case, whole in wholes.items():
            for share in (0.5, 0.9):
                with self.subTest(case, share=share):
                    cut = whole[: max(int(len(whole) * share), 64)]
                    self.assertEqual(outcome(cut, "photo.jpg"), (400, "damaged_file"))

    def test_it_misses_the_last_byte_of_a_picture(self) -> None:
        for form in ("JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF"):
            with self.subTest(form):
                self.assertEqual(outcome(picture(form)[:-1], "photo.jpg"), (400, "damaged_file"))

    def test_it_refuses_bombs(self) -> None:
        cases = {
            "huge PNG": png_bomb(),
            "PNG just over the limit": png_bomb(10_000, 5_001),
        }
        for case, content in cases.items():
            with self.subTest(case, bytes=len(content)):
                self.assertEqual(outcome(content, "small.png"), (400, "decompression_bomb"))

    def test_it_refuses_a_comment_that_unpacks_to_gigabytes(self) -> None:
        self.assertEqual(outcome(png_text_bomb(), "small.png"), (400, "damaged_file"))

    def test_it_refuses_animations_without_end(self) -> None:
        for limit, most in (("MAX_FRAMES", 5), ("MAX_FRAME_PIXELS", 5 * 20 * 10)):
            for form, kind in (("GIF", GIF), ("WEBP", WEBP)):
                with self.subTest(limit, form=form), mock.patch.object(animations, limit, most):
                    pictures.make_copy(io.BytesIO(animation(form, frames=5)), kind, io.BytesIO())
                    with self.assertRaises(pictures.Bomb):
                        pictures.make_copy(io.BytesIO(animation(form, frames=6)), kind, io.BytesIO())

    def test_it_counts_frames_that_are_larger_than_their_canvas(self) -> None:
        small, large = animation("GIF", frames=1, size=(2, 2)), animation("GIF", frames=1, size=(50, 50))
        content = small[:-1] + 5 * large[13 + animations._colour_table_size(large[10]) : -1] + b";"
        pictures.make_copy(io.BytesIO(content), GIF, io.BytesIO())

        with mock.patch.object(animations, "MAX_FRAME_PIXELS", 5 * 50 * 50), self.assertRaises(pictures.Bomb):
            pictures.make_copy(io.BytesIO(content), GIF, io.BytesIO())

    def test_it_says_what_a_bomb_unpacks_to(self) -> None:
        for content, most in (
            (png_bomb(), "50 million pixels"),
            (picture("WEBP", (5100, 5000), lossless=True), "25 million pixels"),
            (animation("GIF", frames=1001, size=(2, 2)), "1,000 frames"),
            (scans_bomb(), "600 million pixels in its"),
        ):
            with self.subTest(most), self.assertRaises(DomainError) as caught:
                inspected(content, "small.bin")

            self.assertIn(f"small.bin unpacks to more than {most}", caught.exception.message)
            self.assertEqual((caught.exception.status, caught.exception.code), (400, "decompression_bomb"))

    @unittest.skipUnless(FINDINGS.is_dir(), f"{FINDINGS} is not there")
    def test_it_refuses_a_jpeg_of_a_hundred_scans(self) -> None:
        content = (FINDINGS / "jpeg_130_scans.jpg").read_bytes()

        self.assertEqual(outcome(content, "photo.jpg"), (400, "decompression_bomb"))

    def test_it_takes_progressive_pictures_of_telephones(self) -> None:
        content = picture("JPEG", (8000, 6000), progressive=True)

        self.assertEqual(outcome(content, "photo.jpg"), ("image/jpeg", 8000, 6000))

    def test_it_refuses_empty_files_large_files_and_too_many(self) -> None:
        with override_settings(MAX_ATTACHMENT_BYTES=1000, MAX_ATTACHMENTS=2):
            self.assertEqual(outcome(b"", "nothing.txt"), (400, "empty_file"))
            self.assertEqual(outcome(b"x" * 1001, "long.log"), (413, "too_large"))
            self.assertEqual(outcome(b"x" * 1000, "fits.log"), ("text/plain", None, None))
            with self.assertRaisesMessage(DomainError, "3 files were sent; the limit is 2 per request."):
                inspect([upload(b"x", f"{number}.txt") for number in range(3)])

    def test_it_survives_damage_of_any_kind(self) -> None:
        """Flipped bytes anywhere end in acceptance or a refusal, never in an error of a decoder."""
        dice = random.Random(7)
        wholes = [picture(form) for form in ("JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF")]
        wholes += [animation("GIF"), animation("WEBP"), located_picture("JPEG"), located_picture("PNG")]

        for whole in wholes:
            for _ in range(40):
                content = bytearray(whole)
                for _ in range(dice.randint(1, 6)):
                    content[dice.randrange(12, len(content))] = dice.randrange(256)
                outcome(bytes(content), "damaged.jpg")


class NameTests(SimpleTestCase):
    """Names that cannot hurt."""

    def test_it_cleans_names(self) -> None:
        cases = {
            "../../etc/passwd": "passwd",
            "C:\\Users\\me\\Desktop\\Störung 1.png": "Störung 1.png",
            "満杯 📷.jpg": "満杯 📷.jpg",
            "evil\u202egpj.exe": "evilgpj.exe",
            "C:\\fakepath\\photo.jpg": "photo.jpg",
            "\\\\server\\share\\app.log": "app.log",
            "....": "file",
            ". . .": "file",
            "\u200d\u2060\u00ad": "file",
            "tag\U000e0041ged\u2060.txt": "tagged.txt",
            "\u0301": "file",
            "می\u200cخواهم.txt": "می\u200cخواهم.txt",
            "a\0b\r\nSet-Cookie: x\x7f.txt": "ab Set-Cookie: x.txt",
            "..": "file",
            "": "file",
            "   ": "file",
            ".htaccess": "htaccess",
            "trailing. . ": "trailing",
            "half\ud800.txt": "half.txt",
            "e\u0301.txt": "é.txt",
        }
        for raw, clean in cases.items():
            with self.subTest(repr(raw)):
                self.assertEqual(clean_name(raw), clean)

    def test_it_shortens_names_and_keeps_their_extension(self) -> None:
        name = clean_name("界" * 300 + ".jpeg")

        self.assertEqual((len(name), name[-6:]), (200, "界.jpeg"))
        self.assertEqual(len(clean_name("x" * 300)), 200)

    def test_it_serves_names_that_fit_the_content(self) -> None:
        cases = {
            ("photo.heic", "image/jpeg"): "photo.heic.jpg",
            ("photo.JPG", "image/jpeg"): "photo.JPG",
            ("report.html", "text/plain; charset=utf-8"): "report.html.txt",
            ("run.bat", "text/plain; charset=utf-8"): "run.bat.txt",
            ("app.log", "text/plain; charset=utf-8"): "app.log",
            ("photo.heic", "image/heic"): "photo.heic",
            ("README", "application/pdf"): "README.pdf",
        }
        for (name, media_type), served in cases.items():
            with self.subTest(name, media_type=media_type):
                self.assertEqual(served_name(name, media_type), served)
