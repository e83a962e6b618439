from auditlog.registry import auditlog

from remediation.models import Agent, FreezeWindow, Runbook, RunbookSecret, RunbookVersion, Stop


def register() -> None:
    """Record every change of what people configure, and each stop; a secret's value is not in it."""
    auditlog.register(Agent, include_fields=["name", "description", "is_enabled"])
    auditlog.register(Runbook, exclude_fields=["failures"])
    auditlog.register(RunbookVersion, exclude_fields=["digest"])
    auditlog.register(RunbookSecret, exclude_fields=["sealed", "updated_at", "updated_by"])
    auditlog.register(FreezeWindow, m2m_fields={"teams", "services"})
    auditlog.register(Stop, exclude_fields=["active"])
