"""Real clients of vendors against a real server: what they send opens an incident, and ends it.

`python -m e2e` runs all of them, `python -m e2e pagerduty opsgenie` some. A client is a module in `clients` with

- `TITLE`, what it is;
- `run(server)`, which drives the client and asserts what came of it. It returns what it saw, in a few words, raises
  Unavailable where the client cannot be had here, and anything else where something is wrong.

What runs in the client's own environment lies in `programs`. See `server.Server` for what a client is given, and
`environments` for how it gets its packages.
"""
