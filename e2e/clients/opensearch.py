"""opensearch-py, which certifies the OpenSearch that rules are tested with; our server takes no part."""

import json

from e2e.environments import Environment
from e2e.server import Server
from e2e.stand_ins.elasticsearch import Elasticsearch

TITLE = "opensearch-py (the stand-in for OpenSearch)"
REFUSED = [
    *("search_context_missing_exception", "index_not_found_exception"),
    *("parsing_exception", "illegal_argument_exception"),
]


def run(_server: Server) -> str:
    """Twenty-five documents in three pages of one point in time."""
    environment = Environment("opensearch", "opensearch-py")
    with Elasticsearch(version="2.11.1", is_opensearch=True) as stand_in:
        for number in range(25):
            stand_in.add(f"logs-{number % 2}", {"message": f"line {number}"}, key=f"{number}")
        said = json.loads(environment.run("opensearch", stand_in.url))
        left = len(stand_in.pits)
    assert sorted(said["found"]) == sorted(f"line {number}" for number in range(25)), said["found"]
    assert (said["closed"], left) == ([True], 0), said
    assert said["refused"] == REFUSED, said["refused"]
    return f"{environment.version('opensearch-py')}; 25 documents in pages of one point in time, four refusals"
