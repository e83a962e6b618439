"""The audit log's side of people: who acts, and what happened to an account."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from auditlog.context import auditlog_value, set_actor
from auditlog.middleware import AuditlogMiddleware
from auditlog.models import LogEntry
from django.http import HttpRequest

from users.clients import client_address
from users.models import User


class AuditMiddleware(AuditlogMiddleware):  # type: ignore[misc]  # auditlog is untyped
    """Auditlog's own, but with the caller's address as our proxies tell it, not as the caller claims."""

    @staticmethod
    def _get_remote_addr(request: HttpRequest) -> str | None:
        return client_address(request)


@contextmanager
def acting(by: User | None) -> Iterator[None]:
    """Enter the person as the actor of every audit entry written inside.

    Auditlog's `set_actor` alone, inside a request, leaves the request's own signal receiver connected for ever (it
    disconnects whichever context was set last), so the outer context is put back here.
    """
    outer = auditlog_value.get(None) or {}
    token = auditlog_value.set(outer)
    try:
        with set_actor(by, remote_addr=outer.get("remote_addr"), remote_port=outer.get("remote_port")):
            yield
    finally:
        auditlog_value.reset(token)


def record(user: User, event: str, *, by: User | None = None, **facts: Any) -> None:
    """Write that something happened to an account that no field shows: a sign-in, a new password, a token."""
    with acting(by or user):
        LogEntry.objects.log_create(
            user, force_log=True, action=LogEntry.Action.ACCESS, additional_data={"event": event, **facts}
        )


def record_sign_in(sender: type[User], request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Receiver of Django's `user_logged_in`: the admin site's sign-ins and the API's leave the same entry."""
    record(user, "signed_in", path=request.path if request else "")
