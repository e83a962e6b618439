"""`python -m e2e [client …]`: drive real clients against a server of its own; a line for each, 1 if one failed."""

import argparse
import importlib
import pkgutil
import signal
import sys
import time
import traceback
from types import FrameType
from typing import Any

from e2e import clients
from e2e.environments import Unavailable
from e2e.server import Server


def main() -> int:
    """Run the clients that are named, or all."""
    known = sorted(module.name for module in pkgutil.iter_modules(clients.__path__))
    parser = argparse.ArgumentParser(prog="e2e", description=__doc__)
    parser.add_argument("clients", nargs="*", metavar="client", help=f"any of {', '.join(known)}; all unless named")
    chosen = parser.parse_args().clients or known
    if unknown := sorted(set(chosen) - set(known)):
        parser.error(f"there is no client {', '.join(unknown)}; there are {', '.join(known)}")
    signal.signal(signal.SIGTERM, stop_with_server)  # so that the server ends with us
    with Server() as server:
        results = [run(name, server) for name in chosen]
    say(", ".join(f"{results.count(result)} {result}" for result in ("PASS", "FAIL", "SKIP")))
    return 1 if "FAIL" in results else 0


def stop_with_server(number: int, frame: FrameType | None) -> None:
    """Leave, once: a second signal, as through make, must not cut short what the first has begun."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


def run(name: str, server: Server) -> str:
    """Run one client and say how it went: PASS, FAIL or SKIP."""
    client: Any = importlib.import_module(f"e2e.clients.{name}")
    started = time.monotonic()
    try:
        result, said = "PASS", client.run(server)
    except Unavailable as error:
        result, said = "SKIP", str(error)
    except Exception as error:  # noqa: BLE001 (whatever it is: the others are to run)
        traceback.print_exc()
        result, said = "FAIL", f"{type(error).__name__}: {error}".splitlines()[0]
        server.restart()  # it may have been left killed
    say(f"{result}  {name:<14} {client.TITLE}: {said} ({time.monotonic() - started:.1f} s)")
    return result


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
