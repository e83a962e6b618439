"""splunk-sdk, which certifies the stand-in that our own searches are tested against."""

import datetime as dt
import json
from typing import Any

from e2e.environments import Environment
from e2e.server import Server
from e2e.stand_ins.splunk import EXPORT, EXPORT_V2, Splunk

TITLE = "splunk-sdk (search, against the stand-in)"
PACKAGES = ("splunk-sdk",)
START = dt.datetime(2026, 12, 1, 10, 0, tzinfo=dt.UTC)
VERSIONS = (("9.4.1", False, True), ("9.0.2", False, True), ("9.0.1", False, False), ("8.2.9", False, False))
CLOUD_VERSIONS = (("9.0.2208", True, False), ("9.0.2209", True, True))


def run(server: Server) -> str:
    """The client finds the version and the address, rows, previews, messages and refusals."""
    environment = Environment("splunk-sdk", *PACKAGES)
    certify(environment)
    return f"{environment.version('splunk-sdk')}; {len(VERSIONS + CLOUD_VERSIONS)} versions"


def certify(environment: Environment) -> None:
    """Raise AssertionError where splunk-sdk and the stand-in disagree."""
    for version, is_cloud, has_v2 in VERSIONS + CLOUD_VERSIONS:
        with Splunk(version=version, is_cloud=is_cloud) as splunk:
            answer = _ask(environment, splunk, {"search": "search *"})
            _same(answer["is_v1"], not has_v2)
            _same(answer["found"], [{"rows": [], "is_preview": False}])
            _same(splunk.requests[-1].path, EXPORT_V2 if has_v2 else EXPORT)
    with Splunk() as splunk:
        for second in range(4):
            splunk.add(START + dt.timedelta(seconds=second), f"level=ERROR number={second} it failed")
        _certify_searches(environment, splunk)
        _same(_ask(environment, splunk, {"search": "search *"}, token="wrong")["status"], 401)


def _certify_searches(environment: Environment, splunk: Splunk) -> None:
    within = {"earliest_time": f"{START.timestamp() + 1:.3f}", "latest_time": f"{START.timestamp() + 3:.3f}"}
    splunk.messages = [{"type": "WARN", "text": "A peer is slow."}]
    rows, counted, wrong, unknown = _ask(
        environment,
        splunk,
        {"search": "search level=ERROR failed", "preview": "0", **within},
        {"search": "search level=ERROR | stats count by level", **within},
        {"search": "level=ERROR"},
        {"search": "search *", "nonsense": "1"},
    )["found"]
    warning, *events = rows["rows"]
    _same(warning, "WARN: A peer is slow.")
    _same([event["number"] for event in events], ["2", "1"])
    _same((counted["rows"][-1], counted["is_preview"]), ({"level": "ERROR", "count": "2"}, False))
    _same(len(counted["rows"]), 2)  # its preview, then the whole
    _same((wrong["status"], "Unknown search command" in wrong["body"]), (400, True))
    _same((unknown["status"], "is not supported by this handler" in unknown["body"]), (400, True))


def _ask(environment: Environment, splunk: Splunk, *searches: dict[str, str], token: str = "") -> dict[str, Any]:
    said = environment.run(
        "splunk_search", str(splunk.port), token or splunk.token, *(json.dumps(search) for search in searches)
    )
    answer: dict[str, Any] = json.loads(said)
    return answer


def _same(found: object, expected: object) -> None:
    if found != expected:
        raise AssertionError(f"{found!r} is not {expected!r}")
