"""Endpoints that senders post to, each speaking one vendor's protocol."""

import base64
import re
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

import orjson

from core.api.jsonio import to_json
from core.api.problems import problem
from intake.models import Source
from intake.operations import KeyScheme, Operation, path_regex
from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from intake.services.sources import source_of

PROBLEM = "application/problem+json"
CODES = {
    400: "invalid",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "too_large",
    422: "invalid",
    429: "throttled",
    503: "unavailable",
}


def problem_response(status: int, message: str, **headers: str) -> IntakeResponse:
    """Return a problem document (RFC 9457)."""
    body = to_json(problem(status, message, code=CODES.get(status, "error")))
    return IntakeResponse(status, body, headers, PROBLEM)


def identified(response: IntakeResponse, request_id: str) -> IntakeResponse:
    """Return a problem document with its request's id."""
    body = to_json({**orjson.loads(response.body), "request_id": request_id})
    return replace(response, body=body, headers={**response.headers, "X-Request-ID": request_id})


class WrongKind(IntakeError):
    """A known key that is not accepted here."""


class Endpoint:
    """One protocol; subclasses declare what is theirs."""

    operations: ClassVar[tuple[Operation, ...]] = ()
    more_paths: ClassVar[tuple[str, ...]] = ()  # served alike, not described
    more_methods: ClassVar[tuple[str, ...]] = ()
    scheme: ClassVar[KeyScheme | None] = None  # None where the key is in path, query or body
    format: ClassVar[str] = ""  # stored requests are read as this; "": as the source's kind
    has_key_in_path: ClassVar[bool] = True  # then the path is not stored
    challenge: ClassVar[str] = "Bearer"  # WWW-Authenticate of a 401
    asks_for: ClassVar[str] = "Send it as Authorization: Bearer <key>."
    has_route: ClassVar[bool] = True  # False where its paths lead elsewhere too
    kinds: ClassVar[tuple[str, ...]] = ()  # kinds whose keys are accepted; (): all

    @cached_property
    def methods(self) -> list[str]:
        return sorted({*(operation.method for operation in self.operations), *self.more_methods})

    @cached_property
    def paths(self) -> list[str]:
        """Return regular expressions of paths without the first slash."""
        templates = dict.fromkeys([*(operation.path for operation in self.operations), *self.more_paths])
        return [path_regex(template) for template in templates]

    def path_parameter(self, request: IntakeRequest, name: str) -> str:
        """Return a path parameter, or ""."""
        relative = request.path.removeprefix("/")
        matches = (re.fullmatch(path, relative) for path in self.paths)
        return next((match[name] for match in matches if match), "")

    def key(self, request: IntakeRequest) -> str:
        """Return the sender's key, or ""."""
        raise NotImplementedError

    def is_key_in_body(self, request: IntakeRequest) -> bool:
        """Return whether only the body identifies the sender: such bodies are small."""
        return False

    def source(self, request: IntakeRequest) -> Source | None:
        """Return the sender. Raises IntakeError: 401 without a key, 403 for a wrong one."""
        key = self.key(request)
        if not key:
            raise IntakeError(f"The request has no key. {self.asks_for}".strip(), status=401)
        source = source_of(key)
        if source is None:
            raise IntakeError("Unknown key, or its source is disabled.", status=403, is_stored=False)
        self._check(source, request)
        return source

    def accepts_others(self, request: IntakeRequest) -> bool:
        """Return whether other kinds may be allowed here."""
        return True

    def checks_signature(self, source: Source) -> bool:
        """Return whether `ingest` refuses what the source has not signed."""
        return False

    def wrong_kind(self, source: Source) -> str:
        """Return the error for a key of another kind."""
        return (
            f"The key belongs to {source.name}, a source of kind {source.kind}; "
            f"this endpoint accepts keys of kind {' or '.join(self.kinds)}."
        )

    def _check(self, source: Source, request: IntakeRequest) -> None:
        if self.kinds and source.kind not in self.kinds:
            message = self.wrong_kind(source)
            if not self.accepts_others(request):
                raise WrongKind(message, status=403, is_stored=False)
            if not source.allow_other_endpoints:
                raise WrongKind(f"{message} An administrator can allow it on the source.", status=403, is_stored=False)
        # What a signature would prove must not be had without one by choosing another endpoint.
        if source.signing_secret and not self.checks_signature(source) and not source.allow_other_endpoints:
            message = (
                f"{source.name} has a signing secret, and this endpoint cannot check a signature of a source of kind "
                f"{source.kind}. Remove the secret, or allow unsigned requests on the source."
            )
            raise WrongKind(message, status=403, is_stored=False)

    def is_slow(self, source: Source | None) -> bool:
        """Return whether `ingest` may wait for the network."""
        return False

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        """Read a request; return an IntakeResponse when there is nothing to store. Raises IntakeError."""
        raise NotImplementedError

    def refuse(self, error: IntakeError) -> IntakeResponse:
        """Return the error as the vendor's senders know it."""
        headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
        if error.status == 401:
            headers["WWW-Authenticate"] = self.challenge
        return problem_response(error.status, error.message, **headers)


_routes: list[tuple[re.Pattern[str], Endpoint]] = []


def register_endpoints(*added: Endpoint) -> None:
    """Register endpoints, in the order in which `find` asks them."""
    _routes.extend((re.compile(path), endpoint) for endpoint in added for path in endpoint.paths)


def find(method: str, path: str) -> Endpoint | None:
    """Return the first endpoint that serves this method at a path."""
    relative = path.removeprefix("/")
    for pattern, endpoint in _routes:
        if pattern.fullmatch(relative) and method in endpoint.methods:
            return endpoint
    return None


def endpoints() -> list[Endpoint]:
    """Return every endpoint, in the order of registration."""
    return list(dict.fromkeys(endpoint for _pattern, endpoint in _routes))


def first_parts() -> set[str]:
    """Return the first part of every path that is served, and leads nowhere else."""
    return {path.partition("/")[0] for endpoint in endpoints() if endpoint.has_route for path in endpoint.paths}


def bearer(request: IntakeRequest, *schemes: str) -> str:
    """Return what follows one of these schemes (lower case) in the Authorization header; "" otherwise."""
    scheme, _space, credentials = request.headers.get("authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() in schemes else ""


def basic_pair(request: IntakeRequest) -> tuple[str, str]:
    """Return name and password of basic authentication; both "" where there is none."""
    try:
        pair = base64.b64decode(bearer(request, "basic"), validate=True).decode()
    except ValueError:  # of which UnicodeDecodeError and binascii.Error are two
        return "", ""
    name, _colon, password = pair.partition(":")
    return name.strip(), password.strip()
