"""Decode pictures in a process of limited memory and time.

Orders and answers are lines of JSON, followed by a picture and by its copy. The process ends, to free memory, after a
large picture, after many, and when its input ends.
"""

import io
import json
import os
import resource
import sys
import threading
import time
from typing import IO, Any

from incidents.attachments import pictures
from incidents.attachments.kinds import CPU_SECONDS, KINDS, READY, Bomb, Damaged, Size

MEMORY_BYTES = 640 * 1024 * 1024  # HEIC of 48 million pixels takes 510 MB
NICENESS = 5
LARGE_PIXELS = 10_000_000
MOST_PICTURES = 100
WATCH_SECONDS = 0.05


def main() -> None:
    """Serve orders until the input ends."""
    orders, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # libraries print
    os.nice(NICENESS)
    limit_memory()
    answers.write(READY)
    answers.flush()
    for number in range(1, MOST_PICTURES + 1):
        line = orders.readline()
        if not line:
            break
        order = json.loads(line)
        limit_time()
        is_last = answer_order(order, orders.read(order["size"]), answers, number == MOST_PICTURES)
        if is_last:
            break
    os._exit(0)


def answer_order(order: dict[str, Any], content: bytes, answers: IO[bytes], is_last: bool) -> bool:
    """Answer an order and return whether it was the last."""
    copy = io.BytesIO()
    answer: dict[str, Any] = {}
    try:
        size = _run_order(order, content, copy)
        answer = {"width": size.width, "height": size.height}
        is_last = is_last or size.pixels > LARGE_PIXELS
    except Bomb as error:
        answer, copy = {"bomb": str(error)}, io.BytesIO()
        is_last = is_last or isinstance(error.__cause__, MemoryError)
    except Damaged as error:
        answer, copy = {"damaged": str(error)}, io.BytesIO()
    answer |= {"size": copy.tell(), "is_last": is_last}
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.write(copy.getbuffer())
    answers.flush()
    return is_last


def _run_order(order: dict[str, Any], content: bytes, copy: IO[bytes]) -> Size:
    source = io.BytesIO(content)
    if order["act"] == "thumbnail":
        return pictures.make_thumbnail(source, copy)
    return pictures.make_copy(source, KINDS[order["media_type"]], copy)


def limit_memory() -> None:
    """Limit the memory; watch it where the system cannot (macOS)."""
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        return
    threading.Thread(target=watch_memory, args=(MEMORY_BYTES,), daemon=True).start()


def watch_memory(limit: int) -> None:
    unit = 1 if sys.platform == "darwin" else 1024
    while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit <= limit:
        time.sleep(WATCH_SECONDS)
    os.kill(os.getpid(), 9)


def limit_time() -> None:
    """End the process CPU_SECONDS from now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + CPU_SECONDS, hard))


if __name__ == "__main__":
    main()
