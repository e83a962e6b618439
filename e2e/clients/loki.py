"""python-logging-loki, which pushes to Grafana Loki."""

from e2e.environments import Environment
from e2e.lines import line_of
from e2e.server import Server

TITLE = "python-logging-loki"
WORDS = "Shop by Loki"


def run(server: Server) -> str:
    """Two lines, of which the second names its host."""
    environment = Environment("loki", "python-logging-loki")
    key = server.new_source("logs", name="Loki")
    environment.run("loki", server.address, key, WORDS)
    line_of(server, f"{WORDS}: started", level="info", service="loki-shop")
    line_of(server, f"{WORDS}: cannot reach the database", level="error", service="loki-shop", host="web-4")
    return f"{environment.version('python-logging-loki')}; lines with their labels"
