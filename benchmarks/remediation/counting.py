"""A system that steps act on, and that counts what it was asked: `python -m benchmarks.remediation.counting PORT`.

`POST /act/<target>/<step>` and `/undo/…` do something, slowly; `GET /is/<target>/<step>` says whether it is done.
Targets are named for what goes wrong with them: `lies-…` says that nothing was done, `breaks-…` answers 500 once it
did, `refuses-…` answers 403 at the second step.
"""

import json
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SLOWNESS = 0.06  # seconds, so that workers end during a call too
FIRST = "1"


class System:
    """What was asked, by method, path and idempotency key."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked: Counter[tuple[str, str]] = Counter()
        self.done: set[str] = set()

    def change(self, verb: str, place: str, key: str) -> int:
        with self.lock:
            self.asked[f"{verb} {place}", key] += 1
            target, step = place.split("/")
            if target.startswith("refuses") and step != FIRST and verb == "act":
                return 403
            (self.done.add if verb == "act" else self.done.discard)(place)
            return 500 if target.startswith("breaks") and verb == "act" else 200

    def is_done(self, place: str) -> bool:
        with self.lock:
            return place in self.done and not place.startswith("lies")

    def told(self) -> dict[str, object]:
        with self.lock:
            return {"asked": [[what, key, count] for (what, key), count in self.asked.items()], "done": [*self.done]}


SYSTEM = System()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/told":
            return self._answer(200, SYSTEM.told())
        return self._answer(200 if SYSTEM.is_done(self.path.removeprefix("/is/")) else 404, {})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        verb, _, place = self.path.strip("/").partition("/")
        time.sleep(SLOWNESS / 2)
        status = SYSTEM.change(verb, place, self.headers.get("Idempotency-Key", ""))
        time.sleep(SLOWNESS / 2)
        return self._answer(status, {})

    def _answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    def handle_error(self, *_arguments: object) -> None:
        """Expect callers that end."""


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
