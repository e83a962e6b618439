"""Errors of our own code: problem documents in the API, sentences on pages and in commands."""

from typing import Any


class DomainError(Exception):
    """A request cannot be done, and nothing was changed.

    `code` is stable, the message one sentence to act on, `extra` further members of the problem document.
    """

    status = 400
    code = "invalid"
    title = "Invalid request"
    retry_after: int | None = None  # seconds after which a retry may succeed

    def __init__(self, message: str, *, field: str | None = None, code: str | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.field = field
        self.extra = extra


class NotSignedIn(DomainError):
    """Only who is signed in may do this."""

    status = 401
    code = "not_authenticated"
    title = "Not signed in"


class PermissionRefused(DomainError):
    """The caller is known, but may not do this."""

    status = 403
    code = "permission_denied"
    title = "Not allowed"


class NotFound(DomainError):
    """What was asked for does not exist, or not for this caller."""

    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(DomainError):
    """The state of things does not allow it."""

    status = 409
    code = "conflict"
    title = "Conflict"


def conflict_of(error: Exception) -> Conflict | None:
    """Return what an IntegrityError caused by a concurrent write tells the caller; None for any other."""
    number = error.args[0] if error.args else None  # MySQL: 1062 duplicate; 1451, 1452 a row that others name
    text = str(error)
    if number == 1062 or "UNIQUE constraint failed" in text:
        return Conflict("There is one like this already; somebody was quicker.", code="already_exists")
    if number in (1451, 1452) or "FOREIGN KEY constraint failed" in text:
        return Conflict("What this names, or what names it, has just been changed by somebody else.", code="in_use")
    return None


class InvalidTransition(Conflict):
    """The incident's status does not allow this action; `allowed` lists what it does allow."""

    code = "invalid_transition"
    title = "Invalid transition"


class StaleVersion(DomainError):
    """`If-Match` names a version that is no longer the present one."""

    status = 412
    code = "stale_version"
    title = "Changed in the meantime"


class RequestTimeout(DomainError):
    """The rest of the request did not come."""

    status = 408
    code = "request_timeout"
    title = "Request timeout"


class TooLarge(DomainError):
    """More bytes than we accept."""

    status = 413
    code = "too_large"
    title = "Too large"


class UnsupportedMedia(DomainError):
    """A file or body of a kind we do not accept."""

    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"


class TooManyRequests(DomainError):
    """Try again after `retry_after` seconds."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"

    def __init__(self, message: str, *, retry_after: int, **extra: Any) -> None:
        super().__init__(message, **extra)
        self.retry_after = retry_after


class Busy(DomainError):
    """What it takes is taken up by others just now; nothing was done, and the same may succeed a moment later."""

    status = 503
    code = "busy"
    title = "Unavailable"
    retry_after = 2


class DatabaseUnavailable(DomainError):
    """The database does not do what it is there for; the code says what is the matter."""

    status = 503
    code = "database_unavailable"
    title = "Unavailable"
    retry_after = 5


class StorageUnavailable(DomainError):
    """The file store does not take or give files now; nothing was stored."""

    status = 503
    code = "storage_unavailable"
    title = "Storage unavailable"
    retry_after = 10
