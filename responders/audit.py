"""What the audit log records of teams and services."""

from auditlog.registry import auditlog

from responders.models import Membership, Service, Team


def register() -> None:
    """Record every save of these models."""
    for model in (Team, Membership, Service):
        auditlog.register(model)
