"""Python's own `logging.handlers.HTTPHandler`, which posts a form."""

import platform
import sys

from e2e.environments import run_program
from e2e.lines import line_of
from e2e.server import HOST, Server

TITLE = "Python's HTTPHandler"
WORDS = "Shop by Python"


def run(server: Server) -> str:
    """Two lines whose arguments are still to be put in."""
    key = server.new_source("logs", name="Python")
    run_program([sys.executable, "-P"], "python_logging.py", f"{HOST}:{server.port}", key, WORDS)
    line_of(server, f"{WORDS}: 4 workers started", level="info")
    line_of(server, f"{WORDS}: cannot reach 'the database' & <others>", level="error")
    return f"Python {platform.python_version()}; lines with their arguments put in"
