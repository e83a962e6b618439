"""The API over HTTP: paths, media types, tokens and their rules, and Status objects."""

import json
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from e2e.stand_ins.kubernetes.cluster import Cluster, Object, Refusal
from e2e.stand_ins.kubernetes.patching import BadPatch, json_merge, json_patch, strategic_merge

HOST = "127.0.0.1"
PATCHES: dict[str, Callable[[Any, Any], Any]] = {
    "application/json-patch+json": json_patch,
    "application/merge-patch+json": json_merge,
    "application/strategic-merge-patch+json": strategic_merge,
}
KNOWN = {
    "get": {"pretty"},
    "list": {"labelSelector", "limit", "continue", "resourceVersion", "timeoutSeconds", "pretty"},
    "patch": {"dryRun", "fieldManager", "fieldValidation", "force", "pretty"},
}
GROUPS = {
    "apps": ("deployments", "statefulsets", "daemonsets", "replicasets"),
    "policy": ("poddisruptionbudgets",),
}
LIST_KINDS = {
    "deployments": "DeploymentList",
    "statefulsets": "StatefulSetList",
    "daemonsets": "DaemonSetList",
    "replicasets": "ReplicaSetList",
    "poddisruptionbudgets": "PodDisruptionBudgetList",
}
METADATA_LIST = "PartialObjectMetadataList"
_PATH = re.compile(
    r"/apis/(?P<group>apps|policy)/v1/namespaces/(?P<namespace>[a-z0-9-]+)/(?P<resource>[a-z]+)"
    r"(/(?P<name>[a-z0-9.-]+)(/(?P<sub>scale))?)?"
)
# (verb, resource with subresource) pairs; None allows all.
Rules = frozenset[tuple[str, str]] | None


@dataclass
class Seen:
    """One request, as it arrived."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    body: Any


@dataclass
class StandIn:
    """A server on a free port until it is left; `tokens` maps each to its rules."""

    cluster: Cluster = field(default_factory=Cluster)
    tokens: dict[str, Rules] = field(default_factory=lambda: {"cluster-token": None})
    port: int = 0
    certificate: Path | None = None  # with its key
    seen: list[Seen] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)  # methods whose next answer is lost after it took effect
    ends_with: str = ""  # the method after whose effect no answer comes any more
    is_away: bool = False

    def __enter__(self) -> "StandIn":
        self.server = ThreadingHTTPServer((HOST, self.port), type("Handler", (Handler,), {"stand_in": self}))
        self.server.daemon_threads = True
        scheme = "http"
        if self.certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.port = self.server.server_port
        self.url = f"{scheme}://{HOST}:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()

    def writes(self) -> list[Seen]:
        """Return the PATCH requests that were no dry runs."""
        return [seen for seen in self.seen if seen.method == "PATCH" and "dryRun" not in seen.query]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: StandIn

    def do_GET(self) -> None:
        self._respond("get")

    def do_PATCH(self) -> None:
        self._respond("patch")

    def do_POST(self) -> None:
        self._respond("create")

    do_PUT = do_DELETE = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing."""

    def _respond(self, verb: str) -> None:
        try:
            status, body = 200, self._answer(verb)
        except Refusal as refusal:
            status = refusal.code
            body = {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": refusal.message,
                "reason": refusal.reason,
                "details": refusal.details,
                "code": refusal.code,
            }
        stand_in = self.stand_in
        stand_in.is_away = stand_in.is_away or self.command == stand_in.ends_with
        if stand_in.is_away or self.command in stand_in.lost:
            stand_in.lost = [method for method in stand_in.lost if method != self.command]
            self.close_connection = True
            self.connection.close()
            return
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, verb: str) -> Object:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        rules = self._rules()
        if parts.path == "/version":
            return {"major": "1", "minor": "34", "gitVersion": "v1.34.0"}
        match = _PATH.fullmatch(parts.path)
        if match is None or match["resource"] not in GROUPS[match["group"]]:
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        verb = "list" if verb == "get" and match["name"] is None else verb
        resource = match["resource"] + (f"/{match['sub']}" if match["sub"] else "")
        if rules is not None and (verb, resource) not in rules:
            raise Refusal(403, "Forbidden", self._forbidden(verb, resource, match))
        if verb not in KNOWN or (verb == "patch" and match["group"] != "apps"):
            raise Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        if unknown := sorted(query.keys() - KNOWN[verb]):
            raise Refusal(400, "BadRequest", f"the stand-in knows no parameter {unknown[0]}")
        body = self._json(content) if verb == "patch" else None
        self.stand_in.seen.append(Seen(self.command, parts.path, query, body))
        if verb == "patch":
            return self._patch(match, query, body)
        return self._list(match, query) if verb == "list" else self._get(match)

    def _rules(self) -> Rules:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token not in self.stand_in.tokens:
            raise Refusal(401, "Unauthorized", "Unauthorized")
        return self.stand_in.tokens[token]

    def _forbidden(self, verb: str, resource: str, match: re.Match[str]) -> str:
        name = f' "{match["name"]}"' if match["name"] else ""
        return (
            f'{resource}.{match["group"]}{name} is forbidden: User "system:serviceaccount:ops:incidents" cannot {verb} '
            f'resource "{resource}" in API group "{match["group"]}" in the namespace "{match["namespace"]}"'
        )

    def _json(self, content: bytes) -> Any:
        try:
            return json.loads(content)
        except ValueError as error:
            raise Refusal(400, "BadRequest", "error decoding patch: invalid character") from error

    # --- What it does -------------------------------------------------------------------------------------------------

    def _get(self, match: re.Match[str]) -> Object:
        found = self.stand_in.cluster.get(match["resource"], match["namespace"], match["name"])
        return _scale_of(found) if match["sub"] else found

    def _list(self, match: re.Match[str], query: Mapping[str, list[str]]) -> Object:
        cluster = self.stand_in.cluster
        found = cluster.find(match["resource"], match["namespace"], _selector(query.get("labelSelector", [""])[0]))
        start = int(query.get("continue", ["0"])[0] or 0)
        limit = int(query.get("limit", ["0"])[0] or 0) or len(found)
        metadata: Object = {"resourceVersion": cluster.version}
        if start + limit < len(found):
            metadata |= {"continue": str(start + limit), "remainingItemCount": len(found) - start - limit}
        found = found[start : start + limit]
        version, kind = f"{match['group']}/v1", LIST_KINDS[match["resource"]]
        if f"as={METADATA_LIST}" in self.headers.get("Accept", ""):
            version, kind = "meta.k8s.io/v1", METADATA_LIST
            one = {"kind": "PartialObjectMetadata", "apiVersion": version}
            found = [{**one, "metadata": item["metadata"]} for item in found]
        return {"kind": kind, "apiVersion": version, "metadata": metadata, "items": found}

    def _patch(self, match: re.Match[str], query: Mapping[str, list[str]], body: Any) -> Object:
        media = self.headers.get("Content-Type", "").partition(";")[0].strip()
        if media not in PATCHES:
            accepted = ", ".join(PATCHES)
            text = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
            raise Refusal(415, "UnsupportedMediaType", text)
        if query.get("dryRun", ["All"]) != ["All"]:
            raise Refusal(422, "Invalid", 'dryRun: Unsupported value: supported values: "All"')

        def patched(found: Object) -> Object:
            try:
                if not match["sub"]:
                    result: Object = PATCHES[media](found, body)
                    return result
                scale = PATCHES[media](_scale_of(found), body)
            except BadPatch as error:
                raise Refusal(422, "Invalid", str(error)) from error
            found["spec"]["replicas"] = scale["spec"].get("replicas", 0)
            found["metadata"]["resourceVersion"] = scale["metadata"].get("resourceVersion")
            return found

        place = (match["resource"], match["namespace"], match["name"])
        changed = self.stand_in.cluster.change(*place, patched, is_dry="dryRun" in query)
        return _scale_of(changed) if match["sub"] else changed


def _scale_of(found: Object) -> Object:
    wanted = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    selector = ",".join(f"{name}={value}" for name, value in found["spec"]["selector"]["matchLabels"].items())
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: found["metadata"][name] for name in wanted},
        "spec": {"replicas": found["spec"]["replicas"]},
        "status": {"replicas": found["status"].get("replicas", 0), "selector": selector},
    }


def _selector(text: str) -> dict[str, str]:
    """Return what an equality selector asks for. Raises Refusal for other kinds."""
    wanted = {}
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"\s*([A-Za-z0-9./_-]+)\s*==?\s*([A-Za-z0-9._-]*)\s*", part)
        if match is None:
            raise Refusal(400, "BadRequest", f'unable to parse requirement: found "{part}"')
        wanted[match[1]] = match[2]
    return wanted
