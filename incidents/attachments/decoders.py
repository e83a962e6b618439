"""The processes that decode pictures for this one: few, started when first needed, ended when they have nothing to do.

The thread that asks waits, but decodes nothing: a picture takes neither this process's memory nor its lock, and one
that takes too long or too much, or breaks its decoder, ends a process that nobody misses. They are started afresh and
never forked from here, which is safe beside threads and on every system, and are told none of the server's secrets.
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

from core.errors import Busy
from incidents.attachments.kinds import Kind
from incidents.attachments.verdicts import CPU_SECONDS, READY, Bomb, Damaged, Size

log = structlog.get_logger(__name__)

PROGRAM = "incidents.attachments.decoder"
PROCESSES = 2  # of each process of ours
START_SECONDS = 30.0
WALL_SECONDS = 60.0  # for one picture, on a machine that has much else to do; processor time is limited more tightly
WAIT_SECONDS = 20.0  # for a process that is free
IDLE_SECONDS = 30.0
END_SECONDS = 2.0
# What the program needs of our surroundings; settings and keys it does not.
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
BASE = Path(__file__).resolve().parents[2]


def make_copy(source: IO[bytes], kind: Kind, target: IO[bytes], *, start: int = 0) -> Size:
    """Write the copy that is safe to serve of the picture that begins at `start`; all of it is decoded on the way.

    Raises Damaged, Bomb, Busy when too many others are being looked at, and OSError where `target` cannot be written.
    """
    return pool.run({"act": "copy", "media_type": kind.media_type}, source, start, target)


def make_thumbnail(source: IO[bytes], target: IO[bytes]) -> Size:
    """Write a small WebP of a served copy; the size of that copy. Raises what `make_copy` does."""
    return pool.run({"act": "thumbnail"}, source, 0, target)


class Gone(Exception):
    """The process ended before it had answered."""


class Decoder:
    """One process, and the pipes to it."""

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
        with self._limited(START_SECONDS):
            if self.answers.readline() != READY:
                self.end()
                log.error("decoder_not_started", exit_code=self.process.returncode)
                raise _busy()

    def carry_out(self, order: dict[str, Any], source: IO[bytes], start: int, target: IO[bytes]) -> dict[str, Any]:
        """Have one order carried out; the copy goes to `target`. Raises Gone, and what `target` raises."""
        size = source.seek(0, os.SEEK_END) - start
        source.seek(start)
        with self._limited(WALL_SECONDS):
            try:
                self.orders.write(json.dumps({**order, "size": size}).encode() + b"\n")
                shutil.copyfileobj(source, self.orders)
                self.orders.flush()
            except BrokenPipeError as error:
                raise Gone from error
            line = self.answers.readline()
            if not line.endswith(b"\n"):
                raise Gone
            answer: dict[str, Any] = json.loads(line)
            self._copy(answer["size"], target)
        return answer

    def _copy(self, size: int, target: IO[bytes]) -> None:
        while size:
            chunk = self.answers.read(min(size, 256 * 1024))
            if not chunk:
                raise Gone
            target.write(chunk)
            size -= len(chunk)

    @contextlib.contextmanager
    def _limited(self, seconds: float) -> Iterator[None]:
        """Kill the process when this takes longer: whatever waits for it hears of its end."""
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
        """Let it end, or make it; its exit code."""
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
    """The processes, and those who wait for one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.free = threading.BoundedSemaphore(PROCESSES)
        self.waiting = 0
        self.idle: list[Decoder] = []
        self.reaper: threading.Timer | None = None

    def run(self, order: dict[str, Any], source: IO[bytes], start: int, target: IO[bytes]) -> Size:
        """Have an order carried out by a process that is free."""
        with self._turn():
            decoder = self._take()
            is_kept = False
            try:
                answer = decoder.carry_out(order, source, start, target)
                is_kept = not answer["is_last"]
            except Gone as error:
                raise _verdict(decoder) from error
            finally:
                if is_kept:
                    self._give_back(decoder)
                else:
                    decoder.end()
        return _size_of(answer)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for a process to be free; never so many that no thread is left for those who send no pictures."""
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

    def _take(self) -> Decoder:
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

    def _give_back(self, decoder: Decoder) -> None:
        decoder.idle_since = time.monotonic()
        with self.lock:
            self.idle.append(decoder)
            self._watch()

    def _watch(self) -> None:
        """See to it that idle processes are ended, with one timer for all."""
        if self.reaper is None and self.idle:
            self.reaper = threading.Timer(IDLE_SECONDS, self._reap)
            self.reaper.daemon = True
            self.reaper.start()

    def _reap(self) -> None:
        now = time.monotonic()
        with self.lock:
            old = [decoder for decoder in self.idle if now - decoder.idle_since >= IDLE_SECONDS / 2]
            self.idle = [decoder for decoder in self.idle if decoder not in old]
            self.reaper = None
            self._watch()
        for decoder in old:
            decoder.end()

    def close(self) -> None:
        """End those that have nothing to do."""
        with self.lock:
            idle, self.idle = self.idle, []
        for decoder in idle:
            decoder.end()


def _verdict(decoder: Decoder) -> Exception:
    """What the end of a process says of the picture it had."""
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


def _size_of(answer: dict[str, Any]) -> Size:
    if "bomb" in answer:
        raise Bomb(answer["bomb"])
    if "damaged" in answer:
        raise Damaged(answer["damaged"])
    return Size(answer["width"], answer["height"])


def _busy() -> Busy:
    return Busy("Too many pictures are being looked at; send them again in a moment.")


def _forget() -> None:
    """In a fork of this process: the processes are the parent's."""
    global pool
    pool = Pool()


pool = Pool()
atexit.register(lambda: pool.close())
os.register_at_fork(after_in_child=_forget)
