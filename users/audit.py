"""The audit log's side of people: who acts, and what happened to an account."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from auditlog.cid import get_cid
from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from core.api.clients import client_address
from core.db import rows
from users.models import User

_actor: ContextVar[User | None] = ContextVar("actor", default=None)
_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def during_request(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: what is audited while a request is answered was done by its user, from its client's address.

    Auditlog's own middleware connects a signal receiver for each request and disconnects it again, which makes Django
    look all receivers up anew after every request and every write.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        token = _request.set(request)
        try:
            return get_response(request)
        finally:
            _request.reset(token)

    return middleware


def present_request() -> HttpRequest | None:
    """The request that is being answered; None in commands and jobs."""
    return _request.get()


@contextmanager
def acting(by: User | None) -> Iterator[None]:
    """Enter the person as the actor of every audit entry written inside."""
    token = _actor.set(by)
    try:
        yield
    finally:
        _actor.reset(token)


def sign(sender: type[LogEntry], instance: LogEntry, **kwargs: Any) -> None:
    """Receiver of an audit entry's `pre_save`: write down who acts, and from where."""
    request = _request.get()
    actor = _actor.get() or getattr(request, "user", None)
    if instance.actor is None and isinstance(actor, User):
        instance.actor = actor
        instance.actor_email = actor.email
    if request is not None:
        instance.remote_addr = client_address(request)


def write(row: Model, action: int, changes: dict[str, tuple[str, str]]) -> None:
    """Write an entry whose changes {field: (from, to)} are known, so that auditlog need not read the old row again."""
    entry = LogEntry(
        content_type=ContentType.objects.get_for_model(row),
        object_pk=str(row.pk),
        object_id=row.pk,
        object_repr=str(row),
        action=action,
        changes=changes,
        cid=get_cid(),
    )
    sign(LogEntry, entry)
    rows.insert(entry)


def record(user: User, event: str, *, by: User | None = None, **facts: Any) -> None:
    """Write that something happened to an account that no field shows: a sign-in, a new password, a token."""
    with acting(by or user):
        LogEntry.objects.log_create(
            user, force_log=True, action=LogEntry.Action.ACCESS, additional_data={"event": event, **facts}
        )


def record_sign_in(sender: type[User], request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Receiver of Django's `user_logged_in`: the admin site's sign-ins and the API's leave the same entry."""
    record(user, "signed_in", path=request.path if request else "")
