"""Wake-ups from web processes to the worker beside them: datagrams on sockets inherited from `serve`.

They only save waiting: a full queue or an absent worker loses them, and jobs look by themselves.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable

from core.server.jobs import register_waker

SENDER = "WAKE_SENDER_FD"
RECEIVER = "WAKE_RECEIVER_FD"
LONGEST = 4096  # bytes


def send_wakeups() -> None:
    """Pass this process's wake-ups on, if `serve` started it beside a worker."""
    if (sender := _inherited(SENDER)) is not None:
        register_waker(lambda names: send(sender, names))


def send(sender: socket.socket, names: frozenset[str]) -> None:
    """Send the names of jobs, or drop them: never wait."""
    with contextlib.suppress(OSError):
        sender.send(" ".join(sorted(names)).encode())


def receive_wakeups(wake: Callable[[list[str]], object]) -> None:
    """Call `wake` with the names that web processes send, from a thread."""
    if (receiver := _inherited(RECEIVER)) is not None:
        receiver.setblocking(True)
        threading.Thread(target=_receive, args=(receiver, wake), name="wakeups", daemon=True).start()


def _receive(receiver: socket.socket, wake: Callable[[list[str]], object]) -> None:
    while names := receiver.recv(LONGEST).decode().split():
        wake(names)


def _inherited(variable: str) -> socket.socket | None:
    number = os.environ.pop(variable, None)
    if number is None:
        return None
    found = socket.socket(fileno=int(number))
    found.setblocking(False)
    return found
