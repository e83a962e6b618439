"""Pictures are decoded in processes of their own, which are bounded, few and short-lived."""

import io
import os
import threading
import time
from typing import Any
from unittest import mock

from django.test import SimpleTestCase, override_settings

from core.errors import Busy
from incidents.attachments import decoders
from incidents.attachments.kinds import JPEG, Bomb, Damaged, Size
from incidents.tests.files import picture


class FullDisk(io.BytesIO):
    """A target that takes nothing."""

    def write(self, content: Any) -> int:
        raise OSError(28, "No space left on device")


class DecodersTests(SimpleTestCase):
    """The pool, with a program that misbehaves on purpose."""

    def setUp(self) -> None:
        self.enterContext(mock.patch.object(decoders, "PROGRAM", "incidents.tests.misbehaving_decoder"))
        self.pool = decoders.Pool()
        self.enterContext(mock.patch.object(decoders, "pool", self.pool))
        self.addCleanup(self.pool.close)

    def decode(self, what: str, target: Any = None) -> Size:
        return decoders.make_copy(io.BytesIO(what.encode()), JPEG, io.BytesIO() if target is None else target)

    def test_it_gets_a_copy_from_another_process_that_is_kept_for_the_next(self) -> None:
        target = io.BytesIO()

        sizes = [self.decode("print", target), self.decode("fine")]

        self.assertEqual(target.getvalue(), b"print" * 100_000)
        self.assertNotEqual(sizes[0].width, os.getpid())
        self.assertEqual(sizes[0].width, sizes[1].width)

    def test_it_tells_it_no_secrets(self) -> None:
        with mock.patch.dict(os.environ, {"SECRET_KEY": "x"}):
            self.assertEqual(self.decode("fine").height, 0)

    def test_it_ends_a_picture_that_takes_too_much(self) -> None:
        cases: dict[str, tuple[type[Exception], str]] = {
            "spin": (Bomb, "seconds"),
            "eat": (Bomb, "memory"),
            "eat unlimited": (Bomb, "memory"),
            "crash": (Damaged, "ended with -6"),
            "exit": (Damaged, "ended with 3"),
        }
        for what, (error, words) in cases.items():
            with self.subTest(what), self.assertRaisesRegex(error, words):
                self.decode(what)
            self.assertEqual(self.pool.idle, [])
        self.assertGreater(self.decode("fine").width, 0)

    def test_it_does_not_blame_the_picture_where_the_machine_is_slow(self) -> None:
        with (
            mock.patch.object(decoders, "WALL_SECONDS", 0.2),
            self.assertLogs("incidents.attachments.decoders", "WARNING"),
            self.assertRaises(Busy),
        ):
            self.decode("sleep")

    def test_it_gives_the_memory_of_a_large_picture_back_at_once(self) -> None:
        self.decode("large")

        self.assertEqual(self.pool.idle, [])

    def test_it_ends_a_process_that_has_nothing_to_do(self) -> None:
        with mock.patch.object(decoders, "IDLE_SECONDS", 0.1):
            self.decode("fine")
            (decoder,) = self.pool.idle
            deadline = time.monotonic() + 20
            while decoder.process.returncode is None and time.monotonic() < deadline:
                time.sleep(0.02)

        self.assertEqual((decoder.process.returncode, self.pool.idle), (0, []))

    def test_it_takes_another_where_one_has_died_meanwhile(self) -> None:
        first = self.decode("fine").width
        self.pool.idle[0].process.kill()
        self.pool.idle[0].process.wait()

        self.assertNotEqual(self.decode("fine").width, first)

    def test_it_keeps_nothing_of_an_answer_that_could_not_be_taken(self) -> None:
        with self.assertRaisesRegex(OSError, "No space left"):
            self.decode("fine", FullDisk())

        self.assertEqual(self.pool.idle, [])
        self.assertGreater(self.decode("fine").width, 0)

    @override_settings(WEB_THREADS=2)
    def test_it_refuses_those_for_whom_no_thread_should_wait(self) -> None:
        pictures = [threading.Thread(target=self.decode_until_killed) for _ in range(2)]
        for thread in pictures:
            thread.start()
        deadline = time.monotonic() + 20
        while self.pool.waiting < 2 and time.monotonic() < deadline:
            time.sleep(0.01)

        with self.assertRaises(Busy) as caught:
            self.decode("fine")

        self.assertIsNotNone(caught.exception.retry_after)
        for thread in pictures:
            thread.join()
        self.assertGreater(self.decode("fine").width, 0)

    def decode_until_killed(self) -> None:
        with self.assertRaises((Bomb, Busy)):
            self.decode("spin")

    def test_it_says_so_where_no_process_can_be_started(self) -> None:
        for how in ({"PROGRAM": "incidents.tests.no_such_program"}, {"BASE": "/no/such/folder"}):
            with (
                self.subTest(how),
                mock.patch.multiple(decoders, **how),
                self.assertLogs("incidents.attachments.decoders", "ERROR"),
                self.assertRaises(Busy),
            ):
                self.decode("fine")


class ProgramTests(SimpleTestCase):
    """The real program."""

    def test_it_copies_a_picture_that_begins_later(self) -> None:
        target = io.BytesIO()

        size = decoders.make_copy(io.BytesIO(b"\r\n\r\n" + picture()), JPEG, target, start=4)

        self.assertEqual((size, target.getvalue()[:2]), (Size(60, 40), b"\xff\xd8"))

    def test_it_makes_thumbnails(self) -> None:
        target = io.BytesIO()

        size = decoders.make_thumbnail(io.BytesIO(picture("PNG", (640, 320))), target)

        self.assertEqual((size, target.getvalue()[8:12]), (Size(640, 320), b"WEBP"))

    def test_it_passes_verdicts_on(self) -> None:
        with self.assertRaises(Damaged):
            decoders.make_copy(io.BytesIO(picture()[:200]), JPEG, io.BytesIO())
        with self.assertRaisesRegex(Bomb, "50 million pixels"):
            decoders.make_copy(io.BytesIO(picture("JPEG", (8000, 7000), mode="L")), JPEG, io.BytesIO())
