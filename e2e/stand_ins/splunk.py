"""Splunk's management service: its version, and searches by export. Events come through the HTTP event collector.

Which addresses there are depends on the version, as in splunk-sdk; errors are worded as Splunk words them.
"""

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from e2e.stand_ins.serving import Reply, Request, StandIn, of_json, run
from e2e.stand_ins.spl import Refused, Row, Search, fields_of, parse

TOKEN = "stand-in-token"
INFO, COLLECTOR = "/services/server/info", "/services/collector/event"
EXPORT, EXPORT_V2 = "/services/search/jobs/export", "/services/search/v2/jobs/export"
# Arguments of search/jobs/export in the REST API's reference.
ARGUMENTS = {
    *("adhoc_search_level", "auto_cancel", "auto_finalize_ec", "auto_pause", "count", "earliest_time"),
    *("enable_lookups", "exec_mode", "f", "force_bundle_replication", "id", "index_earliest", "index_latest"),
    *("latest_time", "max_lines", "max_time", "namespace", "now", "offset", "output_mode", "output_time_format"),
    *("preview", "reduce_freq", "reload_macros", "remote_server_list", "required_field_list", "rf", "rt_blocking"),
    *("rt_indexfilter", "rt_maxblocksecs", "rt_queue_size", "search", "search_level", "search_listener"),
    *("search_mode", "segmentation", "sync_bundle_replication", "time_format", "timeout", "truncation_mode"),
}
EPOCH = re.compile(r"\d+(?:\.\d+)?")
FORM = "application/x-www-form-urlencoded"
ATOM = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:s="http://dev.splunk.com/ns/rest"><title>server-info</title>
<entry><title>server-info</title><content type="text/xml"><s:dict>{keys}</s:dict></content></entry></feed>"""


class Problem(Exception):
    def __init__(self, status: int, kind: str, text: str) -> None:
        super().__init__(text)
        self.status, self.kind, self.text = status, kind, text


class Splunk(StandIn):
    """`version` and `is_cloud` decide the addresses. `messages` come in band with the next answers; `ends_early`: they
    end in half without an error, as behind some proxies."""

    def __init__(self, port: int = 0, *, token: str = TOKEN, version: str = "9.4.1", is_cloud: bool = False) -> None:
        super().__init__(port)
        self.token, self.version, self.is_cloud = token, version, is_cloud
        self.events: list[Row] = []
        self.messages: list[Mapping[str, str]] = []
        self.ends_early = False

    def add(self, at: dt.datetime, raw: str, **fields: str) -> None:
        """Index an event."""
        about = {"host": "web-1", "index": "main", "source": "stand-in", "sourcetype": "app"}
        with self.lock:
            self.events.append({**about, **fields_of(raw), **fields, "_raw": raw, "_time": f"{at.timestamp():.6f}"})

    @property
    def has_v2(self) -> bool:
        numbers = tuple(int(part) for part in self.version.split("."))
        return numbers >= ((9, 0, 2209) if self.is_cloud else (9, 0, 2))

    def judge(self, request: Request) -> Reply:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True)) if request.method == "POST" else {}
        is_json = {**request.params, **form}.get("output_mode") == "json"
        try:
            if request.path == COLLECTOR:
                return self._collect(request)
            if request.headers.get("authorization") != f"Bearer {self.token}":
                raise Problem(401, "WARN", "call not properly authenticated")
            if request.path == INFO and request.method == "GET":
                return self._info(is_json)
            if request.path in (EXPORT, *([EXPORT_V2] if self.has_v2 else [])):
                return self._export(request, form)
            raise Problem(404, "ERROR", "Not Found")
        except Problem as problem:
            if is_json:
                return of_json(problem.status, {"messages": [{"type": problem.kind, "text": problem.text}]})
            said = f'<msg type="{problem.kind}">{escape(problem.text)}</msg>'
            return Reply(problem.status, f"<response><messages>{said}</messages></response>".encode())

    def _info(self, is_json: bool) -> Reply:
        content = {"version": self.version, "serverName": "stand-in"}
        if self.is_cloud:
            content["instance_type"] = "cloud"
        if is_json:
            return of_json(200, {"entry": [{"name": "server-info", "content": content}], "messages": []})
        keys = "".join(f'<s:key name="{name}">{value}</s:key>' for name, value in content.items())
        return Reply(200, ATOM.format(keys=keys).encode(), {"Content-Type": "text/xml"})

    def _export(self, request: Request, form: Mapping[str, str]) -> Reply:
        if request.method != "POST":
            raise Problem(405, "ERROR", "Method Not Allowed")
        if request.headers.get("content-type", FORM).partition(";")[0] != FORM:  # splunk-sdk names none
            raise Problem(400, "FATAL", "Empty search.")
        if unknown := [name for name in form if name not in ARGUMENTS]:
            raise Problem(400, "ERROR", f'Argument "{unknown[0]}" is not supported by this handler.')
        if form.get("output_mode") != "json":
            raise Problem(400, "ERROR", "The stand-in exports JSON alone.")
        if not form.get("search", "").strip():
            raise Problem(400, "FATAL", "Empty search.")
        since, until = self._times(form)
        try:
            found = parse(form["search"])
        except Refused as refused:
            raise Problem(400, "FATAL", str(refused)) from refused
        lines = list(self._lines(found, since, until, has_preview=form.get("preview", "1") not in ("0", "false", "f")))
        if self.ends_early:
            lines = lines[: len(lines) // 2]
        body = "".join(f"{json.dumps(line)}\n" for line in lines)
        return Reply(200, body.encode(), {"Content-Type": "application/json; charset=UTF-8"})

    def _times(self, form: Mapping[str, str]) -> tuple[float, float]:
        times = []
        for name, default in (("earliest_time", 0.0), ("latest_time", float("inf"))):
            text = form.get(name, "")
            if text and not EPOCH.fullmatch(text):
                raise Problem(400, "FATAL", f"Invalid {name}.")
            times.append(float(text) if text else default)
        if times[0] >= times[1]:
            raise Problem(400, "FATAL", "Invalid latest_time: latest_time must be after earliest_time.")
        return times[0], times[1]

    def _lines(self, search: Search, since: float, until: float, *, has_preview: bool) -> Iterator[Mapping[str, Any]]:
        within = [event for event in self.events if since <= float(event["_time"]) < until]
        newest = sorted(within, key=lambda event: -float(event["_time"]))
        messages, self.messages = self.messages, []
        if messages:
            yield {"preview": False, "messages": messages}
        if has_preview and search.is_transforming:
            yield from _set_of(search.rows(newest[: len(newest) // 2]), is_preview=True)
        yield from _set_of(search.rows(newest), is_preview=False)

    def _collect(self, request: Request) -> Reply:
        """Take events as the HTTP event collector does: objects one after another."""
        if request.headers.get("authorization") != f"Splunk {self.token}":
            return of_json(401, {"text": "Token is required", "code": 2})
        text, decoder = request.body.decode().strip(), json.JSONDecoder()
        while text:
            given, end = decoder.raw_decode(text)
            text = text[end:].lstrip()
            at = dt.datetime.fromtimestamp(float(given.get("time") or dt.datetime.now(dt.UTC).timestamp()), dt.UTC)
            event = given["event"]
            known = {name: str(given[name]) for name in ("host", "index", "source", "sourcetype") if name in given}
            fields = {name: str(value) for name, value in given.get("fields", {}).items()}
            self.add(at, event if isinstance(event, str) else json.dumps(event), **known, **fields)
        return of_json(200, {"text": "Success", "code": 0})


def _set_of(rows: list[Row], *, is_preview: bool) -> Iterator[Mapping[str, Any]]:
    for number, row in enumerate(rows):
        last = {"lastrow": True} if number == len(rows) - 1 else {}
        yield {"preview": is_preview, "offset": number, **last, "result": _shown(row)}
    if not rows:
        yield {"preview": is_preview, "lastrow": True}


def _shown(row: Row) -> Row:
    if "_time" not in row:
        return row
    at = dt.datetime.fromtimestamp(float(row["_time"]), dt.UTC)
    return {**row, "_time": f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03} UTC"}


if __name__ == "__main__":
    run(Splunk, 8089, f"Splunk with the token {TOKEN}:")
