"""A decoder that does with a picture what the picture says: `python -m incidents.tests.misbehaving_decoder`."""

import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from typing import IO, Any

from incidents.attachments import decoder
from incidents.attachments.kinds import Bomb, Size


def spin() -> None:
    """Take more time than there is."""
    resource.setrlimit(resource.RLIMIT_CPU, (1, resource.RLIM_INFINITY))
    while True:
        pass


def eat() -> None:
    """Take more memory than there is."""
    try:
        bytearray(8 * 1024**3)
    except MemoryError as error:
        raise Bomb("the memory that a picture may take") from error


def eat_unlimited() -> None:
    """Take more memory than there is, on a system that does not mind."""
    threading.Thread(target=decoder.watch_memory, args=(1,), daemon=True).start()
    time.sleep(600)


ACTS: dict[str, Callable[[], object]] = {
    "spin": spin,
    "eat": eat,
    "eat unlimited": eat_unlimited,
    "sleep": lambda: time.sleep(600),
    "crash": os.abort,
    "exit": lambda: sys.exit(3),
    "print": lambda: os.write(1, b"."),
}


def carry_out(order: dict[str, Any], content: bytes, copy: IO[bytes]) -> Size:
    """Misbehave, and tell in place of a size which process this is and what it knows."""
    what = content.decode()
    ACTS.get(what, bool)()
    if what == "large":
        return Size(8000, 6000)
    copy.write(content * 100_000)
    return Size(os.getpid(), int("SECRET_KEY" in os.environ))


if __name__ == "__main__":
    decoder._run_order = carry_out
    decoder.main()
