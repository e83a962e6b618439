"""The Kubernetes API, as far as runbooks need it."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings

from core.outbound.client import Answer, Client, OutboundError, Refused

Object = dict[str, Any]

IN_CLUSTER = "in-cluster"
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")  # where a pod finds its service account
MANAGER = "incident-response"
MAX_BYTES = 8 * 1024 * 1024
PAGE = 250
MOST_PAGES = 40
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class ClusterError(Exception):
    """A request failed; the message is for people. `status` is 0 if no answer came."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.message, self.status = message, status

    @property
    def may_have_arrived(self) -> bool:
        """Return whether a change may have been made, or may be made yet."""
        return self.status == 0 or self.status >= 500


@dataclass(frozen=True)
class Place:
    """One workload: its resource (`deployments`), namespace and name."""

    resource: str
    namespace: str
    name: str

    @property
    def path(self) -> str:
        return f"{collection(self.resource, self.namespace)}/{quote(self.name, safe='')}"


def collection(resource: str, namespace: str, group: str = "apps") -> str:
    return f"/apis/{group}/v1/namespaces/{quote(namespace, safe='')}/{resource}"


def why_unusable() -> str:
    """Return which setting is missing or unusable; empty if none is."""
    if not settings.KUBERNETES_URL:
        return "Set KUBERNETES_URL to the address of the cluster's API, or to in-cluster."
    parts = urlsplit(_base_url())
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        return "KUBERNETES_URL must begin with https://: the token would be readable on the way."
    if not settings.KUBERNETES_TOKEN and not (ACCOUNT / "token").is_file():
        return "Set KUBERNETES_TOKEN: there is no service account's token in this container."
    return ""


def get(place: Place) -> Object:
    """Return a workload. Raises ClusterError."""
    return _send("GET", place.path)


def names(resource: str, namespace: str, selector: str = "") -> Iterator[Object]:
    """Yield the metadata of workloads, whole lists only. Raises ClusterError."""
    query = {"limit": str(PAGE), **({"labelSelector": selector} if selector else {})}
    for _page in range(MOST_PAGES):
        answer = _send("GET", collection(resource, namespace), query, accept=_METADATA_ONLY)
        yield from (item["metadata"] for item in answer["items"])
        if not (more := answer["metadata"].get("continue")):
            return
        query["continue"] = more
    raise ClusterError(f"The namespace has more than {PAGE * MOST_PAGES} {resource}.")


def items(path: str, selector: str = "") -> list[Object]:
    """Return the whole objects of a list. Raises ClusterError."""
    found: list[Object] = _send("GET", path, {"labelSelector": selector} if selector else {})["items"]
    return found


def patch(path: str, change: Any, media: str, *, is_dry: bool = False) -> Object:
    """Return the object as changed; a dry run stores nothing. Raises ClusterError."""
    query = {"fieldManager": MANAGER, "fieldValidation": "Strict", **({"dryRun": "All"} if is_dry else {})}
    return _send("PATCH", path, query, content=json.dumps(change).encode(), media=media)


def _send(
    method: str,
    path: str,
    query: Mapping[str, str] | None = None,
    *,
    accept: str = "application/json",
    content: bytes | None = None,
    media: str = "",
) -> Object:
    headers = {"Accept": accept, "Authorization": f"Bearer {_token()}"}
    if media:
        headers["Content-Type"] = media
    url = f"{_base_url()}{path}" + (f"?{urlencode(query)}" if query else "")
    client = _client(_ca_file())
    try:
        answer = client.request(method, url, headers=headers, content=content)
    except Refused as error:
        raise ClusterError(f"Nothing was sent: {error}.", status=400) from error
    except OutboundError as error:
        raise ClusterError(f"The cluster did not answer: {error}.") from error
    return _body(answer)


def _body(answer: Answer) -> Object:
    try:
        body = json.loads(answer.content)
    except ValueError as error:
        status = answer.status if answer.status >= 400 else 0
        raise ClusterError(f"The cluster answered {answer.status} without JSON.", status=status) from error
    if answer.status != 200 or not isinstance(body, dict):
        said = str(body.get("message", ""))[:500] if isinstance(body, dict) else ""
        status = answer.status if answer.status >= 400 else 0
        raise ClusterError(f"The cluster refused with {answer.status}: {said or 'no reason given'}", status=status)
    return body


def _base_url() -> str:
    url: str = settings.KUBERNETES_URL
    if url != IN_CLUSTER:
        return url.rstrip("/")
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    return f"https://{f'[{host}]' if ':' in host else host}:{port}"


def _ca_file() -> str:
    if settings.KUBERNETES_CA or settings.KUBERNETES_URL != IN_CLUSTER:
        return str(settings.KUBERNETES_CA)
    return str(ACCOUNT / "ca.crt")


def _token() -> str:
    if settings.KUBERNETES_TOKEN:
        return str(settings.KUBERNETES_TOKEN)
    try:
        return (ACCOUNT / "token").read_text().strip()  # read anew: the kubelet replaces it
    except OSError as error:
        raise ClusterError("The service account's token cannot be read.", status=401) from error


@lru_cache(maxsize=4)
def _client(ca_file: str) -> Client:
    return Client(step_seconds=5, total_seconds=10, max_bytes=MAX_BYTES, is_trusted=True, ca_file=ca_file)
