"""Vendors: everything about one lies in its folder.

`integrations/<vendor>/` may hold

- `payload.py`, pure: what the vendor's alerts say. `TITLE`, the tool's name; `SNIPPET`, what to paste into it (`{url}`
  is our address, `{scheme}` and `{host}` its parts, `{key}` the source's key); `parse(request)`, which returns the
  alerts and raises IntakeError. If the tool signs: `verify(request, secret)`, which raises IntakeError (403); if it
  numbers deliveries: `delivery_id(request)`; if it sends messages about the delivery: `greet(request)`, which answers
  one and returns whether it was one; `KEPT_HEADERS`, in lower case, which `parse` and `delivery_id` read;
  `TAKES_TEMPLATES` if `parse` takes the source's; `TAKES_TIME` if it takes the time of receipt (None: now); `IS_SLOW`
  if `verify` or `greet` may wait for the network;
- `log_payload.py`, pure: what its log lines say. `FORMAT`, `TITLE` and `parse(request)`;
- `endpoint.py` if the vendor has addresses of its own: `ENDPOINTS`, each of which declares its `operations` (method,
  path, summary, status, example), from which come routes, OpenAPI and 405;
- `examples/alerts.json` and `examples/logs.json`: real requests and what must come of them;
- `guide.md`, how to set the tool up, and `tests/`.

The folder's name is the kind of its sources. A new vendor is a new folder, and nothing else.
"""
