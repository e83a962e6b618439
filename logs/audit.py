"""What the audit log records of logs: the rules that people edit, never the lines or what machines note."""

from auditlog.registry import auditlog

from logs.models import DetectionRule
from logs.models.rules import MACHINERY


def register() -> None:
    """Record every change of these models that goes through a save."""
    auditlog.register(DetectionRule, exclude_fields=list(MACHINERY))
