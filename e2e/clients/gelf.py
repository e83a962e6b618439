"""graypy, which posts to Graylog's GELF input."""

from e2e.environments import Environment
from e2e.lines import line_of
from e2e.server import HOST, Server

TITLE = "graypy (GELF over HTTP)"
WORDS = "Shop by GELF"


def run(server: Server) -> str:
    """Two lines as they are, and two packed by zlib, of which the header says something else."""
    environment = Environment("gelf", "graypy")
    key = server.new_source("logs", name="GELF")
    for is_packed in ("0", "1"):
        words = f"{WORDS} {is_packed}"
        environment.run("gelf", HOST, str(server.port), key, words, is_packed)
        line = line_of(server, f"{words}: started", level="info", host="web-5")
        line_of(server, f"{words}: cannot reach the database", level="error", host="web-5")
        assert str(line["attributes"]["attempt"]) == "3", line
    return f"{environment.version('graypy')}; plain and packed"
