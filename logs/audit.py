"""What the audit log records of logs: the rules that people edit."""

from auditlog.registry import auditlog

from logs.models import DetectionRule
from logs.models.rules import MACHINERY


def register() -> None:
    """Record every save of these models."""
    auditlog.register(DetectionRule, exclude_fields=list(MACHINERY))
