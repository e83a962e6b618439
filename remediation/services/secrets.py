"""Keep the credentials that steps name: sealed, never shown again."""

from typing import Any

from auditlog.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.actor import acting
from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError
from core.outbound.urls import validate_url
from remediation.models import Runbook, RunbookSecret
from remediation.permissions import require_admin
from remediation.steps.http import HEADER, OURS
from users.audit import write
from users.models import User
from users.sealing import seal

MAX_VALUE = 4000


@unit_of_work
def set_secret(secret: RunbookSecret | None, *, by: User, value: str | None = None, **fields: Any) -> RunbookSecret:
    """Create or change a secret; another address needs its value again, and one in use keeps its name.

    Raises PermissionRefused, DomainError, Conflict.
    """
    require_admin(by)
    row = RunbookSecret() if secret is None else RunbookSecret.objects.select_for_update().get(pk=secret.pk)
    before, called = row.url_prefix, row.name
    for name, given in fields.items():
        setattr(row, name, given)
    if secret is not None and row.name != called:
        _refuse_used(called)
    row.url_prefix = validate_url(row.url_prefix, field="url_prefix")
    if not HEADER.fullmatch(row.header) or row.header.lower() in OURS:
        raise DomainError(_("This is no header that can be set."), field="header")
    if value is None and (secret is None or row.url_prefix != before):
        raise DomainError(_("Give the value: it is bound to its address."), field="value")
    if value is not None:
        if not value.isascii() or not value.isprintable() or value != value.strip() or not 0 < len(value) <= MAX_VALUE:
            raise DomainError(_("A header takes printable ASCII characters only."), field="value")
        row.sealed = seal(value)
    row.updated_at, row.updated_by = database_now(), by
    _save(row, by)
    if secret is not None and value is not None:
        with acting(by):
            write(row, LogEntry.Action.UPDATE, {"value": ("", "replaced")})
    return row


def _save(row: RunbookSecret, by: User) -> None:
    try:
        row.full_clean()
        with transaction.atomic(), acting(by):
            row.save()
    except ValidationError as error:
        name, texts = next(iter(error.message_dict.items()))
        raise DomainError(" ".join(texts), field=name) from error
    except IntegrityError as error:
        raise Conflict(_("Already exists."), code="already_exists") from error


@unit_of_work
def remove(secret: RunbookSecret, *, by: User) -> None:
    """Delete a secret that no runbook's present version names. Raises PermissionRefused, Conflict."""
    require_admin(by)
    _refuse_used(secret.name)
    with acting(by):
        secret.delete()


def used_by() -> dict[str, list[Runbook]]:
    """Return the runbooks whose present version names a secret, by its name."""
    found: dict[str, list[Runbook]] = {}
    for runbook in Runbook.objects.filter(current__isnull=False).select_related("current"):
        for name in {str(step["secret"]) for step in runbook.current.steps if "secret" in step}:  # type: ignore[union-attr]
            found.setdefault(name, []).append(runbook)
    return found


def _refuse_used(name: str) -> None:
    if runbooks := used_by().get(name):
        raise Conflict(_("The runbook %(name)s uses it.") % {"name": runbooks[0].name}, code="in_use")
