"""One web process: `python -m incident_response.web FD` serves the listening socket of that number.

`manage.py serve` starts these. Forwarded-* headers are left to Django (TRUSTED_PROXIES says whether to believe them).
"""

import socket
import sys

import uvicorn

from incident_response.supervisor import stop_with_parent

GRACE_SECONDS = 8  # for requests in flight, after SIGTERM
KEEP_ALIVE_SECONDS = 75  # longer than the usual 60 s of a reverse proxy, so that it never meets a closing connection


def main() -> None:
    """Serve until SIGTERM or SIGINT, or until the supervisor is gone."""
    stop_with_parent()
    config = uvicorn.Config(
        "incident_response.asgi:application",
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()
