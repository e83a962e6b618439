from auditlog.registry import auditlog

from responders.models import EscalationPolicy, Membership, Service, Team


def register() -> None:
    """Record every save of teams, services and policies."""
    for model in (Team, Membership, Service, EscalationPolicy):
        auditlog.register(model)
