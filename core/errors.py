"""Errors for people: problem documents, sentences on pages and in commands."""

from typing import Any

from django.utils.translation import gettext as _


class DomainError(Exception):
    """A request cannot be done; nothing was changed.

    `code` is stable; `extra` adds members to the problem document.
    """

    status = 400
    code = "invalid"
    title = "Invalid request"
    retry_after: int | None = None  # seconds

    def __init__(self, message: str, *, field: str | None = None, code: str | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.field = field
        self.extra = extra


class NotSignedIn(DomainError):
    status = 401
    code = "not_authenticated"
    title = "Authentication required"


class PermissionRefused(DomainError):
    status = 403
    code = "permission_denied"
    title = "Not allowed"


class NotFound(DomainError):
    """Nonexistent, or invisible to the caller."""

    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(DomainError):
    """The present state forbids it."""

    status = 409
    code = "conflict"
    title = "Conflict"


def conflict_of(error: Exception) -> Conflict | None:
    """Return the Conflict behind a concurrent write's IntegrityError, if any."""
    number = error.args[0] if error.args else None  # MySQL: 1062 duplicate; 1451, 1452 in use
    text = str(error)
    if number == 1062 or "UNIQUE constraint failed" in text:
        return Conflict(_("Already exists; it was created by another request."), code="already_exists")
    if number in (1451, 1452) or "FOREIGN KEY constraint failed" in text:
        return Conflict(
            _("A related object was just changed by another request; read it again and retry."), code="in_use"
        )
    return None


class InvalidTransition(Conflict):
    """The status forbids this action; `allowed` lists others."""

    code = "invalid_transition"
    title = "Invalid transition"


class StaleVersion(DomainError):
    """`If-Match` names an earlier version."""

    status = 412
    code = "stale_version"
    title = "Changed in the meantime"


class RequestTimeout(DomainError):
    status = 408
    code = "request_timeout"
    title = "Request timeout"


class TooLarge(DomainError):
    status = 413
    code = "too_large"
    title = "Too large"


class UnsupportedMedia(DomainError):
    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"


class TooManyRequests(DomainError):
    status = 429
    code = "too_many_requests"
    title = "Too many requests"

    def __init__(self, message: str, *, retry_after: int, **extra: Any) -> None:
        super().__init__(message, **extra)
        self.retry_after = retry_after


class Busy(DomainError):
    """Others hold what it takes; a retry may succeed at once."""

    status = 503
    code = "busy"
    title = "Unavailable"
    retry_after = 2


class DatabaseUnavailable(DomainError):
    """The database fails; the code says how."""

    status = 503
    code = "database_unavailable"
    title = "Unavailable"
    retry_after = 5


class StorageUnavailable(DomainError):
    """The file store fails; nothing was stored."""

    status = 503
    code = "storage_unavailable"
    title = "Storage unavailable"
    retry_after = 10
