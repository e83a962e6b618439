"""What files are accepted, and what is made of them."""

import io
import random
import unittest
from typing import Any
from unittest import mock

from django.test import SimpleTestCase, override_settings
from PIL import Image

from incident_response.exceptions import DomainError
from incidents.attachments import Checked, animations, inspect, pictures
from incidents.attachments.kinds import GIF, WEBP
from incidents.attachments.names import clean_name, served_name
from incidents.tests.files import (
    FINDINGS,
    IMAGES,
    LATITUDE,
    NO_IMAGES,
    PDF,
    SCRIPT,
    SVG,
    after_bitstreams,
    after_pixels,
    animation,
    blocks,
    in_frames,
    located_picture,
    picture,
    png_bomb,
    png_chunk,
    png_text_bomb,
    scans_bomb,
    upload,
    with_blocks,
    zip_file,
)

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
GRID = b"name,severity,count\ndb,high,3\nweb,low,1\n"


def inspected(content: bytes, name: str = "file.bin") -> Checked:
    (checked,) = inspect([upload(content, name)])
    return checked


def copy_of(checked: Checked) -> bytes:
    assert checked.copy is not None
    checked.copy.seek(0)
    return checked.copy.read()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


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
        content = small[:-1] + 5 * large[13 + animations._colours(large[10]) : -1] + b";"
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
            with self.assertRaisesMessage(DomainError, "3 files came at once; send at most 2 in one request."):
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


class CopyTests(SimpleTestCase):
    """What everybody gets to see."""

    def test_it_leaves_out_position_and_description_and_turns_upright(self) -> None:
        for form, served in (("JPEG", "JPEG"), ("PNG", "PNG"), ("WEBP", "WEBP"), ("AVIF", "JPEG")):
            with self.subTest(form):
                content = located_picture(form)
                self.assertIn(LATITUDE.encode(), content)

                checked = inspected(content)

                copy = copy_of(checked)
                self.assertNotIn(LATITUDE.encode(), copy)
                self.assertNotIn(b"Exif", copy)
                self.assertEqual(dict(opened(copy).getexif()), {})
                self.assertEqual(opened(copy).format, served)
                self.assertEqual((checked.width, checked.height), (40, 60))
                self.assertEqual(opened(copy).size, (40, 60))
                red, _, blue = opened(copy).convert("RGB").getpixel((20, 10))
                self.assertGreater(red, blue)

    def test_it_leaves_out_the_position_in_heic(self) -> None:
        copy = copy_of(inspected(located_picture("HEIF", orientation=1)))

        self.assertNotIn(LATITUDE.encode(), copy)
        self.assertEqual(opened(copy).format, "JPEG")

    @unittest.skipUnless(IMAGES.is_dir(), NO_IMAGES)
    def test_it_leaves_no_metadata_in_real_pictures(self) -> None:
        accepted = [name for name, (first, *_) in REAL_FILES.items() if isinstance(first, str)]
        for name in accepted:
            with self.subTest(name):
                copy = copy_of(inspected((IMAGES / name).read_bytes()))

                image = opened(copy)
                self.assertEqual(dict(image.getexif()), {})
                self.assertFalse({"exif", "xmp", "icc_profile", "comment", "photoshop"} & set(image.info))
                for trace in (b"Exif\0", b"http://ns.adobe.com", b"ICC_PROFILE", b"Nikon", b"NIKON", b"Photoshop"):
                    self.assertNotIn(trace, copy)

    @unittest.skipUnless(IMAGES.is_dir(), NO_IMAGES)
    def test_it_turns_real_pictures_upright(self) -> None:
        # Their stored forms lie on their sides.
        for name, size in (("landscape_6.jpg", (600, 450)), ("portrait_8.jpg", (450, 600))):
            with self.subTest(name):
                self.assertEqual(opened(copy_of(inspected((IMAGES / name).read_bytes()))).size, size)

    def test_it_turns_all_eight_orientations(self) -> None:
        upright = opened(picture("PNG")).convert("RGB")
        undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transposition that makes the stored form
        for orientation, method in undo.items():
            with self.subTest(orientation):
                exif = Image.Exif()
                exif[0x0112] = orientation
                stream = io.BytesIO()
                upright.transpose(Image.Transpose(method)).save(stream, "PNG", exif=exif.tobytes())

                copy = opened(copy_of(inspected(stream.getvalue())))

                self.assertEqual(copy.convert("RGB").tobytes(), upright.tobytes())

    def test_it_keeps_animations_and_drops_what_they_carry(self) -> None:
        secret = b"taken at 51.477N"
        cases = {
            "GIF": animation("GIF", comment=secret) + zip_file(),
            "WEBP": animation("WEBP", xmp=secret, exif=b"Exif\0\0" + secret) + zip_file(),
        }
        for form, content in cases.items():
            with self.subTest(form):
                self.assertIn(secret, content)

                copy = copy_of(inspected(content))

                image = opened(copy)
                self.assertEqual((image.format, image.n_frames, image.info["loop"]), (form, 3, 0))
                image.seek(1)
                image.load()
                self.assertEqual(image.info["duration"], 80)
                self.assertNotIn(secret, copy)
                self.assertNotIn(b"payload.jar", copy)

    def test_it_drops_what_hides_within_animations(self) -> None:
        secret = b"taken at 51.477N"
        gif, webp = animation("GIF"), animation("WEBP")
        cases = {
            "GIF, in comments": with_blocks(gif, b"\x21\xfe" + blocks(secret)),
            "GIF, in an application's extension": with_blocks(gif, b"\x21\xff\x0bXMP DataXMP" + blocks(secret)),
            "GIF, in plain text": with_blocks(gif, b"\x21\x01\x0c" + bytes(12) + blocks(secret)),
            "GIF, after how often it loops": with_blocks(gif, b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0" + blocks(secret)),
            "GIF, after how long a frame is shown": with_blocks(gif, b"\x21\xf9\x04\0\0\0\0" + blocks(secret)),
            "GIF, after the end of the pixels": after_pixels(gif, secret),
            "GIF, after its end": gif + secret,
            "WebP, beside the pixels of a frame": in_frames(webp, b"EXIF", secret),
            "WebP, unknown chunks of a frame": in_frames(webp, b"abcd", secret),
            "WebP, after the pixels of a frame": after_bitstreams(webp, secret),
            "WebP, after its end": webp + secret,
        }
        for case, content in cases.items():
            with self.subTest(case):
                self.assertIn(secret, content)

                copy = copy_of(inspected(content))

                self.assertNotIn(secret, copy)
                self.assertEqual(opened(copy).n_frames, 3)
                small = io.BytesIO()
                pictures.make_thumbnail(io.BytesIO(copy), small)
                self.assertNotIn(secret, small.getvalue())

    @unittest.skipUnless(FINDINGS.is_dir(), f"{FINDINGS} is not there")
    def test_it_drops_what_hid_within_animations(self) -> None:
        hidden = {"animated_nested_exif.webp": b"SECRETNEST", "gif_text_after_lzw_end.gif": b"SECRETLZWT"}
        for name, secret in hidden.items():
            with self.subTest(name):
                content = (FINDINGS / name).read_bytes()
                self.assertIn(secret, content)

                copy = copy_of(inspected(content))

                self.assertNotIn(secret, copy)
                self.assertEqual(opened(copy).n_frames, opened(content).n_frames)

    def test_it_loses_nothing_of_a_gifs_pixels_and_timing(self) -> None:
        noise = [Image.effect_noise((61, 33), 90).convert("RGB").quantize(number) for number in (2, 16, 200)]
        stream = io.BytesIO()
        options: Any = {"duration": [40, 80, 120], "loop": 3, "disposal": 2, "transparency": 1}
        noise[0].save(stream, "GIF", save_all=True, append_images=noise[1:], **options)
        for case, content in {"plain": stream.getvalue(), "interlaced": picture("GIF", (64, 64), interlace=1)}.items():
            with self.subTest(case):
                before = opened(content)
                after = opened(copy_of(inspected(content)))

                self.assertEqual((before.n_frames, before.info.get("loop")), (after.n_frames, after.info.get("loop")))
                for number in range(before.n_frames):
                    before.seek(number)
                    after.seek(number)
                    self.assertEqual(before.convert("RGBA").tobytes(), after.convert("RGBA").tobytes())
                    self.assertEqual(before.info.get("duration"), after.info.get("duration"))

    def test_it_shows_a_very_long_webp_as_its_first_frame(self) -> None:
        stream = io.BytesIO()
        with mock.patch.object(animations, "MAX_WEBP_ANIMATION_PIXELS", 20 * 10 * 2):
            pictures.make_copy(io.BytesIO(animation("WEBP")), WEBP, stream)

        self.assertEqual(getattr(opened(stream.getvalue()), "n_frames", 1), 1)

    def test_it_leaves_no_text_of_any_still_picture(self) -> None:
        secret = b"taken at 51.477N"
        png = picture("PNG")
        stream = io.BytesIO()
        Image.new("RGB", (20, 10), "red").save(
            stream, "PNG", save_all=True, append_images=[Image.new("RGB", (20, 10), "blue")], duration=80
        )
        jpeg = picture("JPEG")
        segment = lambda code, text: b"\xff" + bytes([code]) + (len(text) + 2).to_bytes(2, "big") + text  # noqa: E731
        cases = {
            "PNG, text": png[:33] + png_chunk(b"tEXt", b"Comment\0" + secret) + png[33:],
            "PNG, international text": png[:33]
            + png_chunk(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + secret)
            + png[33:],
            "PNG, EXIF": png[:33] + png_chunk(b"eXIf", b"II*\0" + secret) + png[33:],
            "PNG, private": png[:33] + png_chunk(b"prVt", secret) + png[33:],
            "PNG, animated": stream.getvalue()[:33] + png_chunk(b"tEXt", b"a\0" + secret) + stream.getvalue()[33:],
            "JPEG, application's": jpeg[:2] + segment(0xE4, secret) + jpeg[2:],
            "JPEG, Photoshop's": jpeg[:2] + segment(0xED, b"Photoshop 3.0\08BIM" + secret) + jpeg[2:],
            "JPEG, index of pictures": jpeg[:2] + segment(0xE2, b"MPF\0" + secret) + jpeg[2:],
            "JPEG, comment": jpeg[:2] + segment(0xFE, secret) + jpeg[2:],
            "WebP, XMP": picture("WEBP", xmp=secret),
            "HEIC, XMP": picture("HEIF", xmp=secret),
            "AVIF, XMP": picture("AVIF", xmp=secret),
        }
        for case, content in cases.items():
            with self.subTest(case):
                self.assertIn(secret, content)

                self.assertNotIn(secret, copy_of(inspected(content)))

    def test_it_keeps_transparency(self) -> None:
        stream = io.BytesIO()
        Image.new("RGBA", (10, 10), (255, 0, 0, 0)).save(stream, "PNG")

        copy = opened(copy_of(inspected(stream.getvalue())))

        self.assertEqual(copy.getpixel((5, 5))[3], 0)

    def test_it_takes_pictures_of_every_mode(self) -> None:
        for form, mode in (("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "1"), ("PNG", "P"), ("PNG", "LA"), ("PNG", "I;16")):
            with self.subTest(form, mode=mode):
                image = Image.new(mode, (30, 20))
                stream = io.BytesIO()
                image.save(stream, form)

                self.assertEqual(opened(copy_of(inspected(stream.getvalue()))).size, (30, 20))

    def test_it_disarms_files_that_are_two_things_at_once(self) -> None:
        jar = zip_file("Evil.class")
        cases = {
            "JPEG and HTML in a comment": picture("JPEG", comment=SCRIPT),
            "JPEG and HTML behind": picture("JPEG") + SCRIPT,
            "JPEG and ZIP": picture("JPEG") + jar,
            "PNG and HTML behind": picture("PNG") + SCRIPT,
            "GIF and JAR": picture("GIF") + jar,
            "GIF with a comment": picture("GIF", comment=SCRIPT),
            "WebP and JAR": picture("WEBP") + jar,
        }
        for case, content in cases.items():
            with self.subTest(case):
                copy = copy_of(inspected(content))

                self.assertNotIn(b"script", copy)
                self.assertNotIn(b"Evil.class", copy)

    def test_it_makes_small_thumbnails(self) -> None:
        cases = {
            "JPEG": (picture("JPEG", (1600, 800)), (320, 160)),
            "PNG": (picture("PNG", (100, 1000), "P"), (32, 320)),
            "GIF": (animation("GIF", size=(640, 640)), (320, 320)),
            "small": (picture("WEBP", (10, 5)), (10, 5)),
        }
        for case, (content, size) in cases.items():
            with self.subTest(case):
                target = io.BytesIO()

                pictures.make_thumbnail(io.BytesIO(content), target)

                self.assertEqual((opened(target.getvalue()).format, opened(target.getvalue()).size), ("WEBP", size))


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
