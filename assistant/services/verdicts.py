"""Keep who found which suggestion useful."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from assistant.models import Verdict
from assistant.services.suggesting import Suggested, suggestions_of
from core.db.transactions import unit_of_work
from core.errors import NotFound, PermissionRefused
from core.text.languages import stored
from incidents.models import Incident
from incidents.permissions import require_visible
from users.models import User


def give_verdict(incident: Incident, suggestion: str, *, by: User, is_useful: bool, now: dt.datetime) -> Verdict:
    """Record whether a suggestion is useful; a person's later verdict replaces the earlier one.

    Raises NotFound for what is not suggested, PermissionRefused for reporters.
    """
    if not by.is_staff:
        raise PermissionRefused(_("Only responders and administrators can do this."))
    require_visible(by, incident)
    with stored():  # the snapshot is kept for all readers
        found = suggestions_of(incident, by, now).get(suggestion)
    return _store(incident, suggestion, found, by=by, is_useful=is_useful, now=now)


@unit_of_work
def _store(
    incident: Incident, suggestion: str, found: Suggested | None, *, by: User, is_useful: bool, now: dt.datetime
) -> Verdict:
    mine = Verdict.objects.filter(incident=incident, user=by, suggestion=suggestion)
    said: dict[str, Any] = {"is_useful": is_useful, "at": now}
    if found is not None:
        said |= {"kind": found.kind, "related_id": found.related, "snapshot": found.snapshot}
    elif not mine.exists():
        raise NotFound(_("This is not suggested, or no longer."))
    verdict, _is_new = Verdict.objects.update_or_create(
        incident=incident, user=by, suggestion=suggestion, defaults=said
    )
    return verdict
