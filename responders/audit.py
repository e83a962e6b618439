from auditlog.registry import auditlog

from responders.models import Membership, Service, Team


def register() -> None:
    """Record every save of teams and services."""
    for model in (Team, Membership, Service):
        auditlog.register(model)
