"""Vendors: everything about one lies in its folder.

`integrations/<vendor>/` may hold

- `payload.py`, pure: what the vendor's alerts say. `TITLE`, the tool's name, and `SNIPPET`, what to paste into it
  (`{url}` is our address, `{scheme}` and `{host}` its parts, the latter with the port; `{key}` is the source's key);
  `parse(request)`, which returns the alerts in it and raises IntakeError for what it cannot read;
  where the tool signs: `verify(request, secret)`, which raises IntakeError (403); where it numbers deliveries:
  `delivery_id(request)`; where it sends messages about the delivery itself: `greet(request)`, which answers such a
  message and says whether it was one; `KEPT_HEADERS`, in lower case, which `parse` and `delivery_id` look at, for what
  is not stored is not there at a replay; `TAKES_TEMPLATES` where `parse` also takes what the source sets; `TAKES_TIME`
  where it wants the time of receipt (None: now); `IS_SLOW` where `verify` or `greet` may wait for the network;
- `log_payload.py`, pure: what its log lines say. `FORMAT`, `TITLE` and `parse(request)`;
- `endpoint.py` where the vendor has addresses of its own: `ENDPOINTS`, each of which declares its `operations` (method,
  path, summary, status and example), from which come its routes, its entry in the OpenAPI document and 405;
- `examples/alerts.json` and `examples/logs.json`: real requests, and what must come of them;
- `guide.md`, how to set the tool up, and `tests/`.

The folder's name is the kind of its sources. A new vendor is a new folder, and nothing else.
"""
