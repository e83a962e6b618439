"""`Idempotency-Key`: do a repeated write once, and give its first answer again.

The key's row, the work and the answer share one transaction: a crash leaves neither, and a second request waits at the
unique key. A write of many parts is many transactions; a repeat does what is left.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, OperationalError
from django.db.models import Value
from django.db.models.functions import StrIndex
from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import APIException, ParseError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.jsonio import to_json
from core.api.problems import refuse
from core.db.transactions import in_one_piece, unit_of_work
from core.errors import Busy, Conflict, DomainError
from core.models import IdempotentRequest

REMEMBERED = timedelta(hours=24)
MAX_KEY_LENGTH = 255
LOCK_WAIT_TIMEOUT = 1205  # MySQL's number for it
KEPT_HEADERS = ("ETag", "Location")

Handler = Callable[..., HttpResponseBase | None]


class KeyReused(Conflict):
    """The key was used with other content."""

    code = "idempotency_key_reused"


class InProgress(Conflict):
    """The first request with this key is unanswered."""

    code = "idempotency_in_progress"


@dataclass(frozen=True)
class Claim:
    """What identifies a repeat: person, key (with method and path) and content."""

    user: Any
    key_digest: str
    content_digest: str


class IdempotentWrites:
    """Mixin, left of a DRF view, whose writes accept `Idempotency-Key`.

    Not for views whose answers hold secrets: answers are stored.
    """

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Put the memory in front of the handler, after DRF's checks."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]  # the view's
        name = str(request.method).lower()
        handler = getattr(self, name, None)
        if request.method in SAFE_METHODS or handler is None or "Idempotency-Key" not in request.headers:
            return
        setattr(self, name, partial(self.answer_remembered, claim_of(request), handler))

    def answer_remembered(
        self, claim: "Claim", handler: Handler, request: Request, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Return what `handler` answers, or answered before."""
        return answer_once(
            claim,
            lambda: _answer(self, handler, request, *args, **kwargs),
            prepare=lambda: _answer(self, self.prepare, request, *args, **kwargs),
        )

    def prepare(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase | None:
        """Do slow work that touches no row before the transaction; what it raises is the answer."""


@dataclass(frozen=True)
class Parts:
    """A write of many parts: names, work (returns plain JSON), what Busy comes to, and the answer of all in order.

    `work` runs in the part's own transaction.
    """

    names: Sequence[str]
    work: Callable[[str], Any]
    busy: Callable[[str, Busy], Any]
    answer: Callable[[list[Any]], HttpResponseBase]

    def of(self, name: str, do: Callable[[], Any]) -> tuple[Any, bool]:
        """Return what a part comes to, and whether that is final."""
        try:
            return do(), True
        except Busy as error:
            return self.busy(name, error), False


class IdempotentParts(IdempotentWrites):
    """Mixin for a view whose POST is many writes under one key."""

    def parts(self, request: Request) -> Parts:
        """Return the requested parts. Raises what refuses all."""
        raise NotImplementedError

    def post(self, request: Request) -> HttpResponseBase:
        """Change each by itself; a repeat with its `Idempotency-Key` does what is left."""
        parts = self.parts(request)
        return parts.answer([parts.of(name, partial(parts.work, name))[0] for name in parts.names])

    def answer_remembered(
        self, claim: "Claim", handler: Handler, request: Request, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        return answer_in_parts(claim, lambda: _answer(self, self.parts, request))


def _answer(view: Any, handler: Callable[..., Any], request: Request, *args: Any, **kwargs: Any) -> Any:
    """Return the view's answer, errors included; files are rewound for a retry."""
    for file in request.FILES.values():
        file.seek(0)
    try:
        return handler(request, *args, **kwargs)
    except (APIException, DomainError, Http404, PermissionDenied) as error:
        response: HttpResponseBase = view.handle_exception(error)
        return response


def claim_of(request: Request) -> Claim:
    """Return the request's claim; refuse an empty or overlong key."""
    key = request.headers["Idempotency-Key"]
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        refuse("Idempotency-Key", f"The key must be 1 to {MAX_KEY_LENGTH} characters long.")
    name = "\n".join([str(request.method), request.path, key])
    user: Any = request.user  # signed in: permissions were checked before
    return Claim(user, hashlib.sha256(name.encode()).hexdigest(), content_digest(request))


def content_digest(request: Request) -> str:
    """Return the SHA-256 of query and JSON in any spacing and order, or of fields and files."""
    data = request.data
    if isinstance(data, QueryDict):
        content: Any = ["form", {name: data.getlist(name) for name in data}]
    else:
        content = ["json", data]
    query = request.META.get("QUERY_STRING", "")
    try:
        return hashlib.sha256(
            orjson.dumps([query, content], default=_file_digest, option=orjson.OPT_SORT_KEYS)
        ).hexdigest()
    except orjson.JSONEncodeError as error:
        raise ParseError("The body is nested too deeply.") from error


def _file_digest(value: Any) -> Any:
    if not isinstance(value, UploadedFile):
        raise TypeError(f"{value!r} is no file")
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return {"name": value.name, "sha256": digest.hexdigest()}


class _Refused(Exception):
    """Carries an answer out of a transaction that must roll back."""

    def __init__(self, response: HttpResponseBase) -> None:
        super().__init__()
        self.response = response


class _AnsweredMeanwhile(Exception):
    """Another request with the key was answered meanwhile."""


def answer_once(
    claim: Claim,
    work: Callable[[], HttpResponseBase],
    *,
    prepare: Callable[[], HttpResponseBase | None] = lambda: None,
) -> HttpResponseBase:
    """Return the remembered answer, or that of `work`; an answer of `prepare` is a refusal before it.

    2xx commits with its work; 4xx is remembered and undone; 401, 429 and 5xx are undone and forgotten. Raises KeyReused
    and InProgress.
    """
    first = _first_of(claim)
    if first is not None and _is_remembered(first):
        return _replay(first, claim)
    try:
        unprepared = prepare()
        if unprepared is not None:
            raise _Refused(unprepared)
        return _work_once(claim, work, first)
    except _AnsweredMeanwhile:
        return _replay(_first_of(claim), claim)
    except _Refused as refusal:
        if refusal.response.status_code < 500 and refusal.response.status_code not in (401, 429):
            _remember_refusal(claim, refusal.response)
        return refusal.response


def answer_in_parts(claim: Claim, plan: Callable[[], Parts | HttpResponseBase]) -> HttpResponseBase:
    """Return the remembered answer, or that of the parts, doing only what was not done.

    `plan` answers where all is refused. The answer is remembered once each part is final. Raises KeyReused.
    """
    row = _begun(claim)
    if row.status is not None or row.content_digest != claim.content_digest:
        return _replay(row, claim)
    parts = plan()
    if not isinstance(parts, Parts):
        if parts.status_code < 500 and parts.status_code not in (401, 429):
            _finish(row, parts)
        return parts
    done = [parts.of(name, partial(_part_once, claim, row, name, parts.work)) for name in parts.names]
    response = parts.answer([result for result, _ in done])
    if all(is_final for _, is_final in done):
        _finish(row, response)
    return response


@unit_of_work
def _begun(claim: Claim) -> IdempotentRequest:
    row = _first_of(claim)
    if row is not None and not _is_remembered(row):
        row.delete()
        row = None
    if row is None:
        wanted = {"content_digest": claim.content_digest}
        row, _ = IdempotentRequest.objects.get_or_create(user=claim.user, key_digest=claim.key_digest, defaults=wanted)
    return row


def _part_once(claim: Claim, whole: IdempotentRequest, name: str, work: Callable[[str], Any]) -> Any:
    """Return what a part came to, or comes to now; a concurrent second waits for the first."""
    key_digest = hashlib.sha256(f"{claim.key_digest}\n{whole.pk}\n{name}".encode()).hexdigest()
    part = Claim(claim.user, key_digest, claim.content_digest)
    if (first := _first_of(part)) is not None:
        return orjson.loads(first.body)
    try:
        return _work_part(part, name, work)
    except _AnsweredMeanwhile:
        first = _first_of(part)
        if first is None:
            raise _in_progress() from None
        return orjson.loads(first.body)


@unit_of_work
def _work_part(part: Claim, name: str, work: Callable[[str], Any]) -> Any:
    row = _insert(part)
    result = work(name)
    row.body = to_json(result).decode()
    row.save(update_fields=["body"])
    return result


def _finish(row: IdempotentRequest, response: HttpResponseBase) -> None:
    _keep(row, response)
    row.save(update_fields=["status", "headers", "body"])


@unit_of_work
def _work_once(
    claim: Claim, work: Callable[[], HttpResponseBase], outdated: IdempotentRequest | None
) -> HttpResponseBase:
    if outdated is not None:
        IdempotentRequest.objects.filter(pk=outdated.pk).delete()
    row = _insert(claim)
    with in_one_piece():  # a refusal undoes all of it
        response = work()
    if response.status_code >= 400:
        raise _Refused(response)
    _keep(row, response)
    row.save(update_fields=["status", "headers", "body"])
    return response


def _insert(claim: Claim) -> IdempotentRequest:
    """Take the key; the database makes a second caller wait here."""
    try:
        return IdempotentRequest.objects.create(
            user=claim.user, key_digest=claim.key_digest, content_digest=claim.content_digest
        )
    except IntegrityError as error:
        raise _AnsweredMeanwhile from error
    except OperationalError as error:
        if error.args[:1] == (LOCK_WAIT_TIMEOUT,):
            raise _in_progress() from error
        raise


def _remember_refusal(claim: Claim, response: HttpResponseBase) -> None:
    """Remember a 4xx; nothing was done, so a quicker request may win."""
    row = IdempotentRequest(user=claim.user, key_digest=claim.key_digest, content_digest=claim.content_digest)
    _keep(row, response)
    IdempotentRequest.objects.bulk_create([row], ignore_conflicts=True)


def _keep(row: IdempotentRequest, response: HttpResponseBase) -> None:
    """Copy an answer onto its row; a DRF answer is not rendered yet."""
    body = b""
    content_type = response.headers.get("Content-Type", "")
    if isinstance(response, Response):
        body = b"" if response.data is None else to_json(response.data)
        content_type = response.content_type or "application/json"
    elif isinstance(response, HttpResponse):
        body = response.content
    row.status = response.status_code
    row.body = body.decode()
    row.headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    if body:
        row.headers["Content-Type"] = content_type


def redact_text(text: str, *, instead: str) -> None:
    """Replace a text in all remembered answers, so that nobody reads it again.

    Reads a day's answers: for rare use. Only strings equal to the text are replaced.
    """
    written = Value(to_json(text).decode()[1:-1])
    for row in IdempotentRequest.objects.annotate(place=StrIndex("body", written)).filter(place__gt=0):
        row.body = to_json(_replaced(orjson.loads(row.body), text, instead)).decode()
        row.save(update_fields=["body"])


def _replaced(value: Any, text: str, instead: str) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(inner, text, instead) for name, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, text, instead) for inner in value]
    return instead if value == text else value


def _first_of(claim: Claim) -> IdempotentRequest | None:
    return IdempotentRequest.objects.filter(user=claim.user, key_digest=claim.key_digest).first()


def _is_remembered(row: IdempotentRequest) -> bool:
    return row.created_at > timezone.now() - REMEMBERED


def _replay(row: IdempotentRequest | None, claim: Claim) -> HttpResponse:
    if row is not None and row.content_digest != claim.content_digest:
        raise KeyReused("This Idempotency-Key was already used with different content; use a new one.")
    if row is None or row.status is None:
        raise _in_progress()
    response = HttpResponse(row.body, status=row.status, headers={**row.headers, "Idempotent-Replayed": "true"})
    if not row.body:
        del response.headers["Content-Type"]
    return response


def _in_progress() -> InProgress:
    return InProgress("The first request with this key is still being processed; try again in a moment.")
