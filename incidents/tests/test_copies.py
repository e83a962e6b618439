"""What copies of pictures and texts hold, and what they do not."""

import io
import unittest
from typing import Any
from unittest import mock

from django.test import SimpleTestCase
from PIL import Image

from incidents.attachments import Checked, animations, pictures
from incidents.attachments.kinds import WEBP
from incidents.tests.files import (
    FINDINGS,
    IMAGES,
    LATITUDE,
    NO_IMAGES,
    REAL_FILES,
    SCRIPT,
    after_bitstreams,
    after_pixels,
    animation,
    blocks,
    in_frames,
    inspected,
    located_picture,
    picture,
    png_chunk,
    with_blocks,
    zip_file,
)


def copy_of(checked: Checked) -> bytes:
    assert checked.copy is not None
    checked.copy.seek(0)
    return checked.copy.read()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


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
