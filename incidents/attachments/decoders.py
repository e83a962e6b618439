"""Have pictures decoded by a few processes, so that a hostile one harms neither this process's memory nor its lock.

They are started afresh, never forked, which is safe beside threads, and get none of the server's secrets.
"""

import atexit
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import Busy
from incidents.attachments.kinds import CPU_SECONDS, READY, Bomb, Damaged, Kind, Size

log = structlog.get_logger(__name__)

PROGRAM = "incidents.attachments.decoder"
PROCESSES = 2  # per process of ours
START_SECONDS = 30.0
WALL_SECONDS = 60.0  # per picture on a busy machine; processor time is limited more tightly
WAIT_SECONDS = 20.0  # for a free process
IDLE_SECONDS = 30.0
END_SECONDS = 2.0
# What the program needs of our environment; no secrets.
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
BASE = Path(__file__).resolve().parents[2]


def make_copy(source: IO[bytes], kind: Kind, target: IO[bytes], *, start: int = 0) -> Size:
    """Write a copy that is safe to serve of the picture that begins at `start`.

    Raises Damaged, Bomb, Busy when the decoders are overloaded, and OSError where `target` cannot be written.
    """
    return pool.run({"act": "copy", "media_type": kind.media_type}, source, start, target)


def make_thumbnail(source: IO[bytes], target: IO[bytes]) -> Size:
    """Write a thumbnail of a served copy and return that copy's size. Raises what `make_copy` does."""
    return pool.run({"act": "thumbnail"}, source, 0, target)


class DecoderEnded(Exception):
    """The process ended before it answered."""


class Decoder:
    """A process and the pipes to it."""

    def __init__(self) -> None:
        self.is_late = False
        self.idle_since = 0.0
        self.process = subprocess.Popen(  # noqa: S603 (our own program)
            [sys.executable, "-m", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=BASE,
            env={"MALLOC_ARENA_MAX": "1", **{name: os.environ[name] for name in KEPT if name in os.environ}},
            start_new_session=True,
        )
        assert self.process.stdin is not None and self.process.stdout is not None  # noqa: S101 (both are pipes)
        self.orders, self.answers = self.process.stdin, self.process.stdout
        with self._kill_after(START_SECONDS):
            if self.answers.readline() != READY:
                self.end()
                log.error("decoder_not_started", exit_code=self.process.returncode)
                raise _busy()

    def run_order(self, order: dict[str, Any], source: IO[bytes], start: int, target: IO[bytes]) -> dict[str, Any]:
        """Send an order and write the copy to `target`. Raises DecoderEnded, and what `target` raises."""
        size = source.seek(0, os.SEEK_END) - start
        source.seek(start)
        with self._kill_after(WALL_SECONDS):
            try:
                self.orders.write(json.dumps({**order, "size": size}).encode() + b"\n")
                shutil.copyfileobj(source, self.orders)
                self.orders.flush()
            except BrokenPipeError as error:
                raise DecoderEnded from error
            line = self.answers.readline()
            if not line.endswith(b"\n"):
                raise DecoderEnded
            answer: dict[str, Any] = json.loads(line)
            left = answer["size"]
            while left:
                if not (chunk := self.answers.read(min(left, 256 * 1024))):
                    raise DecoderEnded
                target.write(chunk)
                left -= len(chunk)
        return answer

    @contextlib.contextmanager
    def _kill_after(self, seconds: float) -> Iterator[None]:
        """Kill the process when the block takes longer."""
        timer = threading.Timer(seconds, self._kill_late)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _kill_late(self) -> None:
        self.is_late = True
        self.process.kill()

    def end(self) -> int:
        """End the process and return its exit code."""
        with contextlib.suppress(BrokenPipeError):
            self.orders.close()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.answers.close()
        return self.process.returncode


class Pool:
    """The processes, and the threads that wait for one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.free = threading.BoundedSemaphore(PROCESSES)
        self.waiting = 0
        self.idle: list[Decoder] = []
        self.reaper: threading.Timer | None = None

    def run(self, order: dict[str, Any], source: IO[bytes], start: int, target: IO[bytes]) -> Size:
        """Run an order in a free process."""
        with self._wait_for_turn():
            decoder = self._acquire_decoder()
            is_kept = False
            try:
                answer = decoder.run_order(order, source, start, target)
                is_kept = not answer["is_last"]
            except DecoderEnded as error:
                raise _error_after_end(decoder) from error
            finally:
                if is_kept:
                    decoder.idle_since = time.monotonic()
                    with self.lock:
                        self.idle.append(decoder)
                        if self.reaper is None:
                            self._schedule_reaper()
                else:
                    decoder.end()
        if "bomb" in answer:
            raise Bomb(answer["bomb"])
        if "damaged" in answer:
            raise Damaged(answer["damaged"])
        return Size(answer["width"], answer["height"])

    @contextlib.contextmanager
    def _wait_for_turn(self) -> Iterator[None]:
        with self.lock:
            if self.waiting >= max(PROCESSES, settings.WEB_THREADS * 3 // 4):
                raise _busy()
            self.waiting += 1
        try:
            if not self.free.acquire(timeout=WAIT_SECONDS):
                raise _busy()
            try:
                yield
            finally:
                self.free.release()
        finally:
            with self.lock:
                self.waiting -= 1

    def _acquire_decoder(self) -> Decoder:
        with self.lock:
            while self.idle:
                decoder = self.idle.pop()
                if decoder.process.poll() is None:
                    return decoder
                decoder.end()
        try:
            return Decoder()
        except OSError as error:
            log.error("decoder_not_started", error=repr(error))
            raise _busy() from error

    def _schedule_reaper(self) -> None:
        if self.reaper is None and self.idle:
            self.reaper = threading.Timer(IDLE_SECONDS, self._end_idle_decoders)
            self.reaper.daemon = True
            self.reaper.start()

    def _end_idle_decoders(self) -> None:
        now = time.monotonic()
        with self.lock:
            old = [decoder for decoder in self.idle if now - decoder.idle_since >= IDLE_SECONDS / 2]
            self.idle = [decoder for decoder in self.idle if decoder not in old]
            self.reaper = None
            self._schedule_reaper()
        for decoder in old:
            decoder.end()

    def close(self) -> None:
        """End idle processes."""
        with self.lock:
            idle, self.idle = self.idle, []
        for decoder in idle:
            decoder.end()


def _error_after_end(decoder: Decoder) -> Exception:
    code = decoder.end()
    if decoder.is_late:
        log.warning("decoder_late", seconds=WALL_SECONDS)
        return _busy()
    log.warning("decoder_ended", exit_code=code)
    if code == -signal.SIGXCPU:
        return Bomb(f"can be decoded in {CPU_SECONDS} seconds")
    if code == -signal.SIGKILL:
        return Bomb("the memory that a picture may take")
    return Damaged(f"its decoder ended with {code}")


def _busy() -> Busy:
    return Busy(_("Too many pictures are being processed; try again in a moment."))


def _reset_after_fork() -> None:
    global pool
    pool = Pool()


pool = Pool()
atexit.register(lambda: pool.close())
os.register_at_fork(after_in_child=_reset_after_fork)
