"""Register incidents and their configuration with the audit log."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from auditlog.models import LogEntry
from auditlog.registry import auditlog

from incidents.models import Category, Incident, ReportRule, SlaPolicy
from users import audit
from users.models import User

# Counters and sums that follow from the rest, and free text: that is on the timeline, where it can be redacted.
LEFT_OUT = (
    "updated_at",
    "version",
    "event_count",
    "head_digest",
    "last_occurred_at",
    "last_received_at",
    "row_digest",
    "is_tallied",
    "tallied_as",
    "next_breach_at",
    "sla",
    "title",
    "description",
    "is_open",
)
TRACKED = {field.name: field.attname for field in Incident._meta.concrete_fields if field.name not in LEFT_OUT}


def register() -> None:
    """Audit every save of these models."""
    auditlog.register(Incident, exclude_fields=list(LEFT_OUT))
    auditlog.register(Category)
    auditlog.register(SlaPolicy)
    auditlog.register(ReportRule)


def record_creation(incident: Incident, by: User) -> None:
    """Write the entry of a new incident, inserted without a save."""
    audit.write(incident, LogEntry.Action.CREATE, _changes({}, vars(incident), TRACKED), by=by)


def record_change(incident: Incident, before: Mapping[str, Any], names: Iterable[str]) -> None:
    """Write the entry of changed fields, if any is tracked; `before` holds their old values, by attribute."""
    if changes := _changes(before, vars(incident), names):
        audit.write(incident, LogEntry.Action.UPDATE, changes)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return auditlog's {field: (from, to)}, all as text."""
    attributes = {name: TRACKED[name] for name in names if name in TRACKED}
    pairs = {name: (_text(before.get(at)), _text(after[at])) for name, at in attributes.items()}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _text(value: Any) -> str:
    return str(value.astimezone(dt.UTC).replace(tzinfo=None) if isinstance(value, dt.datetime) else value)
