"""Lists of runs, runbooks and secrets, and their filters."""

from typing import Any

from django.utils.translation import gettext as _

from core.api.listing import Filter, ListQuery, flag, row_id, words
from core.api.paging import Key
from core.api.problems import refuse
from incidents.views.lookup import NUMBER
from remediation.models import Run, Runbook, RunbookSecret
from remediation.vocabulary import RunState


def _by_incident(rows: Any, name: str, value: str, user: Any) -> Any:
    match = NUMBER.match(value)
    if match is None:
        refuse(name, _("%(value)s is neither an incident's number nor its reference.") % {"value": value})
    return rows.filter(incident_id=int(match.group(1)))


def _settled(rows: Any, value: bool) -> Any:
    return rows.filter(state=RunState.UNKNOWN, settled_at__isnull=not value)


RUNS = ListQuery(
    "runs",
    Run,
    orderings={"id": [Key("id")]},
    default_ordering="-id",
    related=("incident", "version__runbook", "proposed_by", "approved_by", "executed_by", "settled_by"),
    skips_empty=True,
    filters={
        "state": words("state", {word: word for word in RunState.values}, "Comma-separated states."),
        "is_settled": flag(_settled, help="Of runs that ended unknown: whether somebody said what they did."),
        "runbook": row_id("runbook_id", "Id."),
        "incident": Filter(_by_incident, "Number or reference."),
    },
)
RUNBOOKS = ListQuery(
    "runbooks",
    Runbook,
    orderings={"name": [Key("name")], "id": [Key("id")]},
    default_ordering="name",
    related=("current",),
    filters={"is_enabled": flag(lambda rows, value: rows.filter(is_enabled=value), help="`true` or `false`.")},
)
SECRETS = ListQuery(
    "secrets of runbooks",
    RunbookSecret,
    orderings={"name": [Key("name")], "id": [Key("id")]},
    default_ordering="name",
    related=("updated_by",),
    filters={},
)
