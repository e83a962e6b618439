"""`python -m core.server.probe [PATH] [PORT]`: exit 0 on a 200, without Django."""

import http.client
import os
import sys

TIMEOUT_SECONDS = 5


def host_name() -> str:
    """Return ALLOWED_HOSTS' first usable name."""
    first = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip()
    return "localhost" if first in ("", "*") else first.lstrip(".")


def is_well(path: str, port: int) -> bool:
    """Return whether a GET answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": host_name()})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    given = dict(enumerate(sys.argv))
    sys.exit(0 if is_well(given.get(1, "/livez"), int(given.get(2, "8000"))) else 1)
