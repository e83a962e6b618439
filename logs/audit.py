from auditlog.registry import auditlog

from logs.models import DetectionRule
from logs.models.rules import MACHINERY


def register() -> None:
    """Record every save of detection rules."""
    auditlog.register(DetectionRule, exclude_fields=list(MACHINERY))
