from auditlog.registry import auditlog

from assistant.models import ModelSwitch


def register() -> None:
    """Record who switches the language model off and on."""
    auditlog.register(ModelSwitch, include_fields=["is_enabled"])
