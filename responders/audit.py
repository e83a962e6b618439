"""What the audit log records of teams and services."""

from auditlog.registry import auditlog

from responders.models import Membership, Service, Team


def register() -> None:
    """Record every change of these models that goes through a save."""
    for model in (Team, Membership, Service):
        auditlog.register(model)
