"""What the audit log records of alerts: what people edit, never what machines write."""

from auditlog.registry import auditlog

from alerts.models import Heartbeat, Route, Silence
from intake.models import Source


def register() -> None:
    """Record every change of these models that goes through a save."""
    auditlog.register(
        Source,
        exclude_fields=["last_received_at", "awaited_since"],
        mask_fields=["signing_secret"],
        mask_callable="alerts.audit.masked",
    )
    auditlog.register(Heartbeat, exclude_fields=["last_beat_at"])
    auditlog.register(Route, exclude_fields=["dropped_count", "matched_count"])
    auditlog.register(Silence)


def masked(secret: str) -> str:
    """What is recorded of a secret: that there was one. Auditlog's own mask would leave the second half readable."""
    return "***" if secret else ""
