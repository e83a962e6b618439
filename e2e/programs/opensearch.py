"""Pages through a point in time with opensearch-py. Argument: the address. Prints what it found, and refusals."""

import json
import sys

from opensearchpy import NotFoundError, OpenSearch, RequestError

client = OpenSearch(sys.argv[1], max_retries=0)
pit = client.create_pit(index="logs-*", params={"keep_alive": "1m", "allow_partial_pit_creation": "false"})["pit_id"]
found, after = [], {}
while True:
    body = {
        "size": 10,
        "query": {"query_string": {"query": "line"}},
        "pit": {"id": pit, "keep_alive": "1m"},
        "sort": [{"_index": "asc"}, {"_id": "asc"}],
        **after,
    }
    hits = client.search(body=body)["hits"]["hits"]
    if not hits:
        break
    found += [hit["_source"]["message"] for hit in hits]
    after = {"search_after": hits[-1]["sort"]}
closed = client.delete_pit(body={"pit_id": [pit]})["pits"]

refused = []
for error, ask in (
    (NotFoundError, lambda: client.search(body={"pit": {"id": pit}})),
    (NotFoundError, lambda: client.create_pit(index="none", params={"keep_alive": "1m"})),
    (RequestError, lambda: client.search(index="logs-*", body={"query": {"nonsense": {}}})),
    (RequestError, lambda: client.create_pit(index="logs-*", params={"keep_alive": "1"})),
):
    try:
        ask()
    except error as refusal:
        refused.append(refusal.error)
print(json.dumps({"found": found, "closed": [one["successful"] for one in closed], "refused": refused}))
