"""Lines and series read with loki-reader-core. Arguments: address, tenant, start and end (ns). Prints what it found."""

import json
import sys

from loki_reader_core import LokiAuthError, LokiClient, LokiQueryError

address, tenant, start, end = sys.argv[1:]
client = LokiClient(address, org_id=tenant)
lines = client.query_range('{app=~".+"} |= "line"', int(start), int(end), limit=10, direction="forward")
newest = client.query_range('{app="shop"}', int(start), int(end), limit=2)
refused = []
for query, tenants, limit in (("{app", tenant, 5), ('{app="shop"}', tenant, 5001), ('{app="shop"}', "", 5)):
    try:
        LokiClient(address, org_id=tenants or None).query_range(query, int(start), int(end), limit=limit)
    except (LokiQueryError, LokiAuthError) as refusal:
        refused.append(type(refusal).__name__)
print(
    json.dumps(
        {
            "lines": sorted(entry.message for stream in lines.streams for entry in stream.entries),
            "labels": sorted(stream.labels["app"] for stream in lines.streams),
            "newest": [entry.message for stream in newest.streams for entry in stream.entries],
            "refused": refused,
        }
    )
)
