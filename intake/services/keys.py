"""Keys of sources: given out and taken back by people, on record."""

from urllib.parse import urlsplit

from auditlog.models import LogEntry
from django.conf import settings
from django.db import transaction

from core.actor import acting
from core.db.transactions import unit_of_work
from intake.models import Source, SourceKey
from intake.readers import payload_readers
from intake.services.sources import digest_of, forget, issue_key, revoke_key
from intake.vocabulary import LOGS
from users.audit import write
from users.models import User

LOGS_SNIPPET = """\
curl {url}/api/v1/logs/ -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
  -d '{"level": "error", "service": "checkout", "message": "Payment refused"}'
"""


@unit_of_work
def give_key(source: Source, *, by: User) -> tuple[SourceKey, str]:
    """A new key for the source, and its text, which is told this once. Raises Conflict when two are live."""
    text = issue_key(source)
    key = SourceKey.objects.get(digest=digest_of(text))
    with acting(by):
        write(source, LogEntry.Action.UPDATE, {"keys": ("", f"{key} given out")})
    return key, text


@unit_of_work
def take_key_back(key: SourceKey, *, by: User) -> None:
    """Take a key out of use."""
    with acting(by):
        write(key.source, LogEntry.Action.UPDATE, {"keys": (f"{key}", "taken back")})
    revoke_key(key)


def set_up_anew() -> None:
    """Have this process look its sources up again, now that one was changed; the others do within a second."""
    forget()
    transaction.on_commit(forget)  # what others looked up meanwhile was the old


def snippet_for(source: Source, key: str) -> str:
    """What to paste into the sender, with our address (whole, and in the parts that some tools ask for) and its key."""
    text = LOGS_SNIPPET if source.kind == LOGS else payload_readers()[source.kind].SNIPPET
    url = settings.PUBLIC_URL.rstrip("/")
    parts = urlsplit(url)
    # Not `format`: other braces are the tool's own.
    for name, value in {"url": url, "scheme": parts.scheme, "host": parts.netloc, "key": key}.items():
        text = text.replace(f"{{{name}}}", value)
    return text
