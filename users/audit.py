"""The audit log: who acts, and what happened to an account."""

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
    """Attribute audit entries to the user and address of the request being answered.

    Auditlog's own middleware connects a receiver for each request, which makes Django look up all receivers anew.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        token = _request.set(request)
        try:
            return get_response(request)
        finally:
            _request.reset(token)

    return middleware


def present_request() -> HttpRequest | None:
    """Return the request being answered; None in commands and jobs."""
    return _request.get()


def sign(sender: type[LogEntry], instance: LogEntry, **kwargs: Any) -> None:
    """Set actor and address of an audit entry before it is saved."""
    request = _request.get()
    actor = instance.actor or present_actor() or getattr(request, "user", None)
    if isinstance(actor, User):
        instance.actor = actor
        instance.actor_email = actor.email
    if request is not None:
        instance.remote_addr = client_address(request)


def write(row: Model, action: int, changes: dict[str, tuple[str, str]], *, by: User | None = None) -> None:
    """Write an entry whose changes {field: (from, to)} are known, without reading the old row again."""
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
    """Record what no field of an account shows: a sign-in, a new password, a token."""
    with acting(by or user):
        LogEntry.objects.log_create(
            user, force_log=True, action=LogEntry.Action.ACCESS, additional_data={"event": event, **facts}
        )


def record_sign_in(sender: type[User], request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Record a sign-in, over the API or in the admin site."""
    record(user, "signed_in", path=request.path if request else "")
