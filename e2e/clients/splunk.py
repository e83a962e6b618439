"""splunk-handler, which posts to Splunk's HTTP event collector."""

from e2e.environments import Environment
from e2e.lines import line_of
from e2e.server import HOST, Server

TITLE = "splunk-handler (HTTP event collector)"
WORDS = "Shop by Splunk"


def run(server: Server) -> str:
    """Two lines in one request."""
    environment = Environment("splunk", "splunk-handler")
    key = server.new_source("logs", name="Splunk")
    environment.run("splunk", HOST, str(server.port), key, WORDS)
    line_of(server, f"INFO {WORDS}: started", host="web-3")
    line_of(server, f"ERROR {WORDS}: cannot reach the database", host="web-3")
    return f"{environment.version('splunk-handler')}; two lines in one body"
