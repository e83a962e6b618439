"""What the audit log records of incidents and their configuration."""

from auditlog.registry import auditlog

from incidents.models import Category, Incident, SlaPolicy

# Counters and sums that follow from the rest, and free text: that is on the timeline, where it can be redacted.
LEFT_OUT = (
    "updated_at",
    "version",
    "event_count",
    "head_digest",
    "is_tallied",
    "tallied_as",
    "next_breach_at",
    "sla",
    "title",
    "description",
)


def register() -> None:
    """Record every change of these models that goes through a save."""
    auditlog.register(Incident, exclude_fields=list(LEFT_OUT))
    auditlog.register(Category)
    auditlog.register(SlaPolicy)
