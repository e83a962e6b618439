"""loki-reader-core, which certifies the Loki that rules are tested with; our server takes no part."""

import json

from e2e.environments import Environment
from e2e.server import Server
from e2e.stand_ins.loki import Loki

TITLE = "loki-reader-core (the stand-in for Loki)"
START = 1_796_000_000 * 10**9


def run(_server: Server) -> str:
    """Lines of two streams within the limits, the newest first where nothing else is asked, and three refusals."""
    environment = Environment("loki_queries", "loki-reader-core")
    with Loki(tenant="shop") as stand_in:
        for number in range(6):
            stand_in.add(START + number, f"line {number}", app=("shop", "till")[number % 2])
        bounds = str(START), str(START + 5)
        said = json.loads(environment.run("loki_queries", stand_in.url, "shop", *bounds))
    assert said["lines"] == [f"line {number}" for number in range(5)], said["lines"]
    assert said["labels"] == ["shop", "till"], said["labels"]
    assert said["newest"] == ["line 4", "line 2"], said["newest"]
    assert said["refused"] == ["LokiQueryError", "LokiQueryError", "LokiAuthError"], said["refused"]
    return f"{environment.version('loki-reader-core')}; two streams, the end excluded, three refusals"
