"""Drives PagerDuty's Python client. Arguments: the address, the routing key, what to do, the dedup key, the title."""

import datetime as dt
import sys

from pagerduty import EventsApiV2Client

address, routing_key, action, dedup_key, title = sys.argv[1:]
client = EventsApiV2Client(routing_key, base_url=address)

if action == "trigger":
    payload = {"summary": title, "source": "e2e", "severity": "critical", "custom_details": {"disk": "sda"}}
    print(client.send_event("trigger", dedup_key=dedup_key or None, payload=payload))
elif action == "acknowledge":
    print(client.acknowledge(dedup_key))
elif action == "resolve":
    print(client.resolve(dedup_key))
else:
    now = dt.datetime.now(dt.UTC).isoformat()  # the client's own way of asking the time fails in 7.2
    client.submit(title, source="e2e", timestamp=now, links=[{"href": "https://ci.example.com/7", "text": "Build"}])
