"""Pause runbooks that fail, and release them by hand."""

from django.utils.translation import gettext as _

from core.actor import acting
from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import Conflict
from core.text.sentences import Sentence
from remediation.models import Runbook
from remediation.permissions import require_admin
from users.models import User

FAILURES = 2  # in a row
FAILED = Sentence("It failed %(number)s times in a row.")


@unit_of_work
def count(runbook_id: int, *, is_failure: bool) -> None:
    """Count a run of a runbook, and pause it after two failures in a row."""
    runbook = Runbook.objects.select_for_update().get(pk=runbook_id)
    runbook.failures = runbook.failures + 1 if is_failure else 0
    names = ["failures"]
    if runbook.failures >= FAILURES and runbook.paused_at is None:
        runbook.paused_at = database_now()
        runbook.paused_because = FAILED.say(number=runbook.failures)
        names += ["paused_at", "paused_because"]
    runbook.save(update_fields=names)


@unit_of_work
def release(runbook: Runbook, *, by: User) -> Runbook:
    """Let a paused runbook run again. Raises PermissionRefused, Conflict."""
    require_admin(by)
    runbook = Runbook.objects.select_for_update().get(pk=runbook.pk)
    if runbook.paused_at is None:
        raise Conflict(_("The runbook is not paused."), code="not_paused")
    runbook.paused_at, runbook.paused_because, runbook.failures = None, "", 0
    with acting(by):
        runbook.save(update_fields=["paused_at", "paused_because", "failures"])
    return runbook
