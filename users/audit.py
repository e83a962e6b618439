"""The audit log: who acts, and what happened to accounts."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from auditlog.cid import get_cid
from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from core.actor import acting, present_actor
from core.api.clients import client_address
from core.db import rows
from users.models import User

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def during_request(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Attribute audit entries to the request's user and address.

    Auditlog's own middleware connects a receiver per request, voiding Django's cache of receivers.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        token = _request.set(request)
        try:
            return get_response(request)
        finally:
            _request.reset(token)

    return middleware


def present_request() -> HttpRequest | None:
    return _request.get()


def sign(sender: type[LogEntry], instance: LogEntry, **kwargs: Any) -> None:
    """Set an audit entry's actor and address."""
    request = _request.get()
    actor = instance.actor or present_actor() or getattr(request, "user", None)
    if isinstance(actor, User):
        instance.actor = actor
        instance.actor_email = actor.email
    if request is not None:
        instance.remote_addr = client_address(request)


def write(row: Model, action: int, changes: dict[str, tuple[str, str]], *, by: User | None = None) -> None:
    """Write known changes {field: (from, to)} without rereading the row."""
    entry = LogEntry(
        content_type=ContentType.objects.get_for_model(row),
        object_pk=str(row.pk),
        object_id=row.pk,
        object_repr=str(row),
        action=action,
        changes=changes,
        cid=get_cid(),
        actor=by,
    )
    sign(LogEntry, entry)
    rows.insert(entry)


def record(user: User, event: str, *, by: User | None = None, **facts: Any) -> None:
    """Record what no field shows, such as a sign-in."""
    with acting(by or user):
        LogEntry.objects.log_create(
            user, force_log=True, action=LogEntry.Action.ACCESS, additional_data={"event": event, **facts}
        )


def record_sign_in(sender: type[User], request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Record a sign-in, over the API or in the admin."""
    record(user, "signed_in", path=request.path if request else "")
