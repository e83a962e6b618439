"""What can be wrong with a file. Each names it, so that the sender of twenty knows which."""

from core.errors import DomainError, TooLarge, UnsupportedMedia
from incidents.attachments.kinds import ACCEPTED

FIELD = "attachments"


def too_large(name: str, limit: int) -> TooLarge:
    """More bytes than a file may have."""
    return TooLarge(f"{name} is larger than the {limit:,} bytes that a file may have.", field=FIELD, file=name)


def too_many(count: int, limit: int) -> DomainError:
    """More files than a request may carry."""
    return DomainError(
        f"{count} files came at once; send at most {limit} in one request.", field=FIELD, code="too_many_files"
    )


def empty(name: str) -> DomainError:
    """No bytes at all."""
    return DomainError(f"{name} is empty.", field=FIELD, code="empty_file", file=name)


def damaged(name: str, what: str) -> DomainError:
    """Truncated, or not what its first bytes promise."""
    return DomainError(
        f"{name} is a damaged or incomplete {what}; send it again.", field=FIELD, code="damaged_file", file=name
    )


def bomb(name: str, limit: str) -> DomainError:
    """Small as a file, huge when unpacked."""
    return DomainError(f"{name} unpacks to more than {limit}.", field=FIELD, code="decompression_bomb", file=name)


def unsupported(name: str, found: str = "") -> UnsupportedMedia:
    """Of no kind that we accept."""
    what = f"{name} ({found})" if found else name
    return UnsupportedMedia(f"{what} is of a kind we do not accept; we take {ACCEPTED}.", field=FIELD, file=name)
