"""Elasticsearch and OpenSearch: points in time, `_search` with `search_after`, `_bulk`.

Versions differ as the products do: which point in time, whether `_shard_doc` sorts, which media types are spoken.
Errors are those of RestController, SearchRequest and PointInTimeBuilder of Elasticsearch 9.
"""

import json
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from e2e.stand_ins.clauses import Wrong, clause, millis
from e2e.stand_ins.serving import Reply, Request, StandIn, of_json, run

MOST_HITS = 10_000  # index.max_result_window
BODY = {
    *("size", "query", "sort", "track_total_hits", "pit", "timeout", "search_after", "_source", "fields"),
    *("docvalue_fields", "from", "terminate_after"),
}
SEARCH_PARAMS = {"allow_partial_search_results", "pretty", "error_trace", "human", "filter_path", "timeout"}
COMPATIBLE = re.compile(r"application/vnd\.elasticsearch\+(?:json|x-ndjson);\s*compatible-with=(\d+)")
DURATION = re.compile(r"\d+(?:ms|s|m|h|d)")


@dataclass(frozen=True)
class Document:
    index: str
    key: str
    source: Mapping[str, Any]
    number: int  # the order of arrival, as `_shard_doc`

    @property
    def fields(self) -> dict[str, Any]:
        return dict(_flat("", self.source))


class Elasticsearch(StandIn):
    """`version` of Elasticsearch, or of OpenSearch. `api_key`, or `user` and `password`, are asked for if set."""

    def __init__(
        self,
        port: int = 0,
        *,
        version: str = "9.1.0",
        is_opensearch: bool = False,
        api_key: str = "",
        user: str = "",
        password: str = "",
    ) -> None:
        super().__init__(port)
        self.version, self.is_opensearch = version, is_opensearch
        basic = b64encode(f"{user}:{password}".encode()).decode()
        self.authorization = f"ApiKey {api_key}" if api_key else f"Basic {basic}" if user else ""
        self.documents: list[Document] = []
        self.partly: dict[str, Any] = {}  # laid over the next answer to a search
        self.is_root_forbidden = False

    @property
    def release(self) -> tuple[int, int]:
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)

    def forget(self) -> None:
        self.pits: dict[str, list[Document]] = {}

    def add(self, index: str, source: Mapping[str, Any], key: str = "") -> None:
        """Index a document."""
        self.documents.append(Document(index, key or secrets.token_urlsafe(15), source, len(self.documents)))

    def judge(self, request: Request) -> Reply:
        try:
            media = self._media(request)
            reply = self._route(request)
        except Wrong as error:
            inner: dict[str, Any] = {"type": error.kind, "reason": error.reason}
            caused = {"caused_by": {"type": "parse_exception", "reason": error.cause}} if error.cause else {}
            content = {"error": {"root_cause": [inner], **inner, **caused}, "status": error.status}
            reply, media = of_json(error.status, content), "application/json"
        product = {} if self.is_opensearch or self.release < (7, 14) else {"X-Elastic-Product": "Elasticsearch"}
        return Reply(reply.status, reply.body, {**reply.headers, "Content-Type": media, **product})

    def _media(self, request: Request) -> str:
        """Return the media type of the answer."""
        for name in ("content-type", "accept"):
            said = request.headers.get(name, "")
            spoken = () if self.is_opensearch else (self.release[0], self.release[0] - 1)
            if (match := COMPATIBLE.match(said)) and int(match[1]) not in spoken:
                raise Wrong(400, "media_type_header_exception", f"Invalid media-type value on headers [{name}]")
        sent = request.headers.get("content-type", "").split(";")[0]
        if request.body and sent not in (
            *("application/json", "application/x-ndjson"),
            *("application/vnd.elasticsearch+json", "application/vnd.elasticsearch+x-ndjson"),
        ):
            raise Wrong(406, "media_type_exception", f"Content-Type header [{sent}] is not supported")
        match = COMPATIBLE.match(request.headers.get("accept", ""))
        return match[0].replace("x-ndjson", "json") if match else "application/json"

    def _route(self, request: Request) -> Reply:
        if self.authorization and request.headers.get("authorization") != self.authorization:
            raise Wrong(401, "security_exception", "unable to authenticate user for REST request")
        place, _slash, last = request.path[1:].partition("/")
        pit_path = "_search/point_in_time" if self.is_opensearch else "_pit"
        if request.path == "/":
            return self._introduce()
        if request.path == "/_bulk":
            return self._bulk(request)
        if request.path == f"/{pit_path}":
            return self._only(request, {"DELETE"}, self._close)
        if (
            last == pit_path
            and not place.startswith("_")
            and self.release >= ((2, 4) if self.is_opensearch else (7, 10))
        ):
            return self._only(request, {"POST"}, lambda one: self._open(one, unquote(place)))
        if request.path == "/_search" or (last == "_search" and not place.startswith("_")):
            return self._only(request, {"GET", "POST"}, self._search)
        return of_json(400, {"error": f"no handler found for uri [{request.target}] and method [{request.method}]"})

    def _only(self, request: Request, methods: set[str], answer: Callable[[Request], Reply]) -> Reply:
        if request.method in methods:
            return answer(request)
        said = f"Incorrect HTTP method for uri [{request.target}] and method [{request.method}]"
        return of_json(405, {"error": f"{said}, allowed: [{', '.join(sorted(methods))}]", "status": 405})

    def _introduce(self) -> Reply:
        if self.is_root_forbidden:
            raise Wrong(403, "security_exception", "action [cluster:monitor/main] is unauthorized")
        version = {"number": self.version, "build_type": "docker", "lucene_version": "10.2.2"}
        if self.is_opensearch:
            version = {"distribution": "opensearch", **version}
        said = {"name": "node-1", "cluster_name": "stand-in", "cluster_uuid": "9c8vF8zkTrC2", "version": version}
        return of_json(
            200, {**said, "tagline": "The OpenSearch Project" if self.is_opensearch else "You Know, for Search"}
        )

    def _open(self, request: Request, index: str) -> Reply:
        known = {"keep_alive", "ignore_unavailable", "expand_wildcards", "preference", "routing"}
        _check_params(
            request, known | {"allow_partial_pit_creation" if self.is_opensearch else "max_concurrent_shard_requests"}
        )
        keep_alive = request.params.get("keep_alive")
        if keep_alive is None:
            raise Wrong(
                400, "action_request_validation_exception", "Validation Failed: 1: [keep_alive] is not specified;"
            )
        _duration(keep_alive, "keep_alive")
        documents = self._of_indices(index)
        pit = secrets.token_urlsafe(60)
        self.pits[pit] = list(documents)
        shards = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
        return of_json(200, {("pit_id" if self.is_opensearch else "id"): pit, "_shards": shards})

    def _of_indices(self, names: str) -> Iterator[Document]:
        existing = {one.index for one in self.documents}
        for name in names.split(","):
            if "*" not in name and name not in existing:
                raise Wrong(404, "index_not_found_exception", f"no such index [{name}]")
        return (one for one in self.documents if any(fnmatchcase(one.index, name) for name in names.split(",")))

    def _close(self, request: Request) -> Reply:
        _check_params(request, set())
        body = _body(request)
        if set(body) != {"pit_id" if self.is_opensearch else "id"}:
            raise Wrong(400, "illegal_argument_exception", f"request does not support {sorted(body)}")
        names = body["pit_id"] if self.is_opensearch else [body["id"]]
        if not isinstance(names, list):
            raise Wrong(400, "illegal_argument_exception", "pit_id must be an array")
        freed = [name for name in names if self.pits.pop(name, None) is not None]
        if self.is_opensearch:
            return of_json(200, {"pits": [{"successful": name in freed, "pit_id": name} for name in names]})
        return of_json(200 if freed else 404, {"succeeded": True, "num_freed": len(freed)})

    def _search(self, request: Request) -> Reply:
        _check_params(request, SEARCH_PARAMS)
        body = _body(request)
        for name in body:
            if name not in BODY:
                raise Wrong(400, "parsing_exception", f"unknown key [{name}] for a VALUE in [{name}].")
        documents, pit = self._searched(request, body)
        size = body.get("size", 10)
        if not isinstance(size, int) or size < 0 or size + body.get("from", 0) > MOST_HITS:
            raise Wrong(
                400,
                "illegal_argument_exception",
                f"Result window is too large, from + size must be at most [{MOST_HITS}] but was [{size}]",
            )
        if "timeout" in body:
            _duration(body["timeout"], "timeout")
        order = self._order(body, has_pit=bool(pit))
        test = clause(body.get("query", {"match_all": {}}))
        found = [(_values(order, one), one) for one in documents if test(one.fields)]
        hits = sorted(found, key=lambda pair: pair[0])
        if after := body.get("search_after"):
            if len(after) not in (len(order), len(body.get("sort", []))):
                raise Wrong(
                    400,
                    "illegal_argument_exception",
                    f"search_after has {len(after)} value(s) but sort has {len(order)}.",
                )
            hits = [pair for pair in hits if pair[0][: len(after)] > tuple(after)]
        return of_json(200, {**self._found(hits[:size], pit, has_sort=bool(order)), **self._laid_over()})

    def _searched(self, request: Request, body: Mapping[str, Any]) -> tuple[list[Document], str]:
        if "pit" not in body:
            return list(self._of_indices(unquote(request.path[1:].rpartition("/")[0]) or "*")), ""
        if request.path != "/_search":
            raise Wrong(
                400,
                "action_request_validation_exception",
                "Validation Failed: 1: [indices] cannot be used with point in time.;",
            )
        pit = body["pit"]
        if not isinstance(pit, dict) or not set(pit) <= {"id", "keep_alive"} or "id" not in pit:
            raise Wrong(400, "x_content_parse_exception", "[pit] unknown field or missing [id]")
        if pit["id"] not in self.pits:
            raise Wrong(404, "search_context_missing_exception", "No search context found for id [1]")
        return self.pits[pit["id"]], pit["id"]

    def _order(self, body: Mapping[str, Any], *, has_pit: bool) -> list[str]:
        """Return what is sorted by; a point in time of Elasticsearch breaks ties by itself."""
        names = []
        for one in body.get("sort", []):
            name, how = next(iter(one.items())) if isinstance(one, dict) else (one, "asc")
            if (how.get("order") if isinstance(how, dict) else how) != "asc":
                raise Wrong(400, "illegal_argument_exception", "this stand-in sorts upwards only")
            names.append(name)
        has_shard_doc = self.release >= ((3, 3) if self.is_opensearch else (7, 12))
        if "_shard_doc" in names and not has_shard_doc:
            raise Wrong(
                400, "search_phase_execution_exception", "No mapping found for [_shard_doc] in order to sort on"
            )
        if "_shard_doc" in names and not has_pit:
            raise Wrong(
                400,
                "action_request_validation_exception",
                "Validation Failed: 1: [_shard_doc] sort field cannot be used without [point in time];",
            )
        if has_pit and names and has_shard_doc and not self.is_opensearch and "_shard_doc" not in names:
            names.append("_shard_doc")
        if body.get("search_after") is not None and not names:
            raise Wrong(400, "illegal_argument_exception", "Sort must contain at least one field.")
        return names

    def _found(self, hits: list[tuple[tuple[Any, ...], Document]], pit: str, *, has_sort: bool) -> dict[str, Any]:
        listed = [
            {
                "_index": one.index,
                "_id": one.key,
                "_score": None,
                "_source": one.source,
                **({"sort": list(values)} if has_sort else {}),
            }
            for values, one in hits
        ]
        shards = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
        answer = {"took": 1, "timed_out": False, "_shards": shards, "hits": {"max_score": None, "hits": listed}}
        return {**({"pit_id": pit} if pit else {}), **answer}

    def _laid_over(self) -> dict[str, Any]:
        laid, self.partly = self.partly, {}
        return laid

    def _bulk(self, request: Request) -> Reply:
        lines = [json.loads(line) for line in request.body.splitlines() if line.strip()]
        for action, source in zip(lines[::2], lines[1::2], strict=True):
            kind, target = next(iter(action.items()))
            if kind not in ("index", "create"):
                raise Wrong(400, "illegal_argument_exception", f"Malformed action/metadata line, found [{kind}]")
            self.add(target["_index"], source, target.get("_id", ""))
        return of_json(200, {"took": 1, "errors": False, "items": []})


def _values(order: list[str], one: Document) -> tuple[Any, ...]:
    known: dict[str, Any] = {"_shard_doc": one.number, "_index": one.index, "_id": one.key}
    return tuple(known[name] if name in known else millis(one.fields.get(name, 0)) for name in order) or (one.number,)


def _check_params(request: Request, known: set[str]) -> None:
    if unknown := sorted(set(request.params) - known):
        said = f"request [{request.path}] contains unrecognized parameter: [{unknown[0]}]"
        raise Wrong(400, "illegal_argument_exception", said)


def _duration(value: Any, name: str) -> None:
    if not DURATION.fullmatch(str(value)):
        said = f"failed to parse setting [{name}] with value [{value}] as a time value: unit is missing or unrecognized"
        raise Wrong(400, "illegal_argument_exception", said)


def _body(request: Request) -> dict[str, Any]:
    try:
        read = json.loads(request.body or b"{}")
    except ValueError as error:
        raise Wrong(400, "x_content_parse_exception", "Unexpected character") from error
    if not isinstance(read, dict):
        raise Wrong(400, "parsing_exception", "Expected [START_OBJECT] but found [START_ARRAY]")
    return read


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else key, inner)
    else:
        yield name, value


if __name__ == "__main__":
    run(Elasticsearch, 9200, "A stand-in for Elasticsearch:")
